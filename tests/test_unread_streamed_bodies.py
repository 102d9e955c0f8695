"""`--stream-request-body`: what the application leaves of a body, and workers that end while one comes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, encode, fetch
from support.server import Server
from support.streaming import MIB, ONE, chunk, head, is_served, name_of, serve_streaming

server = pytest.fixture(scope="module")(serve_streaming)
name = pytest.fixture(name_of)


# What the application leaves


@pytest.mark.parametrize("path", ["/ignore", "/taste"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [100, 50_000])
def test_an_unread_rest_is_not_the_next_request(server: Server, path: str, framing: str, size: int) -> None:
    body = (encode("GET", "/raise-before") * (size // 40 + 1))[:size]
    with Connection(server.address) as connection:
        connection.send(head(path, size if framing == "length" else None))
        connection.send(body[:30] if framing == "length" else chunk(body[:30]))
        response = connection.read_response()
        assert json.loads(response.body) == ("ignored" if path == "/ignore" else body[:3].decode())
        connection.send(body[30:] if framing == "length" else chunk(body[30:]) + b"0\r\n\r\n")
        is_served(connection)
        is_served(connection)


def test_a_long_unread_rest_ends_the_connection(server: Server) -> None:
    calls = len(server.trace("calls"))
    with Connection(server.address) as connection:
        connection.send(head("/ignore", 10 * MIB))
        assert connection.read_response().body == b'"ignored"'
        with pytest.raises((Closed, BrokenPipeError, ConnectionResetError)):
            for _ in range(10 * MIB // len(ONE)):
                connection.send(ONE)
            connection.read_response()
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert len(server.trace("calls")) == calls + 2


def test_an_unread_rest_that_does_not_come_ends_the_connection(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(head("/ignore", 100))
        assert connection.read_response().body == b'"ignored"'
        connection.assert_closed()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_requests_behind_a_streamed_body(server: Server, framing: str, name: str) -> None:
    with Connection(server.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5", 10 if framing == "length" else None))
        server.wait_for_trace(f"{name}.entered")
        rest = b"firstother" if framing == "length" else chunk(b"first") + chunk(b"other") + b"0\r\n\r\n"
        connection.send(rest + encode("POST", "/echo", body=b"second") + ONE)
        assert connection.read_response().body == b"10"
        assert connection.read_response().body == b"second"
        assert connection.read_response().body == b"hello"
        is_served(connection)


def test_a_stream_that_was_kept_is_closed(serve: Serve) -> None:
    """The connection goes on to other requests: neither a later call nor a thread that waits may read from it."""
    server = serve("probe:app", "--stream-request-body")
    with Connection(server.address) as connection:
        connection.send(head("/keep-stream", 10))
        server.wait_for_trace("keep.reading")
        server.release("keep")
        assert connection.read_response().body == b'"kept"'
        connection.send(b"0123456789")
        is_served(connection)
        assert server.wait_for_trace("keep.result", 10) == "ValueError"
        connection.send(encode("GET", "/reuse"))
        assert json.loads(connection.read_response().body) == ["ValueError"] * 3


# The end of the worker


@pytest.fixture(
    params=[(), ("--stream-request-body",), ("--stream-request-body", "--threads", "2")],
    ids=["kept", "streamed", "streamed-in-a-thread"],
)
def stalled(serve: Serve, request: pytest.FixtureRequest) -> Iterator[tuple[Server, Connection]]:
    """A server with an upload that does not go on."""
    server = serve("probe:app", "--graceful-timeout", "5", *request.param)
    with Connection(server.address) as connection:
        is_served(connection)
        connection.send(head("/sip?name=stalled&piece=5", 20) + b"first")
        if request.param:
            server.wait_for_trace("stalled.pieces", 5)
        yield server, connection


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
def test_a_quick_stop_does_not_wait_for_a_body(stalled: tuple[Server, Connection], number: signal.Signals) -> None:
    server, connection = stalled
    server.signal(number)
    # Far below the 30 s that the body may take; a stop that waited for it would also wait for the graceful timeout.
    assert server.wait(10) == 0
    assert "SIGKILL" not in server.log()
    connection.assert_closed()


def test_a_graceful_stop_waits_for_a_body(stalled: tuple[Server, Connection]) -> None:
    server, connection = stalled
    server.signal(signal.SIGTERM)
    server.wait_for_log("Handling signal: term")
    connection.send(b"x" * 15)
    response = connection.read_response()
    assert response.body == b"20" and response.header("Connection") == "close"
    assert server.wait() == 0


def test_a_graceful_stop_waits_no_longer_than_it_should(stalled: tuple[Server, Connection]) -> None:
    server, connection = stalled
    server.signal(signal.SIGTERM)
    assert server.wait(20) == 0
    with pytest.raises((Closed, Truncated)):
        connection.read_response()
