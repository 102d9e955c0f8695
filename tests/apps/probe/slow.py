"""Bodies that are read late, and responses that are not taken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from probe.responses import Recorded
from probe.routing import Environ, StartResponse, query, route, trace, wait_for_release

MIB = 1 << 20


@route("/pour")
def pour(environ: Environ, start_response: StartResponse) -> object:
    """A number of MiB, in blocks of one; its end leaves the trace `name`."""
    asked = query(environ)
    start_response("200 OK", [])

    def blocks() -> Iterator[bytes]:
        for _ in range(int(asked["mib"])):
            yield b"x" * MIB

    return Recorded(blocks(), asked["name"])


@route("/block")
def block(environ: Environ, start_response: StartResponse) -> object:
    """A number of MiB in one block."""
    start_response("200 OK", [])
    return [b"x" * (int(query(environ)["mib"]) * MIB)]


@route("/fork-reader")
def fork_reader(environ: Environ, start_response: StartResponse) -> object:
    """Leave the body to a forked process, which reads it once the test says so, and traces its digest."""
    name = query(environ)["name"]
    if os.fork() == 0:
        try:
            wait_for_release(name)
            trace(f"{name}.digest", hashlib.sha256(environ["wsgi.input"].read()).hexdigest())
        finally:
            os._exit(0)
    start_response("200 OK", [])
    return [b"later"]


@route("/read-late")
def read_late(environ: Environ, start_response: StartResponse) -> object:
    """Read the body once the test says so, and tell its size."""
    asked = query(environ)
    trace(f"{asked['name']}.entered", "x")
    wait_for_release(asked["name"])
    stream = environ["wsgi.input"]
    if asked["operation"] == "iterate":
        size = sum(len(line) for line in stream)
    else:
        size = 0
        while piece := getattr(stream, asked["operation"])():
            size += len(piece)
    start_response("200 OK", [])
    return [str(size).encode()]
