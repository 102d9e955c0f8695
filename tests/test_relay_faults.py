"""What goes wrong between one worker and another: connections are answered or closed, and none hangs or leaks."""

from __future__ import annotations

import itertools
import json
import os
import resource
import select
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from support import preload
from support.client import Connection, encode, fetch
from support.crew import CONNECTIONS, WHO, Clients, answer, ask, busy, neighbors, ready
from support.processes import children, connected, descriptors
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has a relay")

SOURCE = Path(__file__).parent / "support" / "relay_faults.c"
SLEEP = encode("GET", "/sleep?seconds=0.01")

Start = Callable[..., tuple[Server, Client]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    return preload.build(SOURCE, tmp_path_factory.mktemp("library"))


@pytest.fixture
def start(serve: Serve, library: str, short_path: str, tmp_path: Path) -> Start:
    """Start a server whose relay may fail, and ask it what it does: `fault` makes that happen."""

    def begin(*arguments: str) -> tuple[Server, Client]:
        environment = preload.preloaded(library) | {"RELAY_FAULTS": str(tmp_path)}
        server = serve("shared:app", "--admin-bind", f"unix:{short_path}", *arguments, environment=environment)
        return server, Client(f"unix:{short_path}", timeout=DEADLINE)

    return begin


@pytest.fixture
def fault(tmp_path: Path) -> Callable[[str], Path]:
    def turn_on(name: str) -> Path:
        (tmp_path / name).touch()
        return tmp_path / name

    return turn_on


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """The test and its server may have more than a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("no more than a thousand descriptors may be open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def total(client: Client, name: str) -> Any:
    return client.status()["totals"][name]


def assert_ended(connection: Connection) -> None:
    """Closed or reset, without a byte of an answer."""
    assert connection.read_to_end() == b""


def test_an_adopter_that_dies_with_a_parcel_in_its_hands(start: Start, fault: Callable[[str], Path]) -> None:
    """It was the last to have the connection: the client sees that end, and all others are served."""
    server, _ = start("-w", "2")
    server.expect_replacements(1)
    workers = ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        with busy(server, first) as home:
            armed = fault("die")
            second.send(WHO)
            assert_ended(second)
            assert not armed.exists()
            (adopter,) = set(workers) - {home}
            until(lambda: adopter not in children(server.pid), "the end of the adopter")
        assert ask(first, WHO)["pid"] == home
        assert len(ready(server, 2)) == 2


def test_descriptors_that_find_no_room(start: Start, fault: Callable[[str], Path]) -> None:
    """As above, but for the adopter, which goes on."""
    server, _ = start("-w", "2")
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        with busy(server, first) as home:
            armed = fault("lose")
            second.send(WHO)
            assert_ended(second)
            assert not armed.exists()
            server.wait_for_log("of a message's descriptors only 0 arrived")
            with Connection(server.address) as third:
                assert ask(third, WHO)["pid"] != home


def neighbors_alone(stack: ExitStack, server: Server, workers: list[int]) -> tuple[Connection, Connection, int]:
    """Two connections of one of two `sync` workers, and the other worker, which has none that might give way."""
    connections = [stack.enter_context(Connection(server.address)) for _ in range(CONNECTIONS)]
    homes = [ask(connection, WHO)["pid"] for connection in connections]
    home = Counter(homes).most_common(1)[0][0]
    first, second, *_ = (each for each, pid in zip(connections, homes, strict=True) if pid == home)
    for connection in set(connections) - {first, second}:
        connection.socket.close()
    (other,) = set(workers) - {home}
    until(lambda: connected(other) == 0, "the end of the others")
    return first, second, other


@contextmanager
def few_descriptors(pid: int, free: int) -> Iterator[None]:
    """The process may open so many more meanwhile."""
    limits, taken = resource.prlimit(pid, resource.RLIMIT_NOFILE), descriptors(pid)
    lowest = itertools.islice((number for number in itertools.count() if number not in taken), free, None)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (next(lowest), limits[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


NO_ROOM = "Connections of other workers cannot be taken: no room for a message's descriptors"


def test_an_adopter_that_may_not_open_another_descriptor(start: Start) -> None:
    """It leaves the connection in the relay, until it may."""
    server, _ = start("-w", "2")
    workers = ready(server, 2)
    with ExitStack() as stack:
        first, second, adopter = neighbors_alone(stack, server, workers)
        with busy(server, first) as home:
            assert home != adopter
            with few_descriptors(adopter, free=0):
                second.send(WHO)
                server.wait_for_log(NO_ROOM)
                assert not has_answered(second)
            assert answer(second)["pid"] == adopter


def test_new_clients_where_one_descriptor_is_free(serve: Serve) -> None:
    """Too few for what waits in the relay and nobody else takes, and enough for a new client: both have their turns."""
    server = serve("shared:app", "-w", "2", "--timeout", "120")
    workers = ready(server, 2)
    with ExitStack() as stack:
        first, second, adopter = neighbors_alone(stack, server, workers)
        with busy(server, first) as home:
            assert home != adopter
            with few_descriptors(adopter, free=1):
                second.send(WHO)
                server.wait_for_log(NO_ROOM)
                # It would take new clients, too, and post them.
                os.kill(home, signal.SIGSTOP)
                try:
                    for _ in range(10):
                        assert json.loads(fetch(server.address, "/who").body)["pid"] == adopter
                    assert not has_answered(second)
                finally:
                    os.kill(home, signal.SIGCONT)
            assert answer(second)["pid"] == adopter


@pytest.mark.parametrize("name", ["full", "many"])
def test_a_relay_that_takes_nothing(start: Start, fault: Callable[[str], Path], name: str) -> None:
    """Every connection stays where it is, and is served there."""
    server, client = start("-w", "2")
    ready(server, 2)
    with Clients(server, SLEEP, kept=8) as clients:
        clients.serve_until(lambda: total(client, "relayed") > 20, "parcels")
        armed = fault(name)
        before = clients.count
        clients.serve_until(lambda: total(client, "relay_full") > 20, "parcels that stay")
        clients.serve_until(lambda: clients.count > before + 100, "100 answers")
        armed.unlink()
        posted = total(client, "relayed")
        clients.serve_until(lambda: total(client, "relayed") > posted + 20, "more parcels")
    assert not clients.failures


def has_answered(connection: Connection) -> bool:
    return bool(select.select([connection.socket], [], [], 0)[0])


def fill(stack: ExitStack, server: Server, count: int) -> list[Connection]:
    connections = [stack.enter_context(Connection(server.address)) for _ in range(count)]
    for connection in connections:
        connection.send(WHO)
    return connections


def occupy(stack: ExitStack, server: Server, count: int) -> list[tuple[Connection, int]]:
    """Requests that keep so many `sync` workers from beginning others."""
    found = []
    for number in range(count):
        connection = stack.enter_context(Connection(server.address))
        connection.send(encode("GET", f"/wait?name=occupied{number}"))
        found.append((connection, int(server.wait_for_trace(f"occupied{number}.entered", 2))))
    assert len({pid for _, pid in found}) == count
    return found


def test_parcels_outlive_the_worker_that_posted_them(start: Start) -> None:
    """It is killed while all that it had is on the way: only the request that it ran is lost."""
    server, client = start("-w", "2")
    server.expect_replacements(1)
    ready(server, 2)
    with ExitStack() as stack:
        (lost, killed), (other, _) = occupy(stack, server, 2)
        waiting = fill(stack, server, 60)
        until(lambda: total(client, "relayed") >= 60, "all of them on the way")
        os.kill(killed, signal.SIGKILL)
        assert_ended(lost)
        # Its successor takes them, since the other one is still busy.
        assert all(answer(connection)["pid"] not in (killed, 0) for connection in waiting)
        server.release("occupied1")
        answer(other)


def test_a_master_that_dies_with_a_worker(start: Start) -> None:
    """The dead worker still stands on the scoreboard as one that serves, and nobody is left to say otherwise. The last
    one answers what waits for either."""
    server, client = start("-w", "2")
    ready(server, 2)
    with ExitStack() as stack:
        idle = [stack.enter_context(Connection(server.address)) for _ in range(6)]
        for connection in idle:
            ask(connection, WHO)
        (lost, killed), (last, _) = occupy(stack, server, 2)
        waiting = fill(stack, server, 20)
        until(lambda: total(client, "relayed") >= 20, "all of them on the way")
        # The master first: it would clear the other's cell.
        os.kill(server.pid, signal.SIGSTOP)
        os.kill(killed, signal.SIGKILL)
        assert_ended(lost)
        server.process.kill()
        server.expected_exit = -signal.SIGKILL
        server.release("occupied1")
        assert last.read_response().status == 200
        for connection in waiting:
            assert connection.read_response().status == 200
        for connection in idle:
            assert_ended(connection)


def test_a_thousand_parcels_at_once(start: Start, many_descriptors: None) -> None:
    """More than the relay holds, perhaps: each is answered, by whoever is free, and nothing is left."""
    server, client = start("-w", "2", "--worker-connections", "2000")
    workers = ready(server, 2)
    with ExitStack() as stack:
        occupied = occupy(stack, server, 2)
        waiting = fill(stack, server, 1000)
        until(lambda: total(client, "relayed") + total(client, "relay_full") > 100, "parcels")
        server.release("occupied0")
        server.release("occupied1")
        for connection in waiting:
            assert answer(connection)["pid"] in workers
        for connection, _ in occupied:
            answer(connection)
    assert total(client, "relayed") > 100
    until(lambda: all(connected(worker) == 0 for worker in workers), "the end of all connections")


def test_many_parcels_leave_no_descriptor_behind(start: Start) -> None:
    server, client = start("-w", "2", "--threads", "2")
    workers = ready(server, 2, 2)
    until(lambda: all(connected(worker) == 0 for worker in workers), "the end of all connections")
    before = [len(descriptors(worker)) for worker in workers]
    with Clients(server, encode("GET", "/sleep?seconds=0.002"), kept=12) as clients:
        clients.serve_until(lambda: total(client, "relayed") >= 3000, "3000 parcels")
    assert not clients.failures
    until(lambda: all(connected(worker) == 0 for worker in workers), "the end of all connections")
    # The operator's clients come and go.
    until(
        lambda: all(len(descriptors(pid)) <= few for pid, few in zip(workers, before, strict=True)), "few descriptors"
    )
    assert fetch(server.address, "/descriptors").body == b'{"sockets": 0}'
