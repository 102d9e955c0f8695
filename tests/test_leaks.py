"""What thousands of requests of one kind leave behind in a worker: nothing.

Each kind is run in windows of equal length. A leak grows in every window, while caches, arenas and luck grow in some;
so what is judged is the window that grew least.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest
from conftest import Serve
from support.client import Connection, encode, encode_chunked, fetch
from support.processes import descriptors, memory
from support.server import Server
from support.waiting import until

WINDOWS = 4
WINDOW = 1250

#: Bytes of memory that a request may cost for good. Smaller than any object.
MEMORY_PER_REQUEST = 32


class State(NamedTuple):
    memory: int
    objects: int
    blocks: int


def measure(server: Server) -> State:
    worker = server.worker()
    inside = json.loads(fetch(server.address, "/measure").body)
    return State(memory(worker), inside["objects"], inside["blocks"])


def pipelined(raw: bytes, method: str = "GET", batch: int = 50) -> Callable[[Server, int], None]:
    """Requests on one connection, several at a time."""

    def send(server: Server, count: int) -> None:
        with Connection(server.address) as connection:
            for _ in range(count // batch):
                connection.send(raw * batch)
                for _ in range(batch):
                    connection.read_response(method)

    return send


def one_by_one(raw: bytes) -> Callable[[Server, int], None]:
    """Each request on a connection of its own, whatever the answer is."""

    def send(server: Server, count: int) -> None:
        for _ in range(count):
            with Connection(server.address) as connection:
                connection.send(raw)
                connection.half_close()
                connection.read_to_end()

    return send


def abandoned(raw: bytes, take: int) -> Callable[[Server, int], None]:
    """Each client reads a little and leaves."""

    def send(server: Server, count: int) -> None:
        for _ in range(count):
            with Connection(server.address) as connection:
                connection.send(raw)
                connection.take(take)
                connection.reset()

    return send


KINDS: dict[str, Callable[[Server, int], None]] = {
    "kept": pipelined(encode("GET", "/small")),
    "head": pipelined(encode("HEAD", "/small"), "HEAD"),
    "fields": pipelined(encode("GET", "/small?a=b", [(f"X-Field-{number}", "value" * 9) for number in range(20)])),
    "stream": pipelined(encode("GET", "/body?case=generator")),
    "written": pipelined(encode("GET", "/write")),
    "body": pipelined(encode("POST", "/echo", body=b"x" * 2000)),
    "chunked": pipelined(encode_chunked("POST", "/echo", [b"x" * 500] * 3)),
    "unread": pipelined(encode("POST", "/ignore", body=b"x" * 2000)),
    "replaced": pipelined(encode("GET", "/replaced")),
    "hints": pipelined(encode("GET", "/hints?case=several")),
    "kept-callables": pipelined(encode("GET", "/keep-callables")),
    "socket": one_by_one(encode("GET", "/take-socket")),
    "file": pipelined(encode("GET", f"/file?kind=file&path={__file__}"), batch=10),
    "connection": one_by_one(encode("GET", "/small", [("Connection", "close")])),
    "error": one_by_one(encode("GET", "/raise-before")),
    "error-in-iteration": one_by_one(encode("GET", "/raise-in-iteration")),
    "bad-headers": one_by_one(encode("GET", "/bad-headers?case=value-crlf")),
    "bad-request": one_by_one(b"GET / HTTP/1.1\r\nNo colon\r\n\r\n"),
    "bad-chunk": one_by_one(encode("POST", "/echo", [("Transfer-Encoding", "chunked")]) + b"g\r\n"),
    "cut-request": one_by_one(encode("POST", "/echo", [("Content-Length", "50")]) + b"only this"),
    "nothing": one_by_one(b""),
    "abandoned": abandoned(encode("GET", "/body?case=large-list"), 100),
}


@pytest.fixture(scope="module")
def leaking(serve_module: Serve) -> Server:
    return serve_module("probe:app")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_behind(leaking: Server, kind: str) -> None:
    send = KINDS[kind]
    send(leaking, WINDOW)
    worker = leaking.worker()
    open_before = len(descriptors(worker))
    states = [measure(leaking)]
    for _ in range(WINDOWS):
        send(leaking, WINDOW)
        states.append(measure(leaking))
    assert leaking.worker() == worker
    growth = [
        State(*(new - old for new, old in zip(*pair, strict=True))) for pair in zip(states[1:], states, strict=False)
    ]
    assert min(window.objects for window in growth) < WINDOW // 10, growth
    assert min(window.blocks for window in growth) < WINDOW // 10, growth
    assert min(window.memory for window in growth) < WINDOW * MEMORY_PER_REQUEST, growth
    until(lambda: len(descriptors(worker)) <= open_before, f"descriptors to be closed: {descriptors(worker)}")


def test_large_bodies_leave_nothing_behind(leaking: Server) -> None:
    """Bodies that are too large for memory go through a file, and neither the file nor its descriptor stays."""
    body = b"x" * 300_000
    send = pipelined(encode("POST", "/digest", body=body), batch=1)
    send(leaking, 20)
    worker = leaking.worker()
    open_before = len(descriptors(worker))
    before = [memory(worker)]
    for _ in range(WINDOWS):
        send(leaking, 50)
        before.append(memory(worker))
    assert min(new - old for new, old in zip(before[1:], before, strict=False)) < 50 * 1000, before
    until(lambda: len(descriptors(worker)) <= open_before, f"descriptors to be closed: {descriptors(worker)}")


def test_the_measure_sees_a_leak(serve: Serve) -> None:
    """Without this, the tests above could pass because they are blind."""
    server = serve("probe:app")
    send = pipelined(encode("GET", "/leak"))
    send(server, WINDOW)
    states = [measure(server)]
    for _ in range(WINDOWS):
        send(server, WINDOW)
        states.append(measure(server))
    assert min(new.objects - old.objects for new, old in zip(states[1:], states, strict=False)) > WINDOW * 0.9
    assert min(new.memory - old.memory for new, old in zip(states[1:], states, strict=False)) > WINDOW * 32
