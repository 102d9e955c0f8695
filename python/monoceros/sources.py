"""Where settings come from: files, the environment and the command line, in the order in which they count.

Each source replaces the whole value of an earlier one, lists included: defaults, `PORT` and the like, what a
PasteDeploy file says, the configuration file, `GUNICORN_CMD_ARGS`, `MONOCEROS_CMD_ARGS`, the command line.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType

from monoceros.application import prepare_import_path
from monoceros.arguments import PROGRAM, Arguments, read_plain
from monoceros.config import Config, ConfigError
from monoceros.errors import remedy
from monoceros.hints import TYPE_CHECKING, Any
from monoceros.settings import current_directory

if TYPE_CHECKING:
    import argparse
    import ast

#: The names of a configuration file, the one that is read first.
DEFAULT_FILES = ("monoceros.conf.py", "gunicorn.conf.py")
#: Variables with arguments in them, the one that counts more last.
ARGUMENT_VARIABLES = ("GUNICORN_CMD_ARGS", "MONOCEROS_CMD_ARGS")
#: What looks like an application.
APPLICATION = r"[A-Za-z_][\w.]*:[A-Za-z_]\w*(\(.*\))?"
MACHINERY = os.path.dirname(__file__)
#: Names that people write, and what they mean: some were settings of gunicorn's once.
OLD_NAMES = {
    "preload": "preload_app",
    "logfile": "errorlog",
    "log_file": "errorlog",
    "log_level": "loglevel",
    "access_log": "accesslog",
    "access_logfile": "accesslog",
    "error_logfile": "errorlog",
    "log_config": "logconfig",
    "keep_alive": "keepalive",
    "pid": "pidfile",
    "name": "proc_name",
    "env": "raw_env",
    "after_fork": "post_fork",
    "before_fork": "pre_fork",
    "reload_extra_file": "reload_extra_files",
    "access_logformat": "access_log_format",
}


def read(argv: Sequence[str], environ: Mapping[str, str], directory: str | None) -> Config:
    """What `monoceros.config.load` does."""
    before = current_directory()
    if directory is not None:
        os.chdir(directory)
    try:
        configuration = Config(prog=PROGRAM, environ=environ)
        configuration.argv = list(argv)
        apply(configuration)
        if configuration.app_uri is None:
            look_for_taken_application(configuration)
        configuration.validate()
    except BaseException:
        os.chdir(before)
        raise
    return configuration


def apply(
    configuration: Config, parser: argparse.ArgumentParser | None = None, takes_more_arguments: bool = False
) -> None:
    """Sets what all sources say, and changes to the directory that they name. Raises ConfigError.

    `takes_more_arguments`: an embedding program may have a use for what follows the app spec.
    """
    typed = parse(configuration, parser, configuration.argv)
    if len(typed.positional) > 1 and not takes_more_arguments:
        configuration.parser().error(f"unrecognized arguments: {' '.join(typed.positional[1:])}")
    prepare_import_path(configuration.chdir)
    variables = {name: parse_variable(configuration, parser, name) for name in ARGUMENT_VARIABLES}

    # The configuration file may import gunicorn already.
    spaces = [typed, *(variables[name] for name in reversed(ARGUMENT_VARIABLES))]
    if any(space.given.get("gunicorn_compat") for space in spaces):
        lend_name(configuration)
    name_application(configuration, typed, variables.values())
    for location in [space.given.get("config") for space in spaces]:
        # An empty one is none, as in gunicorn: `-c "$FILE"` where there is no FILE.
        if location:
            apply_file(configuration, location)
            break
    else:
        apply_default_file(configuration)
    for variable, arguments in variables.items():
        for name, value in arguments.given.items():
            configuration.set(name, value, f"{flags(configuration, name)} in {variable}")
    for name, value in typed.given.items():
        configuration.set(name, value, flags(configuration, name))

    if configuration.paste is not None and configuration.app_uri is None:
        name_paste_file(configuration, configuration.paste)
    elif configuration.app_uri is None:
        configuration.app_uri = configuration.wsgi_app
    prepare_import_path(configuration.chdir)
    prepend_paths(configuration.pythonpath)
    if configuration.gunicorn_compat:
        lend_name(configuration)


def look_for_taken_application(configuration: Config) -> None:
    """Raises ConfigError when an option has taken the application for its value, as in `--access-logfile app:app`."""
    for name, setting in configuration.settings.items():
        value = setting.get()
        # `-c python:settings` looks like one.
        if name == "config" or setting.row.kind != "str" or setting.source != flags(configuration, name):
            continue
        if re.fullmatch(APPLICATION, value):
            raise ConfigError(
                f"No application module specified: {setting.source} has taken {value!r} for its value."
                f" Write {(setting.cli or [name])[-1]} {setting.meta or 'VALUE'} {value}"
            )


def lend_name(configuration: Config) -> None:
    """Lets `import gunicorn` find our modules."""
    from monoceros import gunicorn_compat

    notice = "gunicorn_compat has no effect: gunicorn itself is installed."
    if not gunicorn_compat.install() and notice not in configuration.notices:
        configuration.notices.append(notice)


def parse(
    configuration: Config, parser: argparse.ArgumentParser | None, words: Sequence[str], variable: str | None = None
) -> Arguments:
    """What the words say. `variable` of the environment has them, if not the command line.

    `parser` is that of a program which has its own; None takes the configuration's, where there is need of one.
    """
    if parser is None and (found := read_plain(words)) is not None:
        return found
    parser = parser or configuration.parser()
    prog = parser.prog
    if variable is not None:
        parser.prog = f"{prog}: {variable}"
    try:
        return Arguments.from_namespace(parser.parse_intermixed_args(words))
    finally:
        parser.prog = prog


def parse_variable(configuration: Config, parser: argparse.ArgumentParser | None, name: str) -> Arguments:
    """The arguments in a variable of the environment."""
    text = configuration.env_orig.get(name, "")
    if not text.strip():
        return Arguments({}, [])
    import shlex

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"{name} in the environment cannot be read: {error}") from None
    return parse(configuration, parser, words, name)


def flags(configuration: Config, name: str) -> str:
    return "/".join(configuration.settings[name].cli or ()) or name


def name_application(configuration: Config, typed: Arguments, others: Iterable[Arguments]) -> None:
    """What is served, as far as the command line says it, and the name of the processes that follows from it."""
    paste = next((space.given["paste"] for space in [typed, *others] if "paste" in space.given), None)
    if paste is not None:
        name_paste_file(configuration, paste)
    elif typed.positional:
        configuration.set("default_proc_name", typed.positional[0])
        configuration.app_uri = typed.positional[0]


def name_paste_file(configuration: Config, paste: str) -> None:
    from monoceros.app.pasterapp import has_logging_config

    path = os.path.abspath(os.path.join(configuration.start_directory, paste))
    file = path.split("#")[0]
    if not os.path.isfile(file):
        raise ConfigError(f"Invalid value for paste: {paste!r}: there is no file {file!r}")
    configuration.set("default_proc_name", file)
    configuration.app_uri = path
    # Whatever else says how to log counts more than the file's own section.
    if has_logging_config(file) and configuration.settings["logconfig"].is_default:
        configuration.set("logconfig", file, f"the section loggers of {file}")


def prepend_paths(paths: str | None) -> None:
    for path in (paths or "").split(","):
        absolute = os.path.abspath(path.strip())
        if path.strip() and absolute not in sys.path:
            sys.path.insert(0, absolute)


# Configuration files


def default_file(directory: str) -> tuple[str, list[str]] | None:
    """The configuration file of a directory, and the names of those beside it that are not read."""
    there = [name for name in DEFAULT_FILES if os.path.exists(os.path.join(directory, name))]
    return (os.path.join(os.path.abspath(directory), there[0]), there[1:]) if there else None


def apply_default_file(configuration: Config) -> None:
    found = default_file(os.getcwd())
    if found is None:
        return
    path, others = found
    for other in others:
        configuration.notices.append(f"{os.path.basename(path)} is read, and {other} beside it is not.")
    apply_file(configuration, path)


def apply_file(configuration: Config, location: str) -> dict[str, Any]:
    """Sets what `PATH`, `file:PATH` or `python:MODULE` says; returns all of its names. Raises ConfigError."""
    if location.startswith("python:"):
        module = import_settings(location.removeprefix("python:"))
        path = getattr(module, "__file__", None)
        label = module.__name__ if path is None else path
    else:
        path = location.removeprefix("file:")
        label = path
        module = execute(path)
    names = vars(module)
    lines = Lines(path)
    for name, value in list(names.items()):
        if name in configuration.settings:
            configuration.set(name, value, lines.place(label, name))
    configuration.notices.extend(misspelt(names, set(configuration.settings), lines, label))
    return names


def import_settings(name: str) -> ModuleType:
    try:
        if name in sys.modules:
            return importlib.reload(sys.modules[name])
        return importlib.import_module(name)
    except Exception as error:
        raise unreadable(f"python:{name}", error) from error


def execute(path: str) -> ModuleType:
    """Runs a configuration file as the module `__config__`."""
    if not os.path.exists(path):
        raise ConfigError(f"{path!r} does not exist: -c takes the path of a file, or python:MODULE")
    import importlib.machinery
    import importlib.util

    # The loader is named because the file may have any extension. Its path is absolute, so that a traceback out of a
    # hook shows its lines in whatever directory the server works then.
    path = os.path.abspath(path)
    loader = importlib.machinery.SourceFileLoader("__config__", path)
    if path.endswith(".pyc"):
        loader = importlib.machinery.SourcelessFileLoader("__config__", path)
    specification = importlib.util.spec_from_file_location("__config__", path, loader=loader)
    module = importlib.util.module_from_spec(specification)
    replaced = sys.modules.get("__config__")
    sys.modules["__config__"] = module
    try:
        loader.exec_module(module)
    except Exception as error:
        # What is at fault must not take the place of the one that the server runs with.
        if replaced is not None:
            sys.modules["__config__"] = replaced
        raise unreadable(path, error) from error
    return module


def unreadable(location: str, error: Exception) -> ConfigError:
    """One line, below it the user's own part of the traceback where the error itself does not show the place."""
    lines = traceback.format_exception_only(error)
    text = f"Failed to read config file: {location}: {lines[-1].strip()}{remedy(error)}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_machinery(frame.filename)]
    shown = traceback.format_list(frames) + (lines[:-1] if isinstance(error, SyntaxError) else [])
    return ConfigError("\n".join([text, *"".join(shown).splitlines()]))


def is_machinery(path: str) -> bool:
    directory = os.path.dirname(path)
    return path.startswith("<frozen importlib") or directory in (MACHINERY, os.path.dirname(importlib.__file__))


class Lines:
    """Where a file gives its names their values."""

    def __init__(self, path: str | None):
        self._lines: dict[str, int] = {}
        self._used: set[str] = set()
        if path is None or not path.endswith(".py") and not os.path.isfile(path):
            return
        import ast

        try:
            with open(path, "rb") as file:
                tree = ast.parse(file.read())
        except (OSError, SyntaxError, ValueError):
            return
        for name, line in bindings(tree):
            self._lines[name] = line
        self._used = {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }

    def place(self, label: str, name: str) -> str:
        """`gunicorn.conf.py:3`, without the line where it is not known."""
        return f"{label}:{self._lines[name]}" if name in self._lines else label

    def binds(self, name: str) -> bool:
        return name in self._lines

    def uses(self, name: str) -> bool:
        """Whether the file reads the name itself: then it is a helper of its own."""
        return name in self._used


def bindings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names that a module binds by assignment or as functions, and their lines, the last one last."""
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno


def misspelt(names: Mapping[str, Any], known: set[str], lines: Lines, label: str) -> Iterator[str]:
    """A line for each name that is nearly a setting's. Other names are the file's own business."""
    for name in names:
        if name in known or name.startswith("_") or not lines.binds(name) or lines.uses(name):
            continue
        meant = OLD_NAMES.get(name) or nearest(name, known)
        if meant is not None and meant not in names:
            yield f"{lines.place(label, name)}: there is no setting {name!r}; did you mean {meant!r}?"


def nearest(name: str, known: set[str]) -> str | None:
    folded = name.lower()
    if folded in known:
        return folded
    import difflib

    found = difflib.get_close_matches(folded, known, n=1, cutoff=0.84)
    return found[0] if found else None
