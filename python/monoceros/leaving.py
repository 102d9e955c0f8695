"""Ends of processes that Python itself would not come to."""

from __future__ import annotations

import atexit
import logging
import os
import sys

from monoceros.hints import NoReturn
from monoceros.loading import WORKER_FAILED, ApplicationLoader


class Leaving(ApplicationLoader):
    """The part of the core's host that ends processes."""

    def fail_worker(self, error: BaseException, is_ready: bool) -> NoReturn:
        """Raises SystemExit in place of an exception that ends a worker, and says why, as gunicorn does.

        Nobody above may take it for an exception of the server: this process is a worker.
        """
        if not isinstance(error, Exception):
            raise error
        if not is_ready:
            # Where it comes from is in our own frames, which are left out of what people get to see of theirs.
            with self._reporting("prepare the worker", is_own=True):
                raise error
        self.log_exception("Exception in worker process", type(error), error, error.__traceback__)
        raise SystemExit(WORKER_FAILED)

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
            status = WORKER_FAILED
        try:
            atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        finally:
            os._exit(status)

    def leave_fork(self, error: BaseException | None) -> NoReturn:
        """Ends a process that the application forked and that came back from it, as multiprocessing ends its own."""
        status = 0 if error is None else 1
        try:
            if isinstance(error, SystemExit):
                if error.code is None or isinstance(error.code, int):
                    status = (error.code or 0) & 0xFF
                else:
                    print(error.code, file=sys.stderr)
            elif error is not None:
                message = "Error in a process that the application forked"
                self.log_exception(message, type(error), error, error.__traceback__)
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        finally:
            os._exit(status)
