"""What the Swift core has to say, and how it gets into the logs."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from types import TracebackType

from monoceros import accesslog, logwriter
from monoceros.glogging import Logger
from monoceros.hints import TYPE_CHECKING, Any
from monoceros.stacks import shown

if TYPE_CHECKING:
    from monoceros.observer import Observer

METHODS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}


class HostLog:
    """The part of the core's host that writes and counts."""

    logger: Logger
    app: Any
    worker: Any

    def log(self, level: int, message: str) -> None:
        """Writes to the error log; the levels are those of Python's logging (10 debug to 50 critical)."""
        # By the method of the level, since a subclass of the logger may do more than write (statsd counts).
        method = getattr(self.logger, METHODS.get(level, ""), None)
        if method is not None:
            method("%s", message)
        else:
            self.logger.log(level, "%s", message)

    def log_enabled(self, level: int) -> bool:
        """Whether a message of this level would be written, so that nobody formats one that is not."""
        is_enabled = getattr(self.logger.error_log, "isEnabledFor", None)
        # A logger of another make, which a subclass has put there, is asked for nothing: it gets every message.
        return is_enabled is None or is_enabled(level)

    def log_exception(
        self,
        message: str,
        kind: type[BaseException],
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Writes the message at level ERROR, with the traceback below it."""
        self.logger.exception("%s", message, exc_info=(kind, value if value is not None else kind(), trace))

    def reopen_logs(self) -> None:
        """Goes on in the files that have the logs' names now: what master and workers do at USR1."""
        self.logger.reopen_files()

    def needs_python_access_log(self) -> bool:
        """Whether the observer logs the requests; otherwise the core does, to `access_descriptor`, if there is one."""
        return accesslog.needs_python(self.logger, self.app.cfg)

    def access_descriptor(self) -> int | None:
        """The descriptor that the core writes access lines to. Its number stays the same when logs are reopened."""
        return accesslog.descriptor(self.logger)

    def report_lost_access_lines(self, count: int, error: int) -> None:
        """Says how many lines the access log did not take, now that it takes some again. `error` is an errno, or 0."""
        logwriter.say_lost("the access log", count, OSError(error, os.strerror(error)) if error else None)

    def observer(self) -> Observer | None:
        """What each request is told to, in a worker; None where nobody asks, and then it is not loaded either."""
        found = self.observer_class()
        return found(self.app.cfg, self.logger, self.worker) if found is not None else None

    def observer_class(self) -> type[Observer] | None:
        """That of the observer that workers need. The master loads it before it forks them: a worker of another user
        may not be able to read it.
        """
        cfg = self.app.cfg
        has_hooks = cfg.hook("pre_request") is not None or cfg.hook("post_request") is not None
        if not has_hooks and not accesslog.needs_python(self.logger, cfg):
            return None
        from monoceros.observer import Observer

        return Observer

    def environ_texts(self, environ: dict[str, Any], names: Sequence[str]) -> list[bytes | None]:
        """What stands in the environ under these names, in any case, as the access log writes it."""
        return accesslog.environ_texts(environ, names)

    def statsd_descriptor(self) -> int | None:
        """The socket by which the core sends what it counts of requests; None when Python sends it, or nobody does."""
        return accesslog.statsd_descriptor(self.logger)

    def count_workers(self, count: int) -> None:
        """Tells the logger how many workers there are, when that changes: a gauge for statsd."""
        extra = {"metric": "gunicorn.workers", "value": count, "mtype": "gauge"}
        self.logger.debug("%s workers", count, extra=extra)

    def report(self, line: str) -> None:
        """Writes a line for the person who starts the server, whatever the log level is."""
        writer = logwriter.writer_for(sys.stderr)
        if writer is not None:
            writer.write(logwriter.encode(f"{line}\n", sys.stderr))
        else:
            print(line, file=sys.stderr, flush=True)

    def log_slow(self, request: str, milliseconds: int, thread: int, suppressed: int) -> None:
        """Writes that a request runs for long, and where its thread is. `suppressed` others were not written of."""
        more = f" ({suppressed} more were not written)" if suppressed else ""
        self.log(
            logging.WARNING,
            f"Slow request: {request} has been running for {milliseconds / 1000:.1f} s{more}."
            f" It is here:\n{stack_of(thread)}",
        )

    def log_overdue(self, request: str, seconds: int, thread: int) -> None:
        """Writes that a request takes too long, and where its thread is at the moment."""
        stack = stack_of(thread)
        self.log(
            logging.CRITICAL,
            f"WORKER TIMEOUT (pid:{os.getpid()}): {request} has been running for {seconds} s. It is here:\n{stack}",
        )

    def log_unfinished(self, request: str, seconds: int, thread: int) -> None:
        """Writes that a request is left behind by a worker whose time to leave is over, and where its thread is."""
        self.log(
            logging.WARNING, f"Unfinished: {request} has been running for {seconds} s. It is here:\n{stack_of(thread)}"
        )


def stack_of(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    return shown(frame) if frame is not None else "(its thread runs no Python)"
