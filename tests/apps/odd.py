"""What applications do that no specification foresees."""

import gzip
import io
import os
import signal
import subprocess
import sys
import threading


def app(environ, start_response):
    return globals()["do_" + environ["PATH_INFO"].strip("/")](environ, start_response)


def do_plain(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"plain"]


def do_fork(environ, start_response):
    """A child that forgets to leave."""
    if os.fork() == 0:
        if environ["QUERY_STRING"] == "exit":
            raise SystemExit(0)
        if environ["QUERY_STRING"] == "raise":
            raise RuntimeError("in the child")
    return do_plain(environ, start_response)


def do_fork_in_body(environ, start_response):
    """The same in a generator."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    if os.fork() == 0:
        if environ["QUERY_STRING"] == "exit":
            raise SystemExit(0)
        if environ["QUERY_STRING"] == "raise":
            raise RuntimeError("in the child")
        if environ["QUERY_STRING"] == "end":
            return
    yield b"plain"


class Closing:
    def __init__(self, close):
        self.blocks = iter([b"plain"])
        self.close = close

    def __iter__(self):
        return self.blocks


def do_fork_in_close(environ, start_response):
    def close():
        if os.fork() == 0 and environ["QUERY_STRING"] == "raise":
            raise RuntimeError("in the child")

    start_response("200 OK", [("Content-Type", "text/plain")])
    return Closing(close)


CODES = {"none": None, "five": 5, "large": 256 + 7, "text": "a last word"}


def do_fork_exit(environ, start_response):
    """A child that ends as scripts do, and what its parent hears of it."""
    child = os.fork()
    if child == 0:
        print("the child says")
        if environ["QUERY_STRING"] == "error":
            raise RuntimeError("in the child")
        sys.exit(CODES[environ["QUERY_STRING"]])
    start_response("200 OK", [])
    return [b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]


def do_fork_stay(environ, start_response):
    """A child that stays, and has the worker's sockets."""
    start_response("200 OK", [])
    child = os.fork()
    if child == 0:
        signal.pause()
    return [b"%d" % child]


def do_signals(environ, start_response):
    """How a program of the application treats signals."""
    start_response("200 OK", [])
    return [subprocess.run(["cat", "/proc/self/status"], capture_output=True, check=True).stdout]


def do_exc_info(environ, start_response):
    write = start_response("200 OK", [])
    write(b"first")
    wrong = {
        "numbers": (1, 2, 3),
        "nothing": (None, None, None),
        "class": (ValueError, ValueError, None),
        "trace": (ValueError, ValueError("x"), 5),
        "pair": (ValueError, ValueError("x")),
    }
    try:
        start_response("500 Oops", [], wrong[environ["QUERY_STRING"]])
    except TypeError:
        return [b" refused"]
    return [b" accepted"]


def wrapped(environ, start_response, file):
    start_response("200 OK", [])
    return environ["wsgi.file_wrapper"](file)


def do_pipe(environ, start_response):
    return wrapped(environ, start_response, subprocess.Popen(["echo", "from a pipe"], stdout=subprocess.PIPE).stdout)


def do_gzip(environ, start_response):
    with open(os.environ["ODD_FILE"], "wb") as file:
        file.write(gzip.compress(b"plain text " * 50))
    return wrapped(environ, start_response, io.BufferedReader(gzip.open(os.environ["ODD_FILE"])))


def do_proc(environ, start_response):
    return wrapped(environ, start_response, open("/proc/self/status", "rb"))


def do_tell(environ, start_response):
    file = open(__file__, "rb")  # noqa: SIM115 - closed by the server
    file.tell = lambda: -(2**63)
    return wrapped(environ, start_response, file)


def do_threads(environ, start_response):
    write = start_response("200 OK", [])

    def writer():
        for _ in range(60):
            write(b"T" * 50_000)

    threads = [threading.Thread(target=writer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return []


def do_close_all(environ, start_response):
    """Closes descriptors that are not its own."""
    os.closerange(3, 1024)
    return do_plain(environ, start_response)


def do_unknown_keyword(environ, start_response):
    start_response("200 OK", [])
    try:
        environ["wsgi.input"].read(bogus=1)
    except TypeError:
        return [b"refused"]
    return [sys.version.encode()]
