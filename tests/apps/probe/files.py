"""Files sent through `wsgi.file_wrapper`."""

from __future__ import annotations

import gzip
import io
from typing import Any

from probe.routing import Environ, StartResponse, query, reply, route, trace


class Closing(io.BytesIO):
    """A file without a descriptor that leaves a trace when it is closed."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name

    def close(self) -> None:
        if not self.closed:
            trace(self.name, "c")
        super().close()


class ReadOnly:
    """The least that is a file: `read(size)` and nothing else."""

    def __init__(self, content: bytes) -> None:
        self.stream = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self.stream.read(size)


def opened(kind: str, path: str) -> Any:
    if kind == "file":
        return open(path, "rb")
    if kind == "unbuffered":
        return open(path, "rb", buffering=0)
    if kind == "gzip":
        return gzip.open(path, "rb")
    with open(path, "rb") as file:
        content = file.read()
    return {"memory": io.BytesIO, "read-only": ReadOnly}[kind](content)


@route("/file")
def file(environ: Environ, start_response: StartResponse) -> object:
    """`kind` of file at `path`; `seek`, `skip` (read so much first), `length` (Content-Length), `size` (block size)."""
    asked = query(environ)
    found = opened(asked["kind"], asked["path"])
    if "seek" in asked:
        found.seek(int(asked["seek"]))
    if "skip" in asked:
        found.read(int(asked["skip"]))
    start_response("200 OK", [("Content-Length", asked["length"])] if "length" in asked else [])
    size = [int(asked["size"])] if "size" in asked else []
    return environ["wsgi.file_wrapper"](found, *size)


@route("/file-closing")
def file_closing(environ: Environ, start_response: StartResponse) -> object:
    asked = query(environ)
    start_response("200 OK", [("Content-Length", asked["length"])] if "length" in asked else [])
    return environ["wsgi.file_wrapper"](Closing(b"closed after use", asked["name"]))


@route("/file-iterated")
def file_iterated(environ: Environ, start_response: StartResponse) -> object:
    """A wrapper that is used instead of returned."""
    wrapper = environ["wsgi.file_wrapper"]
    made = wrapper(io.BytesIO(b"0123456789"), 4)
    return reply(
        start_response,
        {
            "class": isinstance(wrapper, type),
            "instance": isinstance(made, wrapper),
            "blocks": [block.decode() for block in made],
        },
    )


@route("/file-nested")
def file_nested(environ: Environ, start_response: StartResponse) -> object:
    """Wrappers around wrappers: none of them has `read`, and all of them go at once."""
    start_response("200 OK", [])
    wrapper = environ["wsgi.file_wrapper"]
    made = wrapper(Closing(b"innermost", query(environ)["name"]))
    for _ in range(300_000):
        made = wrapper(made)
    return made


@route("/file-shrinking")
def file_shrinking(environ: Environ, start_response: StartResponse) -> object:
    """A file that another process cuts while it is sent."""
    path = query(environ)["path"]
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](open(path, "rb"))  # noqa: SIM115 - closed by the server


@route("/file-middle")
def file_middle(environ: Environ, start_response: StartResponse) -> object:
    """A wrapper inside of another iterable is an iterable like any other."""
    start_response("200 OK", [])
    return (block.upper() for block in environ["wsgi.file_wrapper"](io.BytesIO(b"small letters"), 5))


@route("/file-written")
def file_written(environ: Environ, start_response: StartResponse) -> object:
    """Blocks by `write` first, and then a file; `length` declares a Content-Length."""
    asked = query(environ)
    put = start_response("200 OK", [("Content-Length", asked["length"])] if "length" in asked else [])
    put(b"written, ")
    return environ["wsgi.file_wrapper"](opened(asked["kind"], asked["path"]))
