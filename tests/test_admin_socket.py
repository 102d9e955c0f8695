"""Where the operator is answered: whose the socket is, what may be asked there, and that nobody keeps it to himself."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable

import pytest
from support.halting import thread_named, thread_names
from support.operations import Operate, command, request
from support.ports import reserved
from support.processes import descriptors, memory
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


def test_the_socket_is_the_users_alone_and_goes_with_the_server(operate: Operate, short_path: str) -> None:
    server, client = operate()
    assert os.stat(short_path).st_mode & 0o777 == 0o600
    assert client.ask("/health") == (200, "ok\n")
    server.stop()
    assert not os.path.exists(short_path)


def test_nothing_is_there_unless_it_is_asked_for(serve: Callable[..., Server]) -> None:
    server = serve("operated")
    assert request(server.address, "/health") == (200, b"ok\n")
    # It would be there before the pilot is.
    thread_named(server.worker(), "pilot")
    assert "admin" not in thread_names(server.worker()).values()


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_a_loopback_address_answers_but_takes_no_orders(serve: Callable[..., Server], address: str) -> None:
    with reserved(host="::1" if "::1" in address else "127.0.0.1") as (port,):
        place = address.format(port=port)
        serve("operated", "--admin-bind", place)
        client = Client(place.replace("localhost", "127.0.0.1"), timeout=DEADLINE)
        assert client.ask("/health") == (200, "ok\n")
        assert client.status()["schema"] == 1
        assert client.ask("/ctl/reload", "POST")[0] == 403
        assert client.ask("/stacks?pid=1")[0] == 403


@pytest.mark.parametrize("address", ["0.0.0.0:9000", "192.0.2.1:9000", "example.com:9000", "[::]:9000", ":9000"])
def test_an_address_that_others_reach_needs_a_list(address: str) -> None:
    refused = command("--admin-bind", address, "operated")
    assert refused.returncode == 1
    assert "name those that may with admin_allow_ips" in refused.stderr
    checked = command("--admin-bind", address, "--admin-allow-ips", "10.0.0.0/8", "--check-config", "operated")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("address", ["fd://3", "unix:", "http://127.0.0.1:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    refused = command("--admin-bind", address, "operated")
    assert refused.returncode == 1
    assert "Invalid value for admin_bind (--admin-bind)" in refused.stderr


def test_only_reading_is_there_but_for_orders(operate: Operate) -> None:
    _, client = operate()
    assert client.ask("/status", "POST")[0] == 405
    assert client.ask("/status", "DELETE")[0] == 405
    assert client.ask("/ctl/reload", "GET")[0] == 405
    assert client.ask("/ctl/nothing", "POST")[0] == 404
    assert client.ask("/nothing")[0] == 404
    assert client.ask("/metrics", "HEAD") == (200, "")


def test_operators_that_never_read_keep_nobody_out(operate: Operate, short_path: str) -> None:
    server, client = operate()
    rude = []
    try:
        for _ in range(80):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(DEADLINE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(short_path)
            rude.append(connection)
            # One that has said nothing yet may have had to give way to the next ones already.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        # They lose their places when they have taken nothing for ten seconds.
        assert client.ask("/health") == (200, "ok\n")
        # And nobody of the application's clients waits for them.
        assert request(server.address, "/") == (200, b"ok\n")
    finally:
        for connection in rude:
            connection.close()


def test_a_thousand_scrapes_leave_nothing_behind(operate: Operate) -> None:
    server, client = operate()

    def scrape(count: int) -> None:
        for _ in range(count):
            assert client.ask("/metrics")[0] == 200
            assert client.ask("/status")[0] == 200

    worker = server.worker()
    scrape(100)
    before = memory(worker), len(descriptors(worker))
    scrape(1000)
    until(lambda: len(descriptors(worker)) <= before[1], "closed descriptors")
    assert memory(worker) < before[0] + 2 * 1024 * 1024


def unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(DEADLINE)
    connection.connect(path)
    return connection


def read(connection: socket.socket) -> bytes:
    """All that comes until the other end closes."""
    received = b""
    try:
        while data := connection.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


@pytest.mark.parametrize("beginning", [b"", b"GET /status HT", b"POST /ctl/reload HTTP/1.1\r\nContent-Length: 9\r\n"])
def test_clients_that_keep_their_places_keep_nobody_out(operate: Operate, short_path: str, beginning: bytes) -> None:
    _, client = operate()
    idle = [unix(short_path) for _ in range(200)]
    try:
        for connection in idle:
            # Those that came first may have had to give way already.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(beginning)
        for _ in range(10):
            assert client.ask("/health") == (200, "ok\n")
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /health HTTP/1.1\r\n\r\n", b"400"),
        (b"NONSENSE\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1000 + b"\r\n", b"431"),
        (b"POST /ctl/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", b"413"),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
        (b"BREW /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
        (b"GET /ctl/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
        (b"GET /health/../ctl/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
    ],
)
def test_what_is_no_request_of_an_operators(operate: Operate, short_path: str, sent: bytes, status: bytes) -> None:
    _, client = operate()
    with unix(short_path) as connection:
        connection.sendall(sent)
        assert read(connection).split(b" ", 2)[1] == status
    assert client.ask("/health") == (200, "ok\n")
    assert client.status()["server"]["reloads"] == 0


def test_requests_in_a_row_are_answered_in_order(operate: Operate, short_path: str) -> None:
    operate()
    targets = [b"/health", b"/nothing", b"/ready", b"/"] * 20
    with unix(short_path) as connection:
        for target in targets:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answers = re.findall(rb"HTTP/1\.1 (\d+) ", read(connection))
    assert answers == [b"200", b"404", b"200", b"200"] * 20


def test_who_means_another_master_is_told(operate: Operate) -> None:
    server, client = operate()
    assert client.ask(f"/health?master={server.pid}") == (200, "ok\n")
    assert client.ask("/health?master=1") == (421, "another master was meant\n")
    assert client.ask("/ctl/reload?master=1", "POST")[0] == 421
    assert client.status()["server"]["reloads"] == 0
