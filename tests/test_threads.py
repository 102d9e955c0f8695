"""Workers of several threads (`gthread`): concurrency, what threads mean to Python, and how they end."""

from __future__ import annotations

import itertools
import json
import os
import re
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, encode, fetch
from support.halting import thread_named
from support.processes import children
from support.server import Server, run
from support.waiting import until

THREADS = 4


def entered(server: Server, name: str, count: int = 1) -> None:
    until(lambda: server.trace(f"{name}.entered").count("\n") >= count, f"{name} to enter the application")


def start(server: Server, target: str) -> Connection:
    connection = Connection(server.address)
    connection.send(encode("GET", target))
    return connection


def finish(connection: Connection) -> dict[str, object]:
    response = connection.read_response()
    assert response.status == 200, response
    return json.loads(response.body)


def readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 0)[0])


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    return serve_module("threaded:app", "--threads", str(THREADS))


@pytest.fixture
def busy(server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Every thread of the server is in the application until the end of the test."""
    names = [f"{request.node.name}{number}" for number in range(THREADS)]
    with ExitStack() as stack:
        connections = [stack.enter_context(start(server, f"/wait?name={name}")) for name in names]
        for name in names:
            entered(server, name)
        yield server
        for name, connection in zip(names, connections, strict=True):
            server.release(name)
            finish(connection)


@pytest.mark.parametrize("arguments", [("--threads", "2"), ("-k", "gthread"), ("-k", "sync", "--threads", "3")])
def test_several_threads_make_a_gthread_worker(serve: Serve, arguments: tuple[str, ...]) -> None:
    server = serve("threaded:app", *arguments)
    server.wait_for_log("Using worker: gthread")
    assert json.loads(fetch(server.address, "/who").body)["multithread"] is True


def test_one_thread_is_a_sync_worker(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "1")
    server.wait_for_log("Using worker: sync")
    who = json.loads(fetch(server.address, "/who").body)
    assert who["multithread"] is False and who["main"] is True


def test_no_threads_are_refused(serve: Serve) -> None:
    result = run("threaded:app", "--threads", "0")
    assert result.returncode == 1
    assert "threads (--threads): 0: it must be a whole number from 1 to 4096" in result.stderr


def test_requests_run_at_the_same_time(server: Server) -> None:
    names = [f"same{number}" for number in range(THREADS)]
    with ExitStack() as stack:
        connections = [stack.enter_context(start(server, f"/wait?name={name}")) for name in names]
        for name in names:
            entered(server, name)
        for name in names:
            server.release(name)
        threads = {finish(connection)["thread"] for connection in connections}
    assert threads == {f"runner-{number + 1}" for number in range(THREADS)}


def test_one_more_waits_for_a_thread(server: Server) -> None:
    names = [f"full{number}" for number in range(THREADS)]
    with ExitStack() as stack:
        # Connections that are there already: a worker without a free thread accepts none.
        connections = [stack.enter_context(Connection(server.address)) for _ in range(THREADS + 2)]
        for connection in connections:
            connection.send(encode("GET", "/who"))
            finish(connection)
        *busy, more, bad = connections
        for name, connection in zip(names, busy, strict=True):
            connection.send(encode("GET", f"/wait?name={name}"))
            entered(server, name)
        more.send(encode("GET", "/wait?name=more"))
        # The pilot reads, refuses and answers while no thread is free.
        bad.send(b"NONSENSE\r\n\r\n")
        assert bad.read_response().status == 400
        assert server.trace("more.entered") == ""
        server.release("more")
        server.release(names[0])
        entered(server, "more")
        finish(more)
        for name, connection in zip(names, busy, strict=True):
            server.release(name)
            finish(connection)


def test_short_requests_are_served_while_a_long_one_is_postponed(serve: Serve) -> None:
    """All threads are in long requests. Where one comes free, what is short goes first of what has come meanwhile: the
    long one is postponed for it, and does not keep it waiting.

    The long one is not postponed where nothing short has come for a moment, as on a machine that has no time for the
    test: then it is tried again.
    """
    server = serve("threaded:app", "--threads", str(THREADS))

    def goes_first(attempt: int) -> bool:
        names = [f"long{number}of{attempt}" for number in range(THREADS + 1)]
        with ExitStack() as stack:
            short = stack.enter_context(Connection(server.address))
            long = []
            for name in names[:THREADS]:
                short.send(encode("GET", "/who"))
                finish(short)
                long.append(stack.enter_context(start(server, f"/wait?name={name}")))
                entered(server, name)
            # Both are read while no thread is free for them.
            long.append(stack.enter_context(start(server, f"/wait?name={names[-1]}")))
            time.sleep(0.01)
            short.send(encode("GET", "/who"))
            time.sleep(0.01)
            server.release(names[0])
            until(lambda: server.trace(f"{names[-1]}.entered") or readable(short.socket), "one of the two")
            was_first = readable(short.socket)
            for name in names:
                server.release(name)
            for connection in (short, *long):
                finish(connection)
        return was_first

    attempts = itertools.count()
    until(lambda: goes_first(next(attempts)), "a short request that goes first")


def test_python_knows_the_threads(server: Server) -> None:
    who = json.loads(fetch(server.address, "/who").body)
    assert who["name"] in {f"runner-{number + 1}" for number in range(THREADS)}
    assert who["known"] and not who["main"] and not who["daemon"]


def test_the_system_knows_the_threads(server: Server) -> None:
    worker = server.worker()
    threads = [thread_named(worker, name) for name in ["pilot", *(f"runner-{n + 1}" for n in range(THREADS))]]
    assert len(set(threads)) == THREADS + 1


def test_threads_keep_what_is_theirs(serve: Serve) -> None:
    """`threading.local` and context variables last as long as the thread, as with gunicorn's gthread."""
    server = serve("threaded:app", "-k", "gthread", "--threads", "1")
    server.release("a")
    server.release("b")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=a"))
        assert finish(connection)["before"] == [None, "unset"]
        connection.send(encode("GET", "/wait?name=b"))
        assert finish(connection)["before"] == ["a", "a"]


def test_threads_do_not_share_what_is_theirs(server: Server) -> None:
    with start(server, "/wait?name=mine") as first, start(server, "/wait?name=yours") as second:
        entered(server, "mine")
        entered(server, "yours")
        server.release("mine")
        server.release("yours")
        assert finish(first)["after"] == ["mine", "mine"]
        assert finish(second)["after"] == ["yours", "yours"]


def test_signal_handlers_run_while_every_thread_is_busy(busy: Server) -> None:
    os.kill(busy.worker(), signal.SIGUSR2)
    assert busy.wait_for_trace("signal", len("MainThread")) == "MainThread"


def test_threads_of_the_application_are_waited_for(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2")
    assert json.loads(fetch(server.address, "/start").body) == {"daemon": False}
    server.signal(signal.SIGTERM)
    server.wait_for_log("Worker exiting")
    server.release("later")
    server.wait()
    assert server.trace("later") == "done"


def test_a_thread_with_pythons_lock_does_not_stop_the_io(serve: Serve) -> None:
    """What the core has for Python's log waits for the lock; connections do not."""
    server = serve("threaded:app", "--threads", "2", "--timeout", "0", "--request-head-timeout", "1")
    gate = server.traces / "gate"
    os.mkfifo(gate)
    with start(server, "/hog?gate") as hog:
        entered(server, "hog")
        for sent, status in ((b"NONSENSE\r\n\r\n", 400), (b"GET /", 408)):
            with Connection(server.address) as connection:
                connection.send(sent)
                assert connection.read_response().status == status
        assert server.trace("hog.left") == ""
        os.close(os.open(gate, os.O_WRONLY))
        finish(hog)


# The end of a worker


def test_term_lets_every_thread_finish(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "3")
    with start(server, "/wait?name=a") as first, start(server, "/wait?name=b") as second:
        entered(server, "a")
        entered(server, "b")
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        server.release("a")
        assert finish(first)["after"] == ["a", "a"]
        server.release("b")
        assert finish(second)["after"] == ["b", "b"]
    assert server.wait() == 0
    assert server.trace("atexit") == "x"


def test_term_gives_up_after_the_graceful_timeout(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2", "--graceful-timeout", "1")
    with start(server, "/stubborn"):
        entered(server, "stubborn")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
    # Either the worker left by itself, or the arbiter was a moment faster.
    assert "leaves 1 unfinished request" in server.log() or "SIGKILL" in server.log()


def test_a_worker_that_leaves_tells_what_it_leaves(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2", "--graceful-timeout", "1")
    server.expect_replacements()
    with start(server, "/stubborn?secret=1"):
        entered(server, "stubborn")
        server.signal(signal.SIGHUP)
        server.wait_for_log("leaves 1 unfinished request")
    # That is the last of what it says.
    assert re.search(r"Unfinished: GET /stubborn of 127\.0\.0\.1:\d+ has been running for \d+ s\. ", server.log())
    assert "in do_stubborn" in server.log()


def test_quit_does_not_wait(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2", "--graceful-timeout", "60")
    with start(server, "/stubborn") as connection:
        entered(server, "stubborn")
        server.signal(signal.SIGQUIT)
        assert server.wait() == 0
        assert connection.read_to_end() == b""
    assert server.trace("atexit") == "x"
    server.wait_for_log("leaves 1 unfinished request")


def test_system_exit_in_the_application_is_its_error(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2")
    for _ in range(5):
        assert fetch(server.address, "/leave").status == 500
    assert fetch(server.address, "/who").status == 200


def test_a_thread_that_vanishes_costs_the_worker(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2", "--graceful-timeout", "1")
    server.expect_replacements()
    with start(server, "/vanish"):
        entered(server, "vanish")
        server.wait_for_log(r"The thread runner-\d is gone: the worker is replaced")
        server.wait_for_log("Booting worker", 2)
    assert fetch(server.address, "/who").status == 200


def test_a_thread_that_cannot_be_started_costs_the_worker(serve: Serve) -> None:
    """The one that was started leaves: Python would wait for it."""
    server = serve("few_threads:app", "--threads", "2")
    server.expect_replacements()
    server.wait_for_log("Booting worker", 2)
    assert "can't start new thread" in server.log()
    assert fetch(server.address, "/who").status == 200


def test_quit_is_heard_where_its_exception_is_not(serve: Serve) -> None:
    server = serve("threaded:app", "--graceful-timeout", "60", "--request-head-timeout", "60")
    server.expect_replacements()
    worker = server.worker()
    with Connection(server.address) as waiting, start(server, "/who") as first:
        # Something that the worker would wait for, were it only to drain.
        waiting.send(b"GET /who HTTP/1.1\r\n")
        finish(first)
        with start(server, "/quit"):
            entered(server, "quit")
            until(lambda: worker not in children(server.pid), "the end of the worker")
    assert fetch(server.address, "/who").status == 200


# max_requests: tests/test_recycling.py


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
def test_a_worker_that_cannot_leave_is_replaced(serve: Serve, kind: tuple[str, ...]) -> None:
    server = serve("threaded:app", "--max-requests", "1", "--graceful-timeout", "1", *kind)
    server.expect_replacements(2)
    first = json.loads(fetch(server.address, "/linger").body)["pid"]
    server.wait_for_log("Booting worker", 2)
    server.wait_for_log(rf"Worker cannot leave \(pid:{first}\)")
    assert json.loads(fetch(server.address, "/who").body)["pid"] != first


# timeout


@pytest.mark.parametrize("kind", [(), ("--threads", "2"), ("--threads", "2", "--request-timeout", "2")])
def test_a_server_that_was_stopped_is_left_alone(serve: Serve, kind: tuple[str, ...]) -> None:
    """A container that is frozen, a machine that sleeps: time in which nothing ran is nobody's fault."""
    server = serve("threaded:app", "--timeout", "2", *kind)
    worker = server.worker()
    for name in (None, "frozen"):
        with ExitStack() as stack:
            if name:
                connection = stack.enter_context(start(server, f"/wait?name={name}"))
                entered(server, name)
            else:
                assert fetch(server.address, "/who").status == 200
            server.signal(signal.SIGSTOP)
            os.kill(worker, signal.SIGSTOP)
            try:
                time.sleep(3.5)
            finally:
                os.kill(worker, signal.SIGCONT)
                server.signal(signal.SIGCONT)
            if name:
                # Still within its limit, but for the time in which nothing ran.
                time.sleep(0.4)
                server.release(name)
                finish(connection)
            # The watchdog has looked after this.
            end = time.monotonic() + 2.5
            while time.monotonic() < end:
                assert json.loads(fetch(server.address, "/who").body)["pid"] == worker
                time.sleep(0.05)
    assert server.boots() == [worker]


def test_a_sync_worker_is_interrupted(serve: Serve) -> None:
    server = serve("threaded:app", "--timeout", "1")
    server.expect_replacements()
    with start(server, "/loop?secret=1") as connection:
        entered(server, "loop")
        found = server.wait_for_log(
            r"\[CRITICAL\] WORKER TIMEOUT \(pid:(\d+)\): GET /loop of 127\.0\.0\.1:\d+ has been running for \d+ s\. "
            r"It is here:\n  File \"[^\"]*threaded\.py\""
        )
        assert connection.read_to_end() == b""
    server.wait_for_log("Booting worker", 2)
    assert int(found[0][1]) == server.boots()[0]
    assert "in do_loop" in server.log(), "the log does not say where the application was"
    # The end of a stack is what people look at: that is the application, and not the handler that writes it.
    assert "handle_abort" not in server.log() and "secret" not in server.log()
    assert fetch(server.address, "/who").status == 200


def test_an_application_that_cannot_be_interrupted_is_ended(serve: Serve) -> None:
    server = serve("threaded:app", "--timeout", "1")
    server.expect_replacements()
    with start(server, "/stubborn"):
        entered(server, "stubborn")
        server.wait_for_log("Booting worker", 2)
    assert "SystemExit" in server.trace("stubborn.caught")
    assert "the request could not be interrupted after 1 s" in server.log()
    assert fetch(server.address, "/who").status == 200


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
def test_a_worker_without_pythons_lock_is_ended(serve: Serve, kind: tuple[str, ...]) -> None:
    server = serve("threaded:app", "--timeout", "1", *kind)
    server.expect_replacements()
    with start(server, "/hog"):
        entered(server, "hog")
        server.wait_for_log("Booting worker", 2)
    assert re.search(r"\[CRITICAL\] WORKER TIMEOUT", server.log())
    assert fetch(server.address, "/who").status == 200


def test_timeout_leaves_requests_of_threads_alone(serve: Serve) -> None:
    """As with gunicorn's gthread, a slow request is nothing wrong: the others go on."""
    server = serve("threaded:app", "--threads", "2", "--timeout", "1")
    with start(server, "/wait?name=slow") as connection:
        entered(server, "slow")
        began = time.monotonic()
        while time.monotonic() < began + 2.5:
            assert fetch(server.address, "/who").status == 200
        server.release("slow")
        assert finish(connection)["after"] == ["slow", "slow"]


def test_request_timeout_replaces_a_worker_of_threads(serve: Serve) -> None:
    server = serve("threaded:app", "--threads", "2", "--request-timeout", "1", "--graceful-timeout", "20")
    server.expect_replacements()
    worker = server.worker()
    with start(server, "/stubborn") as stuck:
        entered(server, "stubborn")
        server.wait_for_log(r"WORKER TIMEOUT \(pid:\d+\): GET /stubborn of \S+ has been running for \d+ s")
        # It leaves without waiting for the graceful timeout: nothing else is under way.
        until(lambda: worker not in children(server.pid), "the end of the worker")
        with pytest.raises((Closed, Truncated)):
            stuck.read_response()
    assert "in do_stubborn" in server.log()
    assert fetch(server.address, "/who").status == 200


def test_a_request_that_returns_late_does_not_cost_another(serve: Serve) -> None:
    """Nobody waits for a request that takes too long. When it returns, the others are waited for as before."""
    server = serve("threaded:app", "--threads", "3", "--request-timeout", "8", "--graceful-timeout", "20")
    server.expect_replacements()
    worker = server.worker()
    with start(server, "/wait?name=late") as late:
        entered(server, "late")
        # Half of its time, so that both sides have as much for everything else.
        time.sleep(4)
        with start(server, "/wait?name=well") as well:
            entered(server, "well")
            server.wait_for_log(r"WORKER TIMEOUT \(pid:\d+\): GET /wait of \S+ has been running for \d+ s")
            server.release("late")
            assert finish(late)["after"] == ["late", "late"]
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                assert worker in children(server.pid) and "Worker exiting" not in server.log()
                time.sleep(0.02)
            server.release("well")
            assert finish(well)["after"] == ["well", "well"]
    until(lambda: worker not in children(server.pid), "the end of the worker")
