"""Python's signal handlers in a worker whose one thread runs the application and the I/O."""

from __future__ import annotations

import json
import os
import signal

from conftest import Serve
from support.client import Connection, encode
from support.server import Server

SIZE = 32 << 20


def interrupt(server: Server) -> None:
    """The worker's one thread is in a signal handler until the test releases it."""
    os.kill(server.worker(), signal.SIGUSR2)
    server.wait_for_trace("handler.entered")


def release(server: Server) -> None:
    assert server.trace("handler.left") == ""
    server.release("handler")
    server.wait_for_trace("handler.left")


def test_requests_are_read_while_an_idle_worker_handles_a_signal(serve: Serve) -> None:
    server = serve("slow_signal:app")
    with Connection(server.address) as bad, Connection(server.address) as good:
        for connection in (bad, good):
            connection.send(encode("GET", "/first"))
            assert connection.read_response().status == 200
        interrupt(server)
        # Nobody can run the application, but somebody reads, refuses and answers.
        bad.send(b"NONSENSE\r\n\r\n")
        assert bad.read_response().status == 400
        good.send(encode("GET", "/second"))
        release(server)
        assert json.loads(good.read_response().body)["path"] == "/second"


def test_a_response_is_sent_while_an_idle_worker_handles_a_signal(serve: Serve) -> None:
    # All of it may wait for the client, so that the application is done with it.
    server = serve("slow_signal:app", "--response-buffer", str(2 * SIZE))
    with Connection(server.address) as client:
        client.send(encode("GET", f"/large?size={SIZE}"))
        server.wait_for_trace("large.closed")
        interrupt(server)
        # More of it than the sockets hold.
        assert len(client.read_response().body) == SIZE
        release(server)
