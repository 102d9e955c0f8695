"""Clients that leave before their response is complete: the application can know, and is done with it soon."""

from __future__ import annotations

import re

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.server import Server


@pytest.fixture(scope="module")
def talkative(serve_module: Serve) -> Server:
    return serve_module("probe:app", "--log-level", "debug")


def run(server: Server, name: str, act: str, options: str = "", body: bytes | None = None) -> str:
    """What the application learns of a client that does this while its request runs, and what the client still gets."""
    with Connection(server.address) as connection:
        target = f"/until-gone?name={name}{options}"
        connection.send(encode("POST" if body else "GET", target, body=body))
        assert server.wait_for_trace(f"{name}.there", 6) == "False\n"
        received = b""
        if act == "reset":
            connection.reset()
        elif act == "close":
            connection.socket.close()
        elif act == "half-close":
            connection.half_close()
        elif act == "half-close-behind-another":
            connection.send(encode("GET", "/body?case=one"))
            connection.half_close()
        elif act == "another":
            connection.send(encode("GET", "/body?case=one"))
        server.release(f"{name}.act")
        after = server.wait_for_trace(f"{name}.after", 5).strip()
        if act not in ("reset", "close"):
            received = connection.read_response().body
            assert received == b"answered " + (body or b"")
        if "another" in act:
            assert connection.read_response().body == b"hello"
    assert fetch(server.address, "/body?case=one").body == b"hello"
    return after


@pytest.mark.parametrize("body", [None, b"hello", b"x" * 200_000])
@pytest.mark.parametrize("act", ["close", "reset"])
def test_a_client_that_left_is_seen(server: Server, act: str, body: bytes | None) -> None:
    assert run(server, f"left.{act}.{len(body or b'')}", act, body=body) == "True"


def test_a_client_that_ends_its_sending_half_counts_as_gone_and_is_answered(server: Server) -> None:
    """Nothing tells it from one that closed, and the first is rare; so the answer is sent all the same."""
    assert run(server, "left.half", "half-close") == "True"


@pytest.mark.parametrize("act", ["nothing", "another", "half-close-behind-another"])
def test_a_client_that_waits_is_there(server: Server, act: str) -> None:
    assert run(server, f"there.{act}", act, "&never") == "False"


@pytest.mark.parametrize("rude", [False, True])
@pytest.mark.parametrize("length", [None, 65536 * 200_000])
def test_a_stream_ends_with_its_client(talkative: Server, length: int | None, rude: bool) -> None:
    name = f"stream.{length}.{rude}"
    declared = f"&length={length}" if length else ""
    with Connection(talkative.address) as connection:
        connection.send(encode("GET", f"/counted?name={name}&size=65536&count=200000{declared}"))
        connection.take(200_000)
        if rude:
            connection.reset()
    assert talkative.wait_for_trace(f"{name}.close") == "c"
    # Nothing was asked of it any more, soon after its client had left.
    assert len(talkative.trace(f"{name}.blocks")) < 10_000
    (line,) = talkative.wait_for_log(
        rf"\[DEBUG\] The client of GET /counted\?name={re.escape(name)}&\S* left after (\d+)"
    )
    assert int(line[1]) >= 200_000
    assert fetch(talkative.address, "/body?case=one").body == b"hello"
    assert talkative.trace(f"{name}.close") == "c"
    # It is nobody's mistake.
    assert "[ERROR]" not in talkative.log() and "[WARNING]" not in talkative.log()


def test_writing_to_a_client_that_left_is_no_error_of_the_application(talkative: Server) -> None:
    with Connection(talkative.address) as connection:
        connection.send(encode("GET", "/counted?written&name=written&size=65536&count=200000"))
        connection.take(200_000)
        connection.reset()
    talkative.wait_for_log(r"\[DEBUG\] The client of GET /counted\?written\S* left after \d+ bytes of the response")
    assert fetch(talkative.address, "/body?case=one").body == b"hello"
    assert "[ERROR]" not in talkative.log()


def test_who_leaves_after_the_response_is_not_worth_a_line(talkative: Server) -> None:
    for _ in range(3):
        with Connection(talkative.address) as connection:
            connection.send(encode("GET", "/body?case=one&quiet"))
            assert connection.read_response().body == b"hello"
            connection.reset()
    assert fetch(talkative.address, "/body?case=one").body == b"hello"
    assert "quiet" not in talkative.log()
