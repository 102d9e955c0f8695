"""What server hooks and subclasses know of a worker."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from monoceros.hints import Any

#: Methods that are a worker's own way of serving. Here that way is the core's, so nothing would ever call them.
SERVING = (
    "run",
    "run_for_one",
    "run_for_multiple",
    "accept",
    "wait",
    "handle",
    "handle_request",
    "handle_error",
    "notify",
    "patch",
)


class Worker:
    """The `worker` that hooks get. The core serves; this tells about it, and carries what hooks put on it."""

    #: Which of the core's kinds it is; None in classes that are no kind by themselves.
    name: str | None = None

    SIGNALS = (
        *(signal.SIGABRT, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT, signal.SIGTERM),
        *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCHLD),
    )

    def __init__(self, age: int, ppid: int, sockets: Sequence[Any], app: Any, timeout: float, cfg: Any, log: Any):
        """In the master, before the fork."""
        self.age = age
        self.pid: int | str = "[booting]"
        self.ppid = ppid
        self.sockets = sockets
        self.app = app
        self.timeout = timeout
        self.cfg = cfg
        self.log = log
        self.booted = False
        self.aborted = False
        self.alive = True
        self._host: Any = None
        self.reloader = None
        #: Requests so far.
        self.nr = 0
        self.max_requests = allowance(cfg.max_requests, cfg.max_requests_jitter)
        #: The application, once it is loaded.
        self.wsgi: Any = None

    def __str__(self) -> str:
        return f"<Worker {self.pid}>"

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Called before the first fork; a subclass may raise for settings that it cannot have."""

    @classmethod
    def setup(cls) -> None:
        """Called before the first fork."""

    # What a subclass may do more, or something else, and call `super()` for the rest.

    def init_process(self) -> None:
        """Prepares the worker, after `post_fork` and before `post_worker_init`: loads the application.

        It returns before the worker serves, unlike gunicorn's, which serves in it.
        """
        self.load_wsgi()

    def load_wsgi(self) -> None:
        """Loads the application."""
        self.wsgi = self.app.wsgi()

    def take_signals(self, host: Any) -> None:
        """The core's host, which does what signals ask for."""
        self._host = host

    def init_signals(self) -> None:
        """Sets the handlers of signals, in the main thread, before the application is loaded."""
        self._host.set_signals(self)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """TERM: ends the worker after the requests under way."""
        self.alive = False
        self._host.handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """INT, QUIT: calls `worker_int`, and ends the worker at once, by SystemExit."""
        self.alive = False
        self._host.handle_quit(sig, frame)

    def handle_abort(self, sig: int, frame: Any) -> None:
        """ABRT, when a request takes too long: calls `worker_abort`, and ends the worker by SystemExit."""
        self.alive = False
        self._host.handle_abort(sig, frame)

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """USR1: opens the logs again."""
        self._host.handle_usr1(sig, frame)

    def handle_winch(self, sig: int, frame: Any) -> None:
        """WINCH, which means nothing to a worker."""
        self._host.handle_winch(sig, frame)


def allowance(limit: int, jitter: int) -> int:
    """How many requests a worker serves before it is replaced, some more by chance."""
    if limit <= 0:
        return sys.maxsize
    if jitter <= 0:
        return limit
    import random

    return limit + random.randint(0, jitter)


def kind_of(worker_class: Any) -> str:
    """The core's kind that a worker class stands for.

    Raises RuntimeError for a class that serves by itself: the core could only run its own kind in its place.
    """
    label = f"{getattr(worker_class, '__module__', '?')}.{getattr(worker_class, '__qualname__', worker_class)}"
    if not (isinstance(worker_class, type) and issubclass(worker_class, Worker)):
        raise RuntimeError(
            f"The worker class {label} cannot be used: it is not one of Monoceros. Choose from {', '.join(KINDS)}."
        )
    own = [name for name in SERVING if any(name in vars(each) for each in worker_class.__mro__)]
    if own:
        raise RuntimeError(
            f"The worker class {label} cannot be used: it serves by itself ({own[0]}()), and Monoceros serves in its "
            f"core. Choose from {', '.join(KINDS)}; what the class does at the start of a worker, it may do "
            "in init_process(), and post_fork and post_worker_init can do."
        )
    if worker_class.name not in KINDS:
        raise RuntimeError(f"The worker class {label} cannot be used: derive it from SyncWorker or ThreadWorker.")
    return worker_class.name


KINDS = ("sync", "gthread")
