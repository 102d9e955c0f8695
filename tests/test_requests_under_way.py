"""What the status says of each request under way: that it waits, runs, or is being sent."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from typing import Any

import pytest
from support.operations import Operate, Stuck, command, listed, metrics, request, value
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


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


def waiting_for_its_client(client: Client) -> dict[str, Any]:
    """The exchange under way, once the server says that it waits for its client."""

    def found() -> dict[str, Any] | None:
        exchanges = client.status()["exchanges"]
        return exchanges[0] if exchanges and exchanges[0]["client_wait_s"] is not None else None

    return until(found, "a request that waits for its client")


def test_an_application_that_waits_for_its_client_to_read_says_so(operate: Operate) -> None:
    server, client = operate("--response-buffer", "65536", "--response-spool", "0")
    with socket.create_connection(server.address, DEADLINE) as slow:
        slow.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        first = waiting_for_its_client(client)
        assert (first["path"], first["phase"], first["pid"]) == ("/stream", "application", server.worker())
        # Not what each look at the socket took, but all of it.
        until(lambda: waiting_for_its_client(client)["client_wait_s"] > 1.2, "a wait that grows")
        assert value(metrics(client), "monoceros_exchanges_awaiting_client") == 1
        shown = command("status", "--admin", client.address)
        assert re.search(r" awaits client +[\d.]+ s .* GET +/stream$", shown.stdout, re.MULTILINE), shown.stdout
        size = 0
        while data := slow.recv(1 << 20):
            size += len(data)
        assert size > 16 << 20
    until(lambda: not client.status()["exchanges"], "the end of the response")
    assert value(metrics(client), "monoceros_exchanges_awaiting_client") == 0


def test_an_application_that_waits_for_its_client_to_send_says_so(operate: Operate) -> None:
    server, client = operate("--stream-request-body")
    with socket.create_connection(server.address, DEADLINE) as slow:
        slow.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        assert waiting_for_its_client(client)["path"] == "/read"
        until(lambda: waiting_for_its_client(client)["client_wait_s"] > 1.2, "a wait that grows")
        slow.sendall(b"-rest.")
        assert slow.recv(4096).startswith(b"HTTP/1.1 200 ")
        until(lambda: not client.status()["exchanges"], "the end of the request")
        # The next one on this thread waits for nobody.
        slow.sendall(b"GET /stuck?seconds=600 HTTP/1.1\r\nHost: x\r\n\r\n")
        (other,) = listed(client, "application", 1)
        assert (other["path"], other["client_wait_s"]) == ("/stuck", None)
    server.signal(signal.SIGQUIT)
