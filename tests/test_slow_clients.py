"""Clients that take their time must not take the worker's."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest
from conftest import Serve
from support.client import Closed, Connection, encode, fetch
from support.server import Server
from support.waiting import until

ONE = encode("GET", "/body?case=one")


@pytest.fixture(scope="module")
def impatient(serve_module: Serve) -> Server:
    return serve_module("probe:app", "--request-head-timeout", "1", "--keep-alive", "1")


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
        connection.socket.setblocking(False)
        connection.send(b"GET / HTTP/1.1\r\nX-A: ")

        def trickle() -> bytes | None:
            try:
                return connection.socket.recv(4096)
            except BlockingIOError:
                connection.socket.send(b"a")
                return None

        assert until(trickle, "a 408 in spite of the trickle").startswith(b"HTTP/1.1 408 ")


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
