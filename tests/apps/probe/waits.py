"""Requests that stay in the application until the test says so."""

from __future__ import annotations

import os

from probe.routing import Environ, StartResponse, query, route, trace, wait_for_release


@route("/wait")
def wait(environ: Environ, start_response: StartResponse) -> object:
    """Leave a trace with the worker's pid, then wait for `name` to be released."""
    name = query(environ)["name"]
    trace(f"{name}.entered", f"{os.getpid()}\n")
    wait_for_release(name)
    start_response("200 OK", [("Content-Length", "8")])
    return [b"released"]
