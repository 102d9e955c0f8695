"""Handlers for `logging` that never wait for their log (logwriter.py), in place of the standard library's."""

from __future__ import annotations

import contextlib
import errno
import logging
import logging.handlers
import os
import socket
import sys
import time
import traceback
from typing import IO

from monoceros.logwriter import FULL, LineWriter, OwnTarget, encode, has_room, say_lost, writer_for

#: Seconds that the start may wait for a syslog server.
CONNECT_TIMEOUT = 1.0


#: How a line is written whose formatter fails.
PLAIN = logging.Formatter("%(asctime)s [%(process)d] [%(levelname)s] %(message)s", "[%Y-%m-%d %H:%M:%S %z]")


class _Unhindered(logging.Handler):
    def format(self, record: logging.LogRecord) -> str:
        """What the formatter makes of a record. Where it fails, which is said once, the line is written plainly."""
        try:
            return super().format(record)
        except Exception as error:
            try:
                text = PLAIN.format(record)
            except Exception:
                # It is the record that is at fault.
                raise error from None
            complaints.hear_of_formatter(self.formatter, error)
            return text

    def handleError(self, record: logging.LogRecord) -> None:
        """Says on stderr what is wrong with a record, as the standard library does, but in one write and at once.

        What is wrong again in the same place is counted, and said once a minute.
        """
        error = sys.exc_info()[1]
        place = (type(error).__name__, record.pathname, record.lineno)
        text = f"--- Logging error ---\n{traceback.format_exc()}Message: {record.msg!r}\nArguments: {record.args!r}\n"
        complaints.hear(place, text, f"{record.pathname}:{record.lineno}: {type(error).__name__}: {error}")


class Complaints:
    """What is wrong with how logs are written, on stderr: each once, and then how often."""

    #: Seconds between two complaints of the same.
    INTERVAL = 60.0
    #: Different ones that are told apart.
    MOST = 100

    def __init__(self) -> None:
        #: When each was said, and how often it was not since then.
        self._known: dict[object, tuple[float, int]] = {}

    def hear_of_formatter(self, formatter: logging.Formatter | None, error: Exception) -> None:
        """A formatter could not write a record that another can."""
        kind = f"{type(formatter).__module__}.{type(formatter).__qualname__}"
        style = getattr(formatter, "_fmt", None)
        name = f"{kind} with {style!r}" if style else kind
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = "" if where.filename == logging.__file__ else f" ({where.filename}:{where.lineno})"
        what = f"{type(error).__name__}: {' '.join(str(error).split())}{place}"
        text = f"A log's formatter fails, and lines are written without it: {name}: {what}"
        self.hear((name, type(error), where.filename, where.lineno), f"{text}\n", text)

    def hear(self, which: object, text: str, summary: str) -> None:
        """Says `text` for the first of its kind, and how often `summary` was the case later."""
        if not logging.raiseExceptions:
            return
        if which not in self._known and len(self._known) >= self.MOST:
            which = None
        now = time.monotonic()
        said, suppressed = self._known.get(which, (None, 0))
        if said is not None and now < said + self.INTERVAL:
            self._known[which] = said, suppressed + 1
            return
        self._known[which] = now, 0
        if said is not None:
            text = f"{summary} ({suppressed + 1} times more)\n"
        writer = writer_for(sys.stderr)
        if writer is not None:
            writer.write(encode(text, sys.stderr))
        elif sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write(text)


#: Those of this process, and of the master up to the fork: what it has said is not said by each worker.
complaints = Complaints()


class StreamHandler(_Unhindered, logging.StreamHandler):
    """Writes each record to a stream: with its line end, in one write."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) + self.terminator
            writer = self._writer()
            if writer is not None:
                writer.write(encode(text, self.stream))
            elif self.stream is not None:
                self.stream.write(text)
                self.flush()
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    def _writer(self) -> LineWriter | None:
        return writer_for(self.stream)

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            super().flush()


class FileHandler(StreamHandler, logging.FileHandler):
    """Writes to a file of its own. A FIFO without a reader is an error when it is opened, not a wait."""

    def __init__(self, filename: str, mode: str = "a", encoding: str | None = None, delay: bool = False, errors=None):
        self._line_writer: LineWriter | None = None
        logging.FileHandler.__init__(self, filename, mode, encoding or "utf-8", delay, errors or "backslashreplace")

    def _open(self) -> IO[str]:
        stream = self._builtin_open(
            self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_open_without_blocking
        )
        self._line_writer = LineWriter(OwnTarget(stream.fileno(), self.baseFilename), say_lost)
        return stream

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is None:
            if self.mode != "w" or not self._closed:
                self.stream = self._open()
            else:
                return
        StreamHandler.emit(self, record)

    def _writer(self) -> LineWriter | None:
        return self._line_writer

    def close(self) -> None:
        with self.lock or contextlib.nullcontext():
            if self._line_writer is not None:
                self._line_writer.close()
                self._line_writer = None
            logging.FileHandler.close(self)

    def reopen(self) -> None:
        """Goes on in the file that has the name now, after a rotation. The number of the descriptor stays.

        Raises OSError when there can be no such file; the old one is then written on.
        """
        self.acquire()
        try:
            if self.stream is None:
                self.stream = self._open()
                return
            writer = self._line_writer
            if writer is not None:
                writer.flush()
            descriptor = os.open(
                self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o666
            )
            try:
                # In one step: whoever writes by this number, from whichever thread, always meets an open file.
                os.dup2(descriptor, self.stream.fileno(), inheritable=False)
            finally:
                os.close(descriptor)
        finally:
            self.release()


def _open_without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)


class _SyslogTarget:
    """A connection to a syslog server, made again when it breaks, without ever waiting for it."""

    def __init__(self, address: str | tuple[str, int], kind: socket.SocketKind | None):
        self.name = f"syslog at {address if isinstance(address, str) else ':'.join(map(str, address))}"
        self.socket: socket.socket | None = None
        self._next_attempt = 0.0
        # Names are resolved here, once: a look-up in the middle of a request could take seconds.
        if isinstance(address, str):
            kinds = [kind] if kind is not None else [socket.SOCK_DGRAM, socket.SOCK_STREAM]
            self._choices = [(socket.AF_UNIX, each, address) for each in kinds]
        else:
            host, port = address
            found = socket.getaddrinfo(host, port, 0, kind or socket.SOCK_DGRAM)
            self._choices = [(family, each, place) for family, each, _, _, place in found]

    @property
    def is_stream(self) -> bool:
        return self.socket is not None and self.socket.type == socket.SOCK_STREAM

    def connect(self, timeout: float) -> None:
        """Connects to the first place that takes it. Raises OSError."""
        self.close()
        failure: OSError | None = None
        for family, kind, place in self._choices:
            self.socket = socket.socket(family, kind)
            try:
                self.socket.setblocking(False)
                status = self.socket.connect_ex(place)
                if status == errno.EINPROGRESS and timeout > 0:
                    has_room(self.socket.fileno(), timeout)
                    status = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if status not in (0, errno.EINPROGRESS):
                    raise OSError(status, os.strerror(status))
                return
            except OSError as error:
                failure = error
                self.close()
        raise failure or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def fileno(self) -> int:
        return self.socket.fileno() if self.socket is not None else -1

    def send(self, data: bytes) -> int:
        if self.socket is None:
            if time.monotonic() < self._next_attempt:
                raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
            self._next_attempt = time.monotonic() + CONNECT_TIMEOUT
            self.connect(0)
        assert self.socket is not None
        try:
            count = self.socket.send(data, socket.MSG_NOSIGNAL)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                # It will not fit next time either.
                return len(data)
            if error.errno not in FULL:
                self.close()
            raise
        return count if self.is_stream else len(data)


class SyslogHandler(_Unhindered, logging.handlers.SysLogHandler):
    """gunicorn's messages to syslog, over UDP, TCP or a Unix socket."""

    def __init__(self, address: str | tuple[str, int], facility: int, socktype: socket.SocketKind | None):
        self._target = _SyslogTarget(address, socktype)
        self._line_writer = LineWriter(self._target, say_lost)
        super().__init__(address, facility, socktype or socket.SOCK_DGRAM)
        self.socktype = socktype

    def createSocket(self) -> None:  # noqa: N802 - the standard library's name
        """Connects, and waits a moment for it, so that a wrong address is known at the start."""
        self.unreachable: OSError | None = None
        try:
            self._target.connect(CONNECT_TIMEOUT)
        except OSError as error:
            self.unreachable = error
        self.socket = self._target.socket

    def _connect_unixsocket(self, address: str) -> None:
        """The standard library's way of making the socket at once, for an address that is a path."""
        self.createSocket()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.ident + self.format(record) + ("\0" if self.append_nul else "")
            priority = self.encodePriority(self.facility, self.mapPriority(record.levelname))
            self._line_writer.write(f"<{priority}>{text}".encode("utf-8", "backslashreplace"))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Leaves the connection, until somebody logs again: `logging.config` closes every handler, those in use too."""
        self._line_writer.flush()
        self._target.close()
        logging.Handler.close(self)
