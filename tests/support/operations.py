"""What tests need that meet the server as its operator does."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from monoceros.admin.client import Client

from .client import Address
from .server import APPLICATIONS, Server, run_to_end
from .waiting import DEADLINE, until

LINE_OF_WAIT = next(
    number
    for number, line in enumerate((APPLICATIONS / "operated.py").read_text().splitlines(), 1)
    if "gate.wait" in line
)

#: Starts a server with an operator's socket; returns it and the operator's client.
Operate = Callable[..., tuple[Server, Client]]


class Stuck:
    """Requests that do not end, each on a connection of its own."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.sockets: list[socket.socket] = []

    def send(self, path: str) -> None:
        connection = socket.create_connection(self.address, DEADLINE)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: secret=oyster\r\n\r\n".encode())
        self.sockets.append(connection)

    def close(self) -> None:
        for connection in self.sockets:
            connection.close()


def under_way(client: Client, count: int) -> list[dict[str, Any]]:
    """The exchanges that the status names, once there are as many."""

    def found() -> list[dict[str, Any]] | None:
        exchanges = client.status()["exchanges"]
        return exchanges if len(exchanges) == count else None

    return until(found, f"{count} exchanges under way")


def listed(client: Client, phase: str, count: int) -> list[dict[str, Any]]:
    """The exchanges of a phase, once there are as many."""

    def found() -> list[dict[str, Any]] | None:
        exchanges = [each for each in client.status()["exchanges"] if each["phase"] == phase]
        return exchanges if len(exchanges) == count else None

    return until(found, f"{count} exchanges in {phase}")


def stacks(client: Client, pid: int, expected: str = "Thread ", count: int | None = None) -> str:
    """What the threads of a worker do, once Python tells it and something is there, as often as is expected.

    A worker that does not get the machine at once is read without Python, or says nothing; and one that the status
    names with a request is perhaps a moment before the line at which it will wait.
    """

    def found() -> str | None:
        status, text = client.ask(f"/stacks?pid={pid}")
        is_orderly = status == 200 and not text.startswith("Nobody gave up")
        return text if is_orderly and text.count(expected) == (count or max(1, text.count(expected))) else None

    return until(found, f"{expected!r} in the stacks of {pid}")


#: Samples by name and labels.
Metrics = dict[tuple[str, frozenset[tuple[str, str]]], float]


def metrics(client: Client) -> Metrics:
    status, text = client.ask("/metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_prometheus(text)
        for sample in family.samples
    }


def value(found: Metrics, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def request(address: Address, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=DEADLINE)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def command(*arguments: str, cwd: Path = APPLICATIONS, **changes: str) -> subprocess.CompletedProcess[str]:
    return run_to_end([sys.executable, "-m", "monoceros", *arguments], cwd=cwd, **changes)


def tasks(pid: int) -> list[str]:
    return os.listdir(f"/proc/{pid}/task")
