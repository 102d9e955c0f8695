"""Several operators who ask one worker for its stacks at the same time: each gets an answer, and a whole one."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, encode
from support.server import Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

#: Operators at a time, and how often each asks.
OPERATORS = 6
TURNS = 8

FORCED = "Nobody gave up Python's lock"

CODE = """
import ctypes, os, threading

def deep(levels, gate):
    return deeper(levels - 1, gate) if levels else gate()

def deeper(levels, gate):
    # Another function, since a line that repeats is shown once.
    return deep(levels - 1, gate)

def hold_the_lock():
    # Until the test opens the pipe: no signal interrupts it.
    ctypes.PyDLL(None).open(os.environ["TRACES"].encode() + b"/gate", os.O_RDONLY)

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/locked":
        deep(30, hold_the_lock)
    elif path == "/moving":
        for turn in range(10**9):
            deep(turn % 2 * 60, lambda: gate.wait(0.0005))
            if gate.is_set():
                break
    elif path == "/end":
        gate.set()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

gate = threading.Event()
"""


@pytest.fixture
def server(serve: Serve, short_path: str, tmp_path: Path) -> Server:
    (tmp_path / "deep.py").write_text(CODE)
    server = serve("deep:app", "-w", "4", "--threads", "2", "--admin-bind", f"unix:{short_path}", cwd=tmp_path)
    until(lambda: len(server.workers()) == 4, "four workers")
    return server


def ask_at_once(path: str, pid: int, is_expected: Callable[[str], bool], turns: int = TURNS) -> list[tuple[int, str]]:
    """What all of them are told until each has been told so often what is expected.

    A worker that does not get the machine at once is read without Python; or says nothing, or has no time for one more.
    """
    answers: list[tuple[int, str]] = []

    def ask() -> None:
        client = Client(f"unix:{path}", timeout=DEADLINE)
        end = time.monotonic() + DEADLINE
        for _ in range(turns):
            while time.monotonic() < end:
                answers.append(client.ask(f"/stacks?pid={pid}"))
                if is_expected(answers[-1][1]):
                    break

    threads = [threading.Thread(target=ask) for _ in range(OPERATORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} <= {200, 503, 504}
    assert sum(is_expected(text) for _, text in answers) == OPERATORS * turns
    return answers


def busy_worker(path: str, target: str) -> int:
    client = Client(f"unix:{path}", timeout=DEADLINE)

    def found() -> int | None:
        return next((each["pid"] for each in client.status()["exchanges"] if each["path"] == target), None)

    return until(found, f"a request for {target}")


def test_of_a_worker_that_runs_python(server: Server, short_path: str) -> None:
    """Its stack is long at one moment and short at the next, and no answer is made of two."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/moving"))
        pid = busy_worker(short_path, "/moving")
        for status, text in ask_at_once(short_path, pid, lambda text: text.startswith("Thread ")):
            if status != 200 or text.startswith(FORCED):
                continue
            paragraphs = text.split("\n\n")
            assert all(re.match(r"Thread \S+ .*\(most recent call last\):\n", each) for each in paragraphs), text
            assert len({each.split()[1] for each in paragraphs}) == len(paragraphs), text
            assert text.count("in deep\n") in (0, 1, 31), text
        # Whichever worker that is: it goes on as soon as its own one hears of it.
        while connection.socket is not None and not ended(connection, server):
            pass


def ended(connection: Connection, server: Server) -> bool:
    with Connection(server.address) as other:
        other.send(encode("GET", "/end"))
        other.read_response()
    connection.socket.settimeout(0.2)
    try:
        return connection.read_response().status == 200
    except TimeoutError:
        return False


def test_of_a_worker_in_which_c_code_keeps_pythons_lock(server: Server, short_path: str) -> None:
    gate = server.traces / "gate"
    os.mkfifo(gate)
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/locked"))
        pid = busy_worker(short_path, "/locked")

        def is_whole(text: str) -> bool:
            return text.startswith(FORCED) and "in hold_the_lock" in text and text.count("in deep\n") == 16

        answers = ask_at_once(short_path, pid, is_whole, turns=2)
        forced = [text for _, text in answers if text.startswith(FORCED)]
        assert len(forced) >= 2 * OPERATORS
        for text in forced:
            # Less, where somebody came before the lock was taken, or where who writes did not get the machine.
            # But never anything twice.
            assert text.count("in hold_the_lock") <= 1 and text.count("in deep\n") <= 16, text
        os.close(os.open(gate, os.O_WRONLY))
        assert connection.read_response().status == 200
        ask_at_once(short_path, pid, lambda text: text.startswith("Thread "), turns=2)
