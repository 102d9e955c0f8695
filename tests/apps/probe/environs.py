"""What an application is told about its request."""

from __future__ import annotations

import os
from wsgiref.validate import validator

from probe.routing import Environ, StartResponse, reply, route

kept: list[Environ] = []


def shown(environ: Environ) -> dict[str, object]:
    """The environ in JSON: strings as they are, other values as their type and text."""
    return {key: value if type(value) is str else [type(value).__name__, repr(value)] for key, value in environ.items()}


def show(environ: Environ, start_response: StartResponse) -> object:
    return reply(start_response, shown(environ))


@route("/environ")
def environ_(environ: Environ, start_response: StartResponse) -> object:
    return show(environ, start_response)


@route("/types")
def types(environ: Environ, start_response: StartResponse) -> object:
    return reply(
        start_response,
        {
            "environ": type(environ).__name__,
            "is_dict": type(environ) is dict,
            "keys": sorted({type(key).__name__ for key in environ}),
            "values": {key: type(value).__name__ for key, value in environ.items()},
            "version": repr(environ["wsgi.version"]),
            "multithread": environ["wsgi.multithread"],
            "multiprocess": environ["wsgi.multiprocess"],
            "run_once": environ["wsgi.run_once"],
            "input_terminated": environ["wsgi.input_terminated"],
            "file_wrapper_is_class": isinstance(environ["wsgi.file_wrapper"], type),
        },
    )


@route("/keep")
def keep(environ: Environ, start_response: StartResponse) -> object:
    """Spoil this environ, and show what an earlier one, spoiled and kept, looks like by now."""
    before = [shown(old) for old in kept]
    seen = shown(environ)
    for key in list(environ):
        if key.startswith("HTTP_"):
            environ[key] = "spoiled"
    environ["SPOILED"] = "1"
    environ["wsgi.version"] = (9, 9)
    kept.append(environ)
    return reply(start_response, {"seen": seen, "kept": before})


@route("/process")
def process(environ: Environ, start_response: StartResponse) -> object:
    return reply(start_response, {"pid": os.getpid(), "parent": os.getppid(), "cwd": os.getcwd()})


@route("/calls")
def calls(environ: Environ, start_response: StartResponse) -> object:
    return reply(start_response, "counted")


@validator
def checked(environ: Environ, start_response: StartResponse) -> object:
    """Under the standard library's checker, which raises at the smallest deviation."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.errors"].flush()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return iter([b"checked ", body or b"nothing"])


route("/checked")(checked)


def mounted(environ: Environ, start_response: StartResponse) -> object:
    """An application that answers everywhere, for the tests of paths."""
    return show(environ, start_response)
