"""A small application that some clients want more of than others."""

import os
import time

HELLO = b"hello"
BLOCK = b"x" * (8 << 20)


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/file":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return environ["wsgi.file_wrapper"](open(os.environ["LARGE_FILE"], "rb"))  # noqa: SIM115 - closed by the server
    if path == "/sleep":
        time.sleep(0.01)
    while environ["wsgi.input"].read(1 << 20):
        pass
    start_response("200 OK", [("Content-Length", str(len(HELLO)))])
    return [HELLO]
