"""`Expect: 100-continue` (RFC 9110, section 10.1.1)."""

from __future__ import annotations

import pytest
from conftest import Serve
from support.client import Connection, encode
from support.server import Server


@pytest.fixture(scope="module", params=[(), ("--stream-request-body",)], ids=["kept", "streamed"])
def server(serve_module: Serve, request: pytest.FixtureRequest) -> Server:
    """Whether bodies are complete before the application runs or not, it sees the same."""
    return serve_module("probe:app", *request.param)


@pytest.mark.parametrize("value", ["100-continue", "100-Continue"])
def test_the_client_waits_to_be_asked(server: Server, value: str) -> None:
    with Connection(server.address) as connection:
        for number in range(2):
            connection.send(encode("POST", f"/echo?{number}", [("Expect", value), ("Content-Length", "5")]))
            interim = connection.read_head()
            assert (interim.status, interim.reason) == (100, "Continue")
            connection.send(b"hello")
            response = connection.read_response()
            assert response.status == 200 and response.body == b"hello" and not response.interim


def test_with_chunks(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Expect", "100-continue"), ("Transfer-Encoding", "chunked")]))
        assert connection.read_head().status == 100
        connection.send(b"5\r\nhello\r\n0\r\n\r\n" + encode("GET", "/body?case=three"))
        assert connection.read_response().body == b"hello"
        assert connection.read_response().body == b"abbccc"


def test_a_client_that_does_not_wait(server: Server) -> None:
    """The interim response may be left out when the body is already there, but not come twice."""
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Expect", "100-continue")], b"hello"))
        connection.send(encode("GET", "/body?case=three"))
        response = connection.read_response()
        assert len(response.interim) <= 1 and response.body == b"hello"
        response = connection.read_response()
        assert response.interim == [] and response.body == b"abbccc"


def test_an_application_that_does_not_read(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/ignore", [("Expect", "100-continue"), ("Content-Length", "5")]))
        if connection.read_head().status == 100:
            connection.send(b"hello" + encode("GET", "/body?case=one"))
            assert connection.read_response().body == b'"ignored"'
            assert connection.read_response().body == b"hello"


def test_version_1_0_gets_no_interim_response(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Expect", "100-continue")], b"hello", "HTTP/1.0"))
        response = connection.read_response()
        assert response.status == 200 and response.interim == [] and response.body == b"hello"


@pytest.mark.parametrize("value", ["200-ok", "100-continue, more", "", "100"])
def test_an_unknown_expectation_fails(server: Server, value: str) -> None:
    calls = len(server.trace("calls"))
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Expect", value), ("Content-Length", "5")]))
        response = connection.read_response()
        assert response.status == 417 and response.interim == []
        connection.assert_closed()
    assert len(server.trace("calls")) == calls
