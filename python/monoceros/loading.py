"""Loading the application in a worker, and saying what is wrong with it."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType

from monoceros.application import AppImportError, AppModuleNotFoundError
from monoceros.errors import remedy
from monoceros.firstword import FirstWord
from monoceros.hints import TYPE_CHECKING, Any, Protocol
from monoceros.sharing import SharesMemory

if TYPE_CHECKING:
    from monoceros.reloader import Reporter

# gunicorn's exit statuses of a worker: the arbiter stops the server when it sees one of them.
WORKER_BOOT_ERROR = 3
APP_LOAD_ERROR = 4
# That of one that fails while it serves, for which another one is started.
WORKER_FAILED = 255


class LoadsApplication(Protocol):
    """What a server serves: `monoceros.app.base.BaseApplication`, or whatever has these."""

    cfg: Any

    def wsgi(self) -> Callable[..., object]:
        """Returns the application, loading it the first time."""


class ApplicationLoader(SharesMemory):
    """The part of the core's host that loads the application."""

    app: LoadsApplication
    #: What a worker's signal handlers call; None before they are there.
    control: Any = None
    #: In a worker: it was told to leave before it served, and the SystemExit on its way is not the application's.
    _gives_up = False

    def __init__(self) -> None:
        self.first_word = FirstWord()

    @contextlib.contextmanager
    def _reporting(self, purpose: str, is_own: bool = False) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if self._is_told_to_leave():
                if isinstance(error, SystemExit):
                    raise
                # What a module of C made of the SystemExit of a signal handler.
                raise SystemExit(0) from None
            with self.first_word.take() as is_first:
                if is_first:
                    self.logger.error("Exception in worker process", exc_info=error if is_own else trim(error))
                    self.report(f"Failed to {purpose}: {last_line(error)}{remedy(error)}")
            raise SystemExit(WORKER_BOOT_ERROR) from None

    def _is_told_to_leave(self) -> bool:
        return self._gives_up or (self.control is not None and self.control.is_quitting())

    def load_application(self, reports: int | None = None) -> Callable[..., object]:
        """Returns the application, in a worker after the fork.

        When that fails it has been reported, and SystemExit carries the worker's exit status: 4 when the app spec names
        nothing that can be served, 3 when its module is missing or raised.

        :param reports: the descriptor to tell which files the code comes from; None when nobody watches them.
        """
        application, reporter = self._load_and_report(reports)
        if reporter is not None:
            reporter.start()
        return application

    def preload(self, reports: int) -> int:
        """Loads the application in a process from which workers are forked.

        Returns 0, or the exit status when that failed and has been reported. `reports` is as for `load_application`,
        and -1 when nobody watches the files.
        """
        try:
            self._load_and_report(reports if reports >= 0 else None)
        except SystemExit as error:
            return error.code if isinstance(error.code, int) and error.code else WORKER_BOOT_ERROR
        count = len(os.listdir("/proc/self/task")) - 1
        if count:
            self.log(
                logging.WARNING,
                f"The application has started {count} thread{'s' if count > 1 else ''} while it was loaded: with "
                "--preload they are not there in the workers. Start them in the hook post_fork.",
            )
        # What is garbage would be there for ever, with the files and sockets that it has open: what is frozen is not
        # looked at again, since the collector of a worker would copy it.
        gc.collect()
        self.settle(with_application=True)
        return 0

    def _load_and_report(self, reports: int | None) -> tuple[Callable[..., object], Reporter | None]:
        reporter = None
        if reports is not None:
            # Only where files are watched.
            from monoceros.reloader import Reporter, expected_files

            reporter = Reporter(reports)
        try:
            application = self._load()
        except BaseException as error:
            if reporter is not None:
                spec = getattr(self.app, "app_uri", None) or ""
                # What was raised before it was reported to people and became an exit status.
                cause = error.__cause__ or error.__context__ or error
                reporter.report_failure(cause, expected_files(spec))
                if self.app.cfg.reload_error_page and not self._is_told_to_leave():
                    self.log(logging.ERROR, "Every request is answered with the traceback, until a file changes.")
                    return error_page(cause), reporter
            raise
        if reporter is not None:
            reporter.report()
        return application, reporter

    def _load(self) -> Callable[..., object]:
        name = getattr(self.app, "app_uri", None) or type(self.app).__name__
        # BaseException: a module that calls sys.exit() on import, or is interrupted, has not booted either.
        with self._reporting(f"load {name!r}"):
            try:
                application = self._make()
            except AppImportError as error:
                with self.first_word.take() as is_first:
                    if is_first:
                        self.report(str(error))
                is_missing = isinstance(error, AppModuleNotFoundError)
                status = WORKER_BOOT_ERROR if is_missing else APP_LOAD_ERROR
                fault = error
            else:
                return application
        raise SystemExit(status) from fault

    def _make(self) -> Callable[..., object]:
        """The application: by way of the worker where there is one, whose subclass may do something with it."""
        if self.worker is None or not hasattr(self.worker, "init_process"):
            return self.app.wsgi()
        self.worker.wsgi = None
        self.worker.init_process()
        if self.worker.wsgi is None:
            self.worker.wsgi = self.app.wsgi()
        return self.worker.wsgi


def error_page(error: BaseException) -> Callable[..., object]:
    """An application that answers with the traceback of the one that could not be loaded (`reload_error_page`)."""
    page = "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace")
    fields = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(page))),
        ("Cache-Control", "no-store"),
    ]

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        start_response("500 Internal Server Error", fields)
        return [page]

    return application


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
