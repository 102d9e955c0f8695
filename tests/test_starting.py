"""What an operator is told while no worker has loaded the application yet."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.operations import request
from support.server import MODULE, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")

WAITS = """
import os, time

while not os.path.exists("go"):
    time.sleep(0.01)  # here

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


@pytest.fixture
def starting(serve: Serve, short_path: str, tmp_path: Path) -> tuple[Server, Client]:
    """A server of two workers that wait in their import for the file `go`."""
    (tmp_path / "waits.py").write_text(WAITS)
    server = serve("waits:app", "-w", "2", "--admin-bind", f"unix:{short_path}", cwd=tmp_path)
    return server, Client(f"unix:{short_path}", timeout=DEADLINE)


def test_a_server_that_starts_says_so(starting: tuple[Server, Client], tmp_path: Path) -> None:
    server, client = starting
    assert client.ask("/ready") == (503, "starting\n")
    assert client.ask("/health") == (200, "ok\n")
    assert client.ask("/metrics")[0] == 200
    until(lambda: len(client.status()["workers"]) == 2, "both workers")
    assert {each["lifetime"] for each in client.status()["workers"]} == {"booting"}
    (tmp_path / "go").touch()
    until(lambda: client.ask("/ready") == (200, "ready\n"), "a server that is ready")
    assert request(server.address, "/") == (200, b"ok")


def test_an_import_that_hangs_shows_its_line(starting: tuple[Server, Client]) -> None:
    server, client = starting
    worker = until(server.workers, "a worker")[0]
    line = WAITS.splitlines().index("    time.sleep(0.01)  # here") + 1

    def is_shown() -> bool:
        status, text = client.ask(f"/stacks?pid={worker}")
        return status == 200 and f'waits.py", line {line} in <module>' in text.replace(",  in", " in")

    until(is_shown, "the line of the import")


def test_a_worker_that_is_told_to_leave_while_it_starts(starting: tuple[Server, Client]) -> None:
    server, client = starting
    assert client.ask("/ready") == (503, "starting\n")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_an_application_that_cannot_be_loaded(serve: Serve, short_path: str, tmp_path: Path) -> None:
    """Who answers the operator keeps no worker from ending."""
    (tmp_path / "broken.py").write_text(
        'import os, time\nwhile not os.path.exists("go"):\n    time.sleep(0.01)\n1 / 0\n'
    )
    server = serve("broken:app", "--admin-bind", f"unix:{short_path}", cwd=tmp_path)
    assert Client(f"unix:{short_path}", timeout=DEADLINE).ask("/ready") == (503, "starting\n")
    server.expected_exit = 3
    (tmp_path / "go").touch()
    assert server.process.wait(DEADLINE) == 3
    assert "ZeroDivisionError" in server.log()
