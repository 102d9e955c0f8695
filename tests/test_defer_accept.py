"""Clients that connect and say nothing, where the kernel keeps them back (``--defer-accept``)."""

from __future__ import annotations

from conftest import Serve
from support.client import Connection, encode, fetch
from support.processes import descriptors
from support.server import Server
from support.waiting import until

ONE = encode("GET", "/body?case=one")


def sockets(server: Server) -> int:
    """The sockets of the one worker, its listener included."""
    return sum(name.startswith("socket:") for name in descriptors(server.worker()).values())


def test_a_silent_client_is_unknown_until_it_speaks(serve: Serve) -> None:
    server = serve("probe:app", "--defer-accept", "60")
    before = sockets(server)
    with Connection(server.address) as silent, Connection(server.address) as honest:
        honest.send(ONE)
        assert honest.read_response().body == b"hello"
        # Whoever connected first would have been accepted first.
        assert sockets(server) == before + 1
        silent.send(ONE)
        assert silent.read_response().body == b"hello"
        assert sockets(server) == before + 2


def test_a_silent_client_is_accepted_once_its_time_is_over(serve: Serve) -> None:
    server = serve("probe:app", "--defer-accept", "1")
    before = sockets(server)
    with Connection(server.address) as silent:
        until(lambda: sockets(server) == before + 1, "the silent client to be accepted")
        silent.send(ONE)
        assert silent.read_response().body == b"hello"


def test_by_default_a_silent_client_is_accepted_at_once(serve: Serve) -> None:
    server = serve("probe:app")
    before = sockets(server)
    with Connection(server.address):
        # Its turn is before that of who comes later.
        assert fetch(server.address, "/body?case=one").body == b"hello"
        assert sockets(server) >= before + 1
