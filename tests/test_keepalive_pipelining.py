"""How long a connection lives, and the order of answers on it."""

from __future__ import annotations

import pytest
from support.client import Closed, Connection, encode, encode_chunked
from support.server import Server

ONE = "/body?case=one"


@pytest.mark.parametrize(
    ("version", "connection_field", "kept"),
    [
        ("HTTP/1.1", None, True),
        ("HTTP/1.1", "keep-alive", True),
        ("HTTP/1.1", "close", False),
        ("HTTP/1.1", "Close", False),
        ("HTTP/1.1", "close, x-other", False),
        ("HTTP/1.1", "x-other,close", False),
        ("HTTP/1.1", "keep-alive, close", False),
        ("HTTP/1.1", "closed", True),
        ("HTTP/1.1", "x-close", True),
        ("HTTP/1.0", None, False),
        ("HTTP/1.0", "close", False),
        ("HTTP/1.0", "keep-alive", True),
        ("HTTP/1.0", "Keep-Alive", True),
        ("HTTP/1.0", "x-other, keep-alive", True),
    ],
)
def test_who_keeps_the_connection(server: Server, version: str, connection_field: str | None, kept: bool) -> None:
    fields = [] if connection_field is None else [("Connection", connection_field)]
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"{ONE}&length=5", fields, version=version))
        response = connection.read_response()
        assert response.body == b"hello"
        if kept:
            if version == "HTTP/1.0":
                assert (response.header("Connection") or "").lower() == "keep-alive"
            connection.send(encode("GET", ONE))
            assert connection.read_response().body == b"hello"
        else:
            assert (response.header("Connection") or "").lower() == "close"
            connection.assert_closed()


def test_repeated_connection_fields(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", ONE, [("Connection", "x-other"), ("Connection", "close")]))
        assert connection.read_response().body == b"hello"
        connection.assert_closed()


def test_nothing_is_answered_after_close(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", ONE, [("Connection", "close")]) + encode("GET", "/body?case=three"))
        assert connection.read_response().body == b"hello"
        connection.assert_closed()


def test_many_requests_in_turn(server: Server) -> None:
    with Connection(server.address) as connection:
        for number in range(300):
            connection.send(encode("POST", f"/echo?{number}", body=b"x" * number))
            response = connection.read_response()
            assert response.header("X-Query") == str(number) and response.body == b"x" * number


@pytest.mark.parametrize("size", [None, 1000, 37])
def test_many_requests_at_once_are_answered_in_order(server: Server, size: int | None) -> None:
    requests = b"".join(encode("GET", f"/echo?{number}") for number in range(300))
    with Connection(server.address) as connection:
        connection.send(requests, size)
        for number in range(300):
            assert connection.read_response().header("X-Query") == str(number)


def test_different_requests_at_once(server: Server) -> None:
    """Bodies, chunks, HEAD, errors of the application and streams, all in one write."""
    with Connection(server.address) as connection:
        connection.send(
            encode("POST", "/echo?1", body=b"first")
            + encode("HEAD", ONE)
            + encode_chunked("POST", "/echo?2", [b"sec", b"ond"])
            + encode("GET", "/body?case=generator")
            + encode("POST", "/ignore", body=b"GET / HTTP/1.1\r\n\r\n")
            + encode("GET", "/nowhere")
            + encode("GET", "/body?case=one&status=204%20None")
            + encode("GET", "/body?case=three", [("Connection", "close")])
        )
        assert connection.read_response().body == b"first"
        assert connection.read_response("HEAD").status == 200
        assert connection.read_response().body == b"second"
        assert connection.read_response().body == b"generator"
        assert connection.read_response().body == b'"ignored"'
        assert connection.read_response().status == 404
        assert connection.read_response().status == 204
        assert connection.read_response().body == b"abbccc"
        connection.assert_closed()


def test_the_next_request_arrives_while_the_application_runs(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=pipelined"))
        server.wait_for_trace("pipelined.entered")
        connection.send(encode("GET", "/echo?next"))
        server.release("pipelined")
        assert connection.read_response().body == b"released"
        assert connection.read_response().header("X-Query") == "next"


def test_half_close_after_sending(server: Server) -> None:
    """A client that has nothing more to say still wants its answers."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/echo?1") + encode("GET", "/body?case=large-block"))
        connection.half_close()
        assert connection.read_response().header("X-Query") == "1"
        assert len(connection.read_response().body) == 2097152
        connection.assert_closed()


def test_half_close_while_the_application_runs(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=half"))
        connection.half_close()
        server.wait_for_trace("half.entered")
        server.release("half")
        assert connection.read_response().body == b"released"
        connection.assert_closed()


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_half_close_right_behind_the_last_bytes(server: Server, cut: int) -> None:
    """The end may come in one event with the bytes before it, and must not be missed then. It is a race: many tries."""
    raw = encode("POST", "/ignore", body=b"x" * 40)
    for _ in range(1000):
        with Connection(server.address) as connection:
            connection.send(raw[: len(raw) - cut])
            connection.half_close()
            if cut == 0:
                assert connection.read_response().body == b'"ignored"'
            connection.assert_closed()


def test_an_empty_line_before_a_request_is_skipped(server: Server) -> None:
    """RFC 9112, section 2.2: some clients send one after a body."""
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", body=b"body") + b"\r\n" + encode("GET", ONE))
        assert connection.read_response().body == b"body"
        assert connection.read_response().body == b"hello"


def test_a_connection_that_says_nothing_does_no_harm(server: Server) -> None:
    for _ in range(20):
        with Connection(server.address):
            pass
    with Connection(server.address) as connection:
        connection.half_close()
        connection.assert_closed()
    with Connection(server.address) as connection:
        connection.send(encode("GET", ONE))
        assert connection.read_response().body == b"hello"


def test_a_response_of_nothing_is_seen_as_closed(server: Server) -> None:
    """The helper itself: it must not take an end for a response."""
    with Connection(server.address) as connection:
        connection.half_close()
        with pytest.raises(Closed):
            connection.read_response()
