"""`--stream-request-body`: the application reads the body while the client sends it."""

from __future__ import annotations

import hashlib
import io
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from conftest import Serve
from probe.bodies import perform
from support.client import Closed, Connection, Truncated, encode, encode_chunked, fetch
from support.processes import memory
from support.server import Server
from support.waiting import until

MIB = 1 << 20
ONE = encode("GET", "/body?case=one")
CHUNKED = ("Transfer-Encoding", "chunked")


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    return serve_module("probe:app", "--stream-request-body", "--limit-request-body", str(300 * MIB))


@pytest.fixture(scope="module")
def impatient(serve_module: Serve) -> Server:
    return serve_module(
        *("probe:app", "--stream-request-body", "--request-body-timeout", "1", "--request-head-timeout", "1"),
        *("--limit-request-body", "1000"),
    )


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
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


# The application runs while the body comes


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


# Clients that stop


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("beginning", [b"", b"hel"])
def test_a_body_that_does_not_come(impatient: Server, framing: str, beginning: bytes, name: str) -> None:
    with Connection(impatient.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=100", 500 if framing == "length" else None))
        impatient.wait_for_trace(f"{name}.entered")
        connection.send(b"9\r\n" + beginning if beginning and framing == "chunked" else beginning)
        response = connection.read_response()
        assert response.status == 408 and b"body-timeout" in response.body
        assert response.header("Connection") == "close"
        connection.assert_closed()
    assert impatient.trace(f"{name}.error") == "TimeoutError True\n"


def test_a_trickle_does_not_keep_the_application(impatient: Server, name: str) -> None:
    with Connection(impatient.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=1000", 1000))
        connection.socket.setblocking(False)

        def trickle() -> bytes | None:
            try:
                return connection.socket.recv(4096)
            except BlockingIOError:
                connection.socket.send(b"x")
                return None

        assert until(trickle, "a 408 in spite of the trickle").startswith(b"HTTP/1.1 408 ")


def test_the_application_may_take_its_time(impatient: Server, name: str) -> None:
    """The client's time counts while the application waits for it. Two heads time out before it does."""
    with Connection(impatient.address) as clock, Connection(impatient.address) as connection:
        is_served(clock)
        is_served(connection)
        connection.send(head(f"/sip?name={name}&piece=100&wait=1", 10))
        impatient.wait_for_trace(f"{name}.entered")
        clock.send(b"GET")
        assert clock.read_response().status == 408
        impatient.release(name)
        connection.send(b"0123456789")
        assert connection.read_response().body == b"10"


@pytest.mark.parametrize("how", ["half-close", "reset"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_leaves(server: Server, framing: str, how: str, name: str) -> None:
    """A body that is cut is an error in the application, and no line in the log: it happens every day."""
    with Connection(server.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5", 20 if framing == "length" else None))
        connection.send(b"first" if framing == "length" else chunk(b"first"))
        server.wait_for_trace(f"{name}.pieces", 5)
        connection.send(b"ot" if framing == "length" else b"5\r\not")
        if how == "reset":
            connection.reset()
        else:
            connection.half_close()
            with pytest.raises(Closed):
                connection.read_response()
    assert server.wait_for_trace(f"{name}.error") == "ConnectionResetError True\n"
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert "Traceback" not in server.log()


def test_an_application_that_goes_on_without_the_body(server: Server, name: str) -> None:
    """It may still answer; the connection is of no use afterwards."""
    with Connection(server.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5&swallow=1", None))
        server.wait_for_trace(f"{name}.entered")
        connection.send(b"5\r\nhelloXX\r\n")
        response = connection.read_response()
        assert response.body == b'"swallowed"' and response.header("Connection") == "close"
        connection.assert_closed()


def test_an_error_of_the_application_is_not_taken_for_the_clients(serve: Serve) -> None:
    server = serve("probe:app", "--stream-request-body")
    with Connection(server.address) as connection:
        connection.send(head("/sip?name=fail&piece=5&fail=1", None))
        server.wait_for_trace("fail.entered")
        connection.send(b"5\r\nhelloXX\r\n")
        assert connection.read_response().status == 500
        connection.assert_closed()
    server.wait_for_log("OSError: something else")


# Bodies that are wrong, or too large


@pytest.mark.parametrize(
    ("rest", "status", "fault"),
    [
        (b"helloXX\r\n", 400, b"missing-chunk-terminator"),
        (b"hello\r\nxyz\r\n", 400, b"invalid-chunk-size"),
        (b"hello\r\n0\r\nHost: a\r\n\r\n", 400, b"forbidden-trailer"),
        (b"hello\r\n3e8\r\n", 413, b"body-too-large"),
    ],
)
def test_a_wrong_body(impatient: Server, rest: bytes, status: int, fault: bytes, name: str) -> None:
    with Connection(impatient.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5", None))
        impatient.wait_for_trace(f"{name}.entered")
        connection.send(b"5\r\n" + rest + ONE)
        response = connection.read_response()
        assert response.status == status and fault in response.body
        assert response.header("Connection") == "close"
        connection.assert_closed()
    assert impatient.trace(f"{name}.error") == "OSError True\n"
    impatient.wait_for_log(f"Invalid request from ip=127.0.0.1: {fault.decode()}")
    assert "Traceback" not in impatient.log()


def test_a_length_over_the_limit_is_refused_before_the_application_runs(impatient: Server) -> None:
    calls = len(impatient.trace("calls"))
    with Connection(impatient.address) as connection:
        connection.send(head("/sip?name=unseen&piece=5", 1001, ("Expect", "100-continue")))
        response = connection.read_response()
        assert response.status == 413 and response.interim == []
    assert len(impatient.trace("calls")) == calls


def test_a_fault_after_the_response_began_cuts_it(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(head("/answer-first", None))
        server.wait_for_trace("answered.entered")
        connection.send(chunk(b"line\n") + b"nonsense\r\n")
        with pytest.raises(Truncated) as caught:
            connection.read_response()
    assert caught.value.response is not None and caught.value.response.body == b"[line\n"
    assert "Traceback" not in server.log()


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
    server = serve("probe:app", "--graceful-timeout", "2", *request.param)
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
