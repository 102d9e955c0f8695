"""Responses for clients that do not take them."""

from __future__ import annotations

from collections.abc import Iterator

from probe.responses import Recorded
from probe.routing import Environ, StartResponse, query, route

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
