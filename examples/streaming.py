"""Responses that are longer than what one would keep in memory.

    monoceros examples.streaming:app

`/` counts slowly as a generator: each line reaches the client before the next one is computed.
`/source` sends this file through `wsgi.file_wrapper`, which lets the server pick the fastest way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def count(limit: int, pause: float) -> Iterator[bytes]:
    """Lines with the numbers from 1 to `limit`, `pause` seconds apart."""
    for number in range(1, limit + 1):
        yield f"{number}\n".encode()
        time.sleep(pause)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8")]
    match environ["PATH_INFO"]:
        case "/":
            start_response("200 OK", headers)
            return count(limit=5, pause=0.1)
        case "/source":
            start_response("200 OK", headers)
            return environ["wsgi.file_wrapper"](open(__file__, "rb"))
        case _:
            start_response("404 Not Found", headers)
            return [b"There is / and /source.\n"]
