"""The server as its operator meets it: health, metrics, status, stacks and orders, above all while something is wrong.

How fast the answers are is measured by benchmarks/operations.py; here they only have to come.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus
from support.client import Address
from support.processes import descriptors, memory
from support.server import APPLICATIONS, MODULE, Server, clean_environment
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client, NotReachable

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")

LINE_OF_WAIT = next(
    number
    for number, line in enumerate((APPLICATIONS / "operated.py").read_text().splitlines(), 1)
    if "gate.wait" in line
)

Operate = Callable[..., tuple[Server, Client]]


@pytest.fixture
def operate(serve: Callable[..., Server], short_path: str) -> Operate:
    """Start a server with an operator's socket, and the operator's client for it."""

    def start(*arguments: str, **options: Any) -> tuple[Server, Client]:
        server = serve("operated", "--admin-bind", f"unix:{short_path}", *arguments, **options)
        client = Client(f"unix:{short_path}", timeout=DEADLINE)
        until(lambda: client.ask("/ready")[0] == 200, "a server that is ready")
        return server, client

    return start


class Stuck:
    """Requests that do not end, each on a connection of its own."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.sockets: list[socket.socket] = []

    def send(self, path: str) -> None:
        connection = socket.create_connection(self.address, DEADLINE)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: secret=oyster\r\n\r\n".encode())
        self.sockets.append(connection)

    def close(self) -> None:
        for connection in self.sockets:
            connection.close()


@pytest.fixture
def stuck() -> Iterator[Callable[[Server], Stuck]]:
    all_of_them: list[Stuck] = []

    def make(server: Server) -> Stuck:
        all_of_them.append(Stuck(server.address))
        return all_of_them[-1]

    yield make
    for each in all_of_them:
        each.close()


def under_way(client: Client, count: int) -> list[dict[str, Any]]:
    """The exchanges that the status names, once there are as many."""

    def found() -> list[dict[str, Any]] | None:
        exchanges = client.status()["exchanges"]
        return exchanges if len(exchanges) == count else None

    return until(found, f"{count} exchanges under way")


def metrics(client: Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    status, text = client.ask("/metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse_prometheus(text)
        for sample in family.samples
    }


def value(found: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def request(address: Address, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=DEADLINE)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def command(*arguments: str, cwd: Path = APPLICATIONS, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monoceros", *arguments],
        cwd=cwd,
        env=clean_environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


# The socket


def test_the_socket_is_the_users_alone_and_goes_with_the_server(operate: Operate, short_path: str) -> None:
    server, client = operate()
    assert os.stat(short_path).st_mode & 0o777 == 0o600
    assert client.ask("/health") == (200, "ok\n")
    server.stop()
    assert not os.path.exists(short_path)


def test_nothing_is_there_unless_it_is_asked_for(serve: Callable[..., Server]) -> None:
    server = serve("operated")
    assert request(server.address, "/health") == (200, b"ok\n")
    until(server.workers, "a worker")
    threads = [Path(f"/proc/{server.worker()}/task/{task}/comm").read_text().strip() for task in tasks(server.worker())]
    assert "admin" not in threads


def tasks(pid: int) -> list[str]:
    return os.listdir(f"/proc/{pid}/task")


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "localhost:{port}", "[::1]:{port}"])
def test_a_loopback_address_answers_but_takes_no_orders(serve: Callable[..., Server], address: str) -> None:
    family = socket.AF_INET6 if "::1" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        place = address.format(port=probe.getsockname()[1])
    serve("operated", "--admin-bind", place)
    client = Client(place.replace("localhost", "127.0.0.1"), timeout=DEADLINE)
    assert client.ask("/health") == (200, "ok\n")
    assert client.status()["schema"] == 1
    assert client.ask("/ctl/reload", "POST")[0] == 403
    assert client.ask("/stacks?pid=1")[0] == 403


@pytest.mark.parametrize("address", ["0.0.0.0:9000", "192.0.2.1:9000", "example.com:9000", "[::]:9000", ":9000"])
def test_an_address_that_others_reach_needs_a_list(address: str) -> None:
    refused = command("--admin-bind", address, "operated")
    assert refused.returncode == 1
    assert "name those that may with admin_allow_ips" in refused.stderr
    checked = command("--admin-bind", address, "--admin-allow-ips", "10.0.0.0/8", "--check-config", "operated")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("address", ["fd://3", "unix:", "http://127.0.0.1:1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    refused = command("--admin-bind", address, "operated")
    assert refused.returncode == 1
    assert "Invalid value for admin_bind (--admin-bind)" in refused.stderr


def test_only_reading_is_there_but_for_orders(operate: Operate) -> None:
    _, client = operate()
    assert client.ask("/status", "POST")[0] == 405
    assert client.ask("/status", "DELETE")[0] == 405
    assert client.ask("/ctl/reload", "GET")[0] == 405
    assert client.ask("/ctl/nothing", "POST")[0] == 404
    assert client.ask("/nothing")[0] == 404
    assert client.ask("/metrics", "HEAD") == (200, "")


# While something is wrong


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
    status, text = client.ask(f"/stacks?pid={worker}")
    assert status == 200
    assert text.count(f'operated.py", line {LINE_OF_WAIT}, in wait_here') == runners
    if runners == 1:
        assert "monoceros/arbiter.py" not in text
    server.signal(signal.SIGQUIT)


def listed(client: Client, phase: str, count: int) -> list[dict[str, Any]]:
    """The exchanges of a phase, once there are as many."""

    def found() -> list[dict[str, Any]] | None:
        exchanges = [each for each in client.status()["exchanges"] if each["phase"] == phase]
        return exchanges if len(exchanges) == count else None

    return until(found, f"{count} exchanges in {phase}")


@pytest.mark.parametrize("kind", [("--threads", "1"), ("--threads", "2")])
def test_requests_that_wait_are_named(
    operate: Operate, stuck: Callable[[Server], Stuck], kind: tuple[str, str]
) -> None:
    server, client = operate(*kind)
    requests = stuck(server)
    runners = int(kind[1])
    for _ in range(runners):
        requests.send("/stuck")
    listed(client, "application", runners)
    for number in range(70):
        requests.send(f"/waits/{number}?token=oyster")
        # One after the other, so that their order is known.
        if number < 3:
            listed(client, "waiting", number + 1)
    waiting = listed(client, "waiting", 64)
    assert [each["path"] for each in waiting[:3]] == ["/waits/0", "/waits/1", "/waits/2"]
    assert {each["pid"] for each in waiting} == {server.worker()}
    assert {each["thread"] for each in waiting} == {None}
    assert waiting[0]["age_s"] >= waiting[-1]["age_s"] > 0
    assert waiting[0]["client"] == f"127.0.0.1:{requests.sockets[runners].getsockname()[1]}"
    until(lambda: client.status()["unlisted"] == {"waiting": 6, "response": 0}, "the count of the others")
    assert value(metrics(client), "monoceros_exchanges", phase="waiting") == 70
    assert "oyster" not in client.ask("/status")[1]
    # Clients that leave do not stay in the list.
    for connection in requests.sockets[runners:]:
        connection.close()
    server.signal(signal.SIGQUIT)


def test_requests_that_wait_between_workers_are_named(operate: Operate, stuck: Callable[[Server], Stuck]) -> None:
    server, client = operate("-w", "2")
    until(lambda: value(metrics(client), "monoceros_workers", lifetime="serving") == 2, "two that serve")
    requests = stuck(server)
    for _ in range(2):
        requests.send("/stuck?seconds=60")
    listed(client, "application", 2)
    for number in range(20):
        requests.send(f"/waits/{number}")
    waiting = listed(client, "waiting", 20)
    assert {each["path"] for each in waiting} == {f"/waits/{number}" for number in range(20)}
    until(lambda: any(each["pid"] is None for each in client.status()["exchanges"]), "one in the relay")
    shown = command("status", "--admin", client.address)
    assert len(re.findall(r" waiting .* GET +/waits/\d+$", shown.stdout, re.MULTILINE)) == 20
    server.signal(signal.SIGQUIT)


def test_responses_that_are_being_sent_are_named(operate: Operate) -> None:
    server, client = operate()
    with socket.create_connection(server.address, DEADLINE) as slow:
        slow.sendall(b"GET /large?token=oyster HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        (sent,) = listed(client, "response", 1)
        assert (sent["path"], sent["method"], sent["thread"]) == ("/large", "GET", None)
        assert sent["pid"] == server.worker()
        assert value(metrics(client), "monoceros_exchanges", phase="response") == 1
        # The runner is free meanwhile.
        assert request(server.address, "/") == (200, b"ok\n")
        size = 0
        while data := slow.recv(1 << 20):
            size += len(data)
        assert size > 16 << 20
    until(lambda: not client.status()["exchanges"], "the end of the response")


def test_code_in_c_that_keeps_pythons_lock(operate: Operate, stuck: Callable[[Server], Stuck]) -> None:
    server, client = operate("--threads", "2")
    stuck(server).send("/locked?seconds=4")
    assert under_way(client, 1)[0]["path"] == "/locked"
    assert client.ask("/health") == (200, "ok\n")
    assert client.ask("/metrics")[0] == 200
    status, text = client.ask(f"/stacks?pid={server.worker()}")
    assert status == 200
    assert text.startswith("Nobody gave up Python's lock")
    assert re.search(r'operated\.py", line \d+ in hold_the_lock', text)
    # The application goes on where the signal interrupted it.
    until(lambda: not client.status()["exchanges"], "the end of the request")
    assert "hold_the_lock" not in client.ask(f"/stacks?pid={server.worker()}")[1]


def test_a_stopped_worker(operate: Operate) -> None:
    server, client = operate("-w", "2", "--timeout", "0")
    stopped, other = until(lambda: len(pids := server.workers()) == 2 and pids, "two workers")
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
        assert client.ask(f"/stacks?pid={other}")[0] == 200
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


def test_operators_that_never_read_keep_nobody_out(operate: Operate, short_path: str) -> None:
    server, client = operate()
    rude = []
    try:
        for _ in range(80):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(DEADLINE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(short_path)
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
            rude.append(connection)
        # They lose their places when they have taken nothing for ten seconds.
        assert client.ask("/health") == (200, "ok\n")
        # And nobody of the application's clients waits for them.
        assert request(server.address, "/") == (200, b"ok\n")
    finally:
        for connection in rude:
            connection.close()


def test_a_thousand_scrapes_leave_nothing_behind(operate: Operate) -> None:
    server, client = operate()

    def scrape(count: int) -> None:
        for _ in range(count):
            assert client.ask("/metrics")[0] == 200
            assert client.ask("/status")[0] == 200

    worker = server.worker()
    scrape(100)
    before = memory(worker), len(descriptors(worker))
    scrape(1000)
    until(lambda: len(descriptors(worker)) <= before[1], "closed descriptors")
    assert memory(worker) < before[0] + 2 * 1024 * 1024


# What is answered


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


def test_metrics_in_both_formats(operate: Operate) -> None:
    server, client = operate("-w", "2")
    until(lambda: value(metrics(client), "monoceros_workers", lifetime="serving") == 2, "two that serve")
    for _ in range(5):
        assert request(server.address, "/") == (200, b"ok\n")
    bad = socket.create_connection(server.address, DEADLINE)
    bad.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n")
    assert b" 400 " in bad.recv(4096)
    bad.close()
    found = metrics(client)
    assert value(found, "monoceros_requests_total", method="GET", status="2xx") == 5
    assert value(found, "monoceros_request_duration_seconds_count") == 5
    assert value(found, "monoceros_connections_accepted_total") == 6
    assert value(found, "monoceros_requests_refused_total", id="space-before-colon") == 1
    assert sum(number for (name, _), number in found.items() if name == "monoceros_requests_refused_total") == 1
    assert any(name == "monoceros_listener_backlog_limit" for name, _ in found)
    assert any(name == "monoceros_worker_resident_memory_bytes" for name, _ in found)

    connection = client._connection()
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = {family.name: family for family in parse_openmetrics(response.read().decode())}
    connection.close()
    assert families["monoceros_requests"].type == "counter"
    assert families["monoceros_request_duration_seconds"].type == "histogram"
    assert len(families) == len({name.removesuffix("_total") for name in families})


def test_the_backlog_of_a_unix_socket(operate: Operate, tmp_path: Path) -> None:
    path = f"{tmp_path}/app.sock"
    server, client = operate("--backlog", "50", binds=(f"unix:{path}",))
    assert value(metrics(client), "monoceros_listener_backlog", listener=f"unix:{path}") == 0
    assert value(metrics(client), "monoceros_listener_backlog_limit", listener=f"unix:{path}") == 50
    assert client.status()["listeners"] == [{"address": f"unix:{path}", "backlog": 0, "backlog_limit": 50}]


def test_counters_never_go_back(operate: Operate) -> None:
    server, client = operate("-w", "2")
    for _ in range(10):
        request(server.address, "/")
    before = metrics(client)
    server.expect_replacements()
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: value(metrics(client), "monoceros_worker_starts_total") == 3, "another worker")
    until(lambda: value(metrics(client), "monoceros_workers", lifetime="serving") == 2, "two that serve")
    after = metrics(client)
    assert value(after, "monoceros_worker_ends_total", cause="killed") == 1
    counters = [key for key in before if key[0].endswith(("_total", "_bucket", "_sum", "_count"))]
    assert counters
    assert all(after[key] >= before[key] for key in counters)
    assert value(after, "monoceros_requests_total", method="GET", status="2xx") == 10


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


def test_status_has_its_schema_and_no_secrets(operate: Operate) -> None:
    server, client = operate("--env", "PASSWORD=oyster", "-w", "2")
    assert request(server.address, "/sleep?seconds=0.05&key=oyster") == (200, b"ok\n")
    document = until(lambda: (found := client.status())["slowest"] and found, "a slow request")
    assert set(document) == {
        "schema", "server", "settings", "listeners", "totals", "workers", "exchanges", "unlisted",
        "slowest",
    }  # fmt: skip
    assert document["server"]["pid"] == server.pid
    assert document["settings"]["workers"] == "2"
    assert document["settings"]["raw_env"] == "['PASSWORD=(hidden)']"
    assert document["slowest"][0]["path"] == "/sleep"
    assert document["slowest"][0]["status"] == 200
    assert document["slowest"][0]["duration_s"] >= 0.05
    assert "oyster" not in json.dumps(document)
    assert {each["pid"] for each in document["workers"]} == set(server.workers())
    assert all(each["resident_bytes"] > 1 << 20 for each in document["workers"])


def test_connections_by_phase(operate: Operate) -> None:
    server, client = operate()
    idle = [http.client.HTTPConnection(*server.address, timeout=DEADLINE) for _ in range(3)]
    for connection in idle:
        connection.request("GET", "/")
        connection.getresponse().read()
    until(lambda: value(metrics(client), "monoceros_connections", phase="idle") == 3, "three that idle")
    for connection in idle:
        connection.close()
    until(lambda: value(metrics(client), "monoceros_connections", phase="idle") == 0, "none that idles")


# Commands


def test_the_commands_show_what_is_under_way(
    operate: Operate, stuck: Callable[[Server], Stuck], short_path: str, tmp_path: Path
) -> None:
    server, client = operate("--pid", str(tmp_path / "pid"))
    stuck(server).send("/stuck")
    under_way(client, 1)
    address = f"unix:{short_path}"
    shown = command("status", "--admin", address)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^ *[\d.]+ m?s +application .* GET +/stuck$", shown.stdout, re.MULTILINE)
    document = json.loads(command("status", "--json", MONOCEROS_ADMIN=address).stdout)
    assert document["exchanges"][0]["path"] == "/stuck"
    by_pid = command("stacks", "--pid-file", str(tmp_path / "pid"))
    assert by_pid.returncode == 0, by_pid.stderr
    assert f"line {LINE_OF_WAIT}, in wait_here" in by_pid.stdout
    (tmp_path / "monoceros.conf.py").write_text(f"admin_bind = {address!r}\n")
    by_configuration = command("stacks", str(server.worker()), cwd=tmp_path)
    assert by_configuration.stdout == by_pid.stdout
    server.signal(signal.SIGQUIT)


def test_a_command_without_a_server_says_so(tmp_path: Path) -> None:
    nothing = command("status", cwd=tmp_path)
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("Error: No server found")
    gone = command("status", "--admin", f"unix:{tmp_path}/none", cwd=tmp_path)
    assert gone.returncode == 1
    assert gone.stderr.startswith("Error: nobody answers at unix:")
    with pytest.raises(NotReachable):
        Client(f"unix:{tmp_path}/none").status()


def test_a_module_of_a_commands_name_is_served_still(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "status.py").write_text((APPLICATIONS / "operated.py").read_text())
    server = serve("status", cwd=tmp_path)
    assert request(server.address, "/") == (200, b"ok\n")
    assert command("status:application", "--check-config", cwd=tmp_path).returncode == 0


def test_orders(operate: Operate, short_path: str) -> None:
    server, client = operate("-w", "1")
    server.expected_boots = None
    address = f"unix:{short_path}"
    assert command("ctl", "worker", "add", "2", "--admin", address).stdout == "3 workers wanted\n"
    until(lambda: len(server.workers()) == 3, "three workers")
    assert command("ctl", "worker", "remove", "--admin", address).stdout == "2 workers wanted\n"
    until(lambda: len(server.workers()) == 2, "two workers")
    first = server.workers()[0]
    assert command("ctl", "worker", "kill", str(first), "--admin", address).returncode == 0
    until(lambda: first not in server.workers() and len(server.workers()) == 2, "another in its place")
    assert client.ask(f"/ctl/workers/end?pid={server.pid}", "POST")[0] == 404
    assert command("ctl", "reload", "--admin", address).returncode == 0
    until(lambda: client.status()["server"]["reloads"] == 1, "the reload")
    assert client.status()["server"]["generation"] == 2
    shown = command("ctl", "show", "workers", "--admin", address)
    assert shown.stdout.lstrip().startswith("pid ") and "lifetime" in shown.stdout
    assert command("ctl", "quit", "--admin", address).returncode == 0
    assert server.wait() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_orders_of_workers_that_run_as_another_user(operate: Operate, tmp_path: Path) -> None:
    # What the application imports is imported before, since the other user may not be able to read it.
    (tmp_path / "settings.py").write_text("import operated\n")
    server, client = operate("-c", str(tmp_path / "settings.py"), "-u", "65534", "-g", "65534")
    server.expected_boots = None
    assert "Uid:\t65534\t65534" in Path(f"/proc/{server.worker()}/status").read_text()
    assert client.ask("/ctl/workers/add", "POST")[0] == 202
    until(lambda: len(server.workers()) == 2, "another worker")
    assert client.ask("/ctl/workers/remove", "POST")[0] == 202
    until(lambda: len(server.workers()) == 1, "a worker less")
    assert client.ask("/ctl/reload", "POST")[0] == 202
    until(lambda: client.status()["server"]["reloads"] == 1, "the reload")
    assert client.ask(f"/stacks?pid={until(server.workers, 'a worker')[0]}")[0] in (200, 503)
    assert client.ask("/ctl/quit", "POST")[0] == 202
    assert server.wait() == 0
    assert "The operator asks for what the signal SIGTERM does" in server.log()


def test_top_runs_in_a_terminal(operate: Operate, short_path: str) -> None:
    import pty

    _, _ = operate()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "monoceros.admin", "top", "--admin", f"unix:{short_path}"])
    shown = bytearray()
    reader = threading.Thread(target=lambda: read_all(terminal, shown), daemon=True)
    reader.start()
    try:
        until(lambda: b"lifetime" in shown and b"requests/s" in shown, "a picture")
        # Curses writes what changes: where the order is named.
        shown.clear()
        os.write(terminal, b"m")
        until(lambda: b"memory" in shown, "another order")
        os.write(terminal, b"q")
        _, status = os.waitpid(pid, 0)
        pid = 0
        assert os.waitstatus_to_exitcode(status) == 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(terminal)


def read_all(terminal: int, shown: bytearray) -> None:
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            return
        if not data:
            return
        shown.extend(data)


# Slow requests


@pytest.mark.parametrize("kind", [("--threads", "1"), ("--threads", "2")])
def test_a_slow_request_is_told_once_with_its_stack(operate: Operate, kind: tuple[str, str]) -> None:
    server, client = operate(*kind, "--slow-request-log", "1")
    assert request(server.address, "/stuck?seconds=4&key=oyster") == (200, b"ok\n")
    (line,) = re.findall(r".*has been running for .*", server.log())
    assert "[WARNING] Slow request: GET /stuck" in line
    assert f'operated.py", line {LINE_OF_WAIT}, in wait_here' in server.log()
    assert "oyster" not in server.log()


def test_a_slow_request_that_waits_for_its_client_is_told_once(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Each wait is left out of its time, and it is still the same request."""
    (tmp_path / "streaming.py").write_text(
        "import time\ndef app(environ, start_response):\n"
        '    start_response("200 OK", [("Content-Type", "text/plain")])\n'
        "    for _ in range(24):\n        time.sleep(0.2)\n        yield b'x' * 400_000\n"
    )
    arguments = ("--threads", "2", "--slow-request-log", "1", "--response-spool", "0", "--response-buffer", "65536")
    server = serve(*arguments, "streaming:app", cwd=tmp_path)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.address)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = 0
        while data := client.recv(40_000):
            received += len(data)
            time.sleep(0.005)
    assert received > 24 * 400_000
    assert server.log().count("Slow request: ") == 1
