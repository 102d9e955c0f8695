"""The processes themselves: pid file, daemon, names, directory, user."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from support.client import fetch
from support.processes import children, session_members
from support.server import APPLICATIONS, clean_environment, command, run
from support.waiting import until


def test_the_pid_file_comes_and_goes(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    old = os.umask(0o077)
    try:
        server = serve("-p", str(path), "probe:app")
    finally:
        os.umask(old)
    assert path.read_text() == f"{server.pid}\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]
    server.stop()
    assert not path.exists()


@pytest.mark.parametrize("text", ["4194300\n", "", "nonsense", "0", "-1", "9" * 100])
def test_a_stale_pid_file_is_replaced(serve: Serve, tmp_path: Path, text: str) -> None:
    path = tmp_path / "server.pid"
    path.write_text(text)
    server = serve("-p", str(path), "probe:app")
    assert path.read_text() == f"{server.pid}\n"


def test_another_servers_pid_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    path.write_text(f"{os.getpid()}\n")
    result = run("-p", str(path), "-b", "127.0.0.1:0", "probe:app", deadline=60)
    assert result.returncode == 1
    assert f"Already running on PID {os.getpid()}" in result.stderr and "Traceback" not in result.stderr
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_pid_file_that_names_another_by_now_is_left(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "server.pid"
    server = serve("-p", str(path), "probe:app")
    path.write_text("1\n")
    server.stop()
    assert path.read_text() == "1\n"


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    result = run("-p", str(tmp_path / "no" / "server.pid"), "-b", "127.0.0.1:0", "probe:app", deadline=60)
    assert result.returncode == 1
    assert "Can't create the pid file" in result.stderr and "Traceback" not in result.stderr


def test_a_daemon(tmp_path: Path) -> None:
    path, log = tmp_path / "server.pid", tmp_path / "error.log"
    arguments = ("-D", "-p", str(path), "--error-logfile", str(log), "-b", "127.0.0.1:0", "-n", "hidden", "probe:app")
    done = subprocess.run(
        command(*arguments),
        cwd=APPLICATIONS,
        env=clean_environment(TRACES=str(tmp_path)),
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    until(lambda: log.exists() and "Booting worker" in log.read_text(), "the boot")
    pid = int(path.read_text())
    try:
        found = re.search(r"Listening at: http://(.*):(\d+) \((\d+)\)", log.read_text())
        assert int(found[3]) == pid
        status = json.loads(fetch((found[1], int(found[2])), "/process").body)
        assert status["parent"] == pid and status["cwd"] == str(APPLICATIONS)
        # Not the leader of its session, which could get a terminal.
        assert os.getsid(pid) != pid
        assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)] == [os.devnull] * 3
        os.kill(pid, signal.SIGWINCH)
        until(lambda: not children(pid), "the workers to go")
        os.kill(pid, signal.SIGTTIN)
        until(lambda: children(pid), "a worker")
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the daemon")
    assert not path.exists()


def start_daemon(directory: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("-D", "-p", str(directory / "server.pid"), *arguments, "probe:app"),
        cwd=APPLICATIONS,
        env=clean_environment(TRACES=str(directory)),
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def test_a_daemon_stands_when_its_starter_ends(tmp_path: Path) -> None:
    place = str(tmp_path / "s")
    # Also where descriptors that are usually taken are free.
    done = start_daemon(tmp_path, "-b", f"unix:{place}", preexec_fn=lambda: os.close(0))
    pid = int((tmp_path / "server.pid").read_text())
    try:
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert json.loads(fetch(place, "/process").body)["parent"] == pid
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the daemon")


def test_a_daemon_says_why_it_does_not_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = start_daemon(tmp_path, "-b", f"127.0.0.1:{port}")
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(rf"Error: Can't connect to .*127\.0\.0\.1.*{port}.*\n", done.stderr), done.stderr


@pytest.mark.parametrize(
    "hook, status, said",
    [
        ("raise ValueError('no way')", 1, "no way"),
        ("sys.exit(7)", 7, "ended while it started"),
        ("sys.exit('no disk')", 1, "no disk"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 1, "ended while it started"),
        # The end of the daemon counts, and not that of everybody whom it left behind.
        ("os.fork() or time.sleep(600); os.kill(os.getpid(), signal.SIGKILL)", 1, "ended while it started"),
    ],
)
@pytest.mark.parametrize("name", ["on_starting", "when_ready"])
def test_a_daemon_that_ends_as_it_starts(tmp_path: Path, name: str, hook: str, status: int, said: str) -> None:
    settings = tmp_path / "settings.py"
    left = tmp_path / "left"
    settings.write_text(
        f"import os, signal, sys, time\ndef {name}(server):\n"
        f"    open({str(left)!r}, 'w').write(str(os.getsid(0)))\n    {hook}\n"
    )
    done = start_daemon(tmp_path, "-b", f"unix:{tmp_path / 's'}", "-c", str(settings))
    for pid in session_members(int(left.read_text())):
        # One may be about to end.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert done.returncode == status and done.stdout == ""
    assert re.fullmatch(rf"Error: .*{said}.*\n", done.stderr), done.stderr


def test_a_daemon_captures_what_is_printed(tmp_path: Path) -> None:
    path, log, place = tmp_path / "server.pid", tmp_path / "error.log", str(tmp_path / "s")
    arguments = ("-D", "-p", str(path), "--error-logfile", str(log), "--capture-output", "-b", f"unix:{place}")
    words = command(*arguments, "embedding.prints:app")
    done = subprocess.run(words, cwd=APPLICATIONS, env=clean_environment(), capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    until(lambda: log.exists() and "Booting worker" in log.read_text(), "the boot")
    pid = int(path.read_text())
    try:
        assert fetch(place, "/").body == b"said"
        assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)] == [os.devnull, str(log), str(log)]
    finally:
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}").exists(), "the end of the daemon")
    for said in ("printed to stdout", "printed to stderr", "written to descriptor 2", "written to wsgi.errors"):
        assert log.read_text().count(f"{said}\n") == 1


def title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()


def test_names_of_processes(serve: Serve) -> None:
    server = serve("-n", "shop", "probe:app")
    until(server.workers, "a worker")
    until(lambda: title(server.worker()) == "monoceros: worker [shop]", "the worker's name")
    assert title(server.pid) == "monoceros: master [shop]"
    assert Path(f"/proc/{server.pid}/comm").read_text() == "monoceros: mast\n"


def test_the_name_is_the_applications(serve: Serve) -> None:
    server = serve("probe:app")
    assert title(server.pid) == "monoceros: master [probe:app]"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_workers_run_as_another_user(serve: Serve, tmp_path: Path) -> None:
    # What the application imports is imported before, since the other user may not be able to read it.
    (tmp_path / "settings.py").write_text("import probe\n")
    server = serve("-c", str(tmp_path / "settings.py"), "-u", "65534", "-g", "65534", "probe:app")
    fetch(server.address, "/process")
    status = Path(f"/proc/{server.worker()}/status").read_text()
    assert re.search(r"^Uid:\t65534\t65534", status, re.M) and re.search(r"^Gid:\t65534\t65534", status, re.M)
    assert re.search(r"^Uid:\t0\t", Path(f"/proc/{server.pid}/status").read_text(), re.M)
    # The kernel has forgotten that the worker follows its master, unless it was told again.
    server.expected_exit = -signal.SIGKILL
    server.signal(signal.SIGKILL)
    server.wait()
    until(lambda: not session_members(server.pid), "the worker to follow")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may change the user")
def test_a_user_that_may_not_be_had() -> None:
    result = run("-u", "0x1", "-b", "127.0.0.1:0", "probe:app", deadline=60)
    assert result.returncode == 3


def test_variables_of_the_environment(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "variables.py").write_text(
        "import os\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [os.environ['COLOR'].encode()]\n"
    )
    server = serve("-e", "COLOR=blue=green", "--pythonpath", str(tmp_path), "variables:app")
    assert fetch(server.address, "/").body == b"blue=green"


def test_this_interpreter_is_what_runs(serve: Serve) -> None:
    server = serve("probe:app")
    assert os.readlink(f"/proc/{server.pid}/exe") == os.path.realpath(sys.executable)
