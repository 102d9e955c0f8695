"""USR2: the program takes its own place, with the sockets, and steps back if that fails."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Closed, Truncated, can_connect, fetch
from support.processes import processes
from support.server import Server
from support.waiting import until
from test_reload import Load, write


def successor(server: Server, of: int | None = None, workers: int = 1) -> int:
    """Start a new master, beside the first or the one that is named, and wait until its workers have read the code."""
    listening, loaded = len(re.findall("Listening at", server.log())), len(server.trace("loaded"))
    os.kill(of or server.pid, signal.SIGUSR2)
    server.wait_for_log("Listening at", listening + 1)
    server.wait_for_trace("loaded", loaded + workers)
    return int(re.findall(r"Listening at: .* \((\d+)\)", server.log())[-1])


def is_alive(pid: int) -> bool:
    return any(process.pid == pid and process.state != "Z" for process in processes())


def end(server: Server, pid: int) -> None:
    """Wait for the old master, and end the new one."""
    server.wait()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid), "the end of the new master")


@pytest.fixture
def upgradable(serve: Serve, tmp_path: Path):
    def start(*arguments: str, workers: int = 1, **options) -> Server:
        write(tmp_path, "old")
        arguments = ("-w", str(workers), "-p", str(tmp_path / "pid"), *arguments)
        server = serve(*arguments, "shifting:app", cwd=tmp_path, **options)
        server.expected_boots = None
        server.wait_for_trace("loaded", workers)
        fetch(server.address, "/")
        return server

    return start


def test_the_new_master_takes_over(upgradable, tmp_path: Path) -> None:
    server = upgradable()
    write(tmp_path, "new")
    pid = successor(server)
    assert (tmp_path / "pid").read_text() == f"{server.pid}\n"
    assert (tmp_path / "pid.2").read_text() == f"{pid}\n"
    title = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0")
    assert title == b"monoceros: master [shifting:app.2]"
    server.signal(signal.SIGTERM)
    server.wait()
    server.wait_for_log("Master has been promoted")
    until(lambda: (tmp_path / "pid").exists(), "the pid file")
    assert (tmp_path / "pid").read_text() == f"{pid}\n" and not (tmp_path / "pid.2").exists()
    assert {fetch(server.address, "/").body.split()[0] for _ in range(5)} == {b"new"}
    # And so on.
    write(tmp_path, "newer")
    third = successor(server, pid)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid), "the end of the second master")
    assert {fetch(server.address, "/").body.split()[0] for _ in range(5)} == {b"newer"}
    os.kill(third, signal.SIGTERM)
    until(lambda: not is_alive(third), "the end of the third master")
    assert not can_connect(server.address)
    assert not (tmp_path / "pid").exists()


def test_stepping_back(upgradable, tmp_path: Path) -> None:
    server = upgradable()
    write(tmp_path, "new")
    pid = successor(server)
    server.signal(signal.SIGUSR2)
    server.wait_for_log(r"USR2 signal ignored\. Child exists\.")
    os.kill(pid, signal.SIGUSR2)
    server.wait_for_log(r"USR2 signal ignored\. Parent exists\.")
    os.kill(pid, signal.SIGTERM)
    server.wait_for_log("The new master .* has left")
    assert not (tmp_path / "pid.2").exists()
    assert (tmp_path / "pid").read_text() == f"{server.pid}\n"
    assert {fetch(server.address, "/").body.split()[0] for _ in range(5)} == {b"old"}
    # The way is free for the next.
    pid = successor(server)
    server.signal(signal.SIGTERM)
    end(server, pid)


def test_a_new_program_that_fails_leaves_the_old_one(upgradable, tmp_path: Path) -> None:
    server = upgradable()
    write(tmp_path, "new", "raise KeyError('broken')")
    server.signal(signal.SIGUSR2)
    server.wait_for_log("The new master .* exited with code 3")
    assert {fetch(server.address, "/").body.split()[0] for _ in range(5)} == {b"old"}


def test_a_new_program_that_has_no_log_yet_may_have_said_why_elsewhere(upgradable, tmp_path: Path) -> None:
    """Of a daemon's standard error nobody hears."""
    (tmp_path / "settings.py").write_text("")
    server = upgradable("-c", str(tmp_path / "settings.py"))
    (tmp_path / "settings.py").write_text("workers = 'many'")
    server.signal(signal.SIGUSR2)
    server.wait_for_log("The new master .* exited with code 1. .*--check-config")
    assert fetch(server.address, "/").body.split()[0] == b"old"


def test_a_unix_socket_stays(upgradable, tmp_path: Path, short_path: str) -> None:
    server = upgradable(binds=(f"unix:{short_path}",))
    pid = successor(server)
    # Stepping back leaves it, and so does going on.
    os.kill(pid, signal.SIGTERM)
    server.wait_for_log("The new master .* has left")
    assert fetch(short_path, "/").body.startswith(b"old")
    pid = successor(server)
    server.signal(signal.SIGTERM)
    server.wait()
    server.wait_for_log("Master has been promoted")
    assert fetch(short_path, "/").body.startswith(b"old")
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid), "the end of the new master")
    assert not os.path.exists(short_path)


def test_upgrades_and_steps_back_lose_no_request(upgradable, tmp_path: Path) -> None:
    server = upgradable(workers=2)
    pids = [server.pid]
    with Load(server) as load:
        for number in range(3):
            write(tmp_path, f"v{number}")
            pid = successor(server, pids[-1], workers=2)
            wait_until_served(server, f"v{number}")
            if number == 1:
                os.kill(pid, signal.SIGTERM)
                until(lambda: not is_alive(pid), "the step back")  # noqa: B023
                server.wait_for_log("The new master .* has left")
            else:
                os.kill(pids[-1], signal.SIGTERM)
                if pids[-1] == server.pid:
                    server.wait()
                until(lambda: not is_alive(pids[-1]), "the end of the old master")
                server.wait_for_log("Master has been promoted", len(pids))
                pids.append(pid)
        until(lambda: load.count > 50 or load.failures, "fifty answers")
    assert load.failures == []
    os.kill(pids[-1], signal.SIGTERM)
    until(lambda: not is_alive(pids[-1]), "the end of the last master")


def wait_until_served(server: Server, answer: str) -> None:
    def is_served() -> bool:
        try:
            return fetch(server.address, "/").body.startswith(answer.encode())
        except (Closed, Truncated, OSError):
            return False

    until(is_served, answer)


FLAGS = """
import json, os, sys
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    shown = {"xoptions": list(sys._xoptions), "argv": sys.orig_argv[1:], "prefix": sys.prefix, "cwd": os.getcwd()}
    shown["variables"] = sorted(name for name in os.environ if name.startswith("GUNICORN_"))
    return [json.dumps(shown).encode()]
"""


@pytest.mark.parametrize("way", ["module", "script", "environment"])
def test_it_is_started_again_as_it_was(tmp_path: Path, way: str) -> None:
    (tmp_path / "flags.py").write_text(FLAGS)
    python, script = sys.executable, Path(sys.executable).parent / "monoceros"
    if way == "environment":
        # Its own environment, which is replaced while the server runs.
        python, script = make_environment(tmp_path / "venv")
    start = [python, "-X", "utf8", "-m", "monoceros"] if way != "script" else [python, "-X", "utf8", str(script)]
    log = tmp_path / "log"
    command = [*start, "-b", "127.0.0.1:0", "flags:app"]
    with open(log, "wb") as stderr:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=stderr, start_new_session=True)
    masters = [process.pid]
    try:
        until(lambda: "Booting worker" in log.read_text(), "the boot")
        host, port = re.search(r"Listening at: http://(.*):(\d+)", log.read_text()).groups()
        address = host, int(port)
        before = json.loads(fetch(address, "/").body)
        if way == "environment":
            (tmp_path / "venv").rename(tmp_path / "former")
            make_environment(tmp_path / "venv")
        process.send_signal(signal.SIGUSR2)
        until(lambda: log.read_text().count("Booting worker") == 2, "the new master's worker")
        masters.append(int(re.findall(r"Listening at: .* \((\d+)\)", log.read_text())[1]))
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        until(lambda: "promoted" in log.read_text(), "the promotion")
        after = json.loads(fetch(address, "/").body)
        assert after == before
        assert "utf8" in after["xoptions"]
        os.kill(masters[1], signal.SIGTERM)
        until(lambda: not is_alive(masters[1]), "the end of the new master")
    finally:
        for pid in masters:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def make_environment(path: Path) -> tuple[str, Path]:
    import venv

    venv.create(path, symlinks=True)
    library = next(path.glob("lib/python*/site-packages"))
    (library / "monoceros.pth").write_text(f"{Path(__file__).resolve().parent.parent / 'python'}\n")
    return str(path / "bin" / "python"), path
