"""The applications that every server runs, unchanged.

They import only the standard library, so that start-up times and memory are those of the server. What needs a
framework has a module of its own (:mod:`benchmarks.apps_flask`, :mod:`benchmarks.apps_django`).
"""

import gc
import json
import os
import sys
import time

HELLO = b"Hello, World!"
TEN_KB = b"0123456789abcdef" * 640
ONE_MB = b"0123456789abcdef" * 65536
BLOCK = b"0123456789abcdef" * 2
BLOCKS = 100
SLEEP_SECONDS = 0.010
# About 20 ms of Python.
COMPUTE_STEPS = 250_000
SLOW_SECONDS = 0.050


def answer(start_response, body):
    """A complete response of one block whose length is known: what most applications return."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def hello(environ, start_response):
    return answer(start_response, HELLO)


def ten_kb(environ, start_response):
    return answer(start_response, TEN_KB)


def one_mb(environ, start_response):
    return answer(start_response, ONE_MB)


def post(environ, start_response):
    """Reads the whole body and says how long it was, so that a server that loses data fails the check."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return answer(start_response, b"%d bytes" % len(body))


def stream(environ, start_response):
    """Small blocks without a Content-Length: chunked on HTTP/1.1, or ended by the close of the connection."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(BLOCKS):
        yield BLOCK


def sleep(environ, start_response):
    """A request that waits for somebody else, as for a database."""
    time.sleep(SLEEP_SECONDS)
    return answer(start_response, HELLO)


def mixed(environ, start_response):
    """Fast, except under /slow: do slow requests delay the others?"""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(SLOW_SECONDS)
    return answer(start_response, HELLO)


def postponed(environ, start_response):
    """Fast, except under /slow, and under /longest, which lasts for all of a run."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.02)
    elif environ["PATH_INFO"] == "/longest":
        time.sleep(float(os.environ["LONGEST_SECONDS"]))
    return answer(start_response, HELLO)


def computing(environ, start_response):
    """Fast, except under /slow, which holds the interpreter's lock as long as it is allowed to."""
    if environ["PATH_INFO"] == "/slow":
        sum(index * index for index in range(COMPUTE_STEPS))
    return answer(start_response, HELLO)


def measured(environ, start_response):
    """Hello; under /measure, what the garbage collector and the allocator count."""
    if environ["PATH_INFO"] != "/measure":
        return answer(start_response, HELLO)
    gc.collect()
    counts = {"objects": len(gc.get_objects()), "blocks": sys.getallocatedblocks()}
    return answer(start_response, json.dumps(counts).encode())
