"""What the log says of workers that are stopped: what they were at, where, and who did it."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.halting import halted, thread_named
from support.processes import is_stopped
from support.waiting import until


def test_a_kill_from_outside_is_no_want_of_memory(serve: Serve) -> None:
    server = serve("probe:app")
    server.expect_replacements()
    pid = server.worker()
    os.kill(pid, signal.SIGKILL)
    line = server.wait_for_log(rf"Worker \(pid:{pid}\) was sent SIGKILL! (.*)\n")[0][1]
    # The test's own kill is not counted by the kernel, wherever that counts.
    assert line.startswith("Somebody sent it") and "oom_kill has not grown in /" in line


def test_a_kill_of_the_master_says_so(serve: Serve) -> None:
    server = serve("probe:app", "--graceful-timeout", "0")
    server.expected_boots = None
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=long"))
        pid = int(server.wait_for_trace("long.entered", 2))
        os.kill(pid, signal.SIGSTOP)
        until(lambda: is_stopped(pid), "the stop")
        server.signal(signal.SIGTERM)
        server.wait()
    assert f"Worker (pid:{pid}) is killed. It is stopped (by SIGSTOP, or a debugger)." in server.log()
    assert f"Worker (pid:{pid}) was sent SIGKILL! It did not stop in time." in server.log()
    assert "out of memory" not in server.log()


def test_an_abort_shows_every_thread(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2")
    server.expect_replacements()
    with Connection(server.address) as one, Connection(server.address) as other:
        one.send(encode("GET", "/wait?name=long"))
        pid = int(server.wait_for_trace("long.entered", 2))
        # A runner is only in a request when its thread has its name; the first may have one before the second is there.
        other.send(encode("GET", "/wait?name=longer"))
        server.wait_for_trace("longer.entered", 2)
        os.kill(pid, signal.SIGABRT)
        server.wait_for_log(rf"Worker \(pid:{pid}\) was told to stop \(SIGABRT\)\. It is here:")
        until(lambda: pid not in server.workers(), "the end of the worker")
    told = server.log()
    assert "Thread MainThread:" in told and "Thread runner-1:" in told and "Thread runner-2:" in told
    assert "wait_for_release" in told


def test_a_silent_worker_is_named_with_its_request(serve: Serve) -> None:
    server = serve("threaded:app", "--timeout", "1", "--threads", "2")
    server.expect_replacements()
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=long"))
        pid = int(server.wait_for_trace("long.entered", 2))
        os.kill(pid, signal.SIGSTOP)
        line = server.wait_for_log(rf"WORKER TIMEOUT \(pid:{pid}\): it gives no sign of life(.*)\n")[0][1]
        assert line.startswith(", since it is stopped (by SIGSTOP, or a debugger). It is at: GET /wait of 127.0.0.1:")
        until(lambda: pid not in server.workers(), "the end of the worker")
    assert f"Worker (pid:{pid}) is killed. It is stopped" in server.log()
    # The master says so when it has taken note of the end.
    server.wait_for_log(rf"Worker \(pid:{pid}\) was sent SIGKILL! It did not stop in time\.")
    assert fetch(server.address, "/who").status == 200


NATIVE = """
import ctypes, os, pathlib
mutex = ctypes.create_string_buffer(64)
def hang(library):
    # A lock that this thread has already: no signal interrupts it.
    library.pthread_mutex_lock(mutex)
    library.pthread_mutex_lock(mutex)
def app(environ, start_response):
    pathlib.Path(os.environ["TRACES"], "entered").write_text(f"{os.getpid()}\\n")
    if environ["PATH_INFO"] == "/with-lock":
        hang(ctypes.PyDLL(None))
    elif environ["PATH_INFO"] == "/without-lock":
        hang(ctypes.CDLL(None))
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""


@pytest.fixture
def native(tmp_path: Path) -> Path:
    (tmp_path / "native.py").write_text(NATIVE)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "path", "reason"),
    [
        ((), "/with-lock", "the request could not be interrupted after 1 s"),
        ((), "/without-lock", "the request could not be interrupted after 1 s"),
        (("--threads", "2"), "/with-lock", "no thread could run Python for 1 s"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--admin-bind",)])
def test_code_in_c_that_hangs_is_shown(
    serve: Serve, native: Path, arguments: tuple[str, ...], path: str, reason: str, more: tuple[str, ...]
) -> None:
    """No handler of a signal runs in Python there. The log names the request, and shows every thread all the same."""
    admin = (*more, f"unix:{native}/admin.sock") if more else ()
    server = serve("--timeout", "1", *arguments, *admin, "native:app", cwd=native)
    server.expect_replacements()
    with Connection(server.address) as connection:
        connection.send(encode("GET", path))
        pid = int(until(lambda: server.trace("entered").strip(), "the request"))
        server.wait_for_log(rf"Worker \(pid:{pid}\) was sent SIGKILL! It did not stop in time\.")
    told = server.log()
    assert re.search(
        rf"WORKER TIMEOUT \(pid:{pid}\): {reason}\. It is at: GET {path} of 127\.0\.0\.1:\d+, for \d+ s", told
    )
    shown = told[told.index(f"Worker (pid:{pid}) is killed. It is here:\n") :]
    assert "native.py" in shown and "in hang" in shown and "in app" in shown
    assert shown.count("(most recent call first)") >= (2 if arguments else 1), shown
    assert "out of memory" not in told
    until(lambda: fetch(server.address, "/").status == 200, "an answer of another worker")


def test_an_import_that_hangs_in_c_is_shown(serve: Serve, native: Path) -> None:
    (native / "hanging.py").write_text(NATIVE + "\nhang(ctypes.PyDLL(None))\n")
    server = serve("--boot-timeout", "1", "--graceful-timeout", "1", "hanging:app", cwd=native)
    server.expected_boots = None
    server.wait_for_log("is killed. It is here:\n")
    server.wait_for_log("did not stop in time")
    told = server.log()
    # At least: the master may have come to look a moment later.
    assert re.search(r"WORKER TIMEOUT \(pid:\d+\): it has been booting for [1-9]\d* s", told)
    assert "hanging.py" in told and "in hang" in told


def test_it_ends_itself_when_the_master_cannot(serve: Serve, native: Path) -> None:
    server = serve("--timeout", "1", "--threads", "2", "native:app", cwd=native)
    server.expect_replacements()
    server.signal(signal.SIGSTOP)
    try:
        with Connection(server.address) as connection:
            connection.send(encode("GET", "/with-lock"))
            pid = int(until(lambda: server.trace("entered").strip(), "the request"))
            server.wait_for_log(rf"\[{pid}\] \[CRITICAL\] WORKER TIMEOUT \(pid:{pid}\): no thread could run Python")
    finally:
        server.signal(signal.SIGCONT)
    server.wait_for_log(rf"Worker \(pid:{pid}\) exited with code 1")
    until(lambda: fetch(server.address, "/").status == 200, "an answer of another worker")


def test_a_worker_that_does_not_leave_is_shown(serve: Serve, native: Path) -> None:
    server = serve("--graceful-timeout", "1", "native:app", cwd=native)
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/with-lock"))
        until(lambda: server.trace("entered").strip(), "the request")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    shown = server.log()
    assert "is killed. It is here:\n" in shown and "in hang" in shown


def test_a_worker_whose_pilot_stands_still(serve: Serve) -> None:
    """Its signs of life are the pilot's. Python can still say where it is."""
    server = serve("threaded:app", "--timeout", "1", "--threads", "2")
    server.expect_replacements()
    fetch(server.address, "/who")
    pid = server.worker()
    with halted(thread_named(pid, "pilot")):
        server.wait_for_log(rf"WORKER TIMEOUT \(pid:{pid}\): it gives no sign of life\n")
        server.wait_for_log(rf"Worker \(pid:{pid}\) was told to stop \(SIGABRT\)\. It is here:")
    until(lambda: pid not in server.workers(), "the end of the worker")
    assert "Thread runner-1:" in server.log()
    assert fetch(server.address, "/who").status == 200
