"""`gunicorn.socket`: the client's connection as a socket, for applications that go on in a protocol of their own.

Every environ has one, and hardly any application looks at it. So it is made once, has no descriptor, and becomes a
socket in the moment that it is used: `OfferedSocket` until the connection is the application's, `ClientSocket` from
then on.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable

from monoceros.hints import Any, NoReturn


class Rest:
    """What the server had read of the connection behind the request. All copies of a socket share it."""

    def __init__(self, data: bytes):
        self._data = data
        self._lock = threading.Lock()

    def take(self, limit: int, flags: int = 0) -> bytes:
        """The next bytes, `limit` at most; none when all of them were taken."""
        # Asked for at each recv for as long as the connection lives: without the lock once there is nothing.
        if not self._data or limit <= 0:
            return b""
        with self._lock:
            taken = self._data[:limit]
            if not flags & socket.MSG_PEEK:
                self._data = self._data[limit:]
        return taken


class ClientSocket(socket.socket):
    """A connection that the application has taken: a socket that first yields what the server had read of it."""

    __slots__ = ("_offer", "_rest")

    def dup(self) -> ClientSocket:
        """Another socket of the connection; the server does not close it."""
        copy = super().dup()
        copy._rest = self._rest
        return copy

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        return self._rest.take(bufsize, flags) or super().recv(bufsize, flags)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        if data := self._rest.take(bufsize, flags):
            return data, None
        return super().recvfrom(bufsize, flags)

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0) -> tuple[bytes, list[Any], int, Any]:
        if data := self._rest.take(bufsize, flags):
            return data, [], 0, None
        return super().recvmsg(bufsize, ancbufsize, flags)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return self._fill(buffer, nbytes, flags) or super().recv_into(buffer, nbytes, flags)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        if count := self._fill(buffer, nbytes, flags):
            return count, None
        return super().recvfrom_into(buffer, nbytes, flags)

    def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0) -> tuple[int, list[Any], int, Any]:
        buffers = list(buffers)
        for buffer in buffers:
            if count := self._fill(buffer, 0, flags):
                return count, [], 0, None
        return super().recvmsg_into(buffers, ancbufsize, flags)

    def _fill(self, buffer: Any, nbytes: int, flags: int) -> int:
        with memoryview(buffer) as view, view.cast("B") as target:
            data = self._rest.take(nbytes if 0 < nbytes <= len(target) else len(target), flags)
            target[: len(data)] = data
        return len(data)

    def end(self) -> None:
        """The request is over: the server closes the socket, as gunicorn does. Copies go on."""
        socket.socket.close(self)


#: What may be asked of the connection, or set, while the response is still the server's to send.
LOOKING = frozenset(
    {"_closed", "_io_refs", "family", "get_inheritable", "getblocking", "getpeername", "getsockname", "getsockopt"}
    | {"gettimeout", "proto", "setsockopt", "timeout", "type"}
)
#: What makes the connection the application's.
TAKING = frozenset(
    {"accept", "bind", "close", "connect", "connect_ex", "detach", "dup", "fileno", "ioctl", "listen", "makefile"}
    | {"recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "recvmsg_into"}
    | {"send", "sendall", "sendfile", "sendmsg", "sendmsg_afalg", "sendto"}
    | {"set_inheritable", "setblocking", "settimeout", "shutdown"}
)


class OfferedSocket(ClientSocket):
    """A connection that is the server's until a method in `TAKING` is asked for."""

    # The layout of a ClientSocket, which it becomes.
    __slots__ = ()

    def __init__(self, duplicate: Callable[[], int], surrender: Callable[[], bytes | None]):
        """
        :param duplicate: returns a new descriptor of the connection, or a negative errno.
        :param surrender: gives the connection up, and returns what was read behind the request; None after it.
        """
        # Not the base class's, which would make a socket.
        self._offer = (threading.RLock(), duplicate, surrender)

    def __getattribute__(self, name: str) -> Any:
        if name in TAKING:
            _take(self)
        elif name in LOOKING:
            _open(self)
        # Not super(): this may be a ClientSocket by now.
        return object.__getattribute__(self, name)

    def __repr__(self) -> str:
        # The base class's asks for the descriptor: whoever prints an environ does not want the connection.
        return f"<{type(self).__module__}.{type(self).__qualname__} of the server>"


def _open(offered: ClientSocket) -> None:
    """Gives it a descriptor."""
    lock, duplicate, _ = offered._offer
    with lock:
        if socket.socket.fileno(offered) >= 0:
            return
        number = duplicate()
        if number < 0:
            _fail(-number)
        try:
            socket.socket.__init__(offered, fileno=number)
        except BaseException:
            os.close(number)
            raise


def _take(offered: ClientSocket) -> None:
    """Makes the connection the application's."""
    lock, _, surrender = offered._offer
    with lock:
        if type(offered) is ClientSocket:
            return
        _open(offered)
        rest = surrender()
        if rest is None:
            _fail(errno.EBADF)
        offered._rest = Rest(rest)
        offered.__class__ = ClientSocket
        # The server's own sockets never block, and this is the same one.
        offered.settimeout(socket.getdefaulttimeout())


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))
