"""Metrics for statsd: gunicorn's names and forms, received by a real socket."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import MODULE
from support.waiting import until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="the metrics of Monoceros")

#: One worker that is Python's main thread, and two with threads.
KINDS = [("--workers", "1"), ("--workers", "2", "--threads", "4")]


class Receiver:
    """A statsd server: everything that came, line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._lines: list[str] = []

    def lines(self) -> list[str]:
        try:
            while True:
                self._lines += self._socket.recv(65536).decode().split("\n")
        except BlockingIOError:
            return self._lines

    def total(self, name: str) -> int:
        """The sum of a counter."""
        pattern = re.compile(rf"{re.escape(name)}:(\d+)\|c\|@1\.0(\|#.*)?")
        return sum(int(found[1]) for line in self.lines() if (found := pattern.fullmatch(line)))

    def wait_for(self, name: str, count: int) -> None:
        until(lambda: self.total(name) >= count, f"{count} of {name}")
        assert self.total(name) == count


@pytest.fixture
def udp() -> Iterator[tuple[Receiver, str]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.bind(("127.0.0.1", 0))
        yield Receiver(connection), f"127.0.0.1:{connection.getsockname()[1]}"


@pytest.mark.parametrize("kind", KINDS)
def test_requests_are_counted(serve: Serve, udp: tuple[Receiver, str], kind: tuple[str, ...]) -> None:
    receiver, address = udp
    server = serve("--statsd-host", address, *kind, "logged:app")
    for _ in range(20):
        fetch(server.address, "/length")
    for _ in range(3):
        fetch(server.address, "/404")
    receiver.wait_for("gunicorn.requests", 23)
    receiver.wait_for("gunicorn.request.status.201", 20)
    receiver.wait_for("gunicorn.request.status.404", 3)

    def durations_told() -> list[str]:
        return [line for line in receiver.lines() if line.startswith("gunicorn.request.duration:")]

    durations = until(lambda: len(told := durations_told()) >= 23 and told, "23 durations")
    assert len(durations) == 23
    assert all(re.fullmatch(r"gunicorn\.request\.duration:\d+\.\d+\|ms", line) for line in durations), durations
    until(lambda: f"gunicorn.workers:{kind[1]}|g" in receiver.lines(), "the number of workers")


def test_prefix_and_tags(serve: Serve, udp: tuple[Receiver, str]) -> None:
    receiver, address = udp
    server = serve(
        "--statsd-host", address, "--statsd-prefix", "shop.", "--dogstatsd-tags", "env:test,a:b", "logged:app"
    )
    fetch(server.address, "/")
    receiver.wait_for("shop.gunicorn.requests", 1)
    assert all(line.startswith("shop.") and line.endswith("|#env:test,a:b") for line in receiver.lines())
    assert "shop.gunicorn.requests:1|c|@1.0|#env:test,a:b" in receiver.lines()


def test_the_log_is_counted(serve: Serve, udp: tuple[Receiver, str]) -> None:
    receiver, address = udp
    server = serve("--statsd-host", address, "logged:app")
    fetch(server.address, "/raise")
    receiver.wait_for("gunicorn.log.exception", 1)
    receiver.wait_for("gunicorn.request.status.500", 1)


def test_a_unix_socket(serve: Serve, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.bind(f"{tmp_path}/statsd")
        receiver = Receiver(connection)
        server = serve("--statsd-host", f"unix://{tmp_path}/statsd", "logged:app")
        fetch(server.address, "/")
        receiver.wait_for("gunicorn.requests", 1)


def test_the_last_requests_are_told_at_the_end(serve: Serve, udp: tuple[Receiver, str]) -> None:
    receiver, address = udp
    server = serve("--statsd-host", address, "logged:app")
    for _ in range(5):
        fetch(server.address, "/")
    server.stop()
    assert receiver.total("gunicorn.requests") == 5


def test_the_queue_of_connections(serve: Serve, udp: tuple[Receiver, str]) -> None:
    receiver, address = udp
    serve("--statsd-host", address, "--enable-backlog-metric", "logged:app")
    until(lambda: "gunicorn.backlog:0|h" in receiver.lines(), "the length of the queue")


def test_the_access_log_beside_it(serve: Serve, udp: tuple[Receiver, str], tmp_path: Path) -> None:
    receiver, address = udp
    path = tmp_path / "access.log"
    server = serve("--statsd-host", address, "--access-logfile", str(path), "--access-logformat", "%(s)s", "logged:app")
    fetch(server.address, "/404")
    receiver.wait_for("gunicorn.request.status.404", 1)
    until(lambda: path.read_text() == "404\n", "the line")


def test_a_logger_class_that_changes_the_metrics_of_a_request(
    serve: Serve, udp: tuple[Receiver, str], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "from monoceros.instrument.statsd import Statsd\n"
        "class Logger(Statsd):\n"
        "    def access(self, resp, req, environ, request_time):\n"
        "        super().access(resp, req, environ, request_time)\n"
        "        self.increment('shop' + environ['PATH_INFO'].replace('/', '.'), 1)\n"
    )
    receiver, address = udp
    server = serve(
        "--statsd-host", address, "--logger-class", "mine.Logger", "--pythonpath", str(tmp_path), "logged:app"
    )
    fetch(server.address, "/cart")
    receiver.wait_for("shop.cart", 1)
    names = Counter(line.split(":")[0] for line in receiver.lines() if "request" in line)
    assert names == {"gunicorn.requests": 1, "gunicorn.request.status.200": 1, "gunicorn.request.duration": 1}


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (
            "127.0.0.1:1",
            "statsd at 127.0.0.1:1 does not take metrics (Connection refused): they are lost until it does.",
        ),
        ("[::1]:1", "statsd at [::1]:1 does not take metrics (Connection refused): they are lost until it does."),
        (
            "unix:///none/here",
            "statsd at unix:///none/here cannot be reached (No such file or directory): no metrics are",
        ),
        ("nobody.invalid:8125", "statsd at nobody.invalid:8125 cannot be reached ("),
    ],
)
def test_a_server_that_is_not_there_is_one_line(serve: Serve, address: str, line: str) -> None:
    server = serve("--statsd-host", address, "logged:app")
    for _ in range(3):
        assert fetch(server.address, "/raise").status == 500
    server.stop()
    # The process that sends tells it: the master, and the worker for what it logs.
    told = [each for each in server.log().splitlines() if "statsd" in each]
    assert 1 <= len(told) <= 2 and all(line in each and "[WARNING]" in each for each in told), server.log()
    assert "instrument/statsd.py" not in server.log()
