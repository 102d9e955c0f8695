"""What the Swift core asks of Python."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence

# What workers need is imported before they are forked. `clientsocket` is asked for by the core alone.
from monoceros import SERVER_SOFTWARE, __version__, clientsocket, identity, threads  # noqa: F401
from monoceros.glogging import Logger
from monoceros.hints import Any
from monoceros.leaving import Leaving
from monoceros.loading import LoadsApplication
from monoceros.molding import BecomesMold
from monoceros.stacks import Witness
from monoceros.workersignals import WorkerSignals
from monoceros.wsgi import ErrorsStream


class Host(WorkerSignals, Leaving, BecomesMold):
    """One for each server, made before the first fork; every worker has its copy."""

    def __init__(self, app: LoadsApplication, logger: Logger, server: Any = None):
        """`server` is the `monoceros.arbiter.Arbiter`, which is told what happens in the master."""
        super().__init__()
        self.app = app
        self.logger = logger
        self.server = server
        self.process_name = getattr(getattr(app, "cfg", None), "proc_name", "")
        self.version = __version__
        self.server_software = SERVER_SOFTWARE
        self.errors_stream = ErrorsStream()
        #: In a worker whose stacks can be asked for.
        self._witness: Any = None
        #: In a worker, what hooks know it by; None in the master.
        self.worker: Any = None
        self._is_frozen = False
        # In a worker: it was said that threads of the application keep it from having others forked from it.
        self._has_named_threads = False
        # In the master: how many workers statsd was told of.
        self._worker_count = 0

    # In the master

    def notify(self, event: str, *arguments: Any) -> tuple[str, int]:
        """Tells the server what happens; returns what is to be done, see `Arbiter.notify`."""
        forks = event in ("will_fork", "will_order", "will_preload")
        if forks:
            self.first_word.renew()
            self._freeze()
        outcome = self.server.notify(event, *arguments)
        if forks:
            self.observer_class()
        # As gunicorn: how many there are, whenever that changes.
        count = len(getattr(self.server, "WORKERS", ()))
        if event in ("forked", "worker_exited", "worker_became_mold") and count != self._worker_count:
            self._worker_count = count
            self.count_workers(count)
        return outcome

    def _freeze(self) -> None:
        """Before the first fork: keeps the collector of the children from writing to each object that the master has.

        A page that nobody writes to is shared.
        """
        if not self._is_frozen:
            self._is_frozen = True
            gc.collect(1)
            self.settle(with_application=False)

    def read_configuration(self, generation: int) -> tuple[dict[str, Any], str] | None:
        """Reads the configuration again; None when that fails, which has been logged."""
        return self.server.read_configuration(generation)

    def named_files(self) -> tuple[list[str], list[str]]:
        """The files that the configuration names for `--reload`, and the directories where another could come to be."""
        return self.server.named_files()

    def execute(self, variables: Sequence[tuple[str, str]]) -> None:
        """Becomes the program that this one was started as, where it was. Returns when that fails."""
        cfg = self.server.cfg
        words = list(sys.orig_argv)
        try:
            os.chdir(cfg.start_directory)
            # The path and not the file that it was: a virtual environment may have been made anew there.
            os.execvpe(sys.executable or words[0], words, dict(cfg.env_orig) | dict(variables))
        except OSError as error:
            self.log(logging.ERROR, f"Can't execute {sys.executable or words[0]!r}: {error}")

    # In a worker

    def begin_worker(self) -> None:
        """The first thing of Python in a new worker. Raises SystemExit, said why, when a hook or the user fails."""
        self._is_booting = True
        with self._reporting("start the worker"):
            self.worker = self.server.become_worker()
            # The other signals end it, as long as it has nothing to finish; this one asks where it is.
            signal.signal(signal.SIGABRT, self.handle_abort)
            self.log(logging.INFO, f"Booting worker with pid: {os.getpid()}")
            self.server.cfg.post_fork(self.server, self.worker)
            identity.assume(self.server.cfg)

    def begin_stacks(self, bell: int, file: int) -> None:
        """Has this worker answer who asks for its stacks (`monoceros.stacks`). Before the application is loaded.

        `bell` is -1 where only the master can ask.
        """
        with self._reporting("prepare for being asked for its stacks"):
            self._witness = Witness(bell, file)
            self._witness.arm()

    def announce_worker(self) -> None:
        """The last thing before a worker serves. Raises as `begin_worker` does."""
        with self._reporting("run post_worker_init"):
            self.server.cfg.post_worker_init(self.worker)
        if self._witness is not None:
            self._witness.start()
        self.worker.booted = True
        self._is_booting = False

    def end_worker(self) -> None:
        """The last thing that a worker does, however it ends."""
        # On its way out, Python gives the signals their default action, and QUIT would leave a core.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT))
        try:
            self.server.cfg.worker_exit(self.server, self.worker)
        except Exception:
            self.logger.warning("Exception during worker exit:\n%s", traceback.format_exc())

    def start_thread(self, name: str, run: Callable[[], object]) -> None:
        """Starts a thread that runs the application.

        It is no daemon, since the threads that an application starts in it would be daemons too: cut off in the middle
        when the worker leaves.
        """
        threads.start(name, run, daemon=False)

    def start_daemon(self, name: str, run: Callable[[], object]) -> None:
        """Starts a thread of our own that never runs the application, and that nobody waits for at the end."""
        threads.start(name, run, daemon=True)
