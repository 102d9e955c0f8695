"""Applications that fail: the client learns that something failed and nothing else, the log learns everything."""

from __future__ import annotations

import re

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, encode, fetch
from support.server import Server
from support.waiting import until


def assert_healthy(server: Server) -> None:
    assert fetch(server.address, "/body?case=one").body == b"hello"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/raise-before", "RuntimeError: secret failed before the start"),
        ("/raise-after-start", "RuntimeError: secret failed after the start"),
        ("/raise-at-first-block", "RuntimeError: secret failed at the first block"),
        ("/raise-deep", "RecursionError: "),
        ("/raise-unusual", "Unusual: secret and not an Exception"),
        ("/raise-text", "RuntimeError: secret "),
        ("/exit", "SystemExit: secret exit"),
        ("/return-none", "TypeError"),
        ("/return-text", "TypeError"),
        ("/return-integers", "TypeError"),
    ],
)
def test_an_error_before_the_first_byte_is_a_500(server: Server, path: str, message: str, method: str) -> None:
    logged = server.log().count(message)
    response = fetch(server.address, path, method, body=b"body" if method == "POST" else None)
    assert response.status == 500
    assert "secret" not in repr(response) and "Traceback" not in repr(response)
    assert response.header("X-Secret") is None
    until(lambda: server.log().count(message) > logged, f"{message} in the log")
    assert_healthy(server)


def test_the_traceback_says_where(server: Server) -> None:
    fetch(server.address, "/raise-before")
    found = server.wait_for_log(r"Traceback \(most recent call last\):\n(?:  .*\n)+RuntimeError: secret failed before")
    assert "failures.py" in found[-1][0] and "in raise_before" in found[-1][0]
    assert re.search(r"\[ERROR\] .*/raise-before", server.log())


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/raise-in-iteration", "secret failed in the iteration"),
        ("/raise-in-iteration?length=1", "secret failed in the iteration"),
        ("/raise-after-write", "secret failed after a write"),
        ("/text-after-bytes", "TypeError"),
    ],
)
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_an_error_after_the_first_byte_cuts_the_response(server: Server, path: str, message: str, version: str) -> None:
    logged = server.log().count(message)
    with Connection(server.address) as connection:
        connection.send(encode("GET", path, version=version) + encode("GET", "/body?case=three", version=version))
        received = connection.read_to_end()
    assert received.startswith(b"HTTP/1.1 200 OK\r\n") or received.startswith(b"HTTP/1.0 200 OK\r\n")
    # Neither an end of the chunks, nor an error page, nor the next response may follow.
    assert received.count(b"HTTP/1.") == 1
    assert b"\r\n0\r\n\r\n" not in received and b"secret" not in received and b"abbccc" not in received
    assert b"first" in received
    until(lambda: server.log().count(message) > logged, f"{message} in the log")
    assert_healthy(server)


def test_a_cut_stream_is_not_taken_for_whole(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/raise-in-iteration"))
        with pytest.raises(Truncated):
            connection.read_response()


def test_an_error_in_close_comes_too_late_for_the_client(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/raise-in-close"))
        assert connection.read_response().body == b"complete"
    server.wait_for_log("RuntimeError: secret failed in close")
    assert_healthy(server)


def test_errors_on_a_kept_connection(server: Server) -> None:
    """Whether the connection outlives a 500 is the server's choice; what follows must be in step."""
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/raise-before", body=b"x" * 5000) + encode("GET", "/body?case=three"))
        assert connection.read_response().status == 500
        try:
            assert connection.read_response().body == b"abbccc"
        except Closed:
            assert_healthy(server)


def test_wsgi_errors(server: Server) -> None:
    assert fetch(server.address, "/errors").body == b"written"
    server.wait_for_log("one line\ntwo lines, in pieces\nwith a \N{SNOWMAN}\nthree, printed\n")


def test_many_errors_do_not_tire_the_worker(server: Server) -> None:
    worker = server.worker()
    for path in ("/raise-before", "/exit", "/raise-in-close", "/return-none", "/raise-unusual") * 20:
        fetch(server.address, path)
    assert server.worker() == worker
    assert_healthy(server)


def test_a_worker_that_dies_is_replaced(serve: Serve) -> None:
    server = serve("probe:app")
    server.expect_replacements()
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/die"))
        with pytest.raises(Closed):
            connection.read_response()
    server.wait_for_log("Booting worker with pid", 2)
    assert_healthy(server)
    # The request that killed a worker was not tried on the next.
    assert server.trace("died") == "x"
