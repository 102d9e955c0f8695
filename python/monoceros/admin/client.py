"""Asks a server: HTTP over its operator's socket."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any

#: Another server's worker answers (RFC 9110 §15.5.20).
MISDIRECTED = 421


class NotReachable(Exception):
    """Nobody answers there. The text is for the user."""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        # A leading @ stands for the NUL of an abstract name.
        self.sock.connect("\0" + self.path[1:] if self.path.startswith("@") else self.path)


class Client:
    """One connection for each question, so that each worker is asked in turn."""

    def __init__(self, address: str, timeout: float = 5, master: int | None = None):
        """
        :param address: as in `admin_bind`: `unix:PATH` or `HOST:PORT`.
        :param timeout: seconds for a connection's answer.
        :param master: the process that is meant, where two have the socket since one replaces the other; None for any.
        """
        self.address = address
        self.timeout = timeout
        self.master = master

    def _connection(self) -> http.client.HTTPConnection:
        for prefix in ("unix://", "unix:"):
            if self.address.startswith(prefix):
                return UnixConnection(self.address.removeprefix(prefix), self.timeout)
        return http.client.HTTPConnection(self.address.removeprefix("tcp://"), timeout=self.timeout)

    def ask(self, target: str, method: str = "GET") -> tuple[int, str]:
        """Status and text of the answer. Raises NotReachable."""
        if self.master is None:
            return self._ask(target, method)
        target += f"{'&' if '?' in target else '?'}master={self.master}"
        deadline = time.monotonic() + self.timeout
        while True:
            status, text = self._ask(target, method)
            if status != MISDIRECTED:
                return status, text
            if time.monotonic() > deadline:
                raise NotReachable(f"another master than {self.master} answers at {self.address}")
            # The workers of both wait at the same socket: whoever is faster answers.
            time.sleep(0.005)

    def _ask(self, target: str, method: str) -> tuple[int, str]:
        connection = self._connection()
        try:
            connection.request(method, target)
            response = connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise NotReachable(f"nobody answers at {self.address}: {error or type(error).__name__}") from None
        finally:
            connection.close()

    def status(self) -> dict[str, Any]:
        """What `/status` says. Raises NotReachable."""
        status, text = self.ask("/status")
        try:
            document = json.loads(text) if status == 200 else None
        except ValueError:
            document = None
        if not isinstance(document, dict) or document.get("schema") != 1:
            raise NotReachable(f"what answers at {self.address} is no admin_bind that this version can read")
        return document
