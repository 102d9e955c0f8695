"""Who writes the access log: the core, or the Python logger where something in Python wants to see each request."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

from monoceros.glogging import ACCESS_LOG, Logger, unusable
from monoceros.hints import Any
from monoceros.loghandlers import FileHandler, StreamHandler
from monoceros.logwriter import DescriptorTarget, writer_for

#: What a subclass of the logger may replace of what makes an access line.
OVERRIDABLE = ("access", "atoms", "now", "atoms_wrapper_class", "access_fmt", "_get_user")


def needs_python(logger: Any, cfg: Any) -> bool:
    """Whether each request has to go through `logger.access`: something of the user's would be missed otherwise.

    That is a logger class with a say in it, another logger than `logging`'s, a logging configuration, syslog, a filter,
    or a handler other than our own one.
    """
    if any(_is_overridden(logger, name) for name in OVERRIDABLE):
        return True
    if not logger.access_log_enabled:
        return False
    return bool(cfg.logconfig or cfg.logconfig_dict or cfg.logconfig_json) or _native_handler(logger) is None


def check(logger: Any, cfg: Any) -> None:
    """Raises RuntimeError, with a line for the user, for an `access_log_format` that the core cannot write."""
    if needs_python(logger, cfg) or _native_handler(logger) is None:
        return
    from monoceros import _native

    try:
        _native.check_access_log_format(cfg.access_log_format)
    except ValueError as error:
        raise unusable(cfg, "access_log_format", str(error)) from None


def descriptor(logger: Any) -> int | None:
    """Where the core writes access lines to; None when there is no access log, or `needs_python`.

    A write to it does not block, but for a socket, which has to be asked not to with each call (MSG_DONTWAIT), and a
    pipe of another user's, which is to be polled first.
    """
    handler = _native_handler(logger)
    if handler is None:
        return None
    writer = writer_for(handler.stream)
    if writer is not None and isinstance(writer.target, DescriptorTarget):
        return writer.target.prepare()
    return handler.stream.fileno()


def environ_texts(environ: dict[str, Any], names: Sequence[str]) -> list[bytes | None]:
    """What stands in the environ under names in lower case: as `str` has it, in UTF-8."""
    found = {}
    for key, value in environ.items():
        if isinstance(key, str) and (name := key.lower()) in names:
            found[name] = value
    return [str(found[name]).encode("utf-8", "backslashreplace") if name in found else None for name in names]


def statsd_descriptor(logger: Any) -> int | None:
    """The socket for what the core counts; None when the metrics of requests are for Python to send.

    That is the case where a subclass changes what is sent of a request, or how.
    """
    # Whoever has such a socket has loaded what it is of.
    if getattr(logger, "sock", None) is None:
        return None
    from monoceros.instrument.statsd import Statsd

    if not isinstance(logger, Statsd):
        return None
    if any(_is_changed(logger, name, Statsd) for name in ("access", "timer", "increment", "_sock_send")):
        return None
    logger.core_counts_requests = True
    return logger.sock.fileno()


def _is_changed(logger: Any, name: str, base: type) -> bool:
    """Whether something else than the base class's has the name."""
    return name in vars(logger) or getattr(type(logger), name) is not getattr(base, name)


def _is_overridden(logger: Any, name: str) -> bool:
    if not isinstance(logger, Logger):
        return True
    if name != "access" or not _is_changed(logger, name, Logger):
        return _is_changed(logger, name, Logger)
    from monoceros.instrument.statsd import Statsd

    # Beside the log that one sends metrics, which the core does as well unless a subclass changes them.
    return _is_changed(logger, name, Statsd) or (logger.sock is not None and statsd_descriptor(logger) is None)


def _native_handler(logger: Any) -> StreamHandler | None:
    """The one handler of the access log, if it is ours and writes to a descriptor nothing but the line."""
    log = logger.access_log
    if log is not logging.getLogger(ACCESS_LOG) or log.propagate or log.filters or log.disabled:
        return None
    if not log.isEnabledFor(logging.INFO) or len(log.handlers) != 1:
        return None
    handler = log.handlers[0]
    if type(handler) not in (StreamHandler, FileHandler) or handler.filters or handler.level > logging.INFO:
        return None
    formatter = handler.formatter
    if type(formatter) is not logging.Formatter or formatter._fmt != "%(message)s":
        return None
    if type(handler) is StreamHandler and handler.stream is not sys.__stdout__:
        return None
    return handler
