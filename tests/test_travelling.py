"""What a connection keeps on its way from one worker to another, and what it does not get twice."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, encode
from support.crew import WHO, answer, ask, busy, neighbors, ready
from support.ports import reserved
from support.processes import children
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="connections of others do not travel")

PROXY = b"PROXY TCP4 192.0.2.1 198.51.100.2 5000 80\r\n"


def leave(server: Server, worker: int) -> None:
    """The worker leaves, and another comes in its place."""
    server.expect_replacements(1)
    os.kill(worker, signal.SIGTERM)
    until(lambda: worker not in children(server.pid), "the end of the worker")


def has_something(connection: Connection, seconds: float = 0) -> bool:
    """An answer, or the end."""
    return bool(select.select([connection.socket], [], [], seconds)[0])


def test_the_number_of_its_request(serve: Serve, short_path: str) -> None:
    server = serve("shared:app", "-w", "2", "--admin-bind", f"unix:{short_path}")
    client = Client(f"unix:{short_path}", timeout=DEADLINE)
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        ask(second, WHO)
        with busy(server, first) as home:
            second.send(encode("GET", "/wait?name=third"))
            pid = int(server.wait_for_trace("third.entered", 2))
            assert pid != home
            (exchange,) = (exchange for exchange in client.status()["exchanges"] if exchange["pid"] == pid)
            assert exchange["path"] == "/wait" and exchange["request"] == 3
            server.release("third")
            assert answer(second)["pid"] == pid


def test_an_idle_client_gets_no_more_time(serve: Serve) -> None:
    """Workers leave again and again, and take less time for that than a client may be idle."""
    server = serve("shared:app", "-w", "2", "--keep-alive", "4")
    ready(server, 2)
    with Connection(server.address) as connection:
        ask(connection, WHO)
        moves = 0
        while not has_something(connection):
            assert moves < 100
            leave(server, until(server.workers, "workers")[0])
            until(lambda: len(server.workers()) == 2, "two workers")
            moves += 1
        connection.assert_closed()
        assert moves > 0


def test_no_worker_has_more_connections_than_it_may(serve: Serve) -> None:
    """One that has no place leaves a connection in the relay, where it waits."""
    places = 6
    server = serve("shared:app", "-w", "2", "--worker-connections", str(places))
    ready(server, 2)
    with ExitStack() as stack:
        others = ExitStack()
        first, second, *rest = neighbors(others, server)
        # Only these two stay.
        others.pop_all()
        stack.enter_context(first)
        stack.enter_context(second)
        for connection in rest:
            connection.__exit__()
        with busy(server, first) as home:
            # Whoever asks something now is served by the other worker, and stays there.
            guests = [stack.enter_context(Connection(server.address)) for _ in range(places)]
            for guest in guests:
                assert ask(guest, WHO)["pid"] != home
            second.send(WHO)
            # The only wait for nothing: it must not come.
            assert not has_something(second, 0.3)
            guests[0].__exit__()
            assert answer(second)["pid"] != home


@pytest.mark.parametrize("size", [5, 100_000])
def test_continue_is_said_once(serve: Serve, size: int) -> None:
    server = serve("shared:app", "-w", "2")
    ready(server, 2)
    body = os.urandom(size)
    with Connection(server.address) as connection:
        home = ask(connection, WHO)["pid"]
        assert isinstance(home, int)
        connection.send(encode("POST", "/upload", [("Expect", "100-continue"), ("Content-Length", str(size))]))
        assert connection.read_head().status == 100
        leave(server, home)
        connection.send(body)
        response = connection.read_response()
        assert response.interim == [] and response.status == 200
        assert hashlib.sha256(body).hexdigest().encode() in response.body
        assert ask(connection, WHO)["pid"] != home


def test_pipelined_requests_in_their_order(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2")
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        bodies = [b"a", b"bc", b"def"]
        with busy(server, first) as home:
            second.send(b"".join(encode("POST", "/upload", body=body) for body in bodies) + WHO[:10])
            for body in bodies:
                told = answer(second)
                assert told["digest"] == hashlib.sha256(body).hexdigest() and told["pid"] != home
            second.send(WHO[10:])
            assert answer(second)["pid"] != home


@pytest.mark.parametrize("part", [b"", PROXY[:20], PROXY, PROXY + WHO[:20]])
def test_the_client_that_a_proxy_announced(serve: Serve, part: bytes) -> None:
    """Said once, at the beginning, of which a part may have come."""
    server = serve("shared:app", "-w", "2", "--proxy-protocol", "--proxy-allow-from", "127.0.0.1")
    workers = ready(server, 2)
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(server.address)) for _ in range(4)]
        for connection in connections:
            connection.send(part)
        # Half of them, or all.
        leave(server, workers[0])
        for connection in connections:
            connection.send((PROXY + WHO)[len(part) :])
            told = answer(connection)
            assert told["client"] == ["192.0.2.1", "5000", "TCP4"]
            connection.send(WHO)
            assert answer(connection)["client"] == ["192.0.2.1", "5000", "TCP4"]


def test_an_announced_client_whose_request_goes_to_whoever_is_free(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2", "--proxy-protocol", "--proxy-allow-from", "127.0.0.1")
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server, PROXY)
        with busy(server, first) as home:
            told = ask(second, WHO)
            assert told["pid"] != home and told["client"] == ["192.0.2.1", "5000", "TCP4"]


def test_clients_of_a_unix_socket(serve: Serve, short_path: str) -> None:
    server = serve("shared:app", "-w", "2", binds=(f"unix:{short_path}",))
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        before = ask(second, WHO)["client"]
        with busy(server, first) as home:
            told = ask(second, WHO)
            assert told["pid"] != home and told["client"] == before
        other = told["pid"]
        assert isinstance(other, int)
        leave(server, other)
        told = ask(second, WHO)
        assert told["pid"] != other and told["client"] == before


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with reserved(2) as ports:
        yield ports


@pytest.mark.parametrize("next_kind", ["tcp", "unix"])
def test_a_listener_that_the_others_do_not_have(
    serve: Serve, short_path: str, tmp_path: Path, ports: list[int], next_kind: str
) -> None:
    """After a reload with other addresses the connection says of itself where its client connected."""
    one, other = ports
    configuration = tmp_path / "conf.py"
    configuration.write_text(f"bind = ['127.0.0.1:{one}', 'unix:{short_path}']\nworkers = 2\n")
    server = serve("probe.environs:mounted", "-c", str(configuration), binds=())
    server.expected_boots = None
    keys = ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST")

    def told(connection: Connection) -> list[str | None]:
        connection.send(encode("GET", "/environ", host="example.org:81"))
        environ = json.loads(connection.read_response().body)
        return [environ.get(key) for key in keys]

    with Connection(server.addresses[0]) as kept, Connection(server.addresses[1]) as local:
        before = told(kept), told(local)
        assert before[0][:2] == ["127.0.0.1", str(one)] and before[1][:2] == ["example.org", "81"]
        for turn, bind in enumerate((f"unix:{short_path}2" if next_kind == "unix" else f"127.0.0.1:{other}",) * 2):
            former = server.workers()
            # The second time from one worker that did not know the listener to another.
            configuration.write_text(f"bind = '{bind}'\nworkers = {2 + turn}\n")
            server.signal(signal.SIGHUP)
            server.wait_for_log("in use by all workers", turn + 1)
            until(lambda former=former: not set(former) & set(server.workers()), "other workers")
            assert (told(kept), told(local)) == before
