"""What the Swift core asks of Python: the log, the application, a worker's signal handlers."""

import atexit
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Protocol

from monoceros import SERVER_SOFTWARE, __version__, accesslog, logwriter
from monoceros.application import AppImportError, AppModuleNotFoundError
from monoceros.glogging import Logger
from monoceros.observer import Observer
from monoceros.wsgi import ErrorsStream

# gunicorn's exit statuses of a worker: the arbiter stops the server when it sees one of them.
WORKER_BOOT_ERROR = 3
APP_LOAD_ERROR = 4

METHODS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}


class LoadsApplication(Protocol):
    """What a server serves: `monoceros.app.base.BaseApplication`, or whatever has these."""

    cfg: Any

    def wsgi(self) -> Callable[..., object]:
        """Returns the application, loading it the first time."""


class WorkerControl(Protocol):
    """The Swift core's object that tells a worker of its end. Its methods only take a note."""

    def terminate(self) -> None:
        """Asks for an end after the requests under way."""

    def quit(self) -> None:
        """Asks for an end at once."""

    def abort(self) -> None:
        """The same, after it wrote which request took too long, if one did."""

    def is_quitting(self) -> bool:
        """Whether an end at once was asked for, so that a SystemExit is not the application's."""


class Host:
    """One for each server, made before the first fork; every worker has its copy."""

    def __init__(self, app: LoadsApplication, logger: Logger):
        self.app = app
        self.logger = logger
        self.version = __version__
        self.server_software = SERVER_SOFTWARE
        self.errors_stream = ErrorsStream()
        # In a worker: what its signal handlers call.
        self.control: WorkerControl | None = None

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

    def flush_logs(self) -> bool:
        """Tries lines again that a log did not take so far; returns whether none waits any more. Never blocks."""
        return logwriter.flush_all()

    def needs_python_access_log(self) -> bool:
        """Whether the observer logs the requests; otherwise the core does, to `access_descriptor`, if there is one."""
        return accesslog.needs_python(self.logger, self.app.cfg)

    def access_descriptor(self) -> int | None:
        """The descriptor that the core writes access lines to. Its number stays the same when logs are reopened."""
        return accesslog.descriptor(self.logger)

    def report_lost_access_lines(self, count: int, error: int) -> None:
        """Says how many lines the access log did not take, now that it takes some again. `error` is an errno, or 0."""
        logwriter.say_lost("the access log", count, OSError(error, os.strerror(error)) if error else None)

    def observer(self, worker: object) -> Observer:
        """What each request is told to, in a worker. `worker` is what hooks get."""
        return Observer(self.app.cfg, self.logger, worker)

    def count_workers(self, count: int) -> None:
        """Tells the logger how many workers there are, when that changes: a gauge for statsd."""
        extra = {"metric": "gunicorn.workers", "value": count, "mtype": "gauge"}
        self.logger.debug("%s workers", count, extra=extra)

    def count_backlog(self, count: int) -> None:
        """Tells the logger how many connections wait to be accepted: a histogram for statsd."""
        extra = {"metric": "gunicorn.backlog", "value": count, "mtype": "histogram"}
        self.logger.debug("socket backlog: %s", count, extra=extra)

    def load_application(self) -> Callable[..., object]:
        """Returns the application, in a worker after the fork.

        When that fails it has been reported, and SystemExit carries the worker's exit status: 4 when the app spec names
        nothing that can be served, 3 when its module is missing or raised.
        """
        try:
            return self.app.wsgi()
        except AppModuleNotFoundError as error:
            self.report(str(error))
            raise SystemExit(WORKER_BOOT_ERROR) from None
        except AppImportError as error:
            self.report(str(error))
            raise SystemExit(APP_LOAD_ERROR) from None
        except BaseException as error:
            if self.control is not None and self.control.is_quitting():
                # The SystemExit of `handle_quit`, and not the application's.
                raise
            # BaseException: a module that calls sys.exit() on import, or is interrupted, has not booted either.
            self.logger.error("Exception in worker process", exc_info=trim(error))
            name = getattr(self.app, "app_uri", None) or type(self.app).__name__
            self.report(f"Failed to load {name!r}: {last_line(error)}")
            raise SystemExit(WORKER_BOOT_ERROR) from None

    def report(self, line: str) -> None:
        """Writes a line for the person who starts the server, whatever the log level is."""
        writer = logwriter.writer_for(sys.stderr)
        if writer is not None:
            writer.write(logwriter.encode(f"{line}\n", sys.stderr))
        else:
            print(line, file=sys.stderr, flush=True)

    def start_thread(self, name: str, run: Callable[[], object]) -> None:
        """Starts a thread that runs the application.

        It is no daemon, since the threads that an application starts in it would be daemons too: cut off in the middle
        when the worker leaves.
        """
        threading.Thread(target=run, name=name, daemon=False).start()

    def log_overdue(self, request: str, seconds: int, thread: int) -> None:
        """Writes that a request takes too long, and where its thread is at the moment."""
        frame = sys._current_frames().get(thread)
        stack = "".join(traceback.format_stack(frame)).rstrip() if frame is not None else "(its thread runs no Python)"
        self.log(
            logging.CRITICAL,
            f"WORKER TIMEOUT (pid:{os.getpid()}): {request} has been running for {seconds} s. It is here:\n{stack}",
        )

    def leave_threads_behind(self, count: int, error: BaseException | None) -> NoReturn:
        """Ends the process, as the interpreter would but for waiting for threads that are still in the application."""
        self.log(
            logging.WARNING, f"Worker leaves {count} unfinished request{'s' if count > 1 else ''} (pid: {os.getpid()})"
        )
        status = 0
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
        elif error is not None:
            self.log_exception("A signal handler raised in the worker", type(error), error, error.__traceback__)
            status = 1
        try:
            atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        finally:
            os._exit(status)

    def watch_signals(self, descriptor: int) -> None:
        """Has Python write a byte to the descriptor for every signal, so that a worker asleep in the core wakes."""
        signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)

    def ignore_further_signals(self) -> None:
        """On the way out: a second TERM must not turn an orderly end into a death by signal."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)

    def install_worker_signals(self, control: WorkerControl) -> None:
        """Gives a worker gunicorn's signal handlers; called in its main thread."""
        self.control = control

        def handle_terminate(number, frame):
            control.terminate()

        def handle_quit(number, frame):
            control.quit()
            # Out of the application's frame too, as gunicorn does: QUIT does not wait for a request.
            raise SystemExit(0)

        def handle_abort(number, frame):
            control.abort()
            raise SystemExit(1)

        logwriter.allow_threads()
        # What the arbiter did with a signal is not for a worker; HUP, USR2 and CHLD have no meaning here.
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, handle_terminate)
        signal.signal(signal.SIGINT, handle_quit)
        signal.signal(signal.SIGQUIT, handle_quit)
        signal.signal(signal.SIGABRT, handle_abort)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGWINCH, signal.SIG_IGN)
        # A request under way must not see its system calls interrupted by a graceful stop. `signal.signal` above
        # switched interruption on, so this comes after it.
        signal.siginterrupt(signal.SIGTERM, False)


def trim(error: BaseException) -> BaseException:
    """The error without the frames of this package and of importlib above the user's own."""
    trace = error.__traceback__
    while trace is not None and is_machinery(trace):
        trace = trace.tb_next
    return error.with_traceback(trace)


def is_machinery(trace: TracebackType) -> bool:
    module = trace.tb_frame.f_globals.get("__name__", "")
    return module.partition(".")[0] in ("monoceros", "importlib")


def last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()
