"""What the probes share: routes, traces in files, and waiting for the test."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Handler = Callable[[Environ, StartResponse], object]

routes: dict[str, Handler] = {}


def route(path: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        assert path not in routes, path
        routes[path] = handler
        return handler

    return register


def query(environ: Environ) -> dict[str, str]:
    return dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))


def trace(name: str, text: str) -> None:
    """Append to a file that the test reads; one write, so that workers do not mix."""
    descriptor = os.open(Path(os.environ["TRACES"], name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def wait_for_release(name: str, deadline: float = 60) -> None:
    """Block until the test releases this name; the bound is for a test that was lost."""
    end = time.monotonic() + deadline
    while not Path(os.environ["TRACES"], name).exists():
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.002)


def reply(start_response: StartResponse, value: object) -> list[bytes]:
    body = json.dumps(value).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
