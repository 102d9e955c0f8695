"""Applications that read a body while it comes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

from probe.bodies import perform
from probe.routing import Environ, StartResponse, query, reply, route, trace, wait_for_release

#: What `/keep-stream` kept.
kept: list[Any] = []


@route("/sip")
def sip(environ: Environ, start_response: StartResponse) -> object:
    """Read pieces of a size, each of which is a trace at once. An exception is a trace too, and goes on its way."""
    asked = query(environ)
    name = asked["name"]
    trace(f"{name}.entered", "x")
    if "wait" in asked:
        wait_for_release(name)
    size = 0
    try:
        while piece := environ["wsgi.input"].read(int(asked["piece"])):
            size += len(piece)
            trace(f"{name}.pieces", piece.decode("latin-1") if len(piece) < 100 else "x" * len(piece))
    except Exception as error:
        trace(f"{name}.error", f"{type(error).__name__} {isinstance(error, OSError)}\n")
        if asked.get("fail"):
            raise OSError("something else") from error
        if asked.get("swallow"):
            return reply(start_response, "swallowed")
        raise
    return reply(start_response, size)


@route("/perform")
def perform_(environ: Environ, start_response: StartResponse) -> object:
    asked = query(environ)
    trace(f"{asked['name']}.entered", "x")
    return reply(start_response, perform(environ["wsgi.input"], json.loads(asked["operations"])))


@route("/answer-first")
def answer_first(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Begin the response, and then give back what comes."""
    trace("answered.entered", "x")
    start_response("200 OK", [])
    yield b"["
    while piece := environ["wsgi.input"].readline():
        yield piece
    yield b"]"


@route("/keep-stream")
def keep_stream(environ: Environ, start_response: StartResponse) -> object:
    """Keep the stream, and a thread that waits in it, beyond the request."""
    stream = environ["wsgi.input"]
    kept.append(stream)

    def read() -> None:
        trace("keep.reading", "x")
        try:
            trace("keep.result", repr(stream.read()))
        except Exception as error:
            trace("keep.result", type(error).__name__)

    threading.Thread(target=read, daemon=True).start()
    wait_for_release("keep")
    return reply(start_response, "kept")


@route("/reuse")
def reuse(environ: Environ, start_response: StartResponse) -> object:
    """Read from what `/keep-stream` kept."""
    results = []
    for name in ("read", "readline", "readlines"):
        try:
            results.append(repr(getattr(kept[0], name)()))
        except Exception as error:
            results.append(type(error).__name__)
    return reply(start_response, results)


@route("/headers")
def headers(environ: Environ, start_response: StartResponse) -> object:
    names = ("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "wsgi.input_terminated")
    body = environ["wsgi.input"].read()
    return reply(start_response, [{name: environ.get(name) for name in names}, len(body)])


@route("/share")
def share(environ: Environ, start_response: StartResponse) -> object:
    """Threads that read from one stream, each in its own way: `[["read", [sizes]], ...]`."""
    pieces: list[bytes] = []
    failures: list[str] = []

    def read(method: Any, size: int) -> None:
        try:
            while piece := method(size):
                pieces.append(piece)
        except Exception as error:
            failures.append(repr(error))

    stream = environ["wsgi.input"]
    ways = [(getattr(stream, name), size) for name, sizes in json.loads(query(environ)["ways"]) for size in sizes]
    threads = [threading.Thread(target=read, args=way) for way in ways]
    trace(f"{query(environ)['name']}.entered", "x")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reply(start_response, {"bytes": sorted(b"".join(pieces)), "failures": failures})
