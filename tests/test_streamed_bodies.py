"""`--stream-request-body`: the application reads the body while the client sends it."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from conftest import Serve
from probe.bodies import perform
from support.client import Connection, encode, encode_chunked, fetch
from support.processes import memory
from support.server import Server
from support.streaming import MIB, chunk, head, is_served, name_of, serve_streaming

server = pytest.fixture(scope="module")(serve_streaming)
name = pytest.fixture(name_of)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_the_application_reads_what_has_come(server: Server, framing: str, name: str) -> None:
    with Connection(server.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5", 15 if framing == "length" else None))
        server.wait_for_trace(f"{name}.entered")
        seen = ""
        for piece in (b"first", b"other", b"third"):
            assert server.trace(f"{name}.pieces") == seen
            connection.send(chunk(piece) if framing == "chunked" else piece)
            seen += piece.decode()
            assert server.wait_for_trace(f"{name}.pieces", len(seen)) == seen
        if framing == "chunked":
            connection.send(b"0\r\n\r\n")
        assert connection.read_response().body == b"15"
        is_served(connection)


BODY = b"one\ntwo\r\n\nfour\rstill four\n" + b"x" * 9000 + b"\n" + b"y" * 70_000 + b"\nlast"

OPERATIONS: dict[str, list[list[Any]]] = {
    "read": [["read"], ["read"]],
    "sizes": [["read", 1], ["read", 0], ["read", 5], ["read", 10_000], ["read", 1 << 62], ["read", 1]],
    "readline": [["readline"]] * 8,
    "readline-size": [["readline", 2], ["readline", 0], ["readline", 100], ["readline", -1], ["readline", 9001]] * 4,
    "readlines": [["readlines"], ["readlines"], ["read"]],
    "iterate": [["iterate"], ["read"], ["iterate"]],
    "mixed": [["read", 2], ["readline"], ["iterate", 1], ["readline", 3], ["read", 40_000], ["readlines"], ["read"]],
}


@pytest.mark.parametrize("pieces", [1, 3, 500])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("operations", OPERATIONS)
def test_operations(server: Server, operations: str, framing: str, pieces: int, name: str) -> None:
    size = len(BODY) // pieces + 1
    raw = BODY if framing == "length" else encode_chunked("X", "/", [BODY[:7], BODY[7:20_000], BODY[20_000:]])
    raw = raw if framing == "length" else raw.partition(b"\r\n\r\n")[2]
    with Connection(server.address) as connection:
        target = f"/perform?name={name}&operations={quote(json.dumps(OPERATIONS[operations]))}"
        connection.send(head(target, len(BODY) if framing == "length" else None))
        server.wait_for_trace(f"{name}.entered")
        connection.send(raw, size)
        response = connection.read_response()
        assert json.loads(response.body) == perform(io.BytesIO(BODY), OPERATIONS[operations])
        is_served(connection)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_upload_passes_through(server: Server, framing: str) -> None:
    size = 100 * MIB
    block = bytes(range(256)) * (MIB // 256)
    expected = hashlib.sha256()
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/digest?piece=100000", body=b"warm"))
        connection.read_response()
        before = memory(server.worker(), "VmHWM")
        connection.send(head("/digest?piece=100000", size if framing == "length" else None))
        for _ in range(size // MIB):
            expected.update(block)
            connection.send(chunk(block) if framing == "chunked" else block)
        connection.send(b"0\r\n\r\n" if framing == "chunked" else b"")
        answer = json.loads(connection.read_response().body)
    assert answer == {"size": size, "sha256": expected.hexdigest(), "rest": True}
    assert memory(server.worker(), "VmHWM") - before < 20 * MIB


def test_the_client_is_held_up(server: Server, name: str) -> None:
    """What the application does not ask for stays with the client, and not in memory or on disk."""
    size = 200 * MIB
    with Connection(server.address) as connection:
        connection.send(head(f"/sip?name={name}&piece={MIB}&wait=1", size))
        server.wait_for_trace(f"{name}.entered")
        before = memory(server.worker())
        connection.socket.settimeout(1)
        sent = 0
        block = b"x" * MIB
        with pytest.raises(TimeoutError):
            while sent < size:
                sent += connection.socket.send(block[: size - sent])
        assert sent < 100 * MIB
        assert memory(server.worker()) - before < 5 * MIB
        connection.socket.settimeout(30)
        server.release(name)
        while sent < size:
            sent += connection.socket.send(block[: size - sent])
        assert connection.read_response().body == str(size).encode()


@pytest.mark.parametrize(
    ("raw", "length"),
    [
        (encode("POST", "/headers", body=b"hello"), "5"),
        (encode_chunked("POST", "/headers", [b"hello"]), "5"),
    ],
)
def test_a_body_that_is_there_is_no_stream(server: Server, raw: bytes, length: str) -> None:
    with Connection(server.address) as connection:
        connection.send(raw)
        fields, size = json.loads(connection.read_response().body)
        assert size == 5 and fields["CONTENT_LENGTH"] == length and fields["wsgi.input_terminated"] is True


def test_the_length_of_chunks_to_come_is_unknown(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(head("/headers", None))
        # The server has read the head alone when the chunks come, or the body is no stream: the field is true in both.
        connection.send(chunk(b"hello") + b"0\r\n\r\n")
        fields, size = json.loads(connection.read_response().body)
        assert size == 5 and fields["CONTENT_LENGTH"] in (None, "5") and fields["wsgi.input_terminated"] is True


def test_a_request_that_waited_for_its_turn(server: Server, name: str) -> None:
    """Its head comes while the application is busy with another."""
    with Connection(server.address) as busy, Connection(server.address) as connection:
        is_served(busy)
        is_served(connection)
        busy.send(encode("GET", f"/wait?name={name}"))
        server.wait_for_trace(f"{name}.entered")
        connection.send(head(f"/sip?name={name}2&piece=5", 10) + b"first")
        server.release(name)
        assert busy.read_response().body == b"released"
        assert server.wait_for_trace(f"{name}2.pieces", 5) == "first"
        connection.send(b"other")
        assert connection.read_response().body == b"10"
        is_served(connection)


def test_other_threads_serve_others(serve: Serve) -> None:
    """As many uploads stall as there are threads but one; the last one serves everybody else."""
    server = serve("probe:app", "--stream-request-body", "--threads", "4")
    with ExitStack() as stack:
        uploads = [stack.enter_context(Connection(server.address)) for _ in range(3)]
        for number, connection in enumerate(uploads):
            connection.send(head(f"/sip?name=upload{number}&piece=5", None if number else 10))
            server.wait_for_trace(f"upload{number}.entered")
        for _ in range(20):
            assert fetch(server.address, "/body?case=one").body == b"hello"
        for number, connection in enumerate(uploads):
            connection.send(chunk(b"first") + chunk(b"other") + b"0\r\n\r\n" if number else b"firstother")
            assert connection.read_response().body == b"10"
            is_served(connection)


@pytest.mark.parametrize(
    "ways", [[["read", [3, 10, 64]]], [["readline", [4, 9, -1]]], [["read", [5]], ["readline", [7]]]]
)
def test_threads_of_the_application_share_the_body(server: Server, ways: list[Any], name: str) -> None:
    """Each byte goes to one of them, whichever of them finds how much of the others' bytes."""
    worker = server.worker()
    body = bytes(range(256)) * 4
    with Connection(server.address) as connection:
        connection.send(head(f"/share?name={name}&ways={quote(json.dumps(ways))}", len(body)))
        server.wait_for_trace(f"{name}.entered")
        # Each byte wakes all that wait.
        connection.send(body, 1)
        answer = json.loads(connection.read_response().body)
        assert answer == {"bytes": sorted(body), "failures": []}
        is_served(connection)
    assert server.worker() == worker


# 100 Continue


def test_the_client_is_asked_at_the_first_read(server: Server, name: str) -> None:
    with Connection(server.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5&wait=1", 5, ("Expect", "100-continue")))
        server.wait_for_trace(f"{name}.entered")
        connection.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.read_head()
        connection.socket.settimeout(30)
        server.release(name)
        assert connection.read_head().status == 100
        connection.send(b"hello")
        assert connection.read_response().body == b"5"
        is_served(connection)


def test_a_client_that_is_not_asked(server: Server) -> None:
    """Whether it sends the body all the same cannot be known, so the connection ends."""
    with Connection(server.address) as connection:
        connection.send(head("/ignore", 5, ("Expect", "100-continue")))
        response = connection.read_response()
        assert response.status == 200 and response.interim == []
        assert response.header("Connection") == "close"
        connection.assert_closed()


def test_nobody_is_asked_in_the_middle_of_a_response(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(head("/answer-first", 5, ("Expect", "100-continue")))
        assert connection.read_head().status == 200
        connection.send(b"hello")
        assert connection.read_to_end() == b"1\r\n[\r\n5\r\nhello\r\n1\r\n]\r\n0\r\n\r\n"
