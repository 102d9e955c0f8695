"""`gunicorn.socket`: the client's connection, made a socket and the application's when it is used."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import signal
import threading

import pytest
import socketio
import websocket
from conftest import Serve
from support.client import Connection, encode, fetch
from support.processes import descriptors
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

OURS = pytest.mark.skipif(MODULE != "monoceros", reason="says what Monoceros does beyond gunicorn")


@pytest.fixture(scope="module", params=["sync", "gthread"])
def server(request: pytest.FixtureRequest, serve_module: Serve) -> Server:
    if MODULE != "monoceros" or request.param == "sync":
        return serve_module("sockets:raw")
    return serve_module("sockets:raw", "-k", "gthread", "--threads", "3")


@pytest.fixture(scope="module")
def threads(serve_module: Serve) -> Server:
    return serve_module("sockets:flask", "--threads", "8")


def said(server: Server, raw: bytes) -> bytes:
    """All that comes back, up to the end of the connection, which the server has to bring about."""
    with Connection(server.address) as connection:
        connection.send(raw)
        return connection.read_to_end()


def open_descriptors(server: Server) -> int:
    """How many the worker has that are not for a client."""
    # It may still be booting.
    assert fetch(server.address, "/plain").body == b"plain"
    worker = server.worker()
    counts: list[int] = []

    def settled() -> bool:
        counts.append(len(descriptors(worker)))
        return len(counts) > 1 and counts[-1] == counts[-2]

    until(settled, "the descriptors to stay the same")
    return counts[-1]


def test_it_is_a_socket_that_costs_nothing_unused(server: Server) -> None:
    before = open_descriptors(server)
    with Connection(server.address) as connection:
        for target, expected in [("/is-socket", b"True"), ("/plain", b"plain"), ("/is-socket", b"True")]:
            connection.send(encode("GET", target))
            assert connection.read_response().body == expected
        # This connection, and nothing else.
        assert len(descriptors(server.worker())) <= before + 1


@OURS
def test_looking_at_it_leaves_the_response_to_the_server(server: Server) -> None:
    before = open_descriptors(server)
    with Connection(server.address) as connection:
        mine = list(connection.socket.getsockname())
        for _ in range(2):
            connection.send(encode("GET", "/look"))
            here, there, timeout, text = json.loads(connection.read_response().body)
            assert (here, there, timeout) == ([*server.address], mine, None)
            assert "OfferedSocket" in text
    until(lambda: len(descriptors(server.worker())) <= before, "the copies to be closed")


def test_bytes_go_both_ways_until_the_application_returns(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/echo"))
        assert connection.take_until(b"\n") == b"ready\n"
        for _ in range(3):
            connection.send(b"hello\n")
            assert connection.take_until(b"\n") == b"echo hello\n"
        connection.send(b"bye\n")
        assert connection.read_to_end() == b"echo bye\n"


@OURS
def test_what_came_with_the_request_is_not_lost(server: Server) -> None:
    assert said(server, encode("GET", "/recv") + b"abcdefghij") == b"ab|ab|cde|fg|hij"
    assert said(server, encode("GET", "/echo") + b"one\nbye\n") == b"ready\necho one\necho bye\n"
    assert said(server, encode("GET", "/thread") + b"one\nbye\n") == b"echo one\necho bye\n"


@OURS
def test_it_may_follow_other_requests(server: Server) -> None:
    """On a kept connection that is watched by now, and pipelined."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/plain"))
        assert connection.read_response().body == b"plain"
        connection.send(encode("GET", "/plain") * 2 + encode("GET", "/echo") + b"one\n")
        assert [connection.read_response().body for _ in range(2)] == [b"plain"] * 2
        assert connection.take_until(b"one\n") == b"ready\necho one\n"
        connection.send(b"bye\n")
        assert connection.read_to_end() == b"echo bye\n"


def test_a_copy_goes_on_after_the_request(server: Server) -> None:
    before = open_descriptors(server)
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/thread"))
        # The runner is free again.
        until(lambda: fetch(server.address, "/plain").body == b"plain", "another response")
        connection.send(b"hello\n")
        assert connection.take_until(b"hello\n").endswith(b"echo hello\n")
        connection.send(b"bye\n")
        assert connection.read_to_end() == b"echo bye\n"
    until(lambda: len(descriptors(server.worker())) <= before, "the descriptors to be closed")


@OURS
@pytest.mark.parametrize(
    ("target", "expected"),
    [("/answers-too", b"mine\n"), ("/fail", b"mine\n"), ("/stop", b"mine\n")],
)
def test_the_server_sends_nothing_behind_it(server: Server, target: str, expected: bytes) -> None:
    assert said(server, encode("GET", target)) == expected


@OURS
def test_who_took_the_connection_owes_no_response(serve: Serve) -> None:
    server = serve("sockets:raw")
    assert said(server, encode("GET", "/no-response")) == b"mine\n"
    # Whatever was to be written of it is written before another request is answered.
    assert fetch(server.address, "/stop-without?logged").status == 500
    lines = server.wait_for_log(r"Error handling request .*")
    assert len(lines) == 1 and "stop-without" in lines[0][0]


@OURS
def test_an_exception_is_logged_and_stop_iteration_is_not(server: Server) -> None:
    said(server, encode("GET", "/fail?logged"))
    server.wait_for_log(r"Error handling request (GET )?/fail\?logged")
    said(server, encode("GET", "/stop?quiet"))
    assert fetch(server.address, "/stop-without?logged").status == 500
    server.wait_for_log(r"Error handling request (GET )?/stop-without\?logged")
    assert "/stop?quiet" not in server.log()


@OURS
def test_what_was_written_before_leaves_first(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/written-first"))
        assert connection.read_response().body == b"xxxxxyyyyyyy"
        assert connection.read_to_end() == b""
    answer = said(server, encode("GET", "/in-iteration"))
    assert answer.partition(b"\r\n\r\n")[2] == b"5\r\nfirst\r\nraw"


@OURS
def test_one_that_is_kept_past_its_request_is_closed(server: Server) -> None:
    assert fetch(server.address, "/keep").body == b"kept"
    assert fetch(server.address, "/use-kept").body == str(errno.EBADF).encode()


@OURS
def test_bodies(server: Server, serve: Serve) -> None:
    assert said(server, encode("POST", "/body", body=b"12345") + b"behind") == b"12345|behind"
    streaming = serve("sockets:raw", "--stream-request-body")
    assert said(streaming, encode("POST", "/body", body=b"12345") + b"behind") == b"12345|behind"
    head = encode("POST", "/unread-body", [("Content-Length", "50000")])
    assert said(streaming, head + b"part") == b"part|released"


@OURS
def test_a_client_that_leaves_ends_the_application(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait"))
        connection.take_until(b"ready\n")
    size = len(server.trace("waiting"))
    server.wait_for_trace("received", size)
    assert fetch(server.address, "/plain").status == 200


@OURS
def test_nothing_stays_in_the_worker(server: Server) -> None:
    worker = server.worker()
    said(server, encode("GET", "/echo") + b"bye\n")
    before = len(descriptors(worker))
    for _ in range(100):
        assert said(server, encode("GET", "/echo") + b"bye\n") == b"ready\necho bye\n"
    until(lambda: len(descriptors(worker)) <= before, "the descriptors to be closed")
    assert server.worker() == worker


@OURS
def test_a_worker_that_leaves_waits_for_it_as_for_a_request(serve: Serve) -> None:
    server = serve("sockets:raw", "--threads", "2", "--graceful-timeout", "30")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait"))
        connection.take_until(b"ready\n")
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        connection.send(b"x")
        assert connection.read_to_end() == b""
    assert server.wait() == 0
    assert server.trace("received") == "."


@OURS
def test_but_no_longer_than_the_graceful_timeout(serve: Serve) -> None:
    server = serve("sockets:raw", "--threads", "2", "--graceful-timeout", "1")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait"))
        connection.take_until(b"ready\n")
        server.signal(signal.SIGTERM)
        assert connection.read_to_end() == b""
    server.wait()


def test_flask_sock_echoes(threads: Server) -> None:
    host, port = threads.address
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(contextlib.closing(websocket.create_connection(f"ws://{host}:{port}/echo", DEADLINE)))
            for _ in range(5)
        ]
        for size in (1, 100, 200_000):
            for number, client in enumerate(clients):
                client.send(f"{number}" * size)
            for number, client in enumerate(clients):
                assert client.recv() == f"{number}" * size
        # Pages beside them.
        assert fetch(threads.address, "/").body == b"a page"
        for client in clients:
            client.send("stop")
        for client in clients:
            assert client.recv() == ""
    threads.wait_for_trace("stopped", 5)
    assert not re.search("Traceback|Error", threads.log()), threads.log()


@OURS
def test_a_frame_right_behind_the_handshake_is_heard(threads: Server) -> None:
    key = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")]
    request = encode("GET", "/echo", [*key, ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    with Connection(threads.address) as connection:
        # "early", masked with zeros.
        connection.send(request + b"\x81\x85\0\0\0\0early")
        assert connection.read_head().status == 101
        assert connection.take(7) == b"\x81\x05early"


def test_socketio_speaks_websocket(serve: Serve) -> None:
    server = serve("sockets:socketio_app", "--threads", "8")
    client = socketio.Client(request_timeout=DEADLINE)
    heard = threading.Event()
    news: list[object] = []

    @client.on("news")
    def note(data: object) -> None:
        news.append(data)
        heard.set()

    client.connect(server.url, transports=["websocket"], wait_timeout=DEADLINE)
    try:
        assert client.transport() == "websocket"
        assert client.call("question", "why", timeout=DEADLINE) == {"answer": "why", "transport": "websocket"}
        assert heard.wait(DEADLINE) and news == [{"to all": "why"}]
        assert fetch(server.address, "/").body == b"a page"
    finally:
        client.disconnect()
    assert "Traceback" not in server.log(), server.log()


def test_socketio_upgrades_from_polling(serve: Serve) -> None:
    server = serve("sockets:socketio_app", "--threads", "8")
    client = socketio.Client(request_timeout=DEADLINE)
    client.connect(server.url, wait_timeout=DEADLINE)
    try:
        until(lambda: client.transport() == "websocket", "the upgrade")
        assert client.call("question", "now", timeout=DEADLINE) == {"answer": "now", "transport": "websocket"}
    finally:
        client.disconnect()
