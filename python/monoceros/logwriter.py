"""Lines on their way to a log that may not take them: nobody ever waits for it.

A `LineWriter` hands each line over in one system call that cannot block. What the log does not take now waits in a
queue of bounded size; what does not fit there is lost and counted, and the count is said as soon as a line gets through
again.

How a call is kept from blocking depends on what the descriptor is:

- A regular file takes bytes or fails at once (a full disk), so it is written as it is.
- A pipe or a terminal is opened a second time through /proc, without blocking. O_NONBLOCK on the descriptor itself
  would change it for everybody who has it: the shell, the supervisor, the application's own `print`.
- A socket (systemd's journal) is asked not to block call by call (MSG_DONTWAIT).
- Where a pipe cannot be opened again (it is another user's), it is written only after `poll` said that there is room,
  and not more than the PIPE_BUF bytes for which there must be.

A master has one thread (docs/fork-safety.md): there, what waits is tried again with the next line, and at the end. A
worker starts a thread for it, which ends when nothing waits any more.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import errno
import io
import logging
import os
import select
import stat
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable

from monoceros.hints import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import socket

#: Bytes that may wait for one log. As much as a pipe of Linux holds.
CAPACITY = 65536

#: Seconds that a process about to end gives all its logs together.
FAREWELL = 0.25

#: Seconds between two looks at a log that fails, as opposed to one that is full for the moment.
PATIENCE = 0.5

FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.ENOBUFS)


class Target(Protocol):
    """What takes bytes without ever blocking."""

    #: For the user: which log it is.
    name: str

    def send(self, data: bytes) -> int:
        """Takes some bytes and returns how many. Raises OSError: BlockingIOError when there is no room now."""

    def fileno(self) -> int:
        """The descriptor to poll for room; -1 when there is none."""


class DescriptorTarget:
    """A descriptor that others have too, such as standard error. It may be replaced (`dup2`) at any time."""

    def __init__(self, descriptor: int, name: str):
        self.name = name
        self._shared = descriptor
        self._identity: tuple[int, int] | None = None
        self._write: Callable[[bytes], int] = self._write_directly
        self._own: int | None = None
        self._socket: socket.socket | None = None

    def send(self, data: bytes) -> int:
        status = os.fstat(self._shared)
        if (status.st_dev, status.st_ino) != self._identity:
            self._adopt(status)
        return self._write(data)

    def fileno(self) -> int:
        return self._own if self._own is not None else self._shared

    def prepare(self) -> int:
        """The descriptor to write to: for a pipe or a terminal, the one that is opened without blocking."""
        self._adopt(os.fstat(self._shared))
        return self.fileno()

    def _adopt(self, status: os.stat_result) -> None:
        """Finds out how to write without blocking to what the descriptor has become."""
        self._release()
        self._write = self._write_directly
        if stat.S_ISSOCK(status.st_mode):
            import socket

            self._socket = socket.socket(fileno=os.dup(self._shared))
            self._write = self._write_to_socket
        elif stat.S_ISFIFO(status.st_mode) or os.isatty(self._shared):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            try:
                self._own = os.open(f"/proc/self/fd/{self._shared}", flags)
            except OSError:
                self._write = self._write_after_poll
        self._identity = (status.st_dev, status.st_ino)

    def _release(self) -> None:
        if self._own is not None:
            os.close(self._own)
            self._own = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _write_directly(self, data: bytes) -> int:
        return os.write(self.fileno(), data)

    def _write_to_socket(self, data: bytes) -> int:
        import socket

        assert self._socket is not None
        return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _write_after_poll(self, data: bytes) -> int:
        if not has_room(self._shared, 0):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return os.write(self._shared, data[: select.PIPE_BUF])


class OwnTarget:
    """A descriptor that nobody else has, opened with O_NONBLOCK."""

    def __init__(self, descriptor: int, name: str):
        self.name = name
        self._descriptor = descriptor

    def send(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def fileno(self) -> int:
        return self._descriptor


def has_room(descriptor: int, timeout: float) -> bool:
    """Whether a write would take something, or fail, at once. Waits for that up to `timeout` seconds."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(timeout * 1000))


class LineWriter:
    """Lines in order, whole, and never waited for. For every thread, and for signal handlers in the middle of it."""

    def __init__(self, target: Target, say_lost: Callable[[str, int, OSError | None], object]):
        """
        :param say_lost: called when the log can be written again, with its name, how many lines it lost, and why.
        """
        self.target = target
        self._say_lost = say_lost
        self._is_closed = False
        self._reset()
        _writers.add(self)

    def _reset(self) -> None:
        """As new, in the child of a fork: what waits is the parent's to write, and its lock may be anybody's."""
        self._lock = threading.RLock()
        self._queue: deque[bytes] = deque()
        self._size = 0
        self._lost = 0
        self._failure: OSError | None = None
        self._is_draining = False
        self._is_retrying = False

    @property
    def waiting(self) -> int:
        """Bytes that wait for the log."""
        return self._size

    @property
    def lost(self) -> int:
        """Lines that were lost and not yet reported."""
        return self._lost

    def write(self, line: bytes) -> None:
        """Writes the line now, or later, or never. Does not wait and does not raise."""
        with self._lock:
            # A signal handler that came in the middle of a drain leaves its line to that.
            is_nested = self._is_draining
            lost = self._drain() if self._queue and not is_nested else 0
            if self._is_closed or (self._queue and self._size + len(line) > CAPACITY):
                self._lost += 1
            else:
                self._queue.append(line)
                self._size += len(line)
                lost += 0 if is_nested else self._drain()
        self._report(lost)

    def flush(self) -> bool:
        """Writes what waits as far as that goes; returns whether nothing waits any more."""
        with self._lock:
            if self._is_draining:
                return False
            lost = self._drain()
        self._report(lost)
        return not self._queue

    def close(self) -> None:
        """Writes what can be written, and forgets the rest: the descriptor may soon be another file's."""
        self.flush()
        with self._lock:
            self._is_closed = True
            self._forget()

    def take_unwritten(self) -> int:
        """How many lines were lost or still wait, of which nothing was said yet. It forgets them."""
        with self._lock:
            count, self._lost = self._lost + len(self._queue), 0
            self._forget()
        return count

    def _forget(self) -> None:
        self._queue.clear()
        self._size = 0

    def _drain(self) -> int:
        """Returns how many lines are to be reported as lost. The lock is held, and `_is_draining` is false."""
        self._is_draining = True
        try:
            while self._queue:
                line = self._queue[0]
                count = self.target.send(line)
                self._size -= count
                if count < len(line):
                    self._queue[0] = line[count:]
                else:
                    self._queue.popleft()
            lost, self._lost = self._lost, 0
            return lost
        except OSError as failure:
            self._failure = failure
            self._retry_later()
            return 0
        finally:
            self._is_draining = False

    def _report(self, lost: int) -> None:
        """Without the lock, since what reports takes locks of its own."""
        if lost:
            self._say_lost(self.target.name, lost, self._failure)

    def _retry_later(self) -> None:
        if self._is_retrying or not _threads_are_allowed:
            return
        self._is_retrying = True
        try:
            # Not `threading.Thread`: its start waits for locks that the frame under a signal handler may hold.
            _thread.start_new_thread(self._retry, ())
        except RuntimeError:
            self._is_retrying = False

    def _retry(self) -> None:
        """The body of a worker's thread, there for as long as something waits."""
        number = threading.get_native_id()
        retrying.add(number)
        try:
            self._retry_until_empty()
        finally:
            retrying.discard(number)

    def _retry_until_empty(self) -> None:
        while True:
            failure = self._failure
            descriptor = self.target.fileno()
            if failure is not None and failure.errno in FULL and descriptor >= 0:
                with contextlib.suppress(OSError):
                    has_room(descriptor, PATIENCE)
                time.sleep(0.005)
            else:
                time.sleep(PATIENCE)
            with self._lock:
                lost = 0 if self._is_draining else self._drain()
                self._is_retrying = is_waiting = bool(self._queue)
            self._report(lost)
            if not is_waiting:
                return


_writers: weakref.WeakSet[LineWriter] = weakref.WeakSet()
_threads_are_allowed = False
#: The kernel's numbers of the threads that wait for a log.
retrying: set[int] = set()


def allow_threads() -> None:
    """Called in a worker, after the fork: from here on a log that does not take lines is waited for in a thread."""
    global _threads_are_allowed
    _threads_are_allowed = True


def forbid_threads() -> None:
    """Called in a worker that becomes what others are forked from: it has one thread, as the arbiter."""
    global _threads_are_allowed
    _threads_are_allowed = False


def flush_all() -> bool:
    """Tries what waits for any log again; returns whether nothing waits. Cheap when nothing does; never blocks."""
    # All are tried, also after one that still waits.
    states = [writer.flush() for writer in list(_writers) if writer.waiting]
    return all(states)


def _say_farewell() -> None:
    end = time.monotonic() + FAREWELL
    while not flush_all() and time.monotonic() < end:
        time.sleep(0.01)
    # The error log may be a log that takes lines.
    for writer in list(_writers):
        if count := writer.take_unwritten():
            say_lost(writer.target.name, count, writer._failure)
    flush_all()


def _forget_after_fork() -> None:
    global _threads_are_allowed
    _threads_are_allowed = False
    for writer in list(_writers):
        writer._reset()


os.register_at_fork(after_in_child=_forget_after_fork)
atexit.register(_say_farewell)


def say_lost(name: str, count: int, failure: OSError | None) -> None:
    """To the error log: what a log has lost."""
    reason = "it took no more" if failure is None or failure.errno in FULL else failure.strerror or str(failure)
    what = "1 line was" if count == 1 else f"{count} lines were"
    logging.getLogger("gunicorn.error").error("%s lost: %s could not be written (%s)", what, name, reason)


_standard = {
    descriptor: LineWriter(DescriptorTarget(descriptor, name), say_lost)
    for descriptor, name in ((1, "standard output"), (2, "standard error"))
}


def writer_for(stream: object) -> LineWriter | None:
    """The writer of a stream of this process, such as `sys.stderr`.

    None for a stream that is more than a descriptor: one that a test or an application has put in its place.
    """
    if type(stream) is not io.TextIOWrapper:
        return None
    try:
        return _standard.get(stream.fileno())
    except (OSError, ValueError):
        return None


def encode(text: str, stream: object) -> bytes:
    """What the stream would make of the text; what its encoding does not have is escaped, never an error."""
    return text.encode(getattr(stream, "encoding", None) or "utf-8", "backslashreplace")
