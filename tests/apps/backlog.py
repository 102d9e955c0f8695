"""Responses that do not fit into the socket."""

import time

from probe.routing import query, trace, wait_for_release

LARGE = 3_000_000


def app(environ, start_response):
    write = start_response("200 OK", [])
    path = environ["PATH_INFO"]
    if path == "/large":
        return large(query(environ)["name"])
    if path == "/both":
        write(b"x" * LARGE)
        return [environ["wsgi.input"].read()]
    return {"/ticks": ticks, "/endless": endless, "/blocks": blocks, "/spooled": spooled}[path]()


def large(name):
    yield b"x" * LARGE
    wait_for_release(name)
    yield b"last\n"


def ticks():
    yield b"x" * LARGE
    for number in range(5):
        yield b"tick %d\n" % number
        wait_for_release(f"tick{number}")


def endless():
    try:
        yield b"x" * LARGE
        while True:
            time.sleep(0.01)
            yield b"x"
    finally:
        trace("endless", "closed")


def spooled():
    try:
        for _ in range(40):
            yield b"x" * 500_000
        trace("spooled", "made")
        while True:
            time.sleep(0.01)
            yield b"x"
    finally:
        trace("spooled", " and closed")


def blocks():
    for _ in range(120):
        yield b"x" * 100_000
