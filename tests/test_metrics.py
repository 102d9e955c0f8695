"""Figures: what `/metrics` counts, in both formats, and the schema of `/status`."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from support.operations import Metrics, Operate, metrics, request, value
from support.server import MODULE
from support.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


def test_metrics_in_both_formats(operate: Operate) -> None:
    server, client = operate("-w", "2")
    until(lambda: value(metrics(client), "monoceros_workers", lifetime="serving") == 2, "two that serve")
    for _ in range(5):
        assert request(server.address, "/") == (200, b"ok\n")
    bad = socket.create_connection(server.address, DEADLINE)
    bad.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nBad Name: x\r\n\r\n")
    assert b" 400 " in bad.recv(4096)
    bad.close()

    def counted() -> Metrics | None:
        # Of what a client has been answered the figures tell a moment later.
        found = metrics(client)
        refused = sum(number for (name, _), number in found.items() if name == "monoceros_requests_refused_total")
        return found if value(found, "monoceros_request_duration_seconds_count") == 5 and refused == 1 else None

    found = until(counted, "the figures of six requests")
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
    # A young worker has its line a moment before it says which process it is.
    until(lambda: all(each["pid"] for each in client.status()["workers"]), "the process of each")
    workers = client.status()["workers"]
    assert {each["pid"] for each in workers} == set(server.workers()) and len(workers) == 2
    assert all(each["resident_bytes"] > 1 << 20 for each in workers)


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


def test_workers_that_there_is_no_room_for_are_told_of(operate: Operate) -> None:
    server, client = operate("-w", "1")
    server.expected_boots = None
    room = 10
    for count in range(2, room + 2):
        server.signal(signal.SIGTTIN)
        until(lambda count=count: len(server.workers()) == count, "another worker")
    server.wait_for_log(r"\[WARNING\] More workers than the server was started for")
    until(lambda: len(client.status()["workers"]) == room, "those that there is room for")
    assert len(re.findall("More workers than the server", server.log())) == 1
