"""Requests that must be refused: with the right status or just a close, and never by running the application."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest
from support.client import Closed, Connection, encode, fetch
from support.processes import descriptors
from support.server import Server
from support.waiting import until

GOOD = encode("GET", "/body?case=one")
CHUNKED = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Bad(NamedTuple):
    name: str
    raw: bytes
    statuses: tuple[int, ...] = (400,)


def head(*lines: str, start: str = "GET /echo HTTP/1.1", host: str | None = "Host: a") -> bytes:
    return "\r\n".join([start, *([host] if host else []), *lines, "", ""]).encode("latin-1")


def body_with(*lines: str, body: bytes = b"hello") -> bytes:
    return head(*lines, start="POST /echo HTTP/1.1") + body


def chunks(body: bytes) -> bytes:
    return CHUNKED.encode() + body


REQUEST_LINES = [
    Bad("garbage", b"\x00\x01\x02garbage\r\n\r\n"),
    Bad("tls-hello", bytes.fromhex("16030100c8010000c40303") + bytes(range(200)) + b"\r\n\r\n"),
    Bad("http2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    Bad("http-0.9", b"GET /echo\r\n\r\n"),
    Bad("two-empty-lines-first", b"\r\n\r\n" + GOOD),
    Bad("leading-space", b" " + GOOD),
    Bad("no-method", head(start=" /echo HTTP/1.1")),
    Bad("no-target", head(start="GET  HTTP/1.1")),
    Bad("two-spaces-before-target", head(start="GET  /echo HTTP/1.1")),
    Bad("two-spaces-before-version", head(start="GET /echo  HTTP/1.1")),
    Bad("trailing-space", head(start="GET /echo HTTP/1.1 ")),
    Bad("tab", head(start="GET\t/echo HTTP/1.1")),
    Bad("space-in-target", head(start="GET /echo me HTTP/1.1")),
    Bad("method-not-a-token", head(start="G(ET /echo HTTP/1.1")),
    Bad("method-lower-case", head(start="get /echo HTTP/1.1")),
    Bad("method-with-nul", head(start="GE\0T /echo HTTP/1.1")),
    Bad("target-relative", head(start="GET echo HTTP/1.1")),
    Bad("target-asterisk-with-get", head(start="GET * HTTP/1.1")),
    Bad("target-authority-with-get", head(start="GET a:80 HTTP/1.1")),
    Bad("target-control", head(start="GET /ec\x01ho HTTP/1.1")),
    Bad("target-nul", head(start="GET /ec\0ho HTTP/1.1")),
    Bad("target-del", head(start="GET /ec\x7fho HTTP/1.1")),
    Bad("target-not-ascii", head(start="GET /\xe4 HTTP/1.1")),
    Bad("target-cr", head(start="GET /ec\rho HTTP/1.1")),
    Bad("version-2.0", head(start="GET /echo HTTP/2.0"), (400, 505)),
    Bad("version-0.9", head(start="GET /echo HTTP/0.9"), (400, 505)),
    Bad("version-lower-case", head(start="GET /echo http/1.1")),
    Bad("version-three-digits", head(start="GET /echo HTTP/1.10"), (400, 505)),
    Bad("version-text", head(start="GET /echo HTTP/x.y")),
    Bad("version-missing", head(start="GET /echo HTTP/")),
    Bad("version-other-protocol", head(start="GET /echo FTP/1.1")),
    Bad("line-too-long", head(start=f"GET /{'a' * 5000} HTTP/1.1"), (414,)),
    Bad("line-endless", b"GET /" + b"a" * 300_000, (414,)),
]

FIELDS = [
    Bad("bare-lf-everywhere", GOOD.replace(b"\r\n", b"\n")),
    Bad("bare-lf-after-request-line", b"GET /echo HTTP/1.1\nHost: a\r\n\r\n"),
    Bad("bare-lf-after-field", b"GET /echo HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
    Bad("bare-lf-at-the-end", b"GET /echo HTTP/1.1\r\nHost: a\r\n\n"),
    Bad("bare-cr-in-value", head("X-A: b\rc")),
    Bad("nul-in-value", head("X-A: b\0c")),
    Bad("control-in-value", head("X-A: b\x01c")),
    Bad("del-in-value", head("X-A: b\x7fc")),
    Bad("no-colon", head("X-A")),
    Bad("empty-name", head(": value")),
    Bad("space-before-colon", head("X-A : b")),
    Bad("space-before-host-colon", head(host="Host : a")),
    Bad("space-in-name", head("X A: b")),
    Bad("name-not-a-token", head("X(A): b")),
    Bad("name-not-ascii", head("X-\xe4: b")),
    Bad("nul-in-name", head("X-\0: b")),
    Bad("folded", head("X-A: b", " c")),
    Bad("folded-first", b"GET /echo HTTP/1.1\r\n Host: a\r\n\r\n"),
    Bad("too-many", head(*(f"X-{number}: {number}" for number in range(150))), (431,)),
    Bad("too-large", head(f"X-A: {'b' * 9000}"), (431,)),
    Bad("endless", head()[:-2] + b"X-A: " + b"b" * 300_000, (431,)),
    Bad("endless-name", head()[:-2] + b"X" * 300_000, (400, 431)),
    Bad("no-host", head(host=None)),
    Bad("two-hosts", head("Host: b")),
    Bad("two-equal-hosts", head("host: a")),
    Bad("host-with-space", head(host="Host: a b")),
    Bad("host-with-path", head(host="Host: a/b")),
    Bad("host-with-user", head(host="Host: user@a")),
    Bad("host-with-bad-port", head(host="Host: a:b")),
    Bad("host-list", head(host="Host: a, b")),
    Bad("two-content-types", body_with("Content-Length: 5", "Content-Type: a/b", "Content-Type: c/d")),
]

FRAMING = [
    Bad("length-and-coding", body_with("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    Bad("coding-and-length", body_with("Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n")),
    Bad("two-lengths", body_with("Content-Length: 5", "Content-Length: 6")),
    Bad("two-equal-lengths", body_with("Content-Length: 5", "Content-Length: 5")),
    Bad("length-list", body_with("Content-Length: 5, 5")),
    Bad("length-negative", body_with("Content-Length: -5")),
    Bad("length-plus", body_with("Content-Length: +5")),
    Bad("length-hexadecimal", body_with("Content-Length: 0x5")),
    Bad("length-underscore", body_with("Content-Length: 1_0")),
    Bad("length-empty", body_with("Content-Length: ")),
    Bad("length-text", body_with("Content-Length: five")),
    Bad("length-superscript", body_with("Content-Length: \xb2")),
    Bad("length-inner-space", body_with("Content-Length: 5 5")),
    Bad("length-overflow", body_with(f"Content-Length: {1 << 64}5"), (400, 413)),
    Bad("length-vast", body_with(f"Content-Length: {'9' * 400}"), (400, 413)),
    Bad("coding-unknown", body_with("Transfer-Encoding: tricky", body=b""), (400, 501)),
    Bad("coding-unknown-then-chunked", body_with("Transfer-Encoding: tricky, chunked", body=b"0\r\n\r\n"), (501,)),
    Bad("coding-not-final", body_with("Transfer-Encoding: chunked, gzip", body=b"0\r\n\r\n"), (400, 501)),
    Bad("coding-twice", body_with("Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n")),
    Bad("coding-two-fields", body_with("Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n")),
    Bad("coding-identity", body_with("Transfer-Encoding: identity", body=b""), (400, 501)),
    Bad("coding-empty", body_with("Transfer-Encoding: ", body=b"0\r\n\r\n"), (400, 501)),
    Bad("coding-vertical-tab", body_with("Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n")),
    Bad("coding-quoted", body_with('Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), (400, 501)),
    Bad(
        "coding-for-1.0",
        head("Transfer-Encoding: chunked", start="POST /echo HTTP/1.0") + b"0\r\n\r\n",
    ),
]

CHUNKS = [
    Bad("size-empty", chunks(b"\r\nhello\r\n0\r\n\r\n")),
    Bad("size-not-hexadecimal", chunks(b"g\r\nhello\r\n0\r\n\r\n")),
    Bad("size-negative", chunks(b"-5\r\nhello\r\n0\r\n\r\n")),
    Bad("size-plus", chunks(b"+5\r\nhello\r\n0\r\n\r\n")),
    Bad("size-prefix", chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    Bad("size-underscore", chunks(b"0_5\r\nhello\r\n0\r\n\r\n")),
    Bad("size-leading-space", chunks(b" 5\r\nhello\r\n0\r\n\r\n")),
    Bad("size-trailing-space", chunks(b"5 \r\nhello\r\n0\r\n\r\n")),
    Bad("size-overflow", chunks(b"1" + b"0" * 16 + b"\r\nhello\r\n0\r\n\r\n"), (400, 413)),
    Bad("size-endless", chunks(b"0" * 300_000), (400, 413, 431)),
    Bad("size-bare-lf", chunks(b"5\nhello\r\n0\r\n\r\n")),
    Bad("size-bare-cr", chunks(b"5\rhello\r\n0\r\n\r\n")),
    Bad("extension-bare-cr", chunks(b"5;a=\rb\r\nhello\r\n0\r\n\r\n")),
    Bad("extension-bare-lf", chunks(b"5;a=\nb\r\nhello\r\n0\r\n\r\n")),
    Bad("extension-nul", chunks(b"5;a=\0\r\nhello\r\n0\r\n\r\n")),
    Bad("extension-endless", chunks(b"5;" + b"a" * 300_000), (400, 413, 431)),
    Bad("data-too-long", chunks(b"4\r\nhello\r\n0\r\n\r\n")),
    Bad("data-too-short", chunks(b"6\r\nhello\r\n0\r\n\r\n")),
    Bad("data-ends-with-lf", chunks(b"5\r\nhello\n0\r\n\r\n")),
    Bad("trailer-without-colon", chunks(b"5\r\nhello\r\n0\r\nX\r\n\r\n")),
    Bad("trailer-bare-lf", chunks(b"5\r\nhello\r\n0\r\nX: y\n\r\n")),
    Bad("trailer-forbidden", chunks(b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n")),
    Bad("trailer-host", chunks(b"5\r\nhello\r\n0\r\nHost: b\r\n\r\n")),
    Bad("trailer-endless", chunks(b"5\r\nhello\r\n0\r\nX: " + b"y" * 300_000), (400, 413, 431)),
]


def answer(server: Server, raw: bytes, sizes: int | None = None, half_close: bool = False) -> list[int]:
    """The statuses of everything that comes back until the server closes."""
    with Connection(server.address) as connection:
        try:
            connection.send(raw, sizes)
            if half_close:
                connection.half_close()
        except (BrokenPipeError, ConnectionResetError):
            pass
        statuses = []
        try:
            while True:
                response = connection.read_response()
                statuses.append(response.status)
                assert response.header("Connection") == "close"
        except Closed:
            return statuses


@pytest.mark.parametrize("bad", REQUEST_LINES + FIELDS + FRAMING + CHUNKS, ids=lambda bad: bad.name)
def test_refused(server: Server, bad: Bad) -> None:
    """One refusal and the end, even with a good request right behind."""
    calls = len(server.trace("calls"))
    statuses = answer(server, bad.raw + GOOD)
    assert len(statuses) == 1 and statuses[0] in bad.statuses, statuses
    assert len(server.trace("calls")) == calls
    assert fetch(server.address, "/body?case=one").body == b"hello"


@pytest.mark.parametrize("bad", REQUEST_LINES + FIELDS + FRAMING + CHUNKS, ids=lambda bad: bad.name)
def test_refused_in_pieces(server: Server, bad: Bad) -> None:
    calls = len(server.trace("calls"))
    statuses = answer(server, bad.raw + GOOD, 1 if len(bad.raw) < 400 else 999)
    assert len(statuses) == 1 and statuses[0] in bad.statuses, statuses
    assert len(server.trace("calls")) == calls


@pytest.mark.parametrize(
    "name", ["no-colon", "two-lengths", "size-not-hexadecimal", "target-control", "bare-lf-at-the-end"]
)
def test_good_requests_before_a_bad_one_are_answered(server: Server, name: str) -> None:
    bad = next(bad for bad in REQUEST_LINES + FIELDS + FRAMING + CHUNKS if bad.name == name)
    with Connection(server.address) as connection:
        connection.send(GOOD + GOOD + bad.raw + GOOD)
        assert connection.read_response().body == b"hello"
        assert connection.read_response().body == b"hello"
        assert connection.read_response().status in bad.statuses
        connection.assert_closed()


@pytest.mark.parametrize(
    "raw",
    [
        GOOD[:-1],
        GOOD[:-2],
        GOOD[:20],
        b"G",
        encode("POST", "/echo", [("Content-Length", "50")]) + b"hello",
        CHUNKED.encode(),
        CHUNKED.encode() + b"5\r\nhel",
        CHUNKED.encode() + b"5\r\nhello\r\n",
        CHUNKED.encode() + b"5\r\nhello\r\n0\r\n",
        CHUNKED.encode() + b"5\r\nhello\r\n0\r\nX: y\r\n",
    ],
)
def test_a_request_that_ends_too_early_is_not_run(server: Server, raw: bytes) -> None:
    calls = len(server.trace("calls"))
    statuses = answer(server, raw, half_close=True)
    assert statuses in ([], [400], [408]), statuses
    assert len(server.trace("calls")) == calls
    assert fetch(server.address, "/body?case=one").body == b"hello"


def test_a_refusal_tells_nothing_about_the_request(server: Server) -> None:
    """What a client sent is not repeated to it: a page that quotes it can be made to say anything."""
    with Connection(server.address) as connection:
        connection.send(head("X-<script>alert(1)</script>: secret", start="GET /secret HTTP/1.1"))
        response = connection.read_response()
    assert response.status == 400
    assert b"script" not in response.body and b"secret" not in response.body
    assert response.header("Content-Type") and response.header("Date") and response.framing == "length"


def test_head_of_a_refusal(server: Server) -> None:
    """A HEAD request that is understood well enough to be one gets no body with its refusal."""
    with Connection(server.address) as connection:
        connection.send(head("Expect: nonsense", start="HEAD /echo HTTP/1.1"))
        response = connection.read_response("HEAD")
        assert response.status == 417
        connection.assert_closed()


def test_mutations_of_good_requests(server: Server) -> None:
    """Whatever comes, the answer is a sound sequence of responses, and the worker stays the same."""
    generator = random.Random(20)
    seeds = [
        encode("GET", "/echo"),
        encode("POST", "/echo?a=%20b", [("X-A", "b"), ("Cookie", "c=d")], b"hello world"),
        chunks(b"5;x=y\r\nhello\r\n3\r\nabc\r\n0\r\nX-T: u\r\n\r\n"),
        encode("HEAD", "/ignore", [("Connection", "keep-alive")], version="HTTP/1.0"),
    ]
    special = [b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\xff", b"0", b"9" * 20, b"chunked", b"Content-Length: 3\r\n"]
    worker = server.worker()
    for _ in range(400):
        raw = bytearray(generator.choice(seeds))
        for _ in range(generator.randint(1, 4)):
            position = generator.randrange(len(raw))
            match generator.randrange(4):
                case 0:
                    raw[position] = generator.randrange(256)
                case 1:
                    raw[position : position + generator.randint(1, 8)] = b""
                case 2:
                    raw[position:position] = generator.choice(special)
                case 3:
                    raw[position:position] = raw[position : position + generator.randint(1, 30)]
            if not raw:
                raw += b"\r"
        with Connection(server.address) as connection:
            connection.send(bytes(raw))
            connection.half_close()
            received = connection.read_to_end()
        assert received == b"" or received.startswith(b"HTTP/1."), (bytes(raw), received[:200])
        assert not received.startswith(b"HTTP/1.1 500"), (bytes(raw), received[:200])
    assert server.worker() == worker
    assert fetch(server.address, "/body?case=one").body == b"hello"


def test_refusals_leave_no_descriptor_behind(server: Server) -> None:
    fetch(server.address, "/body?case=one")
    worker = server.worker()
    before = len(descriptors(worker))
    for bad in REQUEST_LINES[:20] + CHUNKS[:5]:
        answer(server, bad.raw)
    until(lambda: len(descriptors(worker)) <= before, "the descriptors to be closed")
