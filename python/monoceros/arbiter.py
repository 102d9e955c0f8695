"""The server as Python sees it: what starts it, and the `server` that hooks get."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable

from monoceros import accesslog, hookwatch
from monoceros.errors import ConfigError, HaltServer
from monoceros.generations import Snapshot, apply_environment, withdraw_environment
from monoceros.hints import TYPE_CHECKING, Any, NoReturn
from monoceros.host import Host
from monoceros.loading import APP_LOAD_ERROR, WORKER_BOOT_ERROR
from monoceros.sources import lend_name
from monoceros.workers.base import kind_of

if TYPE_CHECKING:
    import socket

    from monoceros import daemon


class Listener:
    """A listening socket, as hooks know it. The core has it; what is asked of it here is asked of a duplicate."""

    def __init__(self, descriptor: int, url: str):
        self._descriptor = descriptor
        self._url = url

    def fileno(self) -> int:
        return self._descriptor

    @property
    def sock(self) -> socket.socket:
        import socket

        return socket.socket(fileno=os.dup(self._descriptor))

    def getsockname(self) -> Any:
        with self.sock as sock:
            return sock.getsockname()

    def __str__(self) -> str:
        return self._url


class Arbiter:
    """The master of one server. The core does its work; this starts it, and tells about it under gunicorn's names."""

    #: Exit statuses of a worker that stop the server.
    WORKER_BOOT_ERROR = WORKER_BOOT_ERROR
    APP_LOAD_ERROR = APP_LOAD_ERROR

    def __init__(self, app: Any):
        """
        :param app: a `monoceros.app.base.BaseApplication`, with its configuration loaded.

        Raises RuntimeError for a log, or a kind of worker, that cannot be had.
        """
        self.app = app
        self.cfg: Any = None
        self.log: Any = None
        self._num_workers = 0
        #: How many workers a hook asked for, until the core has been told.
        self._asked: int | None = None
        #: The workers by their process id.
        self.WORKERS: dict[int, Any] = {}
        #: Those that others are forked from, and that serve nobody any more.
        self._molds: dict[int, Any] = {}
        #: The listening sockets.
        self.LISTENERS: list[Listener] = []
        self.pid = os.getpid()
        #: The process id of the master that this one was started by (USR2); 0 otherwise.
        self.master_pid = 0
        self.master_name = "Master"
        #: That of the master that this one has started (USR2); 0 otherwise.
        self.reexec_pid = 0
        #: How many workers there have been.
        self.worker_age = 0
        self.pidfile: Any = None
        #: In a daemon that does not stand yet: tells the process that waits for that.
        self._herald: daemon.Herald | None = None
        # The numbers of the configuration in force and of the one that the process is set up for at the moment.
        self._adopted = 1
        self._entered = 1
        self._snapshots: dict[int, Snapshot] = {}
        self._listeners: dict[int, list[Listener]] = {}
        #: The worker that is being forked, and in a worker itself.
        self._worker: Any = None
        self.setup(app)

    def setup(self, app: Any) -> None:
        """Takes the application's configuration; at a reload too."""
        self.app = app
        self.cfg = app.cfg
        if self.log is None:
            self.log = self.cfg.logger_class(self.cfg)
        else:
            self.log.setup(self.cfg)
        accesslog.check(self.log, self.cfg)
        app.logger = self.log
        if self.cfg.gunicorn_compat:
            lend_name(self.cfg)
        self.worker_class = self.cfg.worker_class
        self.worker_kind = kind_of(self.worker_class)

    @property
    def address(self) -> list[Any]:
        return self.cfg.address

    @property
    def timeout(self) -> int:
        return self.cfg.timeout

    @property
    def proc_name(self) -> str:
        return self.cfg.proc_name + (".2" if self.master_pid else "")

    @property
    def num_workers(self) -> int:
        """How many workers there shall be. A hook may set it."""
        return self._num_workers

    @num_workers.setter
    def num_workers(self, count: int) -> None:
        self._asked = self._num_workers = count

    def run(self) -> NoReturn:
        """Serves until told to stop, and ends the process.

        Raises RuntimeError, before anything is bound or forked, with one line for the user, when a setting cannot be
        used.
        """
        from monoceros import _native

        host = Host(self.app, self.log, self)
        # Applications look here to learn what serves them, outside of any request.
        os.environ["SERVER_SOFTWARE"] = host.server_software
        apply_environment(self.cfg)
        # The new master of an upgrade has been detached by the one before it.
        if self.cfg.daemon and "GUNICORN_FD" not in os.environ:
            from monoceros import daemon

            # What is captured leads into the error log already.
            captured = getattr(self.log, "logfile", None) is not None
            self._herald = daemon.detach(() if self.cfg.enable_stdio_inheritance else (0,) if captured else (0, 1, 2))
            self.pid = os.getpid()
        with self._herald or contextlib.nullcontext():
            self._say_notices(self.cfg)
            try:
                status = _native.serve(self.cfg.native(self.worker_kind), host)
            except ValueError as error:
                raise RuntimeError(str(error)) from None
            sys.exit(status)

    def _say_notices(self, cfg: Any) -> None:
        for line in cfg.notices + cfg.without_effect():
            self.log.warning("%s", line)
        if cfg.refork_after and cfg.reload:
            self.log.warning("refork_after has no effect with reload: the code is about to change.")

    # What hooks call

    def reload(self) -> None:
        """Reads the configuration again once the hook has returned, as the signal HUP does."""
        os.kill(self.pid, signal.SIGHUP)

    def wakeup(self) -> None:
        """There is no need: the master looks at everything when a hook has returned."""

    def manage_workers(self) -> None:
        """There is no need: the master starts and stops workers when a hook has returned."""

    def kill_worker(self, pid: int, sig: int) -> None:
        """Sends a worker a signal. That it is gone already is no error."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)

    def kill_workers(self, sig: int) -> None:
        for pid in list(self.WORKERS):
            self.kill_worker(pid, sig)

    # What the core tells

    def notify(self, event: str, *arguments: Any) -> tuple[str, int]:
        """Takes note of an event, and calls the hook for it.

        Returns what the core is to do: `("done", 0)`, `("workers", number)`, `("halt", exit status)` or
        `("failed", 0)`.
        """
        try:
            with hookwatch.watch(event, self.cfg, self.log):
                EVENTS[event](self, *arguments)
        except HaltServer as error:
            self.log.error("%s", error.reason)
            return "halt", error.exit_status
        except SystemExit as error:
            if error.code is None or isinstance(error.code, int):
                return "halt", error.code or 0
            # As Python does for a program that ends so.
            self.log.error("%s", error.code)
            return "halt", 1
        except Exception:
            self.log.exception("Exception in the server hook at the event %r", event.replace("_", " "))
            return "failed", 0
        asked, self._asked = self._asked, None
        return ("done", 0) if asked is None else ("workers", max(0, int(asked)))

    def _workers_changed(self, new: int, old: int | None) -> None:
        self._num_workers = new
        self._asked = None
        self.cfg.nworkers_changed(self, new, old)

    def _starting(self) -> None:
        self.pid = os.getpid()
        self.master_pid = int(os.environ.pop("GUNICORN_PID", "0"))
        os.environ.pop("GUNICORN_FD", None)
        if self.master_pid:
            self.master_name = "Master.2"
        self.cfg.on_starting(self)

    def _listening(self, generation: int, listeners: list[tuple[int, str]]) -> None:
        # The core has taken them. They were meant for this process, and not for what an application starts.
        for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"):
            os.environ.pop(name, None)
        self._listeners[generation] = [Listener(*each) for each in listeners]
        if generation == self._adopted:
            self.LISTENERS = self._listeners[generation]

    def _ready(self) -> None:
        if hasattr(self.worker_class, "check_config"):
            self.worker_class.check_config(self.cfg, self.log)
        self.cfg.when_ready(self)
        if self._herald is not None:
            self._herald.stands()

    def _reloading(self, generation: int) -> None:
        with self._set_up_for(generation):
            self.cfg.on_reload(self)

    def _adopt(self, generation: int) -> None:
        self._enter(generation)
        former, self._adopted = self._adopted, generation
        self._snapshots.pop(former, None)
        self._listeners.pop(former, None)
        self.setup(self.app)
        self.log.reopen_files()

    def _abandon(self, generation: int) -> None:
        self._snapshots.pop(generation, None)
        self._listeners.pop(generation, None)

    def _reopen_logs(self) -> None:
        self.log.reopen_files()

    def _will_fork(self, age: int, generation: int) -> None:
        self._will_order(age, generation)
        self.cfg.pre_fork(self, self._worker)

    def _will_order(self, age: int, generation: int) -> None:
        self._enter(generation)
        self.worker_age = age
        self._worker = self.worker_class(
            age, self.pid, self.LISTENERS, self.app, self.timeout / 2.0, self.cfg, self.log
        )

    def _will_preload(self, generation: int) -> None:
        self._enter(generation)

    def _did_fork_mold(self) -> None:
        self._enter(self._adopted)

    def _forked(self, pid: int | None, age: int, generation: int) -> None:
        worker, self._worker = self._worker, None
        if pid is not None and worker is not None:
            worker.pid = pid
            self.WORKERS[pid] = worker
        self._enter(self._adopted)

    def _worker_exited(self, pid: int, booted: bool) -> None:
        worker = self.WORKERS.pop(pid, None)
        if worker is not None and booted:
            self.cfg.child_exit(self, worker)

    def _worker_became_mold(self, pid: int) -> None:
        worker = self.WORKERS.pop(pid, None)
        if worker is not None:
            self._molds[pid] = worker

    def _mold_exited(self, pid: int) -> None:
        worker = self._molds.pop(pid, None)
        if worker is not None:
            self.cfg.child_exit(self, worker)

    def _successor(self, pid: int | None) -> None:
        self.reexec_pid = pid or 0

    def _will_execute(self) -> None:
        self.cfg.pre_exec(self)

    def _promoted(self) -> None:
        self.master_pid = 0
        self.master_name = "Master"

    def _exiting(self) -> None:
        self.cfg.on_exit(self)

    # Configurations

    def read_configuration(self, generation: int) -> tuple[dict[str, Any], str] | None:
        """Reads the configuration again, and leaves the process as it was. None when that fails, which is logged."""
        before = self._snapshots[self._adopted] = Snapshot(self.app)
        try:
            withdraw_environment(self.cfg)
            self.app.reload()
            apply_environment(self.app.cfg)
            kind = kind_of(self.app.cfg.worker_class)
            result = self.app.cfg.native(kind), self.app.cfg.proc_name
            self._say_notices(self.app.cfg)
            self._snapshots[generation] = Snapshot(self.app)
            return result
        except ConfigError as error:
            self.log.error("The configuration cannot be used: %s", error)
        except (Exception, SystemExit):
            self.log.exception("The configuration cannot be used")
        finally:
            before.restore()
        return None

    def named_files(self) -> tuple[list[str], list[str]]:
        """The files that `reload_extra_files` leads to, and the directories where another could come to match."""
        from monoceros import reloader

        found = reloader.expand(self.cfg.reload_extra_files, self.cfg.start_directory)
        if found.is_cut:
            most = reloader.MOST_FOUND
            self.log.warning("reload_extra_files leads to more than %s files: the rest is not watched.", most)
        return sorted(found.files), sorted(found.directories)

    def _enter(self, generation: int) -> None:
        """Sets the process up for a configuration."""
        if generation == self._entered:
            return
        if self._entered == self._adopted:
            self._snapshots[self._adopted] = Snapshot(self.app)
        self._snapshots[generation].restore()
        self._entered = generation
        self.cfg = self.app.cfg
        self.worker_class = self.cfg.worker_class
        self.LISTENERS = self._listeners.get(generation, self.LISTENERS)

    @contextlib.contextmanager
    def _set_up_for(self, generation: int) -> Any:
        self._enter(generation)
        try:
            yield
        finally:
            self._enter(self._adopted)

    # In a worker

    def become_worker(self) -> Any:
        """The worker that this process is, with the log of its own configuration."""
        worker = self._worker
        worker.pid = os.getpid()
        if self._entered != self._adopted:
            self.log.setup(self.cfg)
        if self.cfg.preload_app or self.cfg.refork_after:
            # The process that it was forked from has those that were there when the application was loaded.
            self.log.reopen_files()
        return worker


EVENTS: dict[str, Callable[..., None]] = {
    "workers_changed": Arbiter._workers_changed,
    "starting": Arbiter._starting,
    "listening": Arbiter._listening,
    "ready": Arbiter._ready,
    "reloading": Arbiter._reloading,
    "adopted": Arbiter._adopt,
    "abandoned": Arbiter._abandon,
    "reopen_logs": Arbiter._reopen_logs,
    "will_fork": Arbiter._will_fork,
    "will_order": Arbiter._will_order,
    # Attributes that the hook gives to the worker are for the worker.
    "will_fork_from_mold": Arbiter._will_fork,
    "will_preload": Arbiter._will_preload,
    "did_fork_mold": Arbiter._did_fork_mold,
    "forked": Arbiter._forked,
    "worker_exited": Arbiter._worker_exited,
    "worker_became_mold": Arbiter._worker_became_mold,
    "mold_exited": Arbiter._mold_exited,
    "successor": Arbiter._successor,
    "will_execute": Arbiter._will_execute,
    "promoted": Arbiter._promoted,
    "exiting": Arbiter._exiting,
}
