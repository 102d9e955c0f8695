"""What the tests of `--stream-request-body` share: servers, requests whose bodies come later, and names for traces."""

from __future__ import annotations

import pytest
from conftest import Serve

from support.client import Connection, encode
from support.server import Server

MIB = 1 << 20
ONE = encode("GET", "/body?case=one")
CHUNKED = ("Transfer-Encoding", "chunked")


def serve_streaming(serve_module: Serve) -> Server:
    return serve_module("probe:app", "--stream-request-body", "--limit-request-body", str(300 * MIB))


def serve_limited(serve_module: Serve) -> Server:
    return serve_module("probe:app", "--stream-request-body", "--limit-request-body", "1000")


def serve_impatient(serve_module: Serve) -> Server:
    return serve_module(
        *("probe:app", "--stream-request-body", "--request-body-timeout", "1", "--request-head-timeout", "1"),
        *("--limit-request-body", "1000"),
    )


def name_of(request: pytest.FixtureRequest) -> str:
    """A name for the traces of one test."""
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)


def head(target: str, length: int | None, *fields: tuple[str, str]) -> bytes:
    """The head of a request whose body comes later: chunked without a length."""
    return encode("POST", target, [CHUNKED if length is None else ("Content-Length", str(length)), *fields])


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def is_served(connection: Connection) -> None:
    connection.send(ONE)
    assert connection.read_response().body == b"hello"
