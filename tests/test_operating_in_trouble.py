"""The server as its operator meets it while something is wrong.

How fast the answers are is measured by benchmarks/operations.py; here they only have to come.
"""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable

import pytest
from support.operations import LINE_OF_WAIT, Operate, Stuck, metrics, request, stacks, tasks, under_way, value
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


@pytest.mark.parametrize("kind", [("--threads", "1"), ("--threads", "3")])
def test_all_runners_stuck(operate: Operate, stuck: Callable[[Server], Stuck], kind: tuple[str, str]) -> None:
    server, client = operate(*kind, "--ready-window", "1")
    requests = stuck(server)
    runners = int(kind[1])
    for _ in range(runners):
        requests.send("/stuck?token=oyster")
    exchanges = under_way(client, runners)
    assert client.ask("/health") == (200, "ok\n")
    assert {each["path"] for each in exchanges} == {"/stuck"}
    assert {each["method"] for each in exchanges} == {"GET"}
    assert {each["phase"] for each in exchanges} == {"application"}
    assert all(each["client"].startswith("127.0.0.1:") for each in exchanges)
    worker = server.worker()
    assert {str(each["thread"]) for each in exchanges} <= set(tasks(worker))
    # Neither queries nor header values: there are secrets in them.
    assert "oyster" not in client.ask("/status")[1]
    found = metrics(client)
    assert value(found, "monoceros_exchanges", phase="application") == runners
    until(lambda: client.ask("/ready") == (503, "busy\n"), "a server that calls itself busy")
    until(lambda: value(metrics(client), "monoceros_runners", state="busy") == runners, "runners counted as busy")
    text = stacks(client, worker, f'operated.py", line {LINE_OF_WAIT}, in wait_here', runners)
    if runners == 1:
        assert "monoceros/arbiter.py" not in text
    server.signal(signal.SIGQUIT)


def test_code_in_c_that_keeps_pythons_lock(operate: Operate, stuck: Callable[[Server], Stuck]) -> None:
    server, client = operate("--threads", "2")
    gate = server.traces / "gate"
    os.mkfifo(gate)
    stuck(server).send("/locked?gate=")
    assert under_way(client, 1)[0]["path"] == "/locked"
    assert client.ask("/health") == (200, "ok\n")
    assert client.ask("/metrics")[0] == 200

    def forced() -> str | None:
        status, text = client.ask(f"/stacks?pid={server.worker()}")
        return text if status == 200 and re.search(r'operated\.py", line \d+ in hold_the_lock', text) else None

    assert until(forced, "the stack").startswith("Nobody gave up Python's lock")
    # The application goes on where it was.
    os.close(os.open(gate, os.O_WRONLY))
    until(lambda: not client.status()["exchanges"], "the end of the request")
    assert "hold_the_lock" not in stacks(client, server.worker())


def test_a_stopped_worker(operate: Operate) -> None:
    server, client = operate("-w", "2", "--timeout", "0")
    until(lambda: value(metrics(client), "monoceros_workers", lifetime="serving") == 2, "two that serve")
    stopped, other = server.workers()
    os.kill(stopped, signal.SIGSTOP)
    try:
        # Whoever comes is answered by the other, unless the stopped one had taken the connection already.
        until(lambda: {each["pid"] for each in client.status()["workers"]} == {stopped, other}, "both workers")

        def is_seen() -> bool:
            ages = {each["pid"]: each["heartbeat_age_s"] for each in client.status()["workers"]}
            return ages[stopped] > 2 > ages[other]

        until(is_seen, "a heartbeat that is late")
        assert client.ask("/ready") == (200, "ready\n")
        assert client.ask(f"/stacks?pid={stopped}")[0] == 504
        assert "Thread" in stacks(client, other)
        assert client.ask("/stacks?pid=1")[0] == 404
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_a_flood_on_the_applications_listeners(operate: Operate) -> None:
    server, client = operate("--worker-connections", "20")
    flood = [socket.create_connection(server.address, DEADLINE) for _ in range(100)]
    try:
        for connection in flood:
            connection.sendall(b"GET /sleep?seconds=0.02 HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        for _ in range(20):
            assert client.ask("/health") == (200, "ok\n")
            assert client.ask("/metrics")[0] == 200
        assert client.status()["exchanges"]
    finally:
        for connection in flood:
            connection.close()


def test_health_on_the_applications_listeners(operate: Operate, stuck: Callable[[Server], Stuck]) -> None:
    server, client = operate("--health-path", "/-/health/", "--ready-window", "1")
    assert request(server.address, "/-/health") == (200, b"ok\n")
    assert request(server.address, "/-/health?x=1") == (200, b"ok\n")
    assert request(server.address, "/-/health/ready") == (200, b"ready\n")
    assert request(server.address, "/-/health", "HEAD") == (200, b"")
    assert request(server.address, "/-/health", "POST")[0] == 405
    # The application's own, since they are other paths.
    assert request(server.address, "/-/healthy") == (200, b"ok\n")
    assert request(server.address, "/-/health/other") == (200, b"ok\n")
    stuck(server).send("/stuck")
    under_way(client, 1)
    assert request(server.address, "/-/health") == (200, b"ok\n")
    until(lambda: request(server.address, "/-/health/ready") == (503, b"busy\n"), "a server that calls itself busy")
    server.signal(signal.SIGQUIT)


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (("--timeout", "1"), "/stuck"),
        (("--threads", "2", "--request-timeout", "1", "--graceful-timeout", "1"), "/stuck"),
        (("--threads", "2", "--timeout", "1"), "/locked"),
    ],
)
def test_requests_that_cost_their_worker_are_counted(
    operate: Operate, stuck: Callable[[Server], Stuck], arguments: tuple[str, ...], path: str
) -> None:
    server, client = operate(*arguments, "-w", "2")
    server.expect_replacements()
    assert value(metrics(client), "monoceros_timeouts_total", kind="application") == 0
    stuck(server).send(path)
    until(lambda: value(metrics(client), "monoceros_worker_ends_total", cause="timed-out") == 1, "the worker's end")
    found = metrics(client)
    assert value(found, "monoceros_timeouts_total", kind="application") == 1
    ends = [number for (name, _), number in found.items() if name == "monoceros_worker_ends_total"]
    assert sum(ends) == 1


@pytest.mark.parametrize("kind", [("--threads", "1"), ("-w", "2", "--threads", "2")])
def test_a_server_that_stops_tells_what_it_waits_for(
    operate: Operate, stuck: Callable[[Server], Stuck], short_path: str, kind: tuple[str, ...]
) -> None:
    server, client = operate(*kind, "--graceful-timeout", "60")
    stuck(server).send("/stuck?seconds=600")
    (exchange,) = under_way(client, 1)
    server.signal(signal.SIGTERM)
    until(lambda: client.ask("/ready") == (503, "draining\n"), "a server that says that it stops")
    assert client.ask("/health") == (200, "ok\n")
    # Whoever has nothing to do has left, and whoever has answers.
    until(lambda: len(client.status()["workers"]) == 1, "the end of the others")
    (waited_for,) = client.status()["exchanges"]
    assert waited_for["path"] == "/stuck" and waited_for["pid"] == exchange["pid"]
    assert "operated.py" in stacks(client, exchange["pid"], f"line {LINE_OF_WAIT}, in wait_here")
    assert client.ask("/ctl/quit?now=1", "POST")[0] == 202
    assert server.wait() == 0
    assert not os.path.exists(short_path)
