"""Operators change a server under load, and clients notice nothing: kept connections and a new one for each request."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from chaos.load import Kind, Load
from conftest import Serve
from support.processes import processes
from support.server import Server
from support.waiting import until

CODE = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""

KINDS = pytest.mark.parametrize("kind", [(), ("--threads", "4")])


@pytest.fixture
def server(serve: Serve, tmp_path: Path, kind: tuple[str, ...]) -> Server:
    (tmp_path / "steady.py").write_text(CODE)
    server = serve("-w", "2", "-p", str(tmp_path / "pid"), *kind, "steady:app", cwd=tmp_path)
    server.expected_boots = None
    until(lambda: len(server.boots()) == 2, "both workers")
    return server


def load(server: Server) -> Load:
    host, port = server.address
    return Load((host, int(port)), kept=5, fresh=5, kinds=(Kind(),))


def is_alive(pid: int) -> bool:
    return any(process.pid == pid and process.state != "Z" for process in processes())


def answers(clients: Load, count: int = 100) -> None:
    before = clients.answered()
    until(lambda: clients.answered() >= before + count, f"{count} answers")


@KINDS
def test_twenty_reloads(server: Server) -> None:
    with load(server) as clients:
        answers(clients)
        for number in range(20):
            server.signal(signal.SIGHUP)
            server.wait_for_log("in use by all workers", number + 1)
            answers(clients)
        tally = clients.stop()
    assert (dict(tally.failures), tally.idle) == ({}, 0)


@KINDS
def test_five_upgrades_and_two_steps_back(server: Server) -> None:
    masters = [server.pid]
    with load(server) as clients:
        answers(clients)
        for number in range(7):
            old = masters[-1]
            before = len(re.findall("Listening at", server.log()))
            booted = len(server.boots())
            os.kill(old, signal.SIGUSR2)
            server.wait_for_log("Listening at", before + 1)
            new = int(re.findall(r"Listening at: .* \((\d+)\)", server.log())[-1])
            until(lambda booted=booted: len(server.boots()) == booted + 2, "the new master's workers")
            answers(clients)
            going, staying = (new, old) if number in (2, 4) else (old, new)
            os.kill(going, signal.SIGTERM)
            if going == server.pid:
                server.wait()
            until(lambda going=going: not is_alive(going), "the end of one of the masters")
            if staying == new:
                server.wait_for_log("Master has been promoted", len(masters))
                masters.append(new)
            else:
                server.wait_for_log("The new master .* has left")
            answers(clients)
        tally = clients.stop()
    assert len(masters) == 6
    os.kill(masters[-1], signal.SIGTERM)
    until(lambda: not is_alive(masters[-1]), "the end of the last master")
    # Connections end with a response that says so, and none on its way is lost.
    assert dict(tally.failures) == {}
