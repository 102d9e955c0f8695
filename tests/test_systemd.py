"""A service manager: what it hands to the server, and what it hears from it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.client import fetch
from support.processes import children, processes
from support.server import APPLICATIONS, clean_environment, command
from support.waiting import until

#: Puts the sockets where a service manager puts them, and becomes the server.
LAUNCH = """
import os, sys
count, program = int(sys.argv[1]), sys.argv[2:]
for number in range(count):
    os.dup2(50 + number, 3 + number)
if count:
    os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(count)}
if "WATCHDOG_USEC" in os.environ:
    os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(program[0], program)
"""


class Manager:
    """The manager's end: a datagram socket, and processes that it started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = str(directory / "n")
        self.inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.inbox.bind(self.path)
        self.inbox.setblocking(False)
        self.heard: list[dict[str, str]] = []
        self.log = directory / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, sockets: tuple[socket.socket, ...] = (), **variables: str) -> int:
        for number, sock in enumerate(sockets):
            os.dup2(sock.fileno(), 50 + number, inheritable=True)
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    [sys.executable, "-c", LAUNCH, str(len(sockets)), *command(*arguments)],
                    cwd=APPLICATIONS,
                    env=clean_environment(NOTIFY_SOCKET=self.path, TRACES=str(self.directory), **variables),
                    stderr=log,
                    pass_fds=[50 + number for number in range(len(sockets))],
                    start_new_session=True,
                )
        finally:
            for number in range(len(sockets)):
                os.close(50 + number)
        return self.process.pid

    def listen(self) -> list[dict[str, str]]:
        while True:
            try:
                message = self.inbox.recv(65536).decode()
            except BlockingIOError:
                return self.heard
            self.heard.append(dict(line.split("=", 1) for line in message.splitlines()))

    def count(self, name: str, value: str | None = None) -> int:
        return sum(name in each and value in (None, each[name]) for each in self.listen())

    def address(self) -> tuple[str, int]:
        found = until(lambda: re.search(r"Listening at: http://(.*):(\d+)", self.log.read_text()), "the address")
        return found[1], int(found[2])

    def end(self) -> None:
        assert self.process is not None
        for process in processes():
            if process.session == self.process.pid and process.state != "Z":
                # Workers that lose their master end by themselves.
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
        self.process.wait()
        self.inbox.close()


@pytest.fixture
def manager(short_path: str) -> Iterator[Manager]:
    manager = Manager(Path(short_path).parent)
    yield manager
    manager.end()


def test_the_manager_hears_of_a_life(manager: Manager) -> None:
    pid = manager.start("-b", "127.0.0.1:0", "-w", "2", "probe:app")
    until(lambda: manager.count("READY", "1") == 1, "READY=1")
    assert manager.heard[0]["MAINPID"] == str(pid)
    assert "STATUS" in manager.heard[0]
    # Whoever waits for READY finds a server that answers.
    assert fetch(manager.address(), "/body?case=one").body == b"hello"
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    os.kill(pid, signal.SIGHUP)
    until(lambda: manager.count("READY", "1") == 2, "READY=1 after the reload")
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    reloading = [each for each in manager.heard if each.get("RELOADING") == "1"]
    assert len(reloading) == 1 and before <= int(reloading[0]["MONOTONIC_USEC"]) <= after
    os.kill(pid, signal.SIGTERM)
    assert manager.process.wait(30) == 0
    assert manager.count("STOPPING", "1") == 1
    assert "STOPPING" in manager.heard[-1]


def test_ready_waits_for_a_worker(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "slowly.py").write_text(
        f"import time\ntime.sleep(1)\nopen({str(tmp_path / 'loaded')!r}, 'w')\napp = print\n"
    )
    manager.start("-b", "127.0.0.1:0", "--pythonpath", str(tmp_path), "slowly:app")
    until(lambda: manager.count("READY"), "READY=1")
    assert (tmp_path / "loaded").exists()


def test_a_failed_reload_is_over_too(manager: Manager, tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text("")
    pid = manager.start("-c", str(file), "-b", "127.0.0.1:0", "probe:app")
    until(lambda: manager.count("READY") == 1, "READY=1")
    file.write_text("workers = 'x'\n")
    os.kill(pid, signal.SIGHUP)
    until(lambda: manager.count("READY") == 2, "READY=1 after the reload")
    assert "failed" in manager.heard[-1]["STATUS"]


def test_sockets_of_the_manager(manager: Manager) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.socket(socket.AF_UNIX) as second:
        path = str(manager.directory / "given")
        second.bind(path)
        second.listen()
        pid = manager.start("-b", "127.0.0.1:1", "probe:app", sockets=(first, second))
        address = first.getsockname()
        for each in (address, path):
            assert fetch(each, "/body?case=one").body == b"hello"
        until(lambda: manager.count("READY"), "READY=1")
        old = children(pid)
        os.kill(pid, signal.SIGHUP)
        until(lambda: children(pid) and not set(old) & set(children(pid)), "a new worker")
        # Over an upgrade as well.
        os.kill(pid, signal.SIGUSR2)
        until(lambda: manager.log.read_text().count("Listening at") == 2, "the new master")
        successor = int(re.findall(r"Listening at: .* \((\d+)\)", manager.log.read_text())[1])
        until(lambda: children(successor), "its worker")
        os.kill(pid, signal.SIGTERM)
        assert manager.process.wait(30) == 0
        until(lambda: manager.count("MAINPID", str(successor)) >= 1, "MAINPID")
        assert manager.count("STOPPING") == 0
        for each in (address, path):
            assert fetch(each, "/body?case=one").body == b"hello"
        os.kill(successor, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{successor}/exe").exists() or not children(successor), "the end")
        assert os.path.exists(path)


def test_a_new_master_keeps_the_manager_informed(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "changing.py").write_text("def app(environ, start_response): ...\n")
    options = ("-b", "127.0.0.1:0", "--pythonpath", str(tmp_path), "changing:app")
    pid = manager.start(*options, WATCHDOG_USEC="400000")
    until(lambda: manager.count("READY") == 1, "READY=1")
    os.kill(pid, signal.SIGUSR2)
    until(lambda: manager.log.read_text().count("Booting worker") == 2, "the new master's worker")
    os.kill(pid, signal.SIGTERM)
    assert manager.process.wait(30) == 0
    # The manager restarts a service of which it does not hear within that time.
    until(lambda: manager.count("READY") == 2, "READY=1 of the new master")
    fed = manager.count("WATCHDOG", "1")
    until(lambda: manager.count("WATCHDOG", "1") >= fed + 3, "signs of life of the new master")
    # A reload that fails is over, as it would be with the first master.
    (tmp_path / "changing.py").write_text("raise RuntimeError\n")
    os.kill(int([each for each in manager.heard if "MAINPID" in each][-1]["MAINPID"]), signal.SIGHUP)
    until(lambda: manager.count("READY") == 3, "READY=1 after the reload")
    assert "failed" in [each for each in manager.heard if "READY" in each][-1]["STATUS"]


def test_sockets_of_another_process_are_not_ours(manager: Manager) -> None:
    manager.start("-b", "127.0.0.1:0", "probe:app", LISTEN_PID="1", LISTEN_FDS="3")
    assert fetch(manager.address(), "/body?case=one").body == b"hello"


def test_applications_do_not_see_what_was_handed_over(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "shows.py").write_text(
        "import json, os\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [json.dumps(sorted(os.environ)).encode()]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as first:
        manager.start("--pythonpath", str(tmp_path), "shows:app", sockets=(first,))
        seen = json.loads(fetch(first.getsockname(), "/").body)
    assert not [name for name in seen if name.startswith("LISTEN_")]


def test_the_watchdog_is_fed_while_workers_serve(manager: Manager) -> None:
    pid = manager.start("-b", "127.0.0.1:0", "-t", "1", "--boot-timeout", "3", "probe:app", WATCHDOG_USEC="400000")
    # For longer than no worker may serve: timeout and boot timeout.
    end = time.monotonic() + 4.5
    until(lambda: time.monotonic() > end and manager.count("WATCHDOG", "1") >= 5, "signs of life")
    assert manager.count("READY") == 1
    os.kill(pid, signal.SIGTERM)
    assert manager.process.wait(30) == 0
