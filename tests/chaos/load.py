"""A steady load, and what becomes of every request of it.

Closed loops, each in a thread: send, wait for the response, pause. Some keep their connection, some make one for each
request. Nothing is tried again, so every failure is seen once, under its cause.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

Address = tuple[str, int]

#: Seconds that a client waits for anything. Longer than any fault that is meant to cost nothing lasts.
PATIENCE = 10.0
#: Seconds between a response and the next request, so that the server has time to idle, as most have.
PAUSE = 0.004

#: What can become of a request, with what it says.
CAUSES = {
    "refused": "nobody listened",
    "reset": "the connection was reset",
    "unanswered": "the connection ended after the request was sent, without a byte of a response",
    "cut": "the response ended early",
    "timeout": f"nothing for {PATIENCE:g} s",
    "status": "another status than 200",
    "wrong": "another body than asked for",
}


class Failed(Exception):
    """A request without the right response. `cause` is a key of CAUSES, with the status behind `status`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass
class Tally:
    """What became of the requests of a run."""

    answered: int = 0
    #: Kept connections that the client found ended before it sent a request on them: no request was lost.
    idle: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    #: The longest time between two right responses: from and to, in seconds of the monotonic clock.
    gap: tuple[float, float] = (0.0, 0.0)

    @property
    def longest_gap(self) -> float:
        """Seconds."""
        return self.gap[1] - self.gap[0]

    @property
    def failed(self) -> int:
        return sum(self.failures.values())


@dataclass(frozen=True)
class Kind:
    """A request, and the body that it has to be answered with."""

    path: str = "/"
    body: bytes = b""
    expected: bytes = b"hello"

    def bytes(self, keep: bool) -> bytes:
        method = "POST" if self.body else "GET"
        lines = [f"{method} {self.path} HTTP/1.1", "Host: chaos", f"Content-Length: {len(self.body)}"]
        if not keep:
            lines.append("Connection: close")
        return "\r\n".join((*lines, "", "")).encode() + self.body


class Connection:
    """One connection, with one request at a time."""

    def __init__(self, address: Address) -> None:
        try:
            self.socket = socket.create_connection(address, PATIENCE)
        except ConnectionRefusedError:
            raise Failed("refused") from None
        except TimeoutError:
            raise Failed("timeout") from None
        except OSError:
            raise Failed("reset") from None
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def ask(self, kind: Kind, keep: bool) -> bool:
        """Sends a request and checks its response. Returns whether the connection can be used again."""
        try:
            self.socket.sendall(kind.bytes(keep))
        except TimeoutError:
            raise Failed("timeout") from None
        except OSError:
            # The server may have answered before it stopped reading, as with 413 and 507: `_read` tells.
            pass
        head = self._read(lambda: b"\r\n\r\n" in self.received, began=False)
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        status = lines[0].split(b" ")[1:2]
        if status != [b"200"]:
            raise Failed(f"status {b''.join(status).decode(errors='replace')}")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines[1:])}
        length = int(fields.get(b"content-length", b"0"))
        self._read(lambda: len(self.received) >= length, began=True)
        body, self.received = self.received[:length], self.received[length:]
        if body != kind.expected:
            raise Failed("wrong")
        return keep and fields.get(b"connection", b"").lower() != b"close"

    def _read(self, is_complete, began: bool) -> None:
        while not is_complete():
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise Failed("timeout") from None
            except OSError:
                raise Failed("cut" if began or self.received else "reset") from None
            if not data:
                raise Failed("cut" if began or self.received else "unanswered")
            self.received += data

    def has_ended(self) -> bool:
        """Whether the server ended the connection while nothing was under way."""
        # Not MSG_DONTWAIT: Python waits for a socket with a timeout before it calls `recv` at all.
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def close(self) -> None:
        self.socket.close()


class Load:
    """Clients of a server, until they are stopped."""

    def __init__(self, address: Address, kept: int = 6, fresh: int = 6, kinds: tuple[Kind, ...] = (Kind(),)) -> None:
        self.address = address
        self.connections = kept + fresh
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._tally = Tally()
        self._last = time.monotonic()
        self._threads = [
            threading.Thread(target=self._run, args=(number < kept, kinds[number % len(kinds)]), daemon=True)
            for number in range(kept + fresh)
        ]

    def __enter__(self) -> Load:
        self._last = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> Tally:
        """Ends all clients after their request under way."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        return self._tally

    def answered(self) -> int:
        with self._lock:
            return self._tally.answered

    def _run(self, keep: bool, kind: Kind) -> None:
        connection: Connection | None = None
        while not self._stopping.is_set():
            if connection is not None and connection.has_ended():
                connection.close()
                connection = None
                with self._lock:
                    self._tally.idle += 1
            try:
                if connection is None:
                    connection = Connection(self.address)
                usable = connection.ask(kind, keep)
            except Failed as failure:
                usable = False
                self._note(failure.cause)
            else:
                self._note(None)
            if not usable and connection is not None:
                connection.close()
                connection = None
            self._stopping.wait(PAUSE)
        if connection is not None:
            connection.close()

    def _note(self, cause: str | None) -> None:
        now = time.monotonic()
        with self._lock:
            if cause is not None:
                self._tally.failures[cause] += 1
                return
            self._tally.answered += 1
            if now - self._last > self._tally.longest_gap:
                self._tally.gap = (self._last, now)
            self._last = now
