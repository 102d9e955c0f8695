"""Ways to name an application on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

not_callable = 42


def create_app(name: str = "default", *, punctuation: str = ".", count: int = 1) -> Application:
    body = ((name + punctuation) * count).encode()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    return app


class Instance:
    """A callable object, as many frameworks have it."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"instance"]


application = create_app("application")
instance = Instance()


def failing() -> Application:
    raise RuntimeError("failing on purpose")


def returning_nothing() -> None:
    return None
