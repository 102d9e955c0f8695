"""`--stream-request-body`: clients that stop or leave, and bodies that are wrong or too large."""

from __future__ import annotations

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, fetch
from support.server import Server
from support.streaming import ONE, chunk, head, is_served, name_of, serve_impatient, serve_limited, serve_streaming
from support.waiting import until

server = pytest.fixture(scope="module")(serve_streaming)
impatient = pytest.fixture(scope="module")(serve_impatient)
limited = pytest.fixture(scope="module")(serve_limited)
name = pytest.fixture(name_of)


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
def test_a_wrong_body(limited: Server, rest: bytes, status: int, fault: bytes, name: str) -> None:
    with Connection(limited.address) as connection:
        connection.send(head(f"/sip?name={name}&piece=5", None))
        limited.wait_for_trace(f"{name}.entered")
        connection.send(b"5\r\n" + rest + ONE)
        response = connection.read_response()
        assert response.status == status and fault in response.body
        assert response.header("Connection") == "close"
        connection.assert_closed()
    assert limited.trace(f"{name}.error") == "OSError True\n"
    limited.wait_for_log(f"Invalid request from ip=127.0.0.1: {fault.decode()}")
    assert "Traceback" not in limited.log()


def test_a_length_over_the_limit_is_refused_before_the_application_runs(limited: Server) -> None:
    calls = len(limited.trace("calls"))
    with Connection(limited.address) as connection:
        connection.send(head("/sip?name=unseen&piece=5", 1001, ("Expect", "100-continue")))
        response = connection.read_response()
        assert response.status == 413 and response.interim == []
    assert len(limited.trace("calls")) == calls


def test_a_fault_after_the_response_began_cuts_it(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(head("/answer-first", None))
        server.wait_for_trace("answered.entered")
        connection.send(chunk(b"line\n") + b"nonsense\r\n")
        with pytest.raises(Truncated) as caught:
            connection.read_response()
    assert caught.value.response is not None and caught.value.response.body == b"[line\n"
    assert "Traceback" not in server.log()
