"""`--reuse-port`: sockets of one worker alone beside the shared one, and nobody lost when a worker leaves."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, encode, fetch
from support.server import Server, run
from support.waiting import until

CODE = """
import os
def app(environ, start_response):
    body = f"{os.getpid()} {environ['SERVER_NAME']}:{environ['SERVER_PORT']}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""

KINDS = pytest.mark.parametrize("kind", [(), ("--threads", "2")])


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "telling.py").write_text(CODE)
    return tmp_path


def start(serve: Serve, code: Path, *arguments: str, **options) -> Server:
    server = serve("--reuse-port", *arguments, "telling:app", cwd=code, **options)
    server.expected_boots = None
    return server


def listening(port: int) -> int:
    """How many sockets listen on a port of 127.0.0.1 (`0A` in proc(5), /proc/net/tcp)."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    return sum(row[1] == f"0100007F:{port:04X}" and row[3] == "0A" for row in rows[1:])


def asked(server: Server) -> int:
    return int(fetch(server.address, "/").body.split()[0])


@KINDS
def test_each_worker_has_its_own(serve: Serve, code: Path, kind: tuple[str, ...]) -> None:
    server = start(serve, code, "-w", "3", *kind)
    host, port = server.address
    until(lambda: listening(port) == 4, "a socket for each of three workers, and the shared one")
    assert fetch(server.address, "/").body.split()[1] == f"{host}:{port}".encode()
    seen: set[int] = set()
    until(lambda: seen.add(asked(server)) or len(seen) == 3, "an answer of each worker")
    server.signal(signal.SIGTTOU)
    until(lambda: listening(port) == 3, "a socket less")


def test_without_it_there_is_one(serve: Serve, code: Path) -> None:
    server = serve("-w", "2", "telling:app", cwd=code)
    server.wait_for_log("Booting worker", 2)
    fetch(server.address, "/")
    assert listening(server.address[1]) == 1


def test_two_servers_share_a_port(serve: Serve, code: Path) -> None:
    first = start(serve, code)
    host, port = first.address
    second = start(serve, code, binds=(f"{host}:{port}",))
    until(lambda: listening(port) == 4, "two sockets for each server")
    seen: set[int] = set()
    until(lambda: seen.add(asked(first)) or seen == {first.worker(), second.worker()}, "answers of both")
    first.stop()
    for _ in range(20):
        assert asked(second) == second.worker()


def test_a_port_of_a_server_that_does_not_share(serve: Serve, code: Path) -> None:
    server = serve("telling:app", cwd=code)
    host, port = server.address
    result = run("--reuse-port", "-b", f"{host}:{port}", "telling:app", cwd=code, deadline=60)
    assert result.returncode == 1
    assert "Connection in use" in result.stderr and "Traceback" not in result.stderr


def test_other_kinds_of_address(serve: Serve, code: Path, short_path: str) -> None:
    """IPv6 has sockets for each worker too; a Unix socket is one for all."""
    server = start(serve, code, "-w", "2", binds=("[::1]:0", f"unix:{short_path}"))
    server.wait_for_log("Booting worker", 2)
    assert fetch(server.addresses[0], "/").body.split()[1].startswith(b"::1:")
    assert fetch(server.addresses[1], "/").status == 200
    assert "no socket of its own" not in server.log()


def test_a_worker_that_leaves_takes_what_waits_for_it_alone(serve: Serve, code: Path) -> None:
    """It is stopped meanwhile, so that connections wait in its backlog. The kernel would reset them with its socket."""
    server = start(serve, code, "-w", "2")
    until(lambda: listening(server.address[1]) == 3, "both workers")
    victim = server.workers()[0]
    os.kill(victim, signal.SIGSTOP)
    connections = [Connection(server.address) for _ in range(60)]
    try:
        for connection in connections[:40]:
            connection.send(encode("GET", "/"))
        # The others are silent: they travel as they are.
        os.kill(victim, signal.SIGTERM)
        os.kill(victim, signal.SIGCONT)
        answers = [int(connection.read_response().body.split()[0]) for connection in connections[:40]]
        until(lambda: victim not in server.workers(), "the end of the worker")
        for connection in connections:
            connection.send(encode("GET", "/"))
            answers.append(int(connection.read_response().body.split()[0]))
        assert victim not in answers[40:]
    finally:
        for connection in connections:
            connection.socket.close()


@KINDS
@pytest.mark.parametrize("cause", ["reload", "recycling", "fewer and more"])
def test_nobody_is_lost_when_workers_change(serve: Serve, code: Path, kind: tuple[str, ...], cause: str) -> None:
    more = ("--max-requests", "50") if cause == "recycling" else ()
    server = start(serve, code, "-w", "2", *kind, *more)
    port = server.address[1]
    until(lambda: listening(port) == 3, "both workers")
    failures: list[BaseException] = []
    is_over = threading.Event()

    def ask(keeps: bool) -> None:
        connection: Connection | None = None
        while not is_over.wait(0.002):
            try:
                connection = connection or Connection(server.address)
                connection.send(encode("GET", "/"))
                assert connection.read_response().header("Connection") != "close"
            except (AssertionError, Closed, Truncated, OSError) as failure:
                failures.append(failure)
                return
            if not keeps:
                connection.socket.close()
                connection = None

    threads = [threading.Thread(target=ask, args=(number % 2 == 0,)) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(4):
            before = len(server.boots())
            if cause == "reload":
                server.signal(signal.SIGHUP)
                server.wait_for_log("in use by all workers", turn + 1)
            elif cause == "recycling":
                until(lambda before=before: len(server.boots()) > before or failures, "a worker that was replaced")
            else:
                server.signal(signal.SIGTTOU)
                until(lambda: listening(port) == 2, "one worker")
                server.signal(signal.SIGTTIN)
                until(lambda: listening(port) == 3, "two workers")
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_reload_switches_it_on(serve: Serve, code: Path) -> None:
    config = code / "config.py"
    config.write_text("workers = 2\n")
    server = serve("-c", str(config), "telling:app", cwd=code)
    server.expected_boots = None
    fetch(server.address, "/")
    assert listening(server.address[1]) == 1
    config.write_text("workers = 2\nreuse_port = True\n")
    server.signal(signal.SIGHUP)
    server.wait_for_log("in use by all workers")
    until(lambda: listening(server.address[1]) == 3, "sockets of two workers")
    assert "no socket of its own" not in server.log()
    for _ in range(20):
        assert fetch(server.address, "/").status == 200
