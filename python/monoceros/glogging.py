"""The logger: where the error log and the access log go, and what a subclass named by `logger_class` can change.

Names, attributes and methods are those of gunicorn's `glogging`, so that what was written for that works on this.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Mapping

from monoceros.atoms import Atoms, SafeAtoms, basic_user
from monoceros.hints import TYPE_CHECKING, Any
from monoceros.loghandlers import FileHandler, StreamHandler

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["CONFIG_DEFAULTS", "Logger", "SafeAtoms", "loggers"]

ERROR_LOG = "gunicorn.error"
ACCESS_LOG = "gunicorn.access"

#: What a `logconfig_dict` or `logconfig_json` starts from; each of its keys replaces one of these whole.
CONFIG_DEFAULTS: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "INFO", "handlers": ["console"]},
    "loggers": {
        ERROR_LOG: {"level": "INFO", "handlers": ["error_console"], "propagate": True, "qualname": ERROR_LOG},
        ACCESS_LOG: {"level": "INFO", "handlers": ["console"], "propagate": True, "qualname": ACCESS_LOG},
    },
    "handlers": {
        "console": {
            "class": "monoceros.loghandlers.StreamHandler",
            "formatter": "generic",
            "stream": "ext://sys.stdout",
        },
        "error_console": {
            "class": "monoceros.loghandlers.StreamHandler",
            "formatter": "generic",
            "stream": "ext://sys.stderr",
        },
    },
    "formatters": {
        "generic": {
            "format": "%(asctime)s [%(process)d] [%(levelname)s] %(message)s",
            "datefmt": "[%Y-%m-%d %H:%M:%S %z]",
            "class": "logging.Formatter",
        }
    },
}


def __getattr__(name: str) -> Any:
    """gunicorn's names for what is in `monoceros.syslog`, which a server without syslog does not load."""
    if name in ("SYSLOG_FACILITIES", "parse_syslog_address"):
        from monoceros import syslog

        return getattr(syslog, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def loggers() -> list[logging.Logger]:
    """Every logger of the process but the root."""
    return [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]


def unusable(cfg: Any, name: str, text: str) -> RuntimeError:
    """An error for the user: a setting that cannot be followed, where it was given, its value, and why."""
    source = getattr(getattr(cfg, "settings", {}).get(name), "source", None)
    value = getattr(cfg, name)
    # A dictionary is shown in its file.
    shown = "" if isinstance(value, Mapping) else f" {value!r}:"
    return RuntimeError(f"Invalid value for {name}{f' ({source})' if source else ''}:{shown} {text}")


class Logger:
    """One for each server, made before the first fork. `setup` runs again when the configuration is read again."""

    LOG_LEVELS = {
        "critical": logging.CRITICAL,
        "error": logging.ERROR,
        "warning": logging.WARNING,
        "info": logging.INFO,
        "debug": logging.DEBUG,
    }
    loglevel = logging.INFO

    error_fmt = r"%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
    datefmt = r"[%Y-%m-%d %H:%M:%S %z]"

    access_fmt = "%(message)s"
    syslog_fmt = "[%(process)d] %(message)s"

    atoms_wrapper_class: Any = SafeAtoms

    def __init__(self, cfg: Any):
        self.error_log = logging.getLogger(ERROR_LOG)
        # The application configures the root logger as it likes; our lines must not come out twice because of it.
        self.error_log.propagate = False
        self.access_log = logging.getLogger(ACCESS_LOG)
        self.access_log.propagate = False
        self.error_handlers: list[logging.Handler] = []
        self.access_handlers: list[logging.Handler] = []
        self.logfile: Any = None
        self.lock = threading.Lock()
        self.cfg = cfg
        self.setup(cfg)

    def setup(self, cfg: Any) -> None:
        """Sends both logs where the settings say.

        Raises RuntimeError for a setting that cannot be followed, and then leaves everything as it was.
        """
        previous = [(log, log.handlers[:], log.level) for log in (self.error_log, self.access_log)]
        before = self.cfg, self.loglevel
        try:
            self._follow(cfg)
        except BaseException:
            self.cfg, self.loglevel = before
            for log, handlers, level in previous:
                log.handlers[:] = handlers
                log.setLevel(level)
            raise
        for log, handlers, _ in previous:
            for handler in handlers:
                if getattr(handler, "_gunicorn", False) and handler not in log.handlers:
                    handler.close()

    def _follow(self, cfg: Any) -> None:
        self.cfg = cfg
        level = self.LOG_LEVELS.get(cfg.loglevel.lower())
        self.loglevel = logging.INFO if level is None else level
        self.error_log.setLevel(self.loglevel)
        self.access_log.setLevel(logging.INFO)
        for log in (self.error_log, self.access_log):
            log.handlers[:] = [each for each in log.handlers if not getattr(each, "_gunicorn", False)]
        self._set_handler(self.error_log, cfg.errorlog, logging.Formatter(self.error_fmt, self.datefmt))
        if cfg.accesslog is not None:
            self._set_handler(self.access_log, cfg.accesslog, logging.Formatter(self.access_fmt), stream=sys.stdout)
        if cfg.syslog:
            self._set_syslog_handler(self.error_log, cfg, self.syslog_fmt, "error")
            if not cfg.disable_redirect_access_to_syslog:
                self._set_syslog_handler(self.access_log, cfg, self.syslog_fmt, "access")
        self._follow_logconfig(cfg)
        if self._captures_output:
            self._capture_output()
        if level is None:
            # gunicorn takes any word for `info`; so do we, but say so.
            known = ", ".join(self.LOG_LEVELS)
            self.error_log.warning("Unknown loglevel %r: using info (choose from %s)", cfg.loglevel, known)

    def _follow_logconfig(self, cfg: Any) -> None:
        if cfg.logconfig_dict:
            self._follow_dictionary(cfg.logconfig_dict, "logconfig_dict")
        elif cfg.logconfig_json:
            import json

            try:
                with open(cfg.logconfig_json, encoding="utf-8") as file:
                    settings = json.load(file)
            except OSError as error:
                raise unusable(cfg, "logconfig_json", f"the file cannot be read: {error.strerror}") from None
            except ValueError as error:
                raise unusable(cfg, "logconfig_json", f"the file is not JSON: {error}") from None
            if not isinstance(settings, dict):
                raise unusable(cfg, "logconfig_json", "the file holds no object")
            self._follow_dictionary(settings, "logconfig_json")
        elif cfg.logconfig:
            from logging.config import fileConfig

            if not os.path.exists(cfg.logconfig):
                raise unusable(cfg, "logconfig", "there is no such file")
            defaults = {"__file__": cfg.logconfig, "here": os.path.dirname(cfg.logconfig)}
            try:
                fileConfig(cfg.logconfig, defaults=defaults, disable_existing_loggers=False)
            except Exception as error:
                text = " ".join(f"{type(error).__name__}: {error}".split())
                raise unusable(cfg, "logconfig", text) from error

    def _follow_dictionary(self, settings: Mapping[str, Any], name: str) -> None:
        from logging.config import dictConfig

        try:
            dictConfig(CONFIG_DEFAULTS | dict(settings))
        except (AttributeError, ImportError, ValueError, TypeError) as error:
            cause = f" ({error.__cause__})" if error.__cause__ is not None else ""
            raise unusable(self.cfg, name, f"{error}{cause}") from error

    # The error log

    def critical(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.error_log.critical(msg, *args, **kwargs)

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.error_log.error(msg, *args, **kwargs)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.error_log.warning(msg, *args, **kwargs)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.error_log.info(msg, *args, **kwargs)

    def debug(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.error_log.debug(msg, *args, **kwargs)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.error_log.exception(msg, *args, **kwargs)

    def log(self, lvl: int | str, msg: object, *args: object, **kwargs: Any) -> None:
        """Writes at a level that is one of `logging`'s, or the name of one."""
        if isinstance(lvl, str):
            lvl = self.LOG_LEVELS.get(lvl.lower(), logging.INFO)
        self.error_log.log(lvl, msg, *args, **kwargs)

    # The access log

    @property
    def access_log_enabled(self) -> bool:
        """Whether any setting asks for an access log."""
        cfg = self.cfg
        if cfg.accesslog or cfg.logconfig or cfg.logconfig_dict or cfg.logconfig_json:
            return True
        return bool(cfg.syslog and not cfg.disable_redirect_access_to_syslog)

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:
        """Writes the line of one request that is over."""
        if not self.access_log_enabled:
            return
        try:
            atoms = self.atoms_wrapper_class(self.atoms(resp, req, environ, request_time))
            self.access_log.info(self.cfg.access_log_format, atoms)
        except Exception:
            self.error(traceback.format_exc())

    def atoms(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> dict[str, Any]:
        """What the access log format can name; docs/logging.md lists it. Each is made when it is asked for."""
        return Atoms(self, resp, req, environ, request_time)

    def now(self) -> str:
        """The time of the atom `t`: as in the Common Log Format, local."""
        return time.strftime("[%d/%b/%Y:%H:%M:%S %z]")

    def _get_user(self, environ: Mapping[str, Any]) -> str | None:
        try:
            return basic_user(environ)
        except ValueError as error:
            self.debug("The user name of a request cannot be read: %s", error)
            return None

    # Files

    @property
    def _captures_output(self) -> bool:
        return bool(self.cfg.capture_output and self.cfg.errorlog not in ("-", None))

    def _capture_output(self) -> None:
        """Has what the application prints go to the error log too, from the descriptors up."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        with self.lock:
            file = open(self.cfg.errorlog, "a+")  # noqa: SIM115 - it stays open
            if self.logfile is not None:
                self.logfile.close()
            self.logfile = file
            for stream in (sys.stdout, sys.stderr):
                os.dup2(file.fileno(), stream.fileno())

    def reopen_files(self) -> None:
        """Goes on in the files that have the names now: after a rotation, in every process of the server.

        Covers the files of every logger of the process, the application's too. One that cannot be opened again is
        written on as it is, and that is said.
        """
        if self._captures_output:
            try:
                self._capture_output()
            except OSError as error:
                self._say_not_reopened(self.cfg.errorlog, error)
        seen = set()
        for log in [logging.root, *loggers()]:
            for handler in log.handlers:
                if isinstance(handler, logging.FileHandler) and handler not in seen:
                    seen.add(handler)
                    self._reopen(handler)

    def _reopen(self, handler: logging.FileHandler) -> None:
        try:
            if isinstance(handler, FileHandler):
                handler.reopen()
            else:
                handler.acquire()
                try:
                    if handler.stream:
                        handler.close()
                        handler.stream = handler._open()
                finally:
                    handler.release()
            if getattr(handler, "_gunicorn", False):
                self._give_away(handler.baseFilename)
        except OSError as error:
            self._say_not_reopened(handler.baseFilename, error)

    def _say_not_reopened(self, path: str, error: OSError) -> None:
        self.error("The log %s cannot be opened again (%s): the old file is written on.", path, error.strerror)

    def close_on_exec(self) -> None:
        """Programs that an application starts do not get the log files."""
        for log in [logging.root, *loggers()]:
            for handler in log.handlers:
                if isinstance(handler, logging.FileHandler) and handler.stream:
                    os.set_inheritable(handler.stream.fileno(), False)

    def _get_gunicorn_handler(self, log: logging.Logger) -> logging.Handler | None:
        return next((handler for handler in log.handlers if getattr(handler, "_gunicorn", False)), None)

    def _set_handler(self, log: logging.Logger, output: str | None, fmt: logging.Formatter, stream=None) -> None:
        """Sends a log to a file, or for `-` to the stream (None: stderr), instead of where we sent it before."""
        if (previous := self._get_gunicorn_handler(log)) is not None:
            log.removeHandler(previous)
        if output is None:
            return
        if output == "-":
            handler: logging.Handler = StreamHandler(stream)
        else:
            try:
                handler = FileHandler(output)
            except OSError as error:
                name = "accesslog" if log is self.access_log else "errorlog"
                raise unusable(self.cfg, name, f"it isn't writable: {error.strerror}") from None
            self._give_away(handler.baseFilename)
        handler.setFormatter(fmt)
        handler._gunicorn = True
        log.addHandler(handler)

    def _give_away(self, path: str) -> None:
        """Lets the workers' user open the file again."""
        # Not for everybody to do, and not for every file: /dev/null stays root's.
        with contextlib.suppress(OSError):
            os.chown(path, self.cfg.uid, self.cfg.gid)

    def _set_syslog_handler(self, log: logging.Logger, cfg: Any, fmt: str, name: str) -> None:
        from monoceros.syslog import SYSLOG_FACILITIES, SyslogHandler, parse_syslog_address

        prefix = cfg.syslog_prefix or cfg.proc_name.replace(":", ".")
        facility = SYSLOG_FACILITIES.get(cfg.syslog_facility.lower())
        if facility is None:
            known = ", ".join(SYSLOG_FACILITIES)
            raise unusable(cfg, "syslog_facility", f"choose from {known}")
        try:
            kind, address = parse_syslog_address(cfg.syslog_addr)
            handler = SyslogHandler(address, facility, kind)
        except (OSError, RuntimeError) as error:
            raise unusable(cfg, "syslog_addr", f"{getattr(error, 'strerror', None) or error}") from None
        handler.setFormatter(logging.Formatter(f"gunicorn.{prefix}.{name}: {fmt}"))
        handler._gunicorn = True
        if handler.unreachable is not None and log is self.error_log:
            log.warning("Syslog at %s cannot be reached (%s): it is tried again with every line.", cfg.syslog_addr,
                        handler.unreachable.strerror)  # fmt: skip
        log.addHandler(handler)
