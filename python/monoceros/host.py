"""What the Swift core asks of Python: the log, the application, a worker's signal handlers."""

import atexit
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import Any, NoReturn, Protocol

from monoceros import SERVER_SOFTWARE, __version__, accesslog, identity, logwriter, threads
from monoceros.application import AppImportError, AppModuleNotFoundError
from monoceros.glogging import Logger
from monoceros.observer import Observer
from monoceros.reloader import Reporter, expected_files
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

    def abort(self) -> bool:
        """The same, after it wrote which request took too long, if one did; returns whether one did."""

    def is_quitting(self) -> bool:
        """Whether an end at once was asked for, so that a SystemExit is not the application's."""


class Host:
    """One for each server, made before the first fork; every worker has its copy."""

    def __init__(self, app: LoadsApplication, logger: Logger, server: Any = None):
        """`server` is the `monoceros.arbiter.Arbiter`, which is told what happens in the master."""
        self.app = app
        self.logger = logger
        self.server = server
        self.process_name = getattr(getattr(app, "cfg", None), "proc_name", "")
        self.version = __version__
        self.server_software = SERVER_SOFTWARE
        self.errors_stream = ErrorsStream()
        # In a worker: what its signal handlers call.
        self.control: WorkerControl | None = None
        #: In a worker whose stacks can be asked for.
        self._witness: Any = None
        #: In a worker, what hooks know it by; None in the master.
        self.worker: Any = None
        # In a worker until it serves: there is nothing to finish.
        self._is_booting = False
        # In a worker: it was told to leave before it served, and the SystemExit on its way is not the application's.
        self._gives_up = False
        self._is_frozen = False
        # In a worker: it was said that threads of the application keep it from having others forked from it.
        self._has_named_threads = False
        # In the master: how many workers statsd was told of.
        self._worker_count = 0
        # One byte, for the first of several workers that fail together to take: that one says why.
        self._word = os.pipe()
        for end in self._word:
            os.set_blocking(end, False)
        self._let_one_speak()

    # In the master

    def notify(self, event: str, *arguments: Any) -> tuple[str, int]:
        """Tells the server what happens; returns what is to be done, see `Arbiter.notify`."""
        if event in ("will_fork", "will_order", "will_preload"):
            self._let_one_speak()
            self._freeze()
        outcome = self.server.notify(event, *arguments)
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
            gc.collect()
            gc.freeze()

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

    def _let_one_speak(self) -> None:
        reading, writing = self._word
        with contextlib.suppress(BlockingIOError):
            os.read(reading, 1)
        os.write(writing, b"!")

    def _may_speak(self) -> bool:
        """In a worker that failed to boot: whether it is the first of those that boot at the same time."""
        try:
            return os.read(self._word[0], 1) != b""
        except BlockingIOError:
            return False

    # In a worker that others are forked from (`refork_after`)

    #: Seconds that the threads of a worker have to end before others can be forked from it.
    PATIENCE = 3.0

    def has_foreign_threads(self, native: Sequence[int]) -> bool:
        """Whether threads run here that are not the server's: in a process that is forked from this, they are gone, and
        what they had locked stays locked.

        :param native: the kernel's numbers of the server's that Python has not started.
        """
        names = threads.others([*native, *logwriter.retrying])
        if names and not self._has_named_threads:
            self._has_named_threads = True
            self._name_threads(names)
        return bool(names)

    def _name_threads(self, names: Sequence[str]) -> None:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        self.log(
            logging.WARNING,
            f"Worker (pid:{os.getpid()}) is warm, but no workers can be forked from it: it has "
            f"{len(names)} thread{'s' if len(names) > 1 else ''} that the application has started ({shown}).",
        )

    def become_mold(self) -> bool:
        """Prepares this process, a worker that has served, for having others forked from it.

        Returns False when that cannot be, which has been logged; it leaves then, as any other that was replaced.
        """
        if self._witness is not None:
            self._witness.stop()
            self._witness = None
        logwriter.flush_all()
        logwriter.forbid_threads()
        if not self._is_alone():
            return False
        try:
            self.server.cfg.after_mold(self.server, self.worker)
        except Exception:
            self.logger.exception("Exception in the server hook after_mold: no workers are forked from this one.")
            return False
        if not self._is_alone():
            return False
        # Only now: what the hook does must not end half way.
        self.control = None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGABRT, signal.SIGUSR1, signal.SIGWINCH):
            signal.signal(number, signal.SIG_DFL)
        self.worker = None
        self._has_named_threads = False
        # What became garbage since the last time is not to be kept for ever.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return True

    def _is_alone(self) -> bool:
        """Whether this is the only thread, once those of the server have had the time to end."""
        end = time.monotonic() + self.PATIENCE
        while len(os.listdir("/proc/self/task")) > 1:
            if time.monotonic() > end:
                self._name_threads(threads.others())
                return False
            time.sleep(0.002)
        return True

    # In a worker

    def begin_worker(self) -> None:
        """The first thing of Python in a new worker. Raises SystemExit, said why, when a hook or the user fails."""
        self._is_booting = True
        with self._reporting("start the worker"):
            self.worker = self.server.become_worker()
            self.log(logging.INFO, f"Booting worker with pid: {os.getpid()}")
            self.server.cfg.post_fork(self.server, self.worker)
            identity.assume(self.server.cfg)

    def begin_stacks(self, bell: int, file: int) -> None:
        """Has this worker answer who asks for its stacks (`monoceros.stacks`). Before the application is loaded."""
        from monoceros.stacks import Witness

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

    @contextlib.contextmanager
    def _reporting(self, purpose: str) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if self._gives_up or (self.control is not None and self.control.is_quitting()):
                if isinstance(error, SystemExit):
                    raise
                # What a module of C made of the SystemExit of a signal handler.
                raise SystemExit(0) from None
            if self._may_speak():
                self.logger.error("Exception in worker process", exc_info=trim(error))
                self.report(f"Failed to {purpose}: {last_line(error)}")
            raise SystemExit(WORKER_BOOT_ERROR) from None

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

    def observer(self) -> Observer:
        """What each request is told to, in a worker."""
        return Observer(self.app.cfg, self.logger, self.worker)

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
        # What is garbage would be copied to each worker by the first collection there; and what is none is not to be
        # looked at again, which would copy it too.
        gc.collect()
        gc.freeze()
        return 0

    def _load_and_report(self, reports: int | None) -> tuple[Callable[..., object], Reporter | None]:
        reporter = Reporter(reports) if reports is not None else None
        try:
            application = self._load()
        except BaseException as error:
            if reporter is not None:
                spec = getattr(self.app, "app_uri", None) or ""
                # What was raised before it was reported to people and became an exit status.
                reporter.report_failure(error.__cause__ or error.__context__ or error, expected_files(spec))
            raise
        if reporter is not None:
            reporter.report()
        return application, reporter

    def _load(self) -> Callable[..., object]:
        name = getattr(self.app, "app_uri", None) or type(self.app).__name__
        # BaseException: a module that calls sys.exit() on import, or is interrupted, has not booted either.
        with self._reporting(f"load {name!r}"):
            try:
                application = self.app.wsgi()
            except AppImportError as error:
                if self._may_speak():
                    self.report(str(error))
                is_missing = isinstance(error, AppModuleNotFoundError)
                status = WORKER_BOOT_ERROR if is_missing else APP_LOAD_ERROR
                fault = error
            else:
                if self.worker is not None:
                    self.worker.wsgi = application
                return application
        raise SystemExit(status) from fault

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
        threads.start(name, run, daemon=False)

    def start_daemon(self, name: str, run: Callable[[], object]) -> None:
        """Starts a thread of our own that never runs the application, and that nobody waits for at the end."""
        threads.start(name, run, daemon=True)

    def log_slow(self, request: str, milliseconds: int, thread: int, suppressed: int) -> None:
        """Writes that a request runs for long, and where its thread is. `suppressed` others were not written of."""
        more = f" ({suppressed} more were not written)" if suppressed else ""
        # Without the query, in which secrets travel.
        self.log(
            logging.WARNING,
            f"Slow request: {request.partition('?')[0]} has been running for {milliseconds / 1000:.1f} s{more}."
            f" It is here:\n{stack_of(thread)}",
        )

    def log_overdue(self, request: str, seconds: int, thread: int) -> None:
        """Writes that a request takes too long, and where its thread is at the moment."""
        stack = stack_of(thread)
        self.log(
            logging.CRITICAL,
            f"WORKER TIMEOUT (pid:{os.getpid()}): {request} has been running for {seconds} s. It is here:\n{stack}",
        )

    def _log_threads(self, frame: FrameType | None) -> None:
        """Writes where all threads are: the last thing that a worker says before it is stopped."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        frames = sys._current_frames()
        # In place of the handler's own frame, that in which it found the thread.
        if frame is not None:
            frames[threading.get_ident()] = frame
        stacks = [
            f"Thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(each)).rstrip()}"
            for ident, each in frames.items()
        ]
        self.log(
            logging.CRITICAL,
            f"Worker (pid:{os.getpid()}) was told to stop (SIGABRT). It is here:\n" + "\n".join(stacks),
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
            if self._is_booting:
                # There is nothing to finish, and an import may take long.
                self._gives_up = True
                raise SystemExit(0)

        def handle_quit(number, frame):
            # Once is enough: a terminal's INT and the master's QUIT come together. Not SIG_IGN: Python complains of a
            # signal that arrived before it was ignored and is handled after.
            for each in (signal.SIGINT, signal.SIGQUIT):
                signal.signal(each, lambda number, frame: None)
            control.quit()
            self._call_hook("worker_int")
            # Out of the application's frame too, as gunicorn does: QUIT does not wait for a request.
            raise SystemExit(0)

        def handle_abort(number, frame):
            if self._is_booting:
                self._gives_up = True
                stack = "".join(traceback.format_stack(frame)).rstrip()
                self.log(logging.CRITICAL, f"Worker (pid:{os.getpid()}) is still booting. It is here:\n{stack}")
                control.abort()
            elif not control.abort() or threading.active_count() > 1:
                self._log_threads(frame)
            self._call_hook("worker_abort")
            raise SystemExit(1)

        def handle_user1(number, frame):
            self.reopen_logs()

        # Not SIG_IGN: programs that the application starts would ignore it too.
        def handle_window_changed(number, frame):
            pass

        logwriter.allow_threads()
        # What the arbiter did with a signal is not for a worker; HUP, USR2 and CHLD have no meaning here.
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, handle_terminate)
        signal.signal(signal.SIGINT, handle_quit)
        signal.signal(signal.SIGQUIT, handle_quit)
        signal.signal(signal.SIGABRT, handle_abort)
        signal.signal(signal.SIGUSR1, handle_user1)
        signal.signal(signal.SIGWINCH, handle_window_changed)
        # A request under way must not see its system calls interrupted by a graceful stop. `signal.signal` above
        # switched interruption on, so this comes after it.
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGWINCH):
            signal.siginterrupt(number, False)

    def _call_hook(self, name: str) -> None:
        """Calls a hook of the worker in a signal handler."""
        if self.worker is None:
            return
        try:
            getattr(self.server.cfg, name)(self.worker)
        except Exception as error:
            self.log_exception(f"Exception in the server hook {name}", type(error), error, error.__traceback__)


def stack_of(thread: int) -> str:
    frame = sys._current_frames().get(thread)
    return "".join(traceback.format_stack(frame)).rstrip() if frame is not None else "(its thread runs no Python)"


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
