"""What workers are forked with, of all kinds: `/counts` tells which of it they count references of."""

import contextlib
import functools
import gc
import json
import os
import socket
import sys
import threading
import weakref


class Plain:
    """Memory alone."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def method(self):
        return self


class Telling:
    """Leaves a trace at its end."""

    def __init__(self, name):
        self.name = name

    def __del__(self):
        with open(os.path.join(os.environ["TRACES"], self.name), "a") as trace:
            print(os.getpid(), file=trace)


class Slotted:
    __slots__ = ("value",)


def leave_trace(name):
    with open(os.path.join(os.environ["TRACES"], name), "a") as trace:
        print(os.getpid(), file=trace)


def closure(value):
    def inner():
        return value

    return inner


def pair():
    return socket.socketpair()[0]


lasting = {
    "function": Plain.method,
    "class": Plain,
    "code": Plain.method.__code__,
    "text": "".join(["a text that was", " made here"]),
    "bytes": bytes(range(200)),
    "number": 10**30,
    "dict": {"key": [1, 2, (3, "4")]},
    "list": [Plain(), {}, None],
    "tuple": (object(), [1.5]),
    "set": {"one", "two"},
    "instance": Plain(other=Plain(), lock=threading.Lock(), module=json, cls=Telling),
    "slotted": Slotted(),
    "closure": closure(["of memory"]),
    "partial": functools.partial(Plain, a=1),
    "method": Plain().method,
    "constant": closure.__code__.co_consts,
}
ending = {
    "socket": pair(),
    "file": open(__file__),  # noqa: SIM115 - it is left open on purpose
    "list of a socket": [pair()],
    "dict of a tuple of a socket": {"one": ({"two": pair()},)},
    "instance of a socket": Plain(kept=pair()),
    "subclass": type("Socket", (socket.socket,), {})(),
    "closure over a socket": closure(pair()),
    "partial over a socket": functools.partial(closure, pair()),
    "method of an owner": Plain(kept=pair()).method,
    "generator": (each for each in [1]),
    "telling": Telling("told"),
    "owner of what tells": [{"it": Telling("told by its owner")}],
    "awaited": Plain(),
    "awaited function": closure(1),
    "exception": ValueError("with a traceback, perhaps"),
    "lock of a thread": threading.local(),
    "exit stack": contextlib.ExitStack(),
    "exit stack of a socket": contextlib.ExitStack(),
}
ending["exit stack of a socket"].enter_context(pair())
ending["exit stack"].callback(pair().close)
finalizer = weakref.finalize(ending["awaited"], leave_trace, "awaited")
finalizer.atexit = False
callback = weakref.ref(ending["awaited function"], lambda _: leave_trace("awaited function"))

#: Touched by each request to `/use`, a reference of each at a time.
many = [f"text number {index}, and so on" for index in range(40_000)]


def counts():
    """The count of each, as it is said and whether it takes notice."""
    told = {}
    for kind, things in (("lasting", lasting), ("ending", ending)):
        for name, thing in things.items():
            before = sys.getrefcount(thing)
            again = [thing] * 10
            told[name] = (kind, sys.getrefcount(thing) - before)
            del again
    return told


def drop():
    """Has everything end that can, and tells which descriptors have gone with it."""
    before = set(os.listdir("/proc/self/fd"))
    names = list(ending)
    ending.clear()
    gc.collect()
    return {"dropped": names, "closed": len(before - set(os.listdir("/proc/self/fd")))}


def use():
    for _ in range(3):
        held = [text for text in many]  # noqa: C416 - each is taken one by one
        del held
    return {"count": len(many)}


def garbage():
    """Leaves cycles with what was inherited in them."""
    for _ in range(1000):
        copy = lasting["dict"].copy()
        copy["self"] = copy
        other = Plain(**lasting)
        other.other = other
    del copy, other
    return {"found": gc.collect(), "objects": len(gc.get_objects())}


def app(environ, start_response):
    answer = {"/counts": counts, "/drop": drop, "/use": use, "/garbage": garbage}.get(environ["PATH_INFO"], dict)()
    body = json.dumps({"pid": os.getpid(), "answer": answer}).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
