"""The settings table, and what a value that a user writes stands for.

The table is declared in Swift (Sources/Settings), which alone decides which values are right. Here values become what
Python programs use (`as_...`), and in turn what Swift is asked about (`crossing`). What is not understood stays as it
is: Swift refuses it, and says what would be right.
"""

import functools
import importlib
import os
import pwd
import re
from collections import namedtuple
from collections.abc import Callable
from types import FunctionType, MethodType

#: One row of the table, as `_native.settings()` gives it.
SettingRow = namedtuple(
    "SettingRow",
    (
        "name",
        "section",
        # The command line's options; none where only a configuration file sets it.
        "flags",
        # What values it takes: one of `KINDS`.
        "kind",
        # argparse's: "store", "store_true", "store_false" or "append".
        "action",
        # A text, a number, a bool, a list or a dictionary of texts, or None.
        "default",
        # A list of texts, or None.
        "choices",
        # The range of a number, or of how many arguments a function takes; None where there is none.
        "minimum",
        "maximum",
        # What the flag means without a value; None where it has to have one.
        "bare",
        # Other words for choices: a dictionary.
        "synonyms",
        "metavar",
        "text",
        # Who reads it: "python", "arbiter", "worker", "nobody" (it has no effect) or "missing" (its feature is not
        # there).
        "consumer",
        # Why it has no effect, or what is not there; else None.
        "note",
        # "gunicorn", "flag" (gunicorn's setting, with a flag of our own) or "own".
        "origin",
        # A variable, or None.
        "environment",
        # The value, in which `{}` stands for what the variable holds; or None.
        "environment_format",
        "environment_may_be_empty",
    ),
)


@functools.cache
def rows() -> tuple[SettingRow, ...]:
    """The table, in the order of the documentation."""
    from monoceros import _native

    return tuple(SettingRow(**row) for row in _native.settings())


def as_int(value: object, row: SettingRow) -> object:
    """A whole number: an int, a bool, or text such as `8`, `0x10` or `0o17`, but not `007`."""
    if isinstance(value, int):
        return int(value)
    try:
        return int(value, 0) if isinstance(value, str) else value
    except ValueError:
        return value


def as_bool(value: object, row: SettingRow) -> object:
    """A bool, or `true` or `false` in any case. None stays: nothing was said."""
    if isinstance(value, str) and (word := value.strip().lower()) in ("true", "false"):
        return word == "true"
    return value


def as_string(value: object, row: SettingRow) -> object:
    """Text without the white space around it. None stays: nothing was said."""
    return value.strip() if isinstance(value, str) else value


def as_list(value: object, row: SettingRow) -> object:
    """A list of texts, or one text that stands for a list of one."""
    if not value:
        return []
    if isinstance(value, str):
        value = [value]
    return [as_string(item, row) for item in value] if isinstance(value, (list, tuple)) else value


def as_commas(value: object, row: SettingRow) -> object:
    """A list of texts, or one text with commas between them. Empty ones count for nothing."""
    if value is None:
        return []
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, (list, tuple)):
        return value
    return [item for item in as_list(value, row) if item]


def as_files(value: object, row: SettingRow) -> object:
    """A list of paths of files that are there, or of patterns, which may match files later on."""
    import glob

    value = as_list(value, row)
    if isinstance(value, list):
        for path in value:
            if isinstance(path, str) and not glob.has_magic(path) and not os.path.exists(path):
                raise LookupError(f"there is no file {path!r}")
    return value


def as_mapping(value: object, row: SettingRow) -> object:
    """A dictionary of texts, or one text `NAME=VALUE,NAME=VALUE`."""
    if not isinstance(value, str):
        return value
    pairs = [item.partition("=") for item in value.split(",") if item.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise LookupError("it must be NAME=VALUE, and a comma before each further one")
    return {name.strip(): text.strip() for name, _, text in pairs}


def as_given(value: object, row: SettingRow) -> object:
    return value


def as_choice(value: object, row: SettingRow) -> object:
    """One of the setting's words, in any case, or what stands for one of them. None is the default."""
    if value is None:
        return row.default
    word = str(value).strip().lower()
    return row.synonyms.get(word, word) if isinstance(value, (str, bool)) else value


def as_callable(value: object, row: SettingRow) -> object:
    """A function, or the one that `package.module.name` names."""
    if not isinstance(value, str):
        return value
    module, _, name = value.strip().rpartition(".")
    if not module:
        raise LookupError("write module.function")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise LookupError(f"{module!r} cannot be imported: {error}") from None
    except AttributeError:
        raise LookupError(f"{module!r} has no {name!r}") from None


def as_class(value: object, row: SettingRow) -> object:
    """A class, its name, or what a function returns: a class or its name."""
    if isinstance(value, (FunctionType, MethodType)):
        value = value()
    return as_string(value, row)


def as_user(value: object, row: SettingRow) -> object:
    """A user's number. None is the one that the process runs as."""
    if value is None:
        return os.geteuid()
    try:
        return as_identifier(value, row, lambda name: pwd.getpwnam(name).pw_uid)
    except KeyError:
        raise LookupError("there is no such user") from None


def as_group(value: object, row: SettingRow) -> object:
    """A group's number. None is the one that the process runs as."""
    if value is None:
        return os.getegid()
    try:
        return as_identifier(value, row, group_number)
    except KeyError:
        raise LookupError("there is no such group") from None


def group_number(name: str) -> int:
    import grp

    return grp.getgrnam(name).gr_gid


def as_identifier(value: object, row: SettingRow, find: Callable[[str], int]) -> object:
    if not isinstance(value, str):
        return as_int(value, row)
    return int(value) if value.isascii() and value.isdigit() else find(value)


def as_directory(value: object, row: SettingRow) -> object:
    """The absolute path of a directory that is there; None is the current one."""
    if value is None:
        return current_directory()
    if not isinstance(value, str):
        return value
    path = os.path.abspath(os.path.join(current_directory(), value.strip()))
    if not os.path.isdir(path):
        raise LookupError("there is no such directory")
    return path


def as_writable_directory(value: object, row: SettingRow) -> object:
    """The absolute path of a directory in which a file can be made. None and the empty text stay: nothing was said."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    path = as_directory(value, row)
    if isinstance(path, str) and not os.access(path, os.W_OK | os.X_OK):
        raise LookupError("no file can be made in this directory")
    return path


def as_address(value: object, row: SettingRow) -> object:
    """A host and a port, 8125 where none is given, or the path of a Unix socket."""
    from monoceros.util import parse_address

    if not isinstance(value, str):
        return value
    value = value.strip()
    # Not the path of a socket: gunicorn takes a host of that name.
    if found := re.fullmatch(r"unix:(\d+)", value):
        return "unix", int(found[1])
    try:
        address = parse_address(value, default_port="8125")
    except RuntimeError:
        address = None
    if address is None or isinstance(address, int):
        raise LookupError("it must be HOST:PORT or unix://PATH")
    if isinstance(address, tuple) and not 0 <= address[1] <= 65535:
        raise LookupError("the port must be a number from 0 to 65535")
    return address


#: What reads the values of each kind. Raises LookupError with a remedy for what only this machine can tell.
KINDS: dict[str, Callable[[object, SettingRow], object]] = {
    "str": as_string,
    "int": as_int,
    "mode": as_int,
    "bool": as_bool,
    "list": as_list,
    "files": as_files,
    "choice": as_choice,
    "commas": as_commas,
    "mapping": as_mapping,
    "dict": as_given,
    "callable": as_callable,
    "class": as_class,
    "user": as_user,
    "group": as_group,
    "directory": as_directory,
    "writable_directory": as_writable_directory,
    "address": as_address,
    "any": as_given,
}


def crossing(value: object, row: SettingRow) -> object:
    """What Swift is told of a value: text, numbers, lists and dictionaries of text as they are, else a description."""
    if row.kind == "dict":
        return {} if isinstance(value, dict) else value
    if row.kind == "any":
        return None
    if row.name == "worker_class" and isinstance(value, type):
        from monoceros.workers.base import kind_of

        return kind_of(value)
    if row.kind == "class" and isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if row.kind == "callable" and callable(value):
        return arity(value), f"{getattr(value, '__qualname__', type(value).__name__)}()"
    if row.kind == "address" and isinstance(value, tuple):
        return "{}:{}".format(*value)
    if row.kind == "address" and isinstance(value, str):
        return f"unix://{value}"
    return value


def arity(function: Callable[..., object]) -> int:
    """How many positional parameters a function declares; -1 where it cannot be known."""
    import inspect

    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return -1
    return sum(parameter.kind in positional for parameter in parameters)


def spelled(row: SettingRow, text: str) -> object:
    """What text means in the environment, where a configuration file reads it otherwise."""
    if row.kind == "int":
        # `007` is seven here, and a mistake in a configuration file.
        try:
            return int(text)
        except ValueError:
            return text
    if row.kind == "bool":
        return text.strip().lower() in ("y", "1", "yes", "true")
    return text


def from_environment(row: SettingRow, environ: "os._Environ[str] | dict[str, str]") -> object | None:
    """The value that the setting's variable gives; None when it gives none."""
    if row.environment is None:
        return None
    text = environ.get(row.environment, "").strip()
    # Set but empty means unset, save for settings that say otherwise: that is how compose files and unit files leave a
    # variable out.
    if text or (row.environment_may_be_empty and row.environment in environ):
        return spelled(row, (row.environment_format or "{}").replace("{}", text))
    return None


def current_directory() -> str:
    """The current directory, by the name the shell uses for it when it goes through a symbolic link."""
    real = os.getcwd()
    named = os.environ.get("PWD")
    try:
        if named and os.path.isabs(named) and os.path.samefile(named, real):
            return named
    except OSError:
        pass
    return real
