"""The smallest application, as an object and as a factory.

monoceros examples.hello:app
monoceros 'examples.hello:create_app("Good morning")'
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def create_app(greeting: str = "Hello") -> Application:
    """Make an application that greets in its own words."""
    body = f"{greeting}, world!\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]

    def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", list(headers))
        return [body]

    return application


app = create_app()
