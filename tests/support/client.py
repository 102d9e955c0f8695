"""A client that sends the bytes it is told to, and reads exactly one response at a time.

It does its own framing, since the framing is what the tests are about: a client that forgives would hide the faults.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from support.waiting import DEADLINE

#: Where a server listens: a host and a port, or the path of a Unix socket.
Address = tuple[str, int] | str


@dataclass
class Response:
    version: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    #: How the body was delimited: `length`, `chunked`, `close`, or `none` where a body cannot be.
    framing: str = "none"
    interim: list[Response] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The value of a field that appears at most once."""
        values = self.all(name)
        assert len(values) < 2, f"{name} appears {len(values)} times: {values}"
        return values[0] if values else None


class Truncated(Exception):
    """The connection ended inside a response."""

    def __init__(self, response: Response | None, received: bytes) -> None:
        super().__init__(f"the connection ended inside a response, after {len(received)} bytes: {received[-200:]!r}")
        self.response = response
        self.received = received


class Closed(Exception):
    """The connection ended before the first byte of a response."""


class Connection:
    """One connection, used as a context manager; every operation is bounded by `deadline` seconds."""

    def __init__(self, address: Address, deadline: float = DEADLINE, receive_buffer: int | None = None) -> None:
        self.deadline = deadline
        self.buffer = bytearray()
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            self.socket = socket.socket(family)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(deadline)
        try:
            self.socket.connect(address)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    # Sending

    def send(self, data: bytes, sizes: int | Sequence[int] | None = None) -> None:
        """Send everything, in pieces: of one size, or of the sizes given and then the rest."""
        if sizes is None:
            self.socket.sendall(data)
            return
        if isinstance(sizes, int):
            sizes = [sizes] * (len(data) // sizes)
        start = 0
        for size in sizes:
            if data[start : start + size]:
                self.socket.sendall(data[start : start + size])
            start += size
        if data[start:]:
            self.socket.sendall(data[start:])

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Leave at once and rudely: the peer gets a RST, not a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    # Receiving

    def fill(self) -> bool:
        """Wait for more bytes; false at the end of the stream."""
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            received = bytes(self.buffer[-400:])
            raise TimeoutError(f"nothing more after {self.deadline:g} s; unread so far: {received!r}") from None
        self.buffer += data
        return bool(data)

    def take(self, size: int) -> bytes:
        """Remove exactly `size` bytes from what was received, waiting for them."""
        while len(self.buffer) < size:
            if not self.fill():
                raise EOFError
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def take_until(self, delimiter: bytes) -> bytes:
        """Remove everything up to and including `delimiter`, waiting for it."""
        start = 0
        while (index := self.buffer.find(delimiter, start)) < 0:
            start = max(0, len(self.buffer) - len(delimiter))
            if not self.fill():
                raise EOFError
        return self.take(index + len(delimiter))

    def read_to_end(self) -> bytes:
        """Everything up to the end of the stream. A reset counts as an end."""
        try:
            while self.fill():
                pass
        except ConnectionResetError:
            pass
        data = bytes(self.buffer)
        self.buffer.clear()
        return data

    def read_head(self) -> Response:
        try:
            head = self.take_until(b"\r\n\r\n")
        except (EOFError, ConnectionResetError):
            if not self.buffer:
                raise Closed from None
            raise Truncated(None, bytes(self.buffer)) from None
        lines = head[:-4].split(b"\r\n")
        assert b"\n" not in b"".join(lines) and b"\r" not in b"".join(lines), head
        version, status, reason = (lines[0].decode("latin-1").split(" ", 2) + [""])[:3]
        assert version in ("HTTP/1.0", "HTTP/1.1") and len(status) == 3, lines[0]
        headers = []
        for line in lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            assert colon and name and " " not in name, line
            headers.append((name, value.strip(" \t")))
        return Response(version, int(status), reason, headers)

    def read_response(self, method: str = "GET") -> Response:
        """One final response, with the interim (1xx) ones before it in `interim`."""
        interim: list[Response] = []
        while (response := self.read_head()).status < 200:
            interim.append(response)
        response.interim = interim
        before = bytes(self.buffer)
        try:
            self._read_body(response, method)
        except (EOFError, ConnectionResetError):
            response.body += bytes(self.buffer)
            raise Truncated(response, before + bytes(self.buffer)) from None
        return response

    def _read_body(self, response: Response, method: str) -> None:
        coding = response.header("Transfer-Encoding")
        length = response.header("Content-Length")
        assert coding is None or length is None, f"both framings: {response.headers}"
        if method == "HEAD" or response.status in (204, 304):
            return
        if coding is not None:
            assert coding.lower() == "chunked" and response.version == "HTTP/1.1", response.headers
            response.framing = "chunked"
            self._read_chunks(response)
        elif length is not None:
            assert length.isascii() and length.isdigit(), length
            response.framing = "length"
            response.body = self.take(int(length))
        else:
            response.framing = "close"
            response.body = self.read_to_end()

    def _read_chunks(self, response: Response) -> None:
        body = bytearray()
        try:
            while True:
                size = int(self.take_until(b"\r\n")[:-2], 16)
                if size == 0:
                    break
                body += self.take(size)
                assert self.take(2) == b"\r\n"
            assert self.take(2) == b"\r\n", "trailers were not asked for"
        finally:
            response.body = bytes(body)

    def assert_closed(self) -> None:
        """The peer ends the connection and has nothing more to say."""
        rest = self.read_to_end()
        assert rest == b"", f"{len(rest)} more bytes: {rest[:200]!r}"


def encode(
    method: str = "GET",
    target: str = "/",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    version: str = "HTTP/1.1",
    host: str | None = "test",
) -> bytes:
    """The bytes of a request, with a Host and, for a body, a Content-Length."""
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def encode_chunked(method: str, target: str, chunks: Iterable[bytes], headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The bytes of a request with a chunked body."""
    head = encode(method, target, [*headers, ("Transfer-Encoding", "chunked")])
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk) + b"0\r\n\r\n"


def fetch(
    address: Address,
    target: str = "/",
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
    version: str = "HTTP/1.1",
    host: str = "test",
) -> Response:
    """One request on a connection of its own, which the server must close after the response."""
    with Connection(address) as connection:
        connection.send(encode(method, target, [*headers, ("Connection", "close")], body, version, host))
        response = connection.read_response(method)
        connection.assert_closed()
        return response


def can_connect(address: Address) -> bool:
    """Whether somebody listens there."""
    try:
        with Connection(address, deadline=5):
            return True
    except (ConnectionRefusedError, FileNotFoundError):
        return False
