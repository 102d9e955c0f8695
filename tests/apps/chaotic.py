"""What the chaos tests put under load: short, with a body of any size, and one that never gives memory back."""

from __future__ import annotations

import ctypes
import time
from typing import Any

MUTEX = ctypes.create_string_buffer(64)
KEPT: list[bytes] = []


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    answer = b"hello"
    match environ["PATH_INFO"]:
        case "/leak":
            # Not zeros: the system gives those no memory until they are written to.
            KEPT.append(b"x" * 100_000)
        case "/hang":
            # A lock that this thread has already, and Python's lock with it.
            ctypes.PyDLL(None).pthread_mutex_lock(MUTEX)
            ctypes.PyDLL(None).pthread_mutex_lock(MUTEX)
        case "/wait":
            time.sleep(0.01)
        case "/length":
            length = 0
            while block := environ["wsgi.input"].read(65536):
                length += len(block)
            answer = b"%d" % length
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(answer)))])
    return [answer]
