"""What the tests of several workers share: clients that go on asking, and knowing which worker has a connection."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from support.client import Closed, Connection, Response, Truncated, encode
from support.server import Server
from support.waiting import DEADLINE, until

WHO = encode("GET", "/who")

rounds = itertools.count()

#: Connections that `neighbors` makes.
CONNECTIONS = 6


def answer(connection: Connection) -> dict[str, object]:
    """What the application of `shared.py` said, on a connection that stays."""
    response = connection.read_response()
    assert response.status == 200, response
    assert response.header("Connection") != "close", response
    return json.loads(response.body)


def ask(connection: Connection, raw: bytes) -> dict[str, object]:
    connection.send(raw)
    return answer(connection)


def ready(server: Server, count: int, threads: int = 1) -> list[int]:
    """Waits until so many workers serve: each that is full of requests leaves the next ones to the others."""
    name = f"ready{next(rounds)}"
    with ExitStack() as stack:
        pids = set()
        for number in range(count * threads):
            connection = stack.enter_context(Connection(server.address))
            connection.send(encode("GET", f"/wait?name={name}.{number}"))
            pids.add(int(server.wait_for_trace(f"{name}.{number}.entered", 2)))
        for number in range(count * threads):
            server.release(f"{name}.{number}")
    assert len(pids) == count
    return sorted(pids)


def neighbors(stack: ExitStack, server: Server, greeting: bytes = b"", raw: bytes = WHO) -> list[Connection]:
    """Two connections, and perhaps more, of one of two `sync` workers, which sent a request each: `raw`."""
    connections = [stack.enter_context(Connection(server.address)) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.send(greeting)
    homes = [ask(connection, raw)["pid"] for connection in connections]
    # Of six connections, two at least are at one worker.
    home = Counter(homes).most_common(1)[0][0]
    return [connection for connection, pid in zip(connections, homes, strict=True) if pid == home]


@contextmanager
def busy(server: Server, connection: Connection) -> Iterator[int]:
    """The `sync` worker that has this connection is in a request of it meanwhile, and cannot begin another."""
    name = f"busy{next(rounds)}"
    connection.send(encode("GET", f"/wait?name={name}"))
    pid = int(server.wait_for_trace(f"{name}.entered", 2))
    try:
        yield pid
    finally:
        server.release(name)
    answer(connection)


class Clients:
    """Clients that ask again as soon as they have an answer, while the block runs.

    Some keep their connection, and it fails when the server closes that; others have a connection for each request.
    """

    def __init__(
        self,
        server: Server,
        raw: bytes,
        kept: int = 0,
        fresh: int = 0,
        pause: float = 0,
        told: Callable[[Response], object] = lambda response: json.loads(response.body)["pid"],
    ) -> None:
        """:param told: what to count of an answer: the worker, for example."""
        self.server = server
        self.raw = raw
        self.pause = pause
        self.told = told
        self.served: Counter[object] = Counter()
        self.failures: list[BaseException] = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=run) for run in [self._keep] * kept + [self._fetch] * fresh]

    @property
    def count(self) -> int:
        return sum(self.served.values())

    def _ask(self, connection: Connection) -> Response:
        connection.send(self.raw)
        response = connection.read_response()
        assert response.status == 200, response
        self.served[self.told(response)] += 1
        return response

    def _keep(self) -> None:
        try:
            with Connection(self.server.address) as connection:
                while not self.is_over.wait(self.pause):
                    response = self._ask(connection)
                    assert response.header("Connection") != "close", response
        except (AssertionError, Closed, Truncated, OSError) as failure:
            self.failures.append(failure)

    def _fetch(self) -> None:
        while not self.is_over.wait(self.pause):
            try:
                with Connection(self.server.address) as connection:
                    self._ask(connection)
            except (AssertionError, Closed, Truncated, OSError) as failure:
                self.failures.append(failure)

    def __enter__(self) -> Clients:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def serve_until(self, predicate: Callable[[], object], what: str) -> None:
        """Waits for something to become true while every request succeeds: as long as a slow machine takes for that."""
        until(lambda: predicate() or self.failures, what, 4 * DEADLINE)
        assert not self.failures
