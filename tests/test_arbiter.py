"""The master: sockets, workers, signals, and what is left behind (nothing)."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, can_connect, encode, fetch
from support.ports import reserved
from support.processes import session_members
from support.server import MODULE, Server, run
from support.waiting import until

ONE = "/body?case=one"


def entered(server: Server, name: str) -> int:
    """Wait until a request to `/wait` is in the application, and tell in which worker."""
    until(lambda: server.trace(f"{name}.entered").endswith("\n"), f"the request {name} to enter the application")
    return int(server.trace(f"{name}.entered"))


def test_start_up_lines(serve: Serve) -> None:
    server = serve("probe:app", "-w", "2")
    server.wait_for_log("Booting worker with pid", 2)
    lines = server.log().splitlines()
    stamp = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\]"
    host, port = server.address
    expected = [
        rf"{stamp} \[{server.pid}\] \[INFO\] Starting {MODULE} \d+\.\d+\S*",
        rf"{stamp} \[{server.pid}\] \[INFO\] Listening at: http://{re.escape(host)}:{port} \({server.pid}\)",
        rf"{stamp} \[{server.pid}\] \[INFO\] Using worker: sync",
    ]
    for line, pattern in zip(lines, expected, strict=False):
        assert re.fullmatch(pattern, line), line
    boots = [re.fullmatch(rf"{stamp} \[(\d+)\] \[INFO\] Booting worker with pid: (\d+)", line) for line in lines[3:]]
    pids = [found[2] for found in boots if found]
    assert len(set(pids)) == 2 and sorted(map(int, pids)) == server.workers()
    assert (server.directory / "stdout.log").read_text() == ""


def test_several_addresses(short_path: str, serve: Serve) -> None:
    server = serve("probe:app", binds=("127.0.0.1:0", "[::1]:0", f"unix:{short_path}", "127.0.0.1:0"))
    assert len(server.addresses) == 4 and len(set(server.addresses)) == 4
    for address in server.addresses * 2:
        assert fetch(address, ONE).body == b"hello"


def test_several_addresses_and_workers(short_path: str, serve: Serve) -> None:
    server = serve("probe:app", "-w", "3", binds=("127.0.0.1:0", f"unix:{short_path}"))
    for address in server.addresses * 10:
        assert fetch(address, ONE).body == b"hello"


def test_busy_workers_leave_requests_to_idle_ones(serve: Serve) -> None:
    """Whoever is in an application does not accept, so the next request goes to another worker."""
    server = serve("probe:app", "-w", "3")
    server.wait_for_log("Booting worker with pid", 3)
    connections: list[Connection] = []
    try:
        pids = []
        for number in range(3):
            # Connected one after the other: an idle worker may accept any number of silent connections.
            connection = Connection(server.address)
            connections.append(connection)
            connection.send(encode("GET", f"/wait?name=busy{number}"))
            pids.append(entered(server, f"busy{number}"))
        assert sorted(pids) == server.workers()
        for number, connection in enumerate(connections):
            server.release(f"busy{number}")
            assert connection.read_response().body == b"released"
    finally:
        for connection in connections:
            connection.socket.close()


def test_a_connection_waits_for_a_free_worker(serve: Serve) -> None:
    server = serve("probe:app")
    with Connection(server.address) as first, Connection(server.address) as second:
        first.send(encode("GET", "/wait?name=first"))
        entered(server, "first")
        second.send(encode("GET", ONE))
        server.release("first")
        assert first.read_response().body == b"released"
        assert second.read_response().body == b"hello"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_worker_that_is_killed_is_replaced(serve: Serve, number: signal.Signals) -> None:
    server = serve("probe:app", "-w", "2")
    server.expect_replacements()
    server.wait_for_log("Booting worker with pid", 2)
    fetch(server.address, ONE)
    victim, other = until(lambda: server.workers() if len(server.workers()) == 2 else None, "two workers")
    os.kill(victim, number)
    until(lambda: len(server.workers()) == 2 and victim not in server.workers(), "a new worker")
    assert other in server.workers()
    for _ in range(20):
        assert fetch(server.address, ONE).body == b"hello"


def test_every_worker_killed_at_once(serve: Serve) -> None:
    server = serve("probe:app", "-w", "3")
    server.expect_replacements(3)
    server.wait_for_log("Booting worker with pid", 3)
    fetch(server.address, ONE)
    old = set(until(lambda: server.workers() if len(server.workers()) == 3 else None, "three workers"))
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(server.workers()) == 3 and not old & set(server.workers()), "three new workers")
    assert fetch(server.address, ONE).body == b"hello"


def test_term_lets_a_request_finish(serve: Serve) -> None:
    server = serve("probe:app", "-w", "2")
    with Connection(server.address) as connection, Connection(server.address) as idle:
        idle.send(encode("GET", ONE))
        assert idle.read_response().body == b"hello"
        connection.send(encode("GET", "/wait?name=last"))
        entered(server, "last")
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        assert server.process.poll() is None
        server.release("last")
        assert connection.read_response().body == b"released"
        connection.assert_closed()
        idle.assert_closed()
    assert server.wait() == 0
    assert "Shutting down: Master" in server.log()


def test_term_stops_listening_at_once(serve: Serve) -> None:
    """A balancer must see at the first attempt that nobody is there any more, even while a last request runs."""
    server = serve("probe:app")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=last"))
        entered(server, "last")
        server.signal(signal.SIGTERM)
        until(lambda: not can_connect(server.address), "the listener to be closed")
        assert server.process.poll() is None
        server.release("last")
        assert connection.read_response().body == b"released"
    assert server.wait() == 0


def test_term_lets_a_stream_finish(serve: Serve) -> None:
    server = serve("probe:app")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/step?name=stream"))
        connection.take_until(b"block 0;")
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        for number in range(3):
            server.release(f"stream.{number}")
        assert connection.read_to_end().endswith(b"end\r\n0\r\n\r\n")
    assert server.wait() == 0


def test_term_lets_a_response_drain(serve: Serve) -> None:
    """The application has returned, but the client has not read everything yet."""
    server = serve("probe:app")
    with Connection(server.address, receive_buffer=8192) as connection:
        connection.send(encode("GET", "/big?mib=8&length&list"))
        connection.take(1000)
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        assert len(connection.read_to_end()) > (8 << 20) - 1000
    assert server.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_and_quit_do_not_wait(serve: Serve, number: signal.Signals) -> None:
    server = serve("probe:app", "-w", "2")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=never"))
        entered(server, "never")
        server.signal(number)
        assert server.wait() == 0
        with pytest.raises((Closed, Truncated)):
            connection.read_response()
    assert f"Handling signal: {number.name.removeprefix('SIG').lower()}" in server.log()


def test_a_second_signal_ends_the_patience(serve: Serve) -> None:
    server = serve("probe:app")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=never"))
        entered(server, "never")
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        server.signal(signal.SIGINT)
        assert server.wait() == 0


def test_term_twice_is_still_graceful(serve: Serve) -> None:
    server = serve("probe:app")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=last"))
        entered(server, "last")
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        server.signal(signal.SIGTERM)
        server.release("last")
        assert connection.read_response().body == b"released"
    assert server.wait() == 0


@pytest.mark.parametrize("count", [1, 3])
def test_no_worker_outlives_a_killed_master(serve: Serve, count: int) -> None:
    server = serve("probe:app", "-w", str(count))
    server.expected_exit = -signal.SIGKILL
    server.wait_for_log("Booting worker with pid", count)
    fetch(server.address, ONE)
    server.signal(signal.SIGKILL)
    server.wait()
    until(lambda: not session_members(server.pid), "the workers to leave")
    assert not can_connect(server.address)


def test_a_busy_worker_does_not_outlive_a_killed_master(serve: Serve) -> None:
    server = serve("probe:app")
    server.expected_exit = -signal.SIGKILL
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=orphan"))
        entered(server, "orphan")
        server.signal(signal.SIGKILL)
        server.wait()
        server.release("orphan")
        until(lambda: not session_members(server.pid), "the worker to leave")


def test_a_port_in_use(serve: Serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        host, port = taken.getsockname()
        result = run("-b", f"{host}:{port}", "probe:app", deadline=60)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert host in result.stderr and str(port) in result.stderr and "in use" in result.stderr
    assert "Booting worker" not in result.stderr


def test_an_address_that_is_not_ours() -> None:
    result = run("-b", "192.0.2.1:0", "probe:app", deadline=60)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr and "192.0.2.1" in result.stderr


def test_a_unix_socket_comes_and_goes(short_path: str, serve: Serve) -> None:
    server = serve("probe:app", binds=(f"unix:{short_path}",))
    assert stat.S_ISSOCK(os.stat(short_path).st_mode)
    assert fetch(server.address, ONE).body == b"hello"
    server.stop()
    assert not os.path.exists(short_path)


def test_a_stale_unix_socket_is_replaced(short_path: str, serve: Serve) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(short_path)
    server = serve("probe:app", binds=(f"unix:{short_path}",))
    assert fetch(server.address, ONE).body == b"hello"


def test_a_file_in_place_of_a_unix_socket_is_left_alone(short_path: str) -> None:
    Path(short_path).write_text("precious")
    result = run("-b", f"unix:{short_path}", "probe:app", deadline=60)
    assert result.returncode == 1
    assert short_path in result.stderr
    assert Path(short_path).read_text() == "precious"


def test_the_exit_leaves_the_port_free(serve: Serve) -> None:
    with reserved() as (port,):
        first = serve("probe:app", binds=(f"127.0.0.1:{port}",))
        with Connection(first.address) as connection:
            connection.send(encode("GET", ONE))
            assert connection.read_response().body == b"hello"
            first.stop()
        second = serve("probe:app", binds=(f"127.0.0.1:{port}",))
        assert fetch(second.address, ONE).body == b"hello"
