"""`wsgi.input`: the standard library's `io.BytesIO` over the same body is the reference for every operation."""

from __future__ import annotations

import hashlib
import io
import json
import os
from typing import Any
from urllib.parse import quote

import pytest
from conftest import Serve
from probe.bodies import perform
from support.client import Connection, encode, encode_chunked
from support.processes import memory
from support.server import Server

MIB = 1 << 20


@pytest.fixture(scope="module", params=[(), ("--stream-request-body",)], ids=["kept", "streamed"])
def server(serve_module: Serve, request: pytest.FixtureRequest) -> Server:
    """Whether bodies are complete before the application runs or not, it sees the same."""
    return serve_module("probe:app", *request.param)


BODIES = {
    "empty": b"",
    "line": b"no line end",
    "lines": b"one\ntwo\r\n\nfour\rstill four\nlast",
    "ends-with-newline": b"a\nb\n",
    "newlines": b"\n\n\n",
    "binary": bytes(range(256)) * 20,
    "long-lines": b"x" * 9000 + b"\n" + b"y" * 70_000 + b"\nz",
}

OPERATIONS: dict[str, list[list[Any]]] = {
    "read": [["read"], ["read"]],
    "read-none": [["read", None], ["read", None]],
    "read-negative": [["read", -1], ["read", -1]],
    "read-zero": [["read", 0], ["read", 3], ["read", 0], ["read"]],
    "read-sizes": [["read", 1], ["read", 2], ["read", 5], ["read", 10_000], ["read", 1 << 20], ["read", 1]],
    "read-huge": [["read", 1 << 62], ["read", 1]],
    "readline": [["readline"]] * 7,
    "readline-size": [["readline", 2]] * 4 + [["readline", 0], ["readline", 1], ["readline", -1], ["readline", 9001]],
    "readline-none": [["readline", None], ["readline", None]],
    "readlines": [["readlines"], ["readlines"], ["read"]],
    "readlines-none": [["readlines", None]],
    "iterate": [["iterate"], ["read"], ["iterate"]],
    "mixed": [["read", 2], ["readline"], ["iterate", 1], ["readline", 3], ["read", 4], ["readlines"], ["readline"]],
    "past-the-end": [
        ["read", 1 << 21],
        ["read", 1],
        ["readline"],
        ["readline", 5],
        ["readlines"],
        ["iterate"],
        ["read"],
    ],
}


def ask(operations: list[list[Any]]) -> str:
    return f"/input?operations={quote(json.dumps(operations))}"


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("case", BODIES)
def test_operations(server: Server, case: str, name: str, framing: str) -> None:
    body, target = BODIES[case], ask(OPERATIONS[name])
    if framing == "length":
        raw = encode("POST", target, body=body)
    else:
        raw = encode_chunked("POST", target, [body[:1], body[1:5], body[5:]])
    with Connection(server.address) as connection:
        connection.send(raw)
        response = connection.read_response()
        assert response.status == 200
        assert json.loads(response.body) == perform(io.BytesIO(body), OPERATIONS[name])
        # And the connection is where it should be.
        connection.send(encode("GET", "/body?case=one"))
        assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("hint", [0, 1, 4, 5, 1000])
def test_readlines_with_a_hint(server: Server, hint: int) -> None:
    """A server is free to ignore the hint (PEP 3333), but not to lose or to break a line."""
    body = BODIES["lines"]
    with Connection(server.address) as connection:
        connection.send(encode("POST", ask([["readlines", hint], ["readlines"]]), body=body))
        first, rest = json.loads(connection.read_response().body)
    assert first + rest == [line.decode() for line in io.BytesIO(body)]
    assert len(first) >= len(io.BytesIO(body).readlines(hint))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 64, 1000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_however_the_bytes_arrive(server: Server, framing: str, size: int) -> None:
    body = bytes(range(256)) * 2
    if framing == "length":
        raw = encode("POST", "/echo?split", body=body)
    else:
        raw = encode_chunked("POST", "/echo?split", [body[:1], body[1:20], body[20:100], body[100:]])
    with Connection(server.address) as connection:
        connection.send(raw, size)
        response = connection.read_response()
        assert response.body == body and response.header("X-Query") == "split"
        connection.send(encode("GET", "/body?case=one"))
        assert connection.read_response().body == b"hello"


def test_cut_at_every_byte(server: Server) -> None:
    raw = encode_chunked("POST", "/echo?cut", [b"hello", b" ", b"world"]) + encode("POST", "/echo?next", body=b"second")
    for cut in range(1, len(raw)):
        with Connection(server.address) as connection:
            connection.send(raw, [cut])
            assert connection.read_response().body == b"hello world", cut
            assert connection.read_response().body == b"second", cut


@pytest.mark.parametrize(
    "chunked",
    [
        b"5;name=value\r\nhello\r\n0\r\n\r\n",
        b'5;name="quoted;\\" string"\r\nhello\r\n0;last\r\n\r\n',
        b"0005\r\nhello\r\n000\r\n\r\n",
        b"5\r\nhello\r\n0\r\nX-Trailer: dropped\r\nX-More: too\r\n\r\n",
        b"1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
    ],
)
def test_forms_of_chunks(server: Server, chunked: bytes) -> None:
    head = encode("POST", "/echo", [("Transfer-Encoding", "Chunked")])
    for size in (None, 1):
        with Connection(server.address) as connection:
            connection.send(head + chunked + encode("GET", "/body?case=one"), size)
            assert connection.read_response().body == b"hello"
            assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("digits", [b"a", b"A"])
def test_chunk_sizes_are_hexadecimal(server: Server, digits: bytes) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Transfer-Encoding", "chunked")]))
        connection.send(digits + b"\r\n0123456789\r\n0\r\n\r\n")
        assert connection.read_response().body == b"0123456789"


@pytest.mark.parametrize("path", ["/ignore", "/taste"])
@pytest.mark.parametrize("size", [0, 10, 5000, 60_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_unread_body_is_not_the_next_request(server: Server, path: str, framing: str, size: int) -> None:
    body = (b"GET /raise-before HTTP/1.1\r\nHost: smuggled\r\n\r\n" * (size // 40 + 1))[:size]
    raw = encode("POST", path, body=body) if framing == "length" else encode_chunked("POST", path, [body])
    with Connection(server.address) as connection:
        connection.send(raw + encode("GET", "/body?case=three"))
        first = connection.read_response()
        assert json.loads(first.body) == ("ignored" if path == "/ignore" else body[:3].decode())
        assert connection.read_response().body == b"abbccc"


def test_a_get_may_have_a_body(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/echo", body=b"of a GET") + encode("GET", "/body?case=one"))
        assert connection.read_response().body == b"of a GET"
        assert connection.read_response().body == b"hello"


def test_no_framing_is_no_body(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo") + encode("GET", "/body?case=one"))
        assert connection.read_response().body == b""
        assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_upload(server: Server, framing: str) -> None:
    """100 MiB arrive whole, and the worker does not hold them in memory."""
    size = 100 * MIB
    block = bytes(range(256)) * (MIB // 256)
    expected = hashlib.sha256()
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/digest?piece=1000", body=b"warm") + encode("GET", "/body?case=one"))
        assert json.loads(connection.read_response().body)["size"] == 4
        assert connection.read_response().body == b"hello"
        worker = server.worker()
        before = memory(worker, "VmHWM")
        fields = [("Transfer-Encoding", "chunked")] if framing == "chunked" else [("Content-Length", str(size))]
        connection.send(encode("POST", "/digest", fields))
        for _ in range(size // MIB):
            expected.update(block)
            connection.send(b"%x\r\n%s\r\n" % (MIB, block) if framing == "chunked" else block)
        if framing == "chunked":
            connection.send(b"0\r\n\r\n")
        answer = json.loads(connection.read_response().body)
    assert answer == {"size": size, "sha256": expected.hexdigest(), "rest": True}
    assert memory(worker, "VmHWM") - before < 40 * MIB


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_the_client_cuts_is_never_taken_for_whole(server: Server, framing: str) -> None:
    field = ("Content-Length", "10") if framing == "length" else ("Transfer-Encoding", "chunked")
    body = b"hello" if framing == "length" else b"a\r\nhello"
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [field]) + body)
        connection.half_close()
        answer = connection.read_to_end()
    assert not answer.startswith(b"HTTP/1.1 2"), answer
    announced = "10" if framing == "length" else "an unknown number of"
    kept = rf"from ip=\S+ left after 5 of {announced} bytes of the body\. It is not served"
    streamed = "left in the middle of the body, which the application was reading"
    server.wait_for_log(rf"\[WARNING\] The client of POST /echo ({kept}|{streamed})")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/body?case=one"))
        assert connection.read_response().body == b"hello"


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="the address sanitizer ends where no memory is left")
@pytest.mark.parametrize("arguments", [(), ("--request-body-memory", str(256 * MIB))], ids=["file", "memory"])
def test_a_read_that_finds_no_memory_loses_nothing(serve: Serve, arguments: tuple[str, ...]) -> None:
    body = bytes(range(256)) * (64 * MIB // 256)
    server = serve("probe:app", *arguments)
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/scarce", body=body))
        found = json.loads(connection.read_response().body)
    assert found == {"failed": True, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
