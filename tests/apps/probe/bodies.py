"""What an application reads from `wsgi.input`."""

from __future__ import annotations

import hashlib
import json
import resource
from itertools import islice
from typing import Any

from probe.routing import Environ, StartResponse, query, reply, route


def perform(stream: Any, operations: list[list[Any]]) -> list[Any]:
    """Run operations on a stream and return what each gave, as text. The test runs the same on an `io.BytesIO`."""
    results: list[Any] = []
    for name, *arguments in operations:
        if name == "iterate":
            result = list(islice(stream, *arguments)) if arguments else list(stream)
        else:
            result = getattr(stream, name)(*arguments)
        if isinstance(result, list):
            assert all(type(line) is bytes for line in result), result
            results.append([line.decode("latin-1") for line in result])
        else:
            assert type(result) is bytes, result
            results.append(result.decode("latin-1"))
    return results


@route("/input")
def input_(environ: Environ, start_response: StartResponse) -> object:
    operations = json.loads(query(environ)["operations"])
    return reply(start_response, perform(environ["wsgi.input"], operations))


@route("/digest")
def digest(environ: Environ, start_response: StartResponse) -> object:
    """The whole body in pieces of a size, by its size and SHA-256."""
    size = int(query(environ).get("piece", 65536))
    found = hashlib.sha256()
    total = 0
    while piece := environ["wsgi.input"].read(size):
        assert len(piece) <= size
        found.update(piece)
        total += len(piece)
    return reply(
        start_response, {"size": total, "sha256": found.hexdigest(), "rest": environ["wsgi.input"].read(1) == b""}
    )


@route("/scarce")
def scarce(environ: Environ, start_response: StartResponse) -> object:
    """Read the whole body without the memory for it, and then again: what the body is now, by its size and SHA-256."""
    stream = environ["wsgi.input"]
    before = stream.read(3)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as statm:
        present = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (present + (8 << 20), limits[1]))
    try:
        stream.read()
        failed = False
    except MemoryError:
        failed = True
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    body = before + stream.read()
    return reply(start_response, {"failed": failed, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()})


@route("/echo")
def echo(environ: Environ, start_response: StartResponse) -> object:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body))), ("X-Query", environ["QUERY_STRING"])])
    return [body]


@route("/ignore")
def ignore(environ: Environ, start_response: StartResponse) -> object:
    """Answer without a look at the body."""
    return reply(start_response, "ignored")


@route("/taste")
def taste(environ: Environ, start_response: StartResponse) -> object:
    """Answer after a look at the beginning of the body."""
    return reply(start_response, environ["wsgi.input"].read(3).decode("latin-1"))
