"""Settings: from their table, the environment and the command line to one plain dictionary.

The table is declared in Swift (Sources/Settings) and arrives here as a list of rows. Every source gives a dictionary of
what it sets; a later source replaces the whole value of an earlier one, lists included, as in gunicorn.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class Setting(NamedTuple):
    """One row of the table; the fields are those of `_native.SettingRow`."""

    name: str
    section: str
    flags: list[str]
    kind: str
    action: str
    default: object
    choices: list[str] | None
    bare: str | None
    synonyms: dict[str, str]
    minimum: int | None
    maximum: int | None
    metavar: str | None
    text: str
    environment: str | None
    environment_format: str | None
    environment_may_be_empty: bool


class SettingError(Exception):
    """A value that a setting cannot take; the text is one line that names source, setting, value and remedy."""

    def __init__(self, setting: str, source: str, value: object, remedy: str):
        super().__init__(f"Invalid value for {setting} ({source}): {value!r}: {remedy}")


def resolve(
    table: Iterable[Setting], environ: Mapping[str, str], command_line: Mapping[str, object]
) -> dict[str, object]:
    """Returns the value of every setting. Raises SettingError for a value that does not fit."""
    values: dict[str, object] = {}
    for setting in table:
        value, source = choose(setting, environ, command_line)
        values[setting.name] = validate(setting, value, source)
    return values


def choose(setting: Setting, environ: Mapping[str, str], command_line: Mapping[str, object]) -> tuple[object, str]:
    """The value that wins, and where it came from, in words for the user."""
    if setting.name in command_line:
        return spelled(setting, command_line[setting.name]), "/".join(setting.flags) or "command line"
    text = environ.get(setting.environment, "").strip() if setting.environment else ""
    # Set but empty means unset, save for settings that say otherwise: that is how compose files and unit files leave a
    # variable out.
    if text or (setting.environment_may_be_empty and setting.environment in environ):
        value = spelled(setting, (setting.environment_format or "{}").replace("{}", text))
        return value, f"{setting.environment} in the environment"
    return setting.default, "default"


def spelled(setting: Setting, value: object) -> object:
    """What text means on the command line and in the environment, where a configuration file reads it otherwise."""
    if not isinstance(value, str):
        return value
    if setting.kind == "int":
        # `007` is seven here, and a mistake in a configuration file.
        try:
            return int(value)
        except ValueError:
            return value
    if setting.kind == "bool":
        return value.strip().lower() in ("y", "1", "yes", "true")
    return value


def validate(setting: Setting, value: object, source: str) -> object:
    """Returns the value in the setting's type, as gunicorn's validators do, or raises SettingError."""
    try:
        value = as_choice(value, setting) if setting.kind == "choice" else KINDS[setting.kind](value)
        if setting.kind == "int" and not setting.minimum <= value <= setting.maximum:
            raise ValueError(f"it must be a whole number from {setting.minimum} to {setting.maximum}")
        if check := CHECKS.get(setting.name):
            value = check(value)
    except (TypeError, ValueError) as error:
        raise SettingError(setting.name, source, value, str(error)) from None
    return value


def as_int(value: object) -> int:
    """A whole number: an int, a bool, or text such as `8`, `0x10` or `0o17`; `007` is refused."""
    remedy = "it must be a whole number"
    if isinstance(value, int):
        return int(value)
    if not isinstance(value, str):
        raise TypeError(remedy)
    try:
        return int(value, 0)
    except ValueError:
        raise ValueError(remedy) from None


def as_bool(value: object) -> bool | None:
    """A bool, or `true` or `false` in any case. None stays: nothing was said."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in ("true", "false"):
        return word == "true"
    raise ValueError("it must be true or false")


def as_string(value: object) -> str | None:
    """Text without the white space around it. None stays: nothing was said."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError("it must be text")
    return value.strip()


def as_list(value: object) -> list[str]:
    """A list of texts, or one text that stands for a list of one."""
    if not value:
        return []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise TypeError("it must be a text or a list of texts")
    return [item.strip() for item in value]


def as_commas(value: object) -> list[str]:
    """A list of texts, or one text in which commas part them. Empty ones count for nothing."""
    if isinstance(value, str):
        value = value.split(",")
    return [item for item in as_list(value) if item]


def as_mapping(value: object) -> dict[str, str]:
    """A dictionary of texts, or one text `NAME=VALUE,NAME=VALUE`."""
    if not value:
        return {}
    if isinstance(value, str):
        pairs = [item.partition("=") for item in as_commas(value)]
        if not all(equals for _, equals, _ in pairs):
            raise ValueError("it must be NAME=VALUE, and a comma before each further one")
        return {name.strip(): text.strip() for name, _, text in pairs}
    if not isinstance(value, dict) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise TypeError("it must be a dictionary of texts")
    return value


def as_choice(value: object, setting: Setting) -> str:
    """One of the setting's words, in any case, or what stands for one of them."""
    remedy = f"choose from {', '.join(setting.choices or [])}"
    if value is None or isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise TypeError(remedy)
    word = value.strip().lower()
    word = setting.synonyms.get(word, word)
    if word not in (setting.choices or []):
        raise ValueError(remedy)
    return word


def existing_directory(value: str | None) -> str | None:
    """The absolute path of a directory that is there."""
    if value is None:
        return None
    path = os.path.abspath(os.path.join(current_directory(), value))
    if not os.path.isdir(path):
        raise ValueError("there is no such directory")
    return path


def writable_directory(value: str | None) -> str | None:
    """The absolute path of a directory in which a file can be made."""
    path = existing_directory(value)
    if path is not None and not os.access(path, os.W_OK | os.X_OK):
        raise ValueError("no file can be made in this directory")
    return path


def chdir_directory(value: str | None) -> str:
    return existing_directory(value) or current_directory()


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


KINDS: dict[str, Callable[[object], object]] = {
    "int": as_int,
    "bool": as_bool,
    "str": as_string,
    "list": as_list,
    "commas": as_commas,
    "mapping": as_mapping,
}

# What only the machine at hand can tell; the rest stands in the table.
CHECKS: dict[str, Callable[..., object]] = {
    "chdir": chdir_directory,
    "tmp_upload_dir": writable_directory,
}
