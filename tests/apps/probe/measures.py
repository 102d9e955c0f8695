"""What a worker holds, seen from inside."""

from __future__ import annotations

import gc
import sys

from probe.routing import Environ, StartResponse, reply, route


@route("/measure")
def measure(environ: Environ, start_response: StartResponse) -> object:
    """The number of objects that the collector tracks, and of blocks that the allocator handed out."""
    gc.collect()
    return reply(start_response, {"objects": len(gc.get_objects()), "blocks": sys.getallocatedblocks()})


@route("/small")
def small(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"small"]


hoard: list[object] = []


@route("/leak")
def leak(environ: Environ, start_response: StartResponse) -> object:
    """Keep a little of every request, so that the test of leaks can be tested."""
    hoard.append([bytes(200)])
    return small(environ, start_response)
