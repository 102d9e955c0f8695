"""Workers that have had their share of requests, of time or of memory are replaced, and nobody notices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Serve
from support.client import encode, fetch
from support.crew import Clients
from support.files import replace
from support.server import Server
from support.waiting import until

CODE = """
import os
hoard = []
def app(environ, start_response):
    if environ["PATH_INFO"] == "/hoard":
        hoard.append(b"x" * 4_000_000)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(str(os.getpid()))))])
    return [str(os.getpid()).encode()]
"""

KINDS = pytest.mark.parametrize("kind", [(), ("--threads", "3")])


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "sharing.py").write_text(CODE)
    return tmp_path


def start(serve: Serve, directory: Path, *arguments: str) -> Server:
    server = serve(*arguments, "sharing:app", cwd=directory)
    server.expected_boots = None
    return server


def clients_of(server: Server, path: str = "/") -> Clients:
    """Half of them on a connection that is kept, half with one for each request."""
    return Clients(server, encode("GET", path), kept=2, fresh=2, pause=0.002, told=lambda response: response.body)


@KINDS
@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests(serve: Serve, code: Path, kind: tuple[str, ...], workers: str) -> None:
    """With one worker too, no connection is refused or closed."""
    server = start(serve, code, "-w", workers, "--max-requests", "40", *kind)
    with clients_of(server) as clients:
        clients.serve_until(lambda: len(server.boots()) >= 6, "workers that were replaced")
    assert clients.failures == []
    assert re.search(r"Worker \(pid:\d+\) is to be replaced: it has served 4\d requests", server.log())


def test_jitter_spreads_the_replacements(serve: Serve, code: Path) -> None:
    server = start(serve, code, "--max-requests", "1", "--max-requests-jitter", "3")

    def shares() -> set[str]:
        fetch(server.address, "/")
        return set(re.findall(r"it has served (\d+) requests", server.log()))

    until(lambda: len(shares()) > 1, "different shares")
    assert shares() <= set("1234")


def test_it_serves_until_the_other_is_ready(serve: Serve, code: Path) -> None:
    """Code that does not boot any more costs no worker that serves."""
    server = start(serve, code, "--max-requests", "3")
    # It has read the code.
    first = int(fetch(server.address, "/").body)
    replace(code / "sharing.py", "raise KeyError('broken')\n")
    for _ in range(10):
        assert int(fetch(server.address, "/").body) == first
    server.wait_for_log("KeyError: 'broken'")
    assert int(fetch(server.address, "/").body) == first
    replace(code / "sharing.py", CODE)
    until(lambda: int(fetch(server.address, "/").body) != first, "an answer of the other")


@KINDS
def test_time(serve: Serve, code: Path, kind: tuple[str, ...]) -> None:
    server = start(serve, code, "--max-worker-lifetime", "1", *kind)
    with clients_of(server) as clients:
        clients.serve_until(lambda: len(server.boots()) >= 3, "two workers that were replaced")
    assert clients.failures == []
    assert re.search(r"is to be replaced: it has lived for \d+ s", server.log())


def test_time_passes_for_idle_workers_too(serve: Serve, code: Path) -> None:
    server = start(serve, code, "--max-worker-lifetime", "1", "-w", "2")
    until(lambda: len(server.boots()) >= 4, "workers that were replaced")


@KINDS
def test_memory(serve: Serve, code: Path, kind: tuple[str, ...]) -> None:
    server = start(serve, code, "--max-worker-memory", str(100 << 20), *kind)
    first = server.worker()
    with clients_of(server, "/hoard") as clients:
        clients.serve_until(lambda: len(server.boots()) >= 2, "a worker that was replaced")
    assert clients.failures == []
    found = server.wait_for_log(r"Worker \(pid:(\d+)\) is to be replaced: it has (\d+) MiB of memory")[0]
    assert int(found[1]) == first and int(found[2]) >= 100


def test_memory_that_is_little_replaces_nobody(serve: Serve, code: Path) -> None:
    server = start(serve, code, "--max-worker-memory", str(1 << 30), "--max-worker-lifetime", "2")
    server.wait_for_log("it has lived for")
    assert "of memory" not in server.log()


def test_one_at_a_time(serve: Serve, code: Path) -> None:
    """However many want to leave at once, no more exist than `--reload-step` allows, and all serve meanwhile."""
    server = start(serve, code, "--max-worker-lifetime", "1", "-w", "3", "--graceful-timeout", "5")
    until(lambda: len(server.workers()) == 3, "three workers")
    most = 0
    # Until the test has seen one more, too: it may not have the machine while that is so.
    while len(server.boots()) < 7 or most < 4:
        most = max(most, len(server.workers()))
    assert most == 4
