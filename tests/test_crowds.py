"""More clients than a worker has places or descriptors for."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from conftest import Serve
from support.client import Closed, Connection, encode, fetch
from support.processes import connected, descriptors
from support.server import Server
from support.waiting import until

ONE = encode("GET", "/body?case=one")
CROWD = 2000


def ask(connection: Connection) -> None:
    connection.send(ONE)
    assert connection.read_response().body == b"hello"


@pytest.fixture
def room_for_a_crowd() -> Iterator[None]:
    """Descriptors for this process and, by inheritance, for the server."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CROWD + 500
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.skip(f"{wanted} descriptors are needed, and no more than {before[1]} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(ONE[:40], id="head"),
        pytest.param(encode("POST", "/echo", [("Content-Length", "1000")]) + b"x" * 500, id="body"),
        pytest.param(encode("POST", "/echo", [("Transfer-Encoding", "chunked")]) + b"5\r\nhel", id="chunks"),
    ],
)
def test_thousands_of_stalled_requests(serve: Serve, room_for_a_crowd: None, beginning: bytes) -> None:
    server = serve(
        *("probe:app", "--worker-connections", str(CROWD + 10), "--backlog", str(CROWD)),
        *("--request-head-timeout", "600", "--request-body-timeout", "600"),
    )
    with ExitStack() as stack:
        stalled = []
        for _ in range(CROWD):
            connection = stack.enter_context(Connection(server.address))
            connection.send(beginning)
            stalled.append(connection)
        until(lambda: connected(server.worker()) >= CROWD, "all of them to be accepted")
        with Connection(server.address) as healthy:
            for _ in range(50):
                ask(healthy)
        for _ in range(5):
            assert fetch(server.address, "/body?case=one").body == b"hello"
        # Slow is not wrong: each of them may still finish.
        rest = {"GET": ONE[40:], "POST": b"y" * 500 if b"Length" in beginning else b"lo\r\n0\r\n\r\n"}
        for connection in stalled[:: CROWD // 20]:
            connection.send(rest[beginning.split()[0].decode()])
            assert connection.read_response().status == 200


def test_no_more_connections_than_allowed(serve: Serve) -> None:
    """All places are taken by requests that are complete, so nobody gives way."""
    server = serve("threaded:app", "--threads", "2", "--worker-connections", "10")
    with ExitStack() as stack:
        busy = [stack.enter_context(Connection(server.address)) for _ in range(10)]
        for connection in busy:
            connection.send(encode("GET", "/wait?name=busy"))
        until(lambda: connected(server.worker()) == 10, "ten connections")
        # The kernel completes the handshake and takes the request; the worker knows nothing of it.
        late = stack.enter_context(Connection(server.address))
        late.send(encode("GET", "/who"))
        late.socket.settimeout(2)
        with pytest.raises(TimeoutError):
            late.read_response()
        assert connected(server.worker()) == 10
        server.release("busy")
        for connection in busy:
            assert connection.read_response().status == 200
        late.socket.settimeout(30)
        assert late.read_response().status == 200


def test_idle_connections_give_way(serve: Serve) -> None:
    """All places are taken by clients that only keep their connections: the longest idle goes."""
    server = serve("probe:app", "--worker-connections", "10", "--keep-alive", "600")
    with ExitStack() as stack:
        idle = [stack.enter_context(Connection(server.address)) for _ in range(10)]
        for connection in idle:
            ask(connection)
        for _ in range(3):
            # They leave afterwards, so one place serves all of them.
            assert fetch(server.address, "/body?case=one").body == b"hello"
        with pytest.raises(Closed):
            idle[0].read_response()
        for connection in idle[1:]:
            ask(connection)


@pytest.mark.parametrize("few", ["places", "descriptors"])
def test_those_who_ask_all_the_time_make_room(serve: Serve, few: str) -> None:
    """None of them idles, so none gives way: one after the other is told that its connection ends."""
    more = ("--worker-connections", "4") if few == "places" else ()
    server = serve("plain:app", "--keep-alive", "600", *more)
    fetch(server.address, "/body?case=one")
    if few == "descriptors":
        limit_descriptors(server, 4)
    over, begun, ended = threading.Event(), [], []

    def ask_on() -> None:
        with Connection(server.address) as connection:
            ask(connection)
            begun.append(connection)
            while not over.wait(0.002):
                connection.send(ONE)
                if connection.read_response().header("Connection") == "close":
                    ended.append(connection)
                    return

    threads = [threading.Thread(target=ask_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(begun) == 4, "all places to be taken")
        assert fetch(server.address, "/body?case=one").body == b"hello"
        assert ended
    finally:
        over.set()
        for thread in threads:
            thread.join()


def limit_descriptors(server: Server, spare: int, clients: int = 0) -> None:
    """Let the worker open this many more than it has with so many clients."""
    # A client may see the end of its connection before the worker's descriptor is closed.
    until(lambda: connected(server.worker()) == clients, "the ends of former connections")
    limit = max(descriptors(server.worker())) + 1 + spare
    resource.prlimit(server.worker(), resource.RLIMIT_NOFILE, (limit, limit))


def test_no_descriptors_left(serve: Serve) -> None:
    server = serve("plain:app", "--request-head-timeout", "600")
    fetch(server.address, "/body?case=one")
    limit_descriptors(server, 5)
    with ExitStack() as stack:
        busy = [stack.enter_context(Connection(server.address)) for _ in range(10)]
        for connection in busy:
            connection.send(ONE[:40])
        found = server.wait_for_log(r"\[ERROR\] (.*Too many open files.*)\n")
        assert "ulimit -n" in found[0][1] and "--worker-connections" in found[0][1]
        # Those that were accepted are served; so is the next that comes once they are gone.
        for connection in busy:
            connection.send(ONE[40:])
            assert connection.read_response().body == b"hello"
            connection.socket.close()
    assert fetch(server.address, "/body?case=one").body == b"hello"
    # Said once, not with each attempt.
    assert len(server.wait_for_log("Too many open files")) == 1


def test_silent_connections_give_way_first(serve: Serve) -> None:
    """All places but one are taken by clients that say nothing: it is they who go, and not the one that does."""
    server = serve(
        "probe:app",
        "--worker-connections",
        "10",
        "--keep-alive",
        "600",
        "--request-head-timeout",
        "600",
        "--defer-accept",
        "0",
    )
    with ExitStack() as stack:
        honest = stack.enter_context(Connection(server.address))
        ask(honest)
        silent = [stack.enter_context(Connection(server.address)) for _ in range(9)]
        until(lambda: connected(server.worker()) == 10, "ten connections")
        for _ in range(3):
            assert fetch(server.address, "/body?case=one").body == b"hello"
        assert silent[0].read_to_end() == b""
        ask(honest)
        ask(silent[-1])


@pytest.mark.parametrize("places", ["1000", "5"])
def test_no_descriptors_left_but_for_idle_ones(serve: Serve, places: str) -> None:
    """Whether there are places left beside, or none of these either."""
    server = serve("plain:app", "--keep-alive", "600", "--worker-connections", places)
    fetch(server.address, "/body?case=one")
    limit_descriptors(server, 5)
    with ExitStack() as stack:
        for _ in range(5):
            ask(stack.enter_context(Connection(server.address)))
        for _ in range(3):
            assert fetch(server.address, "/body?case=one").body == b"hello"


def test_no_descriptor_left_to_send_a_file(serve: Serve) -> None:
    """What cannot be given to the kernel is read."""
    server = serve("plain:file")
    with Connection(server.address) as connection:
        connection.send(ONE)
        content = connection.read_response()
        assert content.framing == "length"
        until(lambda: "plain.py" not in str(descriptors(server.worker())), "the file to be closed")
        limit_descriptors(server, 1, clients=1)
        connection.send(ONE)
        again = connection.read_response()
        assert again.framing == "chunked" and again.body == content.body
    assert "Traceback" not in server.log()


def test_no_descriptor_left_for_a_file(serve: Serve) -> None:
    """A large body needs a file; without one the client learns that it may come back."""
    server = serve("plain:app")
    with Connection(server.address) as connection:
        ask(connection)
        limit_descriptors(server, 0, clients=1)
        connection.send(encode("POST", "/echo", body=b"x" * 200_000))
        response = connection.read_response()
        assert response.status == 503 and b"body-not-stored" in response.body
    found = server.wait_for_log(r"\[ERROR\] (.*Too many open files.*)\n")
    assert "ulimit -n" in found[0][1]
    assert fetch(server.address, "/body?case=one").body == b"hello"
