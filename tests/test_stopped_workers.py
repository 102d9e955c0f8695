"""What the log says of workers that are stopped: what they were at, where, and who did it."""

from __future__ import annotations

import os
import signal

from conftest import Serve
from support.client import Connection, encode, fetch
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
        server.signal(signal.SIGTERM)
        server.wait()
    assert f"Worker (pid:{pid}) was sent SIGKILL! It did not stop in time." in server.log()
    assert "out of memory" not in server.log()


def test_an_abort_shows_every_thread(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2")
    server.expect_replacements()
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=long"))
        pid = int(server.wait_for_trace("long.entered", 2))
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
        assert line.startswith(". It is at: GET /wait of 127.0.0.1:")
        until(lambda: pid not in server.workers(), "the end of the worker")
    assert fetch(server.address, "/who").status == 200
