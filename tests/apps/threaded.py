"""Applications that care which thread they run on, or that spoil the one they run on."""

import atexit
import contextvars
import ctypes
import os
import signal
import threading
import time

from probe.routing import query, reply, trace, wait_for_release

local = threading.local()
variable = contextvars.ContextVar("variable", default="unset")


def note_signal(number, frame):
    trace("signal", threading.current_thread().name)


signal.signal(signal.SIGUSR2, note_signal)
atexit.register(trace, "atexit", "x")


def app(environ, start_response):
    return globals()["do_" + environ["PATH_INFO"].strip("/")](environ, start_response)


def do_who(environ, start_response):
    thread = threading.current_thread()
    return reply(
        start_response,
        {
            "pid": os.getpid(),
            "name": thread.name,
            "main": thread is threading.main_thread(),
            "daemon": thread.daemon,
            "known": any(thread is other for other in threading.enumerate()),
            "multithread": environ["wsgi.multithread"],
        },
    )


def do_wait(environ, start_response):
    """Says that it is here, waits for the test, and returns what is this thread's own."""
    name = query(environ)["name"]
    before = [getattr(local, "name", None), variable.get()]
    local.name = name
    variable.set(name)
    trace(f"{name}.entered", f"{os.getpid()}\n")
    wait_for_release(name)
    return reply(
        start_response,
        {"thread": threading.current_thread().name, "before": before, "after": [local.name, variable.get()]},
    )


def do_loop(environ, start_response):
    """Runs Python until it is interrupted."""
    trace("loop.entered", f"{os.getpid()}\n")
    while True:
        time.sleep(0.01)


def do_stubborn(environ, start_response):
    """Can't be interrupted."""
    trace("stubborn.entered", f"{os.getpid()}\n")
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException as error:
            trace("stubborn.caught", type(error).__name__)


def do_hog(environ, start_response):
    """Keeps Python's lock to itself, for a time or until the test opens the pipe `gate`."""
    trace("hog.entered", f"{os.getpid()}\n")
    if "gate" in query(environ):
        ctypes.PyDLL(None).open(os.environ["TRACES"].encode() + b"/gate", os.O_RDONLY)
    else:
        ctypes.PyDLL(None).sleep(int(query(environ).get("seconds", 60)))
    trace("hog.left", "x")
    return reply(start_response, {})


def do_vanish(environ, start_response):
    """Ends its thread, which is not its to end."""
    trace("vanish.entered", f"{os.getpid()}\n")
    ctypes.CDLL(None).pthread_exit(None)


def do_leave(environ, start_response):
    raise SystemExit(7)


def do_linger(environ, start_response):
    """Leaves a thread that never ends."""
    trace("linger.entered", f"{os.getpid()}\n")
    threading.Thread(target=threading.Event().wait, daemon=False).start()
    return reply(start_response, {"pid": os.getpid()})


class Swallower:
    """Is told to quit where nobody hears it: an exception of `close` does not hide an earlier one."""

    def __iter__(self):
        raise ValueError("the earlier one")

    def close(self):
        trace("quit.entered", f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGQUIT)
        time.sleep(1)


def do_quit(environ, start_response):
    start_response("200 OK", [])
    return Swallower()


def do_start(environ, start_response):
    """Leaves something to be done after the response."""

    def later():
        wait_for_release("later")
        trace("later", "done")

    thread = threading.Thread(target=later)
    thread.start()
    return reply(start_response, {"daemon": thread.daemon})
