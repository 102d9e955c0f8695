"""What several workers do for each other: requests that wait, that are long, and that take what comes with them."""

import hashlib
import json
import os
import subprocess
import time

from probe.routing import query, reply, trace, wait_for_release


def app(environ, start_response):
    return globals()["do_" + environ["PATH_INFO"].strip("/")](environ, start_response)


def do_who(environ, start_response):
    client = environ["REMOTE_ADDR"], environ.get("REMOTE_PORT"), environ.get("PROXY_PROTOCOL")
    return reply(start_response, {"pid": os.getpid(), "client": client})


def do_sleep(environ, start_response):
    time.sleep(float(query(environ)["seconds"]))
    return reply(start_response, {"pid": os.getpid()})


def do_wait(environ, start_response):
    """Says that it is here, and waits for the test."""
    name = query(environ)["name"]
    trace(f"{name}.entered", f"{os.getpid()}\n")
    wait_for_release(name)
    return reply(start_response, {"pid": os.getpid()})


def do_upload(environ, start_response):
    body = environ["wsgi.input"].read()
    return reply(
        start_response,
        {
            "pid": os.getpid(),
            "digest": hashlib.sha256(body).hexdigest(),
            "count": len(body),
            "client": environ["REMOTE_ADDR"],
            "scheme": environ["wsgi.url_scheme"],
        },
    )


def do_descriptors(environ, start_response):
    """What a program sees that the application starts."""
    seen = subprocess.run(
        ["sh", "-c", "ls -l /proc/self/fd | grep -c socket: || true"], capture_output=True, check=True, close_fds=False
    )
    return reply(start_response, {"sockets": int(json.loads(seen.stdout))})
