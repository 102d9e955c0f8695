"""Several workers are one server: requests go to whoever is free, and connections outlive workers.

Shares and counts are judged, and never how long something took.
"""

from __future__ import annotations

import hashlib
import os
import resource
import select
import signal
import threading
import time
from collections import Counter
from contextlib import ExitStack

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.crew import WHO, Clients, answer, ask, busy, neighbors, ready
from support.halting import halted, thread_named
from support.processes import children, connected, descriptors
from support.waiting import until

SLEEP = encode("GET", "/sleep?seconds=0.02")


# Sharing


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
def test_every_worker_has_its_share(serve: Serve, kind: tuple[str, ...]) -> None:
    """Whoever accepted them: as many clients as runners keep all workers busy."""
    server = serve("shared:app", "-w", "3", *kind)
    threads = 2 if kind else 1
    workers = ready(server, 3, threads)
    with Clients(server, SLEEP, kept=3 * threads) as clients:

        def is_shared() -> bool:
            shares = [clients.served[worker] for worker in workers]
            return clients.count >= 200 and min(shares) > clients.count / 6

        # A worker that did not have the machine for a while catches up.
        clients.serve_until(is_shared, "a share of 200 answers or more for each")
    assert not clients.failures
    assert set(clients.served) == set(workers)


def test_a_short_request_does_not_wait_for_a_long_one(serve: Serve) -> None:
    """Both came to the same worker, one behind the other."""
    server = serve("shared:app", "-w", "2")
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        with busy(server, first) as home:
            assert ask(second, WHO)["pid"] != home


def test_what_waits_while_all_are_busy_is_served_by_the_first_that_is_free(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2")
    ready(server, 2)
    with ExitStack() as stack:
        waiting, *busy = (stack.enter_context(Connection(server.address)) for _ in range(3))
        for number, connection in enumerate(busy):
            connection.send(encode("GET", f"/wait?name=busy{number}"))
        pids = [int(server.wait_for_trace(f"busy{number}.entered", 2)) for number in range(2)]
        assert len(set(pids)) == 2
        waiting.send(WHO)
        server.release("busy1")
        assert answer(waiting)["pid"] == pids[1]
        server.release("busy0")
        for connection in busy:
            answer(connection)


def upload(size: int, fields: list[tuple[str, str]] | None = None) -> tuple[bytes, str]:
    body = os.urandom(size)
    fields = [("Content-Length", str(size)), *(fields or [])]
    return encode("POST", "/upload", fields) + body, hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("size", [10, 50_000, 100_000, 3_000_000])
def test_bodies_travel(serve: Serve, size: int) -> None:
    """In the message, as a file, and beside what is pipelined."""
    server = serve("shared:app", "-w", "2", "--request-body-memory", "200000", "--forwarded-allow-ips", "127.0.0.1")
    ready(server, 2)
    with ExitStack() as stack:
        first, second, *_ = neighbors(stack, server)
        with busy(server, first) as home:
            raw, digest = upload(size, [("X-Forwarded-Proto", "https")])
            second.send(raw + WHO)
            told = answer(second)
            assert told["pid"] != home and told["digest"] == digest and told["count"] == size
            assert told["client"] == "127.0.0.1" and told["scheme"] == "https"
            answer(second)


# Connections outlive workers


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
def test_recycling_costs_no_request_and_no_connection(serve: Serve, kind: tuple[str, ...]) -> None:
    server = serve("shared:app", "-w", "2", "--max-requests", "60", *kind)
    server.expect_replacements(10_000)
    with Clients(server, SLEEP, kept=6) as clients:
        clients.serve_until(lambda: len(server.boots()) >= 8, "six workers that were replaced")
    assert not clients.failures
    assert len(clients.served) >= 6
    assert "Traceback" not in server.log()


def test_a_worker_that_is_told_to_leave_leaves_its_connections_to_the_others(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2")
    server.expect_replacements(6)
    with Clients(server, SLEEP, kept=6) as clients:
        for round_number in range(1, 5):
            # Of itself a worker says a moment after it is there.
            booted = 1 + round_number
            until(lambda: len(server.boots()) == booted or clients.failures, "two workers")  # noqa: B023
            before = clients.count
            leaving = ready(server, 2)[0] if round_number == 1 else server.boots()[-1]
            until(lambda: clients.served[leaving] > 0 or clients.failures, "a worker that serves")  # noqa: B023
            os.kill(leaving, signal.SIGTERM)
            until(lambda: leaving not in children(server.pid), "the end of the worker")  # noqa: B023
            until(lambda: clients.count > before + 20 or clients.failures, "more answers")  # noqa: B023
    assert not clients.failures


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
def test_reloads_cost_no_request_and_no_connection(serve: Serve, kind: tuple[str, ...]) -> None:
    server = serve("shared:app", "-w", "2", *kind)
    server.expect_replacements(2 * 10)
    ready(server, 2, 2 if kind else 1)
    with ExitStack() as stack:
        idle = [stack.enter_context(Connection(server.address)) for _ in range(6)]
        for connection in idle:
            ask(connection, WHO)
        with Clients(server, SLEEP, kept=4, fresh=2) as clients:
            for _ in range(10):
                old = set(server.workers())
                server.signal(signal.SIGHUP)
                clients.serve_until(
                    lambda: len(server.workers()) == 2 and not old & set(server.workers()),  # noqa: B023
                    "two new workers",
                )
        assert not clients.failures
        for connection in idle:
            assert ask(connection, WHO)["pid"] in server.workers()


def test_idle_and_half_received_connections_travel(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2")
    server.expect_replacements(1)
    ready(server, 2)
    raw, digest = upload(200_000)
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(server.address)) for _ in range(9)]
        homes = [ask(connection, WHO)["pid"] for connection in connections]
        leaving = Counter(homes).most_common(1)[0][0]
        for number, connection in enumerate(connections):
            connection.send([b"", b"GET /who HTTP/1.1\r\nHo", raw[:150_000]][number % 3])
        # What was sent is read by now, or will be read by whoever has the connection then.
        time.sleep(0.2)
        assert isinstance(leaving, int)
        os.kill(leaving, signal.SIGTERM)
        until(lambda: leaving not in children(server.pid), "the end of the worker")
        for number, connection in enumerate(connections):
            connection.send([WHO, b"st: a\r\n\r\n", raw[150_000:]][number % 3])
            told = answer(connection)
            assert told["pid"] != leaving
            assert number % 3 < 2 or told["digest"] == digest


def test_a_stop_closes_what_is_idle_and_finishes_the_rest(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2")
    ready(server, 2)
    with Connection(server.address) as idle, Connection(server.address) as busy:
        ask(idle, WHO)
        busy.send(encode("GET", "/wait?name=last"))
        server.wait_for_trace("last.entered", 2)
        server.signal(signal.SIGTERM)
        idle.assert_closed()
        server.release("last")
        response = busy.read_response()
        assert response.status == 200 and response.header("Connection") == "close"
        busy.assert_closed()
    assert server.wait() == 0


# Faults


def test_killed_workers_cost_only_what_they_had(serve: Serve) -> None:
    """Parcels are on the way all the time. Each connection is answered or closed, and none hangs."""
    server = serve("shared:app", "-w", "3")
    server.expect_replacements(50)
    ready(server, 3)
    ends: Counter[str] = Counter()
    isOver = threading.Event()

    def run() -> None:
        while not isOver.is_set():
            with Connection(server.address) as connection:
                try:
                    while not isOver.is_set():
                        ask(connection, SLEEP)
                        ends["answered"] += 1
                except TimeoutError:
                    ends["hung"] += 1
                except Exception:
                    ends["closed"] += 1

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        before = ends["answered"]
        until(lambda: ends["answered"] > before + 50, "answers")  # noqa: B023
        os.kill(until(server.workers, "workers")[-1], signal.SIGKILL)
    isOver.set()
    for thread in threads:
        thread.join()
    assert not ends["hung"]
    assert ends["closed"] <= 5 * 12
    until(lambda: fetch(server.address, "/who").status == 200, "an answer")


def test_a_stopped_worker_is_found_and_replaced(serve: Serve) -> None:
    server = serve("shared:app", "-w", "2", "--timeout", "4")
    server.expect_replacements(1)
    stopped = ready(server, 2)[0]
    os.kill(stopped, signal.SIGSTOP)
    server.wait_for_log(rf"WORKER TIMEOUT \(pid:{stopped}\)")
    until(lambda: stopped not in children(server.pid), "the end of the worker")
    server.wait_for_log("Booting worker", 3)
    assert len(ready(server, 2)) == 2


def test_a_worker_that_loses_its_pilot_is_replaced(serve: Serve) -> None:
    """It answers, but nobody would look after its requests."""
    server = serve("shared:app", "-w", "2", "--timeout", "4")
    server.expect_replacements(1)
    lost = ready(server, 2)[0]
    with halted(thread_named(lost, "pilot")):
        server.wait_for_log(rf"WORKER TIMEOUT \(pid:{lost}\)")
    until(lambda: lost not in children(server.pid), "the end of the worker")
    server.wait_for_log("Booting worker", 3)
    assert len(ready(server, 2)) == 2


def test_few_descriptors_in_the_adopters(serve: Serve) -> None:
    """Who has no room leaves a connection in the relay, and all are served."""
    server = serve("shared:app", "-w", "2")
    workers = ready(server, 2)
    for worker in workers:
        most = max(descriptors(worker)) + 12
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (most, most))
    with Clients(server, SLEEP, kept=16) as clients:
        clients.serve_until(lambda: clients.count >= 300, "300 answers")
    assert not clients.failures


def test_descriptors_stay_few_and_private(serve: Serve) -> None:
    """Thousands of parcels leave none behind, and programs that the application starts have none."""
    server = serve("shared:app", "-w", "2", "--threads", "2")
    workers = ready(server, 2, 2)
    with Clients(server, encode("GET", "/sleep?seconds=0.002"), kept=12) as clients:
        clients.serve_until(lambda: clients.count >= 3000, "3000 answers")
    assert not clients.failures
    until(lambda: all(connected(worker) == 0 for worker in workers), "the end of all connections")
    with Connection(server.address) as connection:
        assert ask(connection, encode("GET", "/descriptors"))["sockets"] == 0


def test_those_that_leave_share_the_queue(serve: Serve) -> None:
    """At the end of all workers each takes of what waits, until nothing does."""
    server = serve("shared:app", "-w", "3", "--graceful-timeout", "60")
    ready(server, 3)
    with ExitStack() as stack:
        # All are there before anybody is told to leave, however busy the machine is.
        clients = [stack.enter_context(Connection(server.address)) for _ in range(15)]
        for client in clients:
            client.send(encode("GET", "/sleep?seconds=0.3"))
        until(lambda: select.select([client.socket for client in clients], [], [], 0)[0], "the first answer")
        server.signal(signal.SIGTERM)
        shares = Counter(client.read_response().body for client in clients)
    assert server.wait() == 0
    assert len(shares) == 3 and min(shares.values()) >= 2, shares
