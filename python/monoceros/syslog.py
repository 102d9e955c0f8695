"""Syslog: the settings that name it, and the handler that never waits for it (loghandlers.py)."""

from __future__ import annotations

import errno
import logging
import logging.handlers
import os
import socket
import time

from monoceros.loghandlers import Unhindered
from monoceros.logwriter import FULL, LineWriter, has_room, say_lost

#: Seconds that the start may wait for a syslog server.
CONNECT_TIMEOUT = 1.0

#: RFC 5424, table 1, by the names of syslog.conf.
SYSLOG_FACILITIES = {
    name: number
    for number, name in enumerate(
        ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp")
    )
} | {"security": 4} | {f"local{number}": 16 + number for number in range(8)}  # fmt: skip


def parse_syslog_address(addr: str) -> tuple[socket.SocketKind | None, str | tuple[str, int]]:
    """The kind of socket (None: try datagrams, then a stream) and the address of `syslog_addr`.

    `unix://PATH`, `unix://PATH#dgram`, `unix://PATH#stream`, `udp://HOST:PORT` and `tcp://HOST:PORT`, where an IPv6
    address stands in brackets, no host is localhost, and no port is 514. Raises RuntimeError for anything else.
    """
    scheme, separator, rest = addr.partition("://")
    if not separator or scheme not in ("unix", "udp", "tcp"):
        raise RuntimeError(
            "it must be unix://PATH (with #dgram or #stream behind it, if need be), udp://HOST:PORT or tcp://HOST:PORT"
        )
    if scheme == "unix":
        path, _, kind = rest.partition("#")
        return {"dgram": socket.SOCK_DGRAM, "stream": socket.SOCK_STREAM}.get(kind), path
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = rest.partition(":")
    if port and not (port.isdecimal() and int(port) <= 65535):
        raise RuntimeError(f"{port!r} is not a valid port number.")
    kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
    return kind, (host.lower() or "localhost", int(port or 514))


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


class SyslogHandler(Unhindered, logging.handlers.SysLogHandler):
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
