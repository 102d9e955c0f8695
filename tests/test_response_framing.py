"""How a body is delimited, and that a client can always tell whether it got all of it."""

from __future__ import annotations

import contextlib
import email.utils
import hashlib
import time

import pytest
from probe.responses import BLOCK, BODIES, pattern
from support.client import Closed, Connection, Truncated, encode, fetch
from support.processes import memory
from support.server import Server
from support.waiting import until

#: Bodies whose size the server cannot know beforehand.
STREAMS = ("generator", "empty-generator", "tiny")


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("case", BODIES)
def test_exact_bytes(server: Server, case: str, version: str) -> None:
    response = fetch(server.address, f"/body?case={case}", version=version)
    assert response.status == 200
    assert response.body == b"".join(BODIES[case]())
    assert version == "HTTP/1.1" or response.framing in ("length", "close")


@pytest.mark.parametrize("case", BODIES)
def test_exact_bytes_from_write(server: Server, case: str) -> None:
    assert fetch(server.address, f"/written-body?case={case}").body == b"".join(BODIES[case]())


@pytest.mark.parametrize("case", BODIES)
def test_exact_bytes_with_a_declared_length(server: Server, case: str) -> None:
    expected = b"".join(BODIES[case]())
    with Connection(server.address) as connection:
        for _ in range(2):
            connection.send(encode("GET", f"/body?case={case}&length={len(expected)}"))
            response = connection.read_response()
            assert response.framing == "length" and response.body == expected


@pytest.mark.parametrize("case", BODIES)
def test_the_next_response_follows(server: Server, case: str) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/body?case={case}") + encode("GET", "/body?case=three"))
        assert connection.read_response().body == b"".join(BODIES[case]())
        assert connection.read_response().body == b"abbccc"


@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_is_chunked_for_1_1(server: Server, case: str) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/body?case={case}"))
        response = connection.read_response()
    # When nothing was yielded before the end, the length is known: zero.
    assert response.framing == ("length" if case == "empty-generator" else "chunked")
    assert response.header("Connection") in (None, "keep-alive")


@pytest.mark.parametrize("keep_alive", [False, True])
@pytest.mark.parametrize("case", STREAMS)
def test_a_stream_ends_with_the_connection_for_1_0(server: Server, case: str, keep_alive: bool) -> None:
    headers = [("Connection", "keep-alive")] if keep_alive else []
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/body?case={case}", headers, version="HTTP/1.0"))
        response = connection.read_response()
    assert response.header("Transfer-Encoding") is None
    assert response.body == b"".join(BODIES[case]())
    if case == "empty-generator":
        assert response.framing == "length"
        return
    assert response.framing == "close"
    assert response.header("Connection") in (None, "close")


@pytest.mark.parametrize("case", ["one", "three", "tuple", "empty-list", "large-block"])
def test_a_known_length_keeps_a_1_0_connection(server: Server, case: str) -> None:
    """A list tells its length, so a client of version 1.0 need not lose its connection over it."""
    with Connection(server.address) as connection:
        for _ in range(2):
            connection.send(encode("GET", f"/body?case={case}", [("Connection", "keep-alive")], version="HTTP/1.0"))
            response = connection.read_response()
            assert response.framing == "length" and response.body == b"".join(BODIES[case]())


@pytest.mark.parametrize("length", [None, 5])
@pytest.mark.parametrize("case", ["one", "generator", "empty-list", "tiny"])
def test_head_has_no_body(server: Server, case: str, length: int | None) -> None:
    target = f"/body?case={case}" + (f"&length={length}" if length else "")
    with Connection(server.address) as connection:
        connection.send(encode("HEAD", target) + encode("GET", "/body?case=three"))
        head = connection.read_response("HEAD")
        assert head.status == 200
        if length:
            assert head.header("Content-Length") == str(length)
        assert connection.read_response().body == b"abbccc"


@pytest.mark.parametrize("case", ["one", "generator", "empty-list", "large-block"])
@pytest.mark.parametrize("length", ["", "&length=5"])
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_a_205_says_that_it_has_no_body(server: Server, version: str, length: str, case: str) -> None:
    """RFC 9110, section 15.3.6."""
    target = f"/body?case={case}&status=205%20Reset%20Content{length}"
    with Connection(server.address) as connection:
        connection.send(encode("GET", target, [("Connection", "keep-alive")], version=version))
        response = connection.read_response()
        assert (response.status, response.header("Content-Length"), response.body) == (205, "0", b"")
        connection.send(encode("GET", "/body?case=three"))
        assert connection.read_response().body == b"abbccc"


@pytest.mark.parametrize("case", ["one", "generator", "empty-list"])
@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_statuses_without_a_body(server: Server, status: str, case: str) -> None:
    code, reason = status.split(" ", 1)
    target = f"/body?case={case}&status={status.replace(' ', '%20')}"
    with Connection(server.address) as connection:
        connection.send(encode("GET", target) + encode("GET", "/body?case=three"))
        response = connection.read_response()
        assert (response.status, response.reason) == (int(code), reason)
        assert response.header("Transfer-Encoding") is None
        assert code == "304" or response.header("Content-Length") is None
        assert connection.read_response().body == b"abbccc"


def test_a_length_declared_with_304_is_kept(server: Server) -> None:
    """It is the length of what a 200 would have carried (RFC 9110, section 8.6)."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/body?case=empty-list&length=77&status=304%20Same"))
        connection.send(encode("GET", "/body?case=three"))
        assert connection.read_response().header("Content-Length") == "77"
        assert connection.read_response().body == b"abbccc"


def test_a_length_declared_with_204_is_dropped(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/body?case=one&length=5&status=204%20None"))
        connection.send(encode("GET", "/body?case=three"))
        assert connection.read_response().header("Content-Length") is None
        assert connection.read_response().body == b"abbccc"


@pytest.mark.parametrize("path", ["/body", "/written-body"])
@pytest.mark.parametrize(("case", "length"), [("one", 3), ("three", 2), ("generator", 5), ("tiny", 10), ("one", 0)])
def test_what_is_too_long_is_cut(server: Server, path: str, case: str, length: int) -> None:
    with Connection(server.address) as connection:
        connection.send(
            encode("GET", f"{path}?case={case}&length={length}") + encode("GET", "/body?case=looks-like-chunks")
        )
        response = connection.read_response()
        assert response.body == b"".join(BODIES[case]())[:length]
        # The rest never arrives, whether as a body or as the beginning of the next response.
        with contextlib.suppress(Closed):
            assert connection.read_response().body == b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize("path", ["/body", "/written-body"])
@pytest.mark.parametrize("case", ["one", "three", "generator", "tiny", "empty-list", "empty-generator"])
def test_what_is_too_short_ends_the_connection(server: Server, path: str, case: str) -> None:
    """The client must see that bytes are missing, and never get the next response in their place."""
    with Connection(server.address) as connection:
        connection.send(
            encode("GET", f"{path}?case={case}&length=9000") + encode("GET", "/body?case=looks-like-chunks")
        )
        try:
            response = connection.read_response()
        except Truncated as error:
            assert error.response is not None and error.response.body == b"".join(BODIES[case]())
        else:
            # As long as nothing was sent, the server may still refuse.
            assert response.status == 500
            connection.assert_closed()
    assert fetch(server.address, "/body?case=one").body == b"hello"


@pytest.mark.parametrize("case", ["one", "generator", "empty-list"])
def test_what_is_too_short_is_told_to_the_operator(server: Server, case: str) -> None:
    size = len(b"".join(BODIES[case]()))
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/body?case={case}&length=9001"))
        connection.read_to_end()
    (line,) = server.wait_for_log(rf"\[WARNING\] The response to GET /body\?case={case}&length=9001 is too short: .*")
    assert f"{size} of 9001 bytes" in line[0]


def test_a_body_that_may_be_missing_is_not_too_short(server: Server) -> None:
    fetch(server.address, "/body?case=one&length=8999", "HEAD")
    fetch(server.address, "/body?case=one&length=8999&status=304%20Same")
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert "8999 is too short" not in server.log()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize(
    ("case", "body", "framing"),
    [
        ("one", b"single", "length"),
        ("two", b"abb", None),
        ("none", b"", "length"),
        ("empty-block", b"", "length"),
        ("failing", b"single", None),
    ],
)
def test_an_iterable_of_one_block_tells_its_length(
    server: Server, case: str, body: bytes, framing: str | None, version: str
) -> None:
    """PEP 3333: where `len()` says 1, the first block is all."""
    response = fetch(server.address, f"/sized?case={case}", version=version)
    assert response.status == 200 and response.body == body
    assert response.framing == (framing or ("chunked" if version == "HTTP/1.1" else "close"))


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints", "199 Odd"])
def test_an_interim_status_is_no_response(server: Server, status: str) -> None:
    """The client would go on waiting, and take the answer to its next request for this one's."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/body?case=one&status={status.replace(' ', '%20')}"))
        response = connection.read_response()
        assert response.status == 500 and response.interim == []
    server.wait_for_log("ValueError: a 1xx status is no answer to a request")


def test_behind_a_101_nothing_is_a_request(server: Server) -> None:
    target = "/upgrade?status=101%20Switching%20Protocols&to=WebSocket"
    with Connection(server.address) as connection:
        connection.send(encode("GET", target) + encode("GET", "/body?case=one"))
        head = connection.read_head()
        assert head.status == 101
        assert head.header("Connection") == "upgrade" and head.header("Upgrade") == "WebSocket"
        assert head.header("Content-Length") is None and head.header("Transfer-Encoding") is None
        connection.assert_closed()
    assert fetch(server.address, target, version="HTTP/1.0").status == 500


@pytest.mark.parametrize(("to", "kept"), [("websocket", "websocket"), ("h2c", None)])
def test_an_upgrade_that_is_offered(server: Server, to: str, kept: str | None) -> None:
    """426 names what the client should speak; of protocols, only websocket is an application's to offer."""
    with Connection(server.address) as connection:
        for _ in range(2):
            connection.send(encode("GET", f"/upgrade?status=426%20Upgrade%20Required&to={to}"))
            response = connection.read_response()
            assert response.status == 426 and response.body == b"body"
            assert response.header("Connection") == "upgrade" and response.header("Upgrade") == kept


@pytest.mark.parametrize("path", ["/step", "/step-written"])
def test_each_block_is_sent_before_the_next_is_produced(server: Server, path: str) -> None:
    name = path.strip("/")
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"{path}?name={name}"))
        seen = b""
        for number in range(3):
            seen += connection.take_until(f"block {number};".encode())
            assert f"block {number + 1}".encode() not in seen + connection.buffer
            server.release(f"{name}.{number}")
        assert connection.take_until(b"end")


def test_each_block_is_sent_before_the_next_for_1_0(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/step?name=old", version="HTTP/1.0"))
        for number in range(3):
            connection.take_until(f"block {number};".encode())
            server.release(f"old.{number}")
        assert connection.read_to_end() == b"end"


@pytest.mark.parametrize("start", ["always", "never"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("case", ["normal", "raise", "raise-at-once", "text"])
def test_close_is_called_exactly_once(server: Server, case: str, method: str, start: str) -> None:
    name = f"close.{case}.{method}.{start}"
    with Connection(server.address) as connection:
        connection.send(encode(method, f"/recorded?case={case}&name={name}&start={start}", [("Connection", "close")]))
        connection.read_to_end()
    server.wait_for_trace(name)
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert server.trace(name) == "c"


@pytest.mark.parametrize("length", [None, 3, 500])
def test_close_is_called_exactly_once_with_a_declared_length(server: Server, length: int | None) -> None:
    name = f"close.length.{length}"
    declared = f"&length={length}" if length else ""
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/recorded?case=normal&name={name}{declared}", [("Connection", "close")]))
        connection.read_to_end()
    server.wait_for_trace(name)
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert server.trace(name) == "c"


@pytest.mark.parametrize("rude", [False, True])
def test_close_is_called_exactly_once_when_the_client_leaves(server: Server, rude: bool) -> None:
    name = f"close.gone.{rude}"
    with Connection(server.address) as connection:
        connection.send(encode("GET", f"/recorded?case=endless&name={name}"))
        connection.take(200_000)
        if rude:
            connection.reset()
    server.wait_for_trace(name)
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert server.trace(name) == "c"


@pytest.mark.parametrize("case", ["", "&length", "&list", "&length&list"])
def test_a_large_response_arrives_whole(server: Server, case: str) -> None:
    mib = 100 if case == "&length" else 32
    expected = hashlib.sha256()
    for number in range(mib):
        expected.update(pattern(number))
    response = fetch(server.address, f"/big?mib={mib}{case}")
    assert len(response.body) == mib * BLOCK
    assert hashlib.sha256(response.body).digest() == expected.digest()


def test_a_slow_reader_gets_everything_and_costs_no_memory(server: Server) -> None:
    """The stream waits for its reader: it is neither cut nor collected in memory."""
    mib = 100
    expected = hashlib.sha256()
    for number in range(mib):
        expected.update(pattern(number))
    fetch(server.address, "/big?mib=4&length")
    worker = server.worker()
    before = memory(worker, "VmHWM")
    found = hashlib.sha256()
    with Connection(server.address, receive_buffer=8192) as connection:
        connection.send(encode("GET", f"/big?mib={mib}&length", [("Connection", "close")]))
        connection.read_head()
        for _ in range(50):
            found.update(connection.take(4096))
            time.sleep(0.002)
        assert memory(worker, "VmHWM") - before < 40 * BLOCK
        left = mib * BLOCK - 50 * 4096
        while left:
            piece = connection.take(min(left, 1 << 18))
            found.update(piece)
            left -= len(piece)
        connection.assert_closed()
    assert found.digest() == expected.digest()
    assert memory(worker, "VmHWM") - before < 40 * BLOCK


def test_server_and_date(server: Server) -> None:
    response = fetch(server.address, "/body?case=one")
    assert response.header("Server")
    date = email.utils.parsedate_to_datetime(response.header("Date") or "")
    assert abs(date.timestamp() - time.time()) < 60
    assert (response.header("Date") or "").endswith(" GMT")


def test_the_date_advances(server: Server) -> None:
    first = fetch(server.address, "/body?case=one").header("Date")
    until(lambda: fetch(server.address, "/body?case=one").header("Date") != first, "another second in Date")
