"""The signals of a worker: gunicorn's, told to the core.

They go by way of the worker object, so that a subclass may have a say: `handle_quit` and its like, and `init_signals`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from types import FrameType

from monoceros import logwriter
from monoceros.hints import Any, Protocol
from monoceros.loading import ApplicationLoader
from monoceros.stacks import shown


class WorkerControl(Protocol):
    """The Swift core's object that tells a worker of its end. Its methods only take a note."""

    def terminate(self) -> None:
        """Asks for an end after the requests under way."""

    def quit(self) -> None:
        """Asks for an end at once."""

    def abort(self) -> bool:
        """The same, after it wrote which request took too long, if one did; returns whether one did."""

    def is_quitting(self) -> bool:
        """Whether an end at once was asked for, so that a SystemExit is not the application's."""


class WorkerSignals(ApplicationLoader):
    """The part of the core's host that handles signals."""

    server: Any
    control: WorkerControl | None = None
    #: In a worker until it serves: there is nothing to finish.
    _is_booting = False

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
        logwriter.allow_threads()
        # What the arbiter did with a signal is not for a worker; HUP, USR2 and CHLD have no meaning here.
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        if hasattr(self.worker, "init_signals"):
            with self._reporting("set the worker's signals"):
                self.worker.take_signals(self)
                self.worker.init_signals()
        else:
            self.set_signals(self)

    def set_signals(self, handlers: Any) -> None:
        """Sets the handlers: methods of an object that has them under gunicorn's names."""
        signal.signal(signal.SIGTERM, handlers.handle_exit)
        signal.signal(signal.SIGINT, handlers.handle_quit)
        signal.signal(signal.SIGQUIT, handlers.handle_quit)
        signal.signal(signal.SIGABRT, handlers.handle_abort)
        signal.signal(signal.SIGUSR1, handlers.handle_usr1)
        signal.signal(signal.SIGWINCH, handlers.handle_winch)
        # A request under way must not see its system calls interrupted by a graceful stop. `signal.signal` above
        # switched interruption on, so this comes after it.
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGWINCH):
            signal.siginterrupt(number, False)

    def handle_exit(self, number: int, frame: FrameType | None) -> None:
        """TERM: no new requests."""
        assert self.control is not None
        self.control.terminate()
        if self._is_booting:
            # There is nothing to finish, and an import may take long.
            self._gives_up = True
            raise SystemExit(0)

    def handle_quit(self, number: int, frame: FrameType | None) -> None:
        """INT, QUIT: the end at once."""
        assert self.control is not None
        # Once is enough: a terminal's INT and the master's QUIT come together. Not SIG_IGN: Python complains of a
        # signal that arrived before it was ignored and is handled after.
        for each in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(each, lambda number, frame: None)
        self.control.quit()
        self._call_hook("worker_int")
        # Out of the application's frame too, as gunicorn does: QUIT does not wait for a request.
        raise SystemExit(0)

    def handle_abort(self, number: int, frame: FrameType | None) -> None:
        """ABRT: a request, or the start, took too long."""
        if self._is_booting:
            self._gives_up = True
            stack = shown(frame) if frame is not None else "(it runs no Python)"
            self.log(logging.CRITICAL, f"Worker (pid:{os.getpid()}) is still booting. It is here:\n{stack}")
        # There is none yet while the hook `post_fork` runs.
        is_told = self.control is not None and self.control.abort()
        if not self._is_booting and (not is_told or threading.active_count() > 1):
            self._log_threads(frame)
        self._call_hook("worker_abort")
        raise SystemExit(1)

    def handle_usr1(self, number: int, frame: FrameType | None) -> None:
        """USR1: the logs are opened again."""
        self.reopen_logs()

    def handle_winch(self, number: int, frame: FrameType | None) -> None:
        """Not SIG_IGN: programs that the application starts would ignore it too."""

    def _log_threads(self, frame: FrameType | None) -> None:
        """Writes where all threads are: the last thing that a worker says before it is stopped."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        frames = sys._current_frames()
        # In place of the handler's own frame, that in which it found the thread.
        if frame is not None:
            frames[threading.get_ident()] = frame
        stacks = [f"Thread {names.get(ident, ident)}:\n{shown(each)}" for ident, each in frames.items()]
        self.log(
            logging.CRITICAL,
            f"Worker (pid:{os.getpid()}) was told to stop (SIGABRT). It is here:\n" + "\n".join(stacks),
        )

    def _call_hook(self, name: str) -> None:
        """Calls a hook of the worker in a signal handler."""
        if self.worker is None:
            return
        try:
            getattr(self.server.cfg, name)(self.worker)
        except Exception as error:
            self.log_exception(f"Exception in the server hook {name}", type(error), error, error.__traceback__)
