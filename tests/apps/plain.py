"""Applications that open no file, or just one, for workers that cannot open more."""

from __future__ import annotations

from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read() or b"hello"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def file(environ: dict[str, Any], start_response: Any) -> Any:
    """One file, for which there may be no second descriptor."""
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](open(__file__, "rb"))  # noqa: SIM115 - closed by the server
