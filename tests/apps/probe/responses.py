"""Response bodies of every shape."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from probe.routing import Environ, StartResponse, query, route, trace, wait_for_release


class Recorded:
    """An iterable that leaves a trace when it is closed."""

    def __init__(self, blocks: Iterable[bytes], name: str) -> None:
        self.blocks = iter(blocks)
        self.name = name

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self.blocks)

    def close(self) -> None:
        trace(self.name, "c")


def fail_after(*blocks: bytes) -> Iterator[bytes]:
    yield from blocks
    raise RuntimeError("failed in the iteration")


BODIES: dict[str, Callable[[], Iterable[bytes]]] = {
    "empty-list": lambda: [],
    "one": lambda: [b"hello"],
    "three": lambda: [b"a", b"bb", b"ccc"],
    "holes": lambda: [b"", b"a", b"", b"b", b""],
    "only-holes": lambda: [b"", b""],
    "tuple": lambda: (b"tuple",),
    "generator": lambda: (piece for piece in (b"gene", b"rator")),
    "empty-generator": lambda: (piece for piece in ()),
    "tiny": lambda: (b"x" for _ in range(5000)),
    "large-list": lambda: [bytes([number]) * 100_000 for number in range(20)],
    "large-block": lambda: [bytes(range(256)) * 8192],
    "looks-like-chunks": lambda: [b"5\r\nhello\r\n0\r\n\r\n"],
}


@route("/body")
def body(environ: Environ, start_response: StartResponse) -> object:
    """A body by name; `length` declares a Content-Length, `status` another status."""
    asked = query(environ)
    headers = [("Content-Length", asked["length"])] if "length" in asked else []
    start_response(asked.get("status", "200 OK"), headers)
    return BODIES[asked["case"]]()


@route("/written-body")
def written_body(environ: Environ, start_response: StartResponse) -> object:
    asked = query(environ)
    headers = [("Content-Length", asked["length"])] if "length" in asked else []
    put = start_response("200 OK", headers)
    for block in BODIES[asked["case"]]():
        put(block)
    return []


class Sized:
    """An iterable that is no sequence, and says how many blocks it has."""

    def __init__(self, *blocks: bytes, says: int | None = None) -> None:
        self.blocks = blocks
        self.says = len(blocks) if says is None else says

    def __len__(self) -> int:
        if self.says < 0:
            raise RuntimeError("no length after all")
        return self.says

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.blocks)


SIZED: dict[str, Callable[[], Sized]] = {
    "one": lambda: Sized(b"single"),
    "two": lambda: Sized(b"a", b"bb"),
    "none": lambda: Sized(),
    "empty-block": lambda: Sized(b""),
    "failing": lambda: Sized(b"single", says=-1),
}


@route("/sized")
def sized(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])
    return SIZED[query(environ)["case"]]()


@route("/upgrade")
def upgrade(environ: Environ, start_response: StartResponse) -> object:
    asked = query(environ)
    start_response(
        asked["status"], [("Connection", "Upgrade"), ("Upgrade", asked["to"]), ("Sec-WebSocket-Accept", "x")]
    )
    return [b"body"]


@route("/step")
def step(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Each block is produced when the test has seen the one before."""
    start_response("200 OK", [])
    for number in range(3):
        yield f"block {number};".encode()
        wait_for_release(f"{query(environ)['name']}.{number}")
    yield b"end"


@route("/step-written")
def step_written(environ: Environ, start_response: StartResponse) -> object:
    put = start_response("200 OK", [])
    for number in range(3):
        put(f"block {number};".encode())
        wait_for_release(f"{query(environ)['name']}.{number}")
    return [b"end"]


@route("/recorded")
def recorded(environ: Environ, start_response: StartResponse) -> object:
    """A body whose `close` is counted."""
    asked = query(environ)
    if asked.get("start") != "never":
        start_response("200 OK", [("Content-Length", asked["length"])] if "length" in asked else [])
    blocks: dict[str, Callable[[], Iterable[bytes]]] = {
        "normal": lambda: [b"hello"],
        "raise": lambda: fail_after(b"first"),
        "raise-at-once": fail_after,
        "text": lambda: ["text"],  # type: ignore[list-item]
        "endless": lambda: (b"x" * 65536 for _ in range(200_000)),
    }
    return Recorded(blocks[asked["case"]](), asked["name"])


BLOCK = 1 << 20


def pattern(number: int) -> bytes:
    """One MiB that differs from block to block and that the test can compute as well."""
    return hashlib.sha256(str(number).encode()).digest() * (BLOCK // 32)


@route("/big")
def big(environ: Environ, start_response: StartResponse) -> object:
    asked = query(environ)
    count = int(asked["mib"])
    start_response("200 OK", [("Content-Length", str(count * BLOCK))] if "length" in asked else [])
    if "list" in asked:
        return [b"".join(pattern(number) for number in range(count))]
    return (pattern(number) for number in range(count))
