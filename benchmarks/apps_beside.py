"""The application of :mod:`benchmarks.beside`: small answers, a large file, large blocks, bodies read and unread."""

import os

HELLO = b"Hello, World!"
BLOCK = b"x" * (8 << 20)
BLOCKS = 32


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/file":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return environ["wsgi.file_wrapper"](open(os.environ["BESIDE_FILE"], "rb"), 1 << 20)
    if path == "/blocks":
        start_response("200 OK", [("Content-Length", str(len(BLOCK) * BLOCKS))])
        return (BLOCK for _ in range(BLOCKS))
    if path == "/read":
        while environ["wsgi.input"].read(1 << 20):
            pass
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(HELLO)))])
    return [HELLO]
