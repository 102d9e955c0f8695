"""Blocks that the socket does not take at once: they go on being sent while the application goes on (PEP 3333)."""

from __future__ import annotations

import time

import pytest
from conftest import Serve
from support.client import Connection, encode
from support.server import Server
from support.waiting import until

LARGE = 3_000_000


@pytest.fixture(scope="module", params=[(), ("--threads", "4")], ids=["sync", "threads"])
def server(request: pytest.FixtureRequest, serve_module: Serve) -> Server:
    return serve_module("backlog:app", *request.param)


@pytest.fixture(params=[(), ("--threads", "4")], ids=["sync", "threads"])
def impatient(request: pytest.FixtureRequest, serve: Serve) -> Server:
    return serve("backlog:app", "--timeout", "2", *request.param)


def test_a_large_block_is_sent_while_the_next_is_made(server: Server) -> None:
    """The application waits for the test, which waits for the whole of the first block."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/large?name=large"))
        assert connection.read_head().status == 200
        assert connection.take_until(b"\r\n") == b"%x\r\n" % LARGE
        assert connection.take(LARGE + 2) == b"x" * LARGE + b"\r\n"
        server.release("large")
        assert connection.take_until(b"\r\n\r\n") == b"5\r\nlast\n\r\n0\r\n\r\n"


def test_small_blocks_behind_a_large_one_are_sent_too(server: Server) -> None:
    """Each of them arrives before the next is made, although the first did not fit."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/ticks"))
        connection.read_head()
        connection.take_until(b"\r\n")
        connection.take(LARGE + 2)
        for number in range(5):
            assert connection.take_until(b"\r\n") == b"7\r\n"
            assert connection.take(9) == b"tick %d\n\r\n" % number
            server.release(f"tick{number}")
        assert connection.take_until(b"\r\n\r\n") == b"0\r\n\r\n"


def test_a_client_that_left_ends_the_stream(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/endless"))
        connection.read_head()
        connection.take(100_000)
        connection.reset()
    until(lambda: server.trace("endless") == "closed", "the end of the stream")


@pytest.mark.parametrize("directory", ["/tmp", "/dev/shm"])
@pytest.mark.parametrize("threads", ["1", "4"])
def test_a_client_that_left_ends_a_stream_that_waits_in_a_file(serve: Serve, directory: str, threads: str) -> None:
    """The disk's thread meets with the reset, and the application's thread must hear of it."""
    server = serve("backlog:app", "--threads", threads, "--tmp-upload-dir", directory)
    with Connection(server.address, receive_buffer=65536) as connection:
        connection.send(encode("GET", "/spooled"))
        connection.read_head()
        server.wait_for_trace("spooled")
        # What the kernel has of it, and what waits in memory, is less: the file is next.
        connection.take(12_000_000)
        connection.reset()
    until(lambda: server.trace("spooled") == "made and closed", "the end of the stream")


def test_a_slow_reader_is_not_the_applications_time(impatient: Server) -> None:
    """The timeout of 2 s is the application's: a client that takes longer for what it makes costs nobody a worker."""
    with Connection(impatient.address, receive_buffer=65536) as connection:
        connection.send(encode("GET", "/blocks"))
        connection.read_head()
        total = 0
        # About 4 s for 12 MB, of which kernel and server keep a few.
        for _ in range(40):
            connection.take(150_000)
            total += 150_000
            time.sleep(0.1)
        rest = connection.take_until(b"\r\n0\r\n\r\n")
        assert total + len(rest) > 12_000_000
    assert "WORKER TIMEOUT" not in impatient.log()
    assert len(impatient.boots()) == 1


def test_a_response_goes_on_while_the_body_is_read(serve: Serve) -> None:
    """A client that reads before it goes on sending, and an application that writes before it reads."""
    server = serve("backlog:app", "--stream-request-body")
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/both", [("Content-Length", "10")]) + b"01234")
        connection.read_head()
        assert connection.take_until(b"\r\n") == b"%x\r\n" % LARGE
        connection.take(LARGE + 2)
        connection.send(b"56789")
        assert connection.take_until(b"\r\n\r\n") == b"a\r\n0123456789\r\n0\r\n\r\n"
