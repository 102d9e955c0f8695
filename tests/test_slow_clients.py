"""Clients that take their time must not take the worker's."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, encode, fetch
from support.processes import connected
from support.server import Server
from support.waiting import until

ONE = encode("GET", "/body?case=one")


@pytest.fixture(scope="module")
def impatient(serve_module: Serve) -> Server:
    return serve_module(
        "probe:app",
        *("--request-head-timeout", "1", "--request-body-timeout", "2"),
        *("--response-write-timeout", "2", "--keep-alive", "3"),
    )


def test_a_head_byte_by_byte(server: Server) -> None:
    raw = encode("POST", "/echo?slow", [("X-A", "b")], b"hello")
    with Connection(server.address) as connection:
        connection.send(raw, 1)
        response = connection.read_response()
        assert response.body == b"hello" and response.header("X-Query") == "slow"


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"G",
        ONE[:-1],
        ONE[:30],
        encode("POST", "/echo", [("Content-Length", "1000")]) + b"only this",
        encode("POST", "/echo", [("Transfer-Encoding", "chunked")]) + b"5\r\nhel",
    ],
)
def test_stalled_requests_do_not_stop_the_others(server: Server, beginning: bytes) -> None:
    with ExitStack() as stack:
        stalled = [stack.enter_context(Connection(server.address)) for _ in range(20)]
        for connection in stalled:
            if beginning:
                connection.send(beginning)
        for _ in range(3):
            assert fetch(server.address, "/body?case=one").body == b"hello"


def test_two_hundred_stalled_connections(server: Server) -> None:
    with ExitStack() as stack:
        stalled = [stack.enter_context(Connection(server.address)) for _ in range(200)]
        for number, connection in enumerate(stalled):
            connection.send(ONE[: number % len(ONE)])
        for _ in range(5):
            assert fetch(server.address, "/body?case=one").body == b"hello"
        # They were slow, not wrong: each of them still gets its answer.
        for number, connection in enumerate(stalled):
            connection.send(ONE[number % len(ONE) :])
            assert connection.read_response().body == b"hello"


def test_clients_that_do_not_read_do_not_stop_the_others(server: Server) -> None:
    with ExitStack() as stack:
        lazy = [stack.enter_context(Connection(server.address, receive_buffer=4096)) for _ in range(20)]
        for connection in lazy:
            connection.send(encode("GET", "/body?case=three", [("Connection", "close")]))
        for _ in range(3):
            assert fetch(server.address, "/body?case=one").body == b"hello"
        for connection in lazy:
            assert connection.read_response().body == b"abbccc"


def test_a_client_that_does_not_close_is_not_waited_for(server: Server) -> None:
    """After `Connection: close` the server lingers for what is still on its way, but others go first."""
    with ExitStack() as stack:
        lingering = [stack.enter_context(Connection(server.address)) for _ in range(20)]
        for connection in lingering:
            connection.send(encode("GET", "/body?case=one", [("Connection", "close")]))
            assert connection.read_response().body == b"hello"
        start = time.monotonic()
        assert fetch(server.address, "/body?case=one").body == b"hello"
        # Each of them could cost a linger timeout of seconds, if it were spent in line.
        assert time.monotonic() - start < 15


@pytest.mark.parametrize("beginning", [b"G", ONE[:-1], ONE[:30]])
def test_a_head_that_does_not_come_is_a_408(impatient: Server, beginning: bytes) -> None:
    calls = len(impatient.trace("calls"))
    with Connection(impatient.address) as connection:
        connection.send(beginning)
        response = connection.read_response()
        assert response.status == 408
        assert response.header("Connection") == "close"
        connection.assert_closed()
    assert len(impatient.trace("calls")) == calls


def test_a_trickle_does_not_stretch_the_timeout(impatient: Server) -> None:
    """The time is for the whole head, not for each byte of it."""
    with Connection(impatient.address) as connection:
        connection.send(b"GET / HTTP/1.1\r\nX-A: ")
        assert trickle(connection, b"a").startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "beginning",
    [
        encode("POST", "/echo", [("Content-Length", "1000")]),
        encode("POST", "/echo", [("Content-Length", "100000")]) + b"x" * 50_000,
        encode("POST", "/echo", [("Content-Length", "100000"), ("Expect", "100-continue")]),
        encode("POST", "/echo", [("Transfer-Encoding", "chunked")]) + b"5\r\nhel",
        encode("POST", "/echo", [("Transfer-Encoding", "chunked")]) + b"5\r\nhello\r\n0\r\n",
    ],
)
def test_a_body_that_does_not_come_is_a_408(impatient: Server, beginning: bytes) -> None:
    calls = len(impatient.trace("calls"))
    with Connection(impatient.address) as connection:
        connection.send(beginning)
        response = connection.read_response()
        assert response.status == 408 and b"body-timeout" in response.body
        assert response.header("Connection") == "close"
        connection.assert_closed()
    assert len(impatient.trace("calls")) == calls


def trickle(connection: Connection, byte: bytes) -> bytes:
    """Send a byte now and then, until an answer comes."""
    connection.socket.setblocking(False)

    def step() -> bytes | None:
        try:
            return connection.socket.recv(4096)
        except BlockingIOError:
            connection.socket.send(byte)
            return None

    return until(step, "an answer in spite of the trickle")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_trickle_does_not_keep_a_body(impatient: Server, framing: str) -> None:
    """`until` pauses for up to 0.1 s: far less than 1 KiB each second."""
    field = ("Content-Length", "100000") if framing == "length" else ("Transfer-Encoding", "chunked")
    with Connection(impatient.address) as connection:
        connection.send(encode("POST", "/echo", [field]) + (b"ffff\r\n" if framing == "chunked" else b""))
        assert trickle(connection, b"x").startswith(b"HTTP/1.1 408 ")


def periods(server: Server, count: int, pause: float) -> Iterator[None]:
    """Yield again and again while heads time out one after the other: a clock that runs with the server's."""
    for _ in range(count):
        with Connection(server.address, deadline=pause) as clock:
            clock.send(b"GET")
            while True:
                yield
                try:
                    clock.fill()
                    break
                except TimeoutError:
                    continue


def test_a_slow_upload_that_goes_on_is_waited_for(impatient: Server) -> None:
    body = bytes(range(256)) * 4 * 100
    sent = 0
    with Connection(impatient.address) as connection:
        connection.send(encode("POST", "/echo", [("Content-Length", str(len(body)))]))
        for _ in periods(impatient, 5, 0.2):
            connection.send(body[sent : sent + 1024])
            sent += 1024
        assert 5 * 1024 < sent < len(body)
        connection.send(body[sent:])
        assert connection.read_response().body == body


def test_a_response_that_nobody_takes_frees_the_application(impatient: Server) -> None:
    """While more than 1 MiB waits for the client, the application is held up, and the worker with it."""
    with Connection(impatient.address, receive_buffer=4096) as connection:
        connection.send(encode("GET", "/pour?mib=64&name=poured"))
        impatient.wait_for_trace("poured")
        assert fetch(impatient.address, "/body?case=one").body == b"hello"
        with pytest.raises(Truncated):
            connection.read_response()


def test_a_response_that_nobody_takes_is_given_up(impatient: Server) -> None:
    worker = impatient.worker()
    until(lambda: connected(worker) == 0, "the ends of former connections")
    with Connection(impatient.address, receive_buffer=4096) as connection:
        connection.send(encode("GET", "/block?mib=64"))
        # It has begun; nothing is taken.
        assert connection.socket.recv(1, socket.MSG_PEEK)
        until(lambda: connected(worker) == 0, "the end of the connection")
        with pytest.raises(Truncated):
            connection.read_response()


def test_a_response_that_is_taken_slowly_is_sent_whole(impatient: Server) -> None:
    """The kernel holds so much that the server has little to send meanwhile; what the client takes counts."""
    with Connection(impatient.address, receive_buffer=65_536) as connection:
        connection.send(encode("GET", "/block?mib=16", [("Connection", "close")]))
        for _ in periods(impatient, 5, 0.05):
            connection.buffer += connection.socket.recv(16_384)
        assert connection.read_response().body == b"x" * (16 << 20)


def test_a_connection_that_never_speaks_is_closed(impatient: Server) -> None:
    with Connection(impatient.address) as connection:
        assert connection.read_to_end() == b"" or connection.buffer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_silently(impatient: Server) -> None:
    with Connection(impatient.address) as connection:
        connection.send(ONE)
        assert connection.read_response().body == b"hello"
        with pytest.raises(Closed):
            connection.read_response()


def test_the_timeouts_do_not_touch_a_request_that_runs(impatient: Server) -> None:
    """A head that begins after it times out first, so more than the timeout has passed when it ends."""
    with Connection(impatient.address) as connection, Connection(impatient.address) as other:
        other.send(ONE)
        assert other.read_response().body == b"hello"
        connection.send(encode("GET", "/wait?name=patient"))
        impatient.wait_for_trace("patient.entered")
        other.send(b"GET")
        assert other.read_response().status == 408
        impatient.release("patient")
        assert connection.read_response().body == b"released"
