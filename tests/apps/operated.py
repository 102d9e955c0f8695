"""An application that gets stuck in the ways that an operator meets."""

import ctypes
import os
import threading
import time
from urllib.parse import parse_qs

gate = threading.Event()


def wait_here(seconds):
    gate.wait(seconds)


def hold_the_lock(seconds):
    # PyDLL keeps the interpreter's lock while C code runs.
    ctypes.PyDLL(None).usleep(ctypes.c_uint(int(seconds * 1_000_000)))


def hold_the_lock_until_told():
    # Until the test opens the pipe: a signal does not end that.
    ctypes.PyDLL(None).open(os.environ["TRACES"].encode() + b"/gate", os.O_RDONLY)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    query = parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
    seconds = float(query.get("seconds", ["60"])[0])
    if path.startswith("/stuck"):
        wait_here(seconds)
    elif path == "/locked":
        hold_the_lock_until_told() if "gate" in query else hold_the_lock(seconds)
    elif path == "/sleep":
        time.sleep(seconds)
    elif path == "/large":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(16 << 20))])
        return [b"x" * (16 << 20)]
    elif path == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"x" * (1 << 20) for _ in range(16))
    elif path == "/read":
        environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "3")])
    return [b"ok\n"]
