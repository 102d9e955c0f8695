"""Applications that fail, each at another moment."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

from probe.routing import Environ, StartResponse, query, route, trace


class Unusual(BaseException):
    """Not an Exception, so that `except Exception` does not see it."""


class FailingClose:
    def __init__(self, *blocks: bytes) -> None:
        self.blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.blocks)

    def close(self) -> None:
        raise RuntimeError("secret failed in close")


@route("/raise-before")
def raise_before(environ: Environ, start_response: StartResponse) -> object:
    raise RuntimeError("secret failed before the start")


@route("/raise-after-start")
def raise_after_start(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [("X-Secret", "secret"), ("Content-Length", "5")])
    raise RuntimeError("secret failed after the start")


@route("/raise-at-first-block")
def raise_at_first_block(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("X-Secret", "secret")])
    raise RuntimeError("secret failed at the first block")
    yield b""


@route("/raise-in-iteration")
def raise_in_iteration(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Length", "10")] if query(environ).get("length") else [])
    yield b"first"
    raise RuntimeError("secret failed in the iteration")


@route("/raise-after-write")
def raise_after_write(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])(b"first")
    raise RuntimeError("secret failed after a write")


@route("/raise-in-close")
def raise_in_close(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [("Content-Length", "8")])
    return FailingClose(b"complete")


@route("/raise-deep")
def raise_deep(environ: Environ, start_response: StartResponse) -> object:
    def deeper() -> None:
        deeper()

    deeper()
    return []


@route("/raise-unusual")
def raise_unusual(environ: Environ, start_response: StartResponse) -> object:
    raise Unusual("secret and not an Exception")


@route("/raise-text")
def raise_text(environ: Environ, start_response: StartResponse) -> object:
    raise RuntimeError("secret \N{SNOWMAN} \udc80")


@route("/exit")
def exit_(environ: Environ, start_response: StartResponse) -> object:
    sys.exit("secret exit")


@route("/return-none")
def return_none(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])
    return None


@route("/return-text")
def return_text(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])
    return ["secret text"]


@route("/return-integers")
def return_integers(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])
    return b"bytes, whose items are integers"


@route("/text-after-bytes")
def text_after_bytes(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])
    return iter([b"first", "secret text"])


@route("/errors")
def errors(environ: Environ, start_response: StartResponse) -> object:
    """Everything that `wsgi.errors` can do."""
    stream = environ["wsgi.errors"]
    stream.write("one line\n")
    stream.writelines(["two lines, ", "in pieces\n", "with a \N{SNOWMAN}\n"])
    print("three, printed", file=stream)
    stream.flush()
    start_response("200 OK", [])
    return [b"written"]


@route("/die")
def die(environ: Environ, start_response: StartResponse) -> object:
    """The worker dies in the middle of a request."""
    trace("died", "x")
    os.kill(os.getpid(), signal.SIGKILL)
    return []
