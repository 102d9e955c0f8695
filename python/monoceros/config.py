"""Settings as objects: what hooks, configuration files and programs that embed the server know as `cfg`.

The interface is gunicorn's: `cfg.workers`, `cfg.set("workers", 4)`, `cfg.settings["workers"].get()`. Which values are
right is for the table to say (monoceros.settings).
"""

from __future__ import annotations

import copy
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from monoceros import hooks
from monoceros.errors import ConfigError
from monoceros.hints import TYPE_CHECKING, Any
from monoceros.settings import KINDS, SettingRow, crossing, current_directory, from_environment, rows

if TYPE_CHECKING:
    import argparse

#: Where a value came from that nobody gave.
DEFAULT = "default"


class SettingError(ConfigError, ValueError, TypeError):
    """A value that a setting cannot take. The text is one line that names setting, source, value and remedy.

    gunicorn raises a ValueError for some values, a TypeError for others.
    """


class Setting:
    """One setting of a `Config`, with its value and where that came from."""

    def __init__(self, row: SettingRow, order: int = 0):
        self.row = row
        self.order = order
        self.name = row.name
        self.section = row.section
        self.cli = row.flags or None
        self.meta = row.metavar
        self.action = row.action if row.action != "store" else None
        self.short = self.desc = row.text
        self.default = hooks.DEFAULTS[row.name] if row.kind == "callable" else initial(row)
        self.value = copy.copy(self.default)
        self.source = DEFAULT

    def get(self) -> Any:
        return self.value

    def set(self, value: Any, source: str = "set in Python") -> None:
        """Takes a value as a configuration file gives it. Raises what `validator` raises."""
        self.value = self.validator(value, source)
        self.source = source

    def validator(self, value: Any, source: str = "set in Python") -> Any:
        """What `get` returns once this value is set.

        `source` says where it was given, for messages. Raises SettingError when the setting cannot take it.
        """
        from monoceros import _native

        try:
            taken = KINDS[self.row.kind](value, self.row)
            told = crossing(taken, self.row)
        except (LookupError, RuntimeError) as error:
            raise SettingError(f"Invalid value for {self.name} ({source}): {value!r}: {error}") from None
        try:
            _native.check(self.name, told, source)
        except ValueError as error:
            raise SettingError(str(error)) from None
        return hooks.with_four(taken, told[0]) if self.name == "post_request" else taken

    @property
    def is_default(self) -> bool:
        """Whether nobody gave a value."""
        return self.source == DEFAULT

    def copy(self) -> Setting:
        return copy.copy(self)

    def __lt__(self, other: Setting) -> bool:
        return self.section == other.section and self.order < other.order

    def __repr__(self) -> str:
        return f"<Setting {self.name} with value {self.value!r} ({self.source})>"


def initial(row: SettingRow) -> Any:
    """The value of a setting that nobody gives."""
    if row.kind in ("user", "group"):
        return KINDS[row.kind](None, row)
    return current_directory() if row.name == "chdir" else row.default


def make_settings(ignore: Sequence[str] = ()) -> dict[str, Setting]:
    """Every setting with its default, but for those of the names to ignore."""
    return {row.name: Setting(row, order) for order, row in enumerate(rows()) if row.name not in ignore}


def __getattr__(name: str) -> Any:
    """gunicorn's `KNOWN_SETTINGS`, and its settings by the names of their classes, such as `AccessLogFormat`.

    They are made when they are asked for: the table is the core's.
    """
    if name == "KNOWN_SETTINGS":
        return list(make_settings().values())
    if name[:1].isupper():
        for setting in make_settings().values():
            if name == "".join(part.capitalize() for part in setting.name.split("_")):
                return setting
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Config:
    """All settings of a server."""

    def __init__(self, usage: str | None = None, prog: str | None = None, environ: Mapping[str, str] | None = None):
        """Raises SettingError when a variable of the environment, such as `WEB_CONCURRENCY`, makes no sense."""
        self.settings = make_settings()
        self.usage = usage
        self.prog = prog or os.path.basename(sys.argv[0])
        #: The environment at the start. What `raw_env` adds is not in it.
        self.env_orig = dict(os.environ if environ is None else environ)
        #: The command line that it was read from.
        self.argv: list[str] = []
        #: Where the server was started; files are looked for from there.
        self.start_directory = current_directory()
        #: What to tell the user about the configuration, a line each, once there is a log.
        self.notices: list[str] = []
        #: What the command line or `wsgi_app` names, as `module:name`; for `paste`, the file.
        self.app_uri: str | None = None
        for setting in self.settings.values():
            if (value := from_environment(setting.row, self.env_orig)) is not None:
                setting.set(value, f"{setting.row.environment} in the environment")

    def __getattr__(self, name: str) -> Any:
        if name == "settings":
            raise AttributeError(name)
        if name not in self.settings:
            raise AttributeError(f"No configuration setting for: {name}")
        return self.settings[name].get()

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "settings" and name in self.settings:
            raise AttributeError("Invalid access!")
        super().__setattr__(name, value)

    def __str__(self) -> str:
        """What `--print-config` prints: a line for each setting, in the order of the alphabet."""
        width = max(map(len, self.settings))
        lines = []
        for name in sorted(self.settings):
            value = self.settings[name].get()
            shown = f"<{getattr(value, '__qualname__', type(value).__name__)}()>" if callable(value) else value
            lines.append(f"{name:{width}} = {shown}")
        return "\n".join(lines)

    def set(self, name: str, value: Any, source: str = "set in Python") -> None:
        """Sets a value. Raises AttributeError for a name that no setting has, else what `Setting.set` raises."""
        if name not in self.settings:
            raise AttributeError(f"No configuration setting for: {name}")
        self.settings[name].set(value, source)

    def native(self, worker_kind: str | None = None) -> dict[str, tuple[Any, str]]:
        """What was given, as the Swift core takes it: by name the value and its source.

        `worker_kind` is what the worker class is (`monoceros.workers.base.kind_of`), once it could be loaded.
        """
        given = {
            name: (crossing(setting.get(), setting.row), setting.source)
            for name, setting in self.settings.items()
            if not setting.is_default
        }
        if worker_kind is not None and "worker_class" in given:
            given["worker_class"] = worker_kind, given["worker_class"][1]
        return given

    def validate(self) -> None:
        """Raises SettingError for a feature that is asked for and not there."""
        from monoceros import _native

        try:
            _native.configure(self.native())
        except ValueError as error:
            raise SettingError(str(error)) from None

    def without_effect(self) -> list[str]:
        """A line for each setting that was given and has no effect."""
        return [
            f"{name} ({setting.source}) has no effect: {setting.row.note}."
            for name, setting in self.settings.items()
            if setting.row.consumer == "nobody" and not setting.is_default and setting.get() != setting.default
        ]

    def parser(self) -> argparse.ArgumentParser:
        """The command line. What was not typed is None in the result, and `args` are the positional arguments."""
        from monoceros.commandline import make_parser

        return make_parser(self)

    def get_cmd_args_from_env(self) -> list[str]:
        """The arguments in `GUNICORN_CMD_ARGS`, and after them those in `MONOCEROS_CMD_ARGS`."""
        import shlex

        names = ("GUNICORN_CMD_ARGS", "MONOCEROS_CMD_ARGS")
        return [argument for name in names for argument in shlex.split(self.env_orig.get(name, ""))]

    def hook(self, name: str) -> Callable[..., Any] | None:
        """The function that somebody set for a server hook; None where nobody did, so that nothing need be called."""
        value = self.settings[name].get()
        return None if value is hooks.DEFAULTS[name] else value

    # What gunicorn computes.

    @property
    def worker_class_str(self) -> str:
        given = self.settings["worker_class"].get()
        if not isinstance(given, str):
            return given.__name__
        return "gthread" if self.threads > 1 and (given == "sync" or given.endswith("SyncWorker")) else given

    @property
    def worker_class(self) -> type:
        from monoceros.classes import load_class

        given = self.settings["worker_class"].get()
        try:
            found = load_class(own_name(self.worker_class_str if isinstance(given, str) else given))
        except RuntimeError as error:
            source = self.settings["worker_class"].source
            raise RuntimeError(f"Invalid value for worker_class ({source}): {error}") from error
        if hasattr(found, "setup"):
            found.setup()
        return found

    @property
    def logger_class(self) -> type:
        from monoceros.classes import load_class

        setting = self.settings["logger_class"]
        given = setting.default if setting.get() in ("simple", None) else setting.get()
        if given == setting.default and self.statsd_host is not None:
            given = "monoceros.instrument.statsd.Statsd"
        try:
            found = load_class(own_name(given), default="monoceros.glogging.Logger", section="gunicorn.loggers")
        except RuntimeError as error:
            raise RuntimeError(f"Invalid value for logger_class ({setting.source}): {error}") from error
        if not isinstance(found, type):
            raise RuntimeError(f"Invalid value for logger_class ({setting.source}): {given!r}: it is no class")
        if hasattr(found, "install"):
            found.install()
        return found

    @property
    def address(self) -> list[Any]:
        from monoceros.util import bytes_to_str, parse_address

        return [parse_address(bytes_to_str(bind)) for bind in self.settings["bind"].get()]

    @property
    def uid(self) -> int:
        return self.settings["user"].get()

    @property
    def gid(self) -> int:
        return self.settings["group"].get()

    @property
    def proc_name(self) -> str:
        given = self.settings["proc_name"].get()
        return given if given is not None else self.settings["default_proc_name"].get()

    @property
    def env(self) -> dict[str, str]:
        """The variables of `raw_env`."""
        return dict(pair.split("=", 1) for pair in self.settings["raw_env"].get())

    @property
    def sendfile(self) -> bool:
        return self.settings["sendfile"].get() is not False

    @property
    def reuse_port(self) -> bool:
        return bool(self.settings["reuse_port"].get())

    @property
    def is_ssl(self) -> Any:
        return self.certfile or self.keyfile

    @property
    def ssl_options(self) -> dict[str, Any]:
        return {name: setting.get() for name, setting in self.settings.items() if setting.section == "SSL"}

    @property
    def paste_global_conf(self) -> dict[str, str]:
        """The variables of `raw_paste_global_conf`. A backslash before an equals sign makes it part of the name."""
        result = {}
        for text in self.settings["raw_paste_global_conf"].get():
            parts = re.split(r"(?<!\\)=", text, maxsplit=1)
            if len(parts) != 2:
                raise ConfigError(f"Invalid value for raw_paste_global_conf: {text!r}: write NAME=VALUE")
            name, value = (part.replace("\\=", "=") for part in parts)
            result[name] = value
        return result


def own_name(uri: Any) -> Any:
    """A class of Monoceros where gunicorn's of the same place is named."""
    if isinstance(uri, type) or not uri.startswith(("gunicorn.", "egg:gunicorn#")):
        return uri
    return uri.removeprefix("egg:gunicorn#") if uri.startswith("egg:") else f"monoceros.{uri.removeprefix('gunicorn.')}"


def get_default_config_file() -> str | None:
    """The configuration file of the current directory, if there is one."""
    from monoceros.sources import default_file

    found = default_file(os.getcwd())
    return found[0] if found else None


def load(argv: Sequence[str], environ: Mapping[str, str] | None = None, directory: str | None = None) -> Config:
    """Reads all sources: defaults, environment, configuration file, `GUNICORN_CMD_ARGS`, `MONOCEROS_CMD_ARGS`, `argv`.

    Afterwards the current directory is that of the configuration, and modules are imported from it. `directory` is
    where files are looked for; the current one unless given.

    Raises ConfigError, whose text is for the user, and then leaves the current directory as it was; SystemExit for
    `--help` and `--version`.
    """
    from monoceros.sources import read

    return read(argv, os.environ if environ is None else environ, directory)


def reload(configuration: Config) -> Config:
    """Reads all sources of a configuration again, from where they were read at first. Raises what `load` raises."""
    return load(configuration.argv, configuration.env_orig, configuration.start_directory)


__all__ = [
    "Config",
    "ConfigError",
    "Setting",
    "SettingError",
    "get_default_config_file",
    "load",
    "make_settings",
    "reload",
]
