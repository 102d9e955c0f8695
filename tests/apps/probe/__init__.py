"""The application of most tests: each path is a small application that does one thing, often wrong on purpose.

Modules by topic add their paths to `routes`. A request to an unknown path is a 404, so that a typing error shows.
"""

from __future__ import annotations

from probe import bodies, clients, environs, failures, files, measures, responses, slow, starts, streams, waits
from probe.routing import Environ, StartResponse, routes, trace

__all__ = [
    "app",
    "bodies",
    "clients",
    "environs",
    "failures",
    "files",
    "measures",
    "responses",
    "slow",
    "starts",
    "streams",
    "waits",
]


def app(environ: Environ, start_response: StartResponse) -> object:
    trace("calls", "x")
    handler = routes.get(environ["PATH_INFO"])
    if handler is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    return handler(environ, start_response)
