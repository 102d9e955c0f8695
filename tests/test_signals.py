"""What the master's signals do, one by one and by the dozen."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import Serve
from support import preload
from support.client import Connection, encode, fetch
from support.files import replace
from support.server import Server, clean_environment, command, run
from support.waiting import until

ONE = "/body?case=one"


def start(serve: Serve, *arguments: str, workers: int = 1, **options) -> Server:
    server = serve("probe:app", "-w", str(workers), *arguments, **options)
    server.expected_boots = None
    until(lambda: len(server.workers()) == workers, "the workers")
    fetch(server.address, ONE)
    return server


def test_one_more_and_one_less(serve: Serve) -> None:
    server = start(serve, "--log-level", "debug")
    first = server.worker()
    server.signal(signal.SIGTTIN)
    # It has to serve before the oldest may leave.
    server.wait_for_log(r"Worker \(pid:\d+\) is ready", 2)
    server.signal(signal.SIGTTOU)
    until(lambda: len(server.workers()) == 1 and first not in server.workers(), "the end of the oldest")
    server.signal(signal.SIGTTOU)
    server.wait_for_log("Handling signal: ttou", 2)
    assert fetch(server.address, ONE).body == b"hello"
    assert len(server.workers()) == 1


def test_fifty_signals_in_a_second_change_only_the_outcome(serve: Serve) -> None:
    server = start(serve, workers=2)
    for _ in range(50):
        for number in (signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGWINCH, signal.SIGCHLD):
            server.signal(number)
        assert fetch(server.address, ONE).body == b"hello"
    server.signal(signal.SIGHUP)
    server.wait_for_log("The new configuration is in use by all workers")
    until(lambda: len(server.workers()) == 2, "two workers")
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGTTIN, signal.SIGTERM):
        server.signal(number)
    assert server.wait() == 0
    assert "Traceback" not in server.log()


def test_usr1_goes_on_in_new_log_files(tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    process = subprocess.Popen(
        command("-b", "127.0.0.1:0", "--error-logfile", str(log), "--log-level", "debug", "probe:app"),
        cwd=Path(__file__).parent / "apps",
        env=clean_environment(TRACES=str(tmp_path)),
    )
    try:
        until(lambda: log.exists() and ") is ready\n" in log.read_text(), "a worker that serves")
        worker = int(log.read_text().split("Booting worker with pid: ")[1].split()[0])
        moved = tmp_path / "error.log.1"
        log.rename(moved)
        process.send_signal(signal.SIGUSR1)
        until(log.exists, "a new log file")
        until(lambda: not held(worker, moved), "the worker to let the old file go")
        assert not held(process.pid, moved)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert "Handling signal: usr1" in moved.read_text()
        assert "Shutting down: Master" in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def held(pid: int, path: Path) -> bool:
    directory = Path(f"/proc/{pid}/fd")
    try:
        return any(os.readlink(entry) == str(path) for entry in directory.iterdir())
    except FileNotFoundError:
        return True


def test_winch_is_for_daemons(serve: Serve) -> None:
    server = start(serve, "--log-level", "debug")
    old = server.workers()
    server.signal(signal.SIGWINCH)
    server.wait_for_log("SIGWINCH ignored. Not daemonized")
    assert server.workers() == old


def test_ctrl_c_is_no_warning(serve: Serve) -> None:
    """A terminal sends INT to the master and to every worker."""
    server = start(serve, workers=3)
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait() == 0
    assert "[WARNING]" not in server.log() and "[ERROR]" not in server.log()
    assert "Traceback" not in server.log()


def test_nobody_answers_without_workers(serve: Serve) -> None:
    server = serve("probe:app", "-w", "0")
    server.wait_for_log(r"\[WARNING\] There are 0 workers: nobody answers")
    server.expected_boots = 1
    server.signal(signal.SIGTTIN)
    assert fetch(server.address, ONE).body == b"hello"


@pytest.mark.parametrize(("spec", "status"), [("broken:app", 3), ("plain:missing", 4)])
def test_workers_that_fail_to_boot_say_so_once(spec: str, status: int) -> None:
    result = run("-w", "4", "-b", "127.0.0.1:0", spec, deadline=60)
    assert result.returncode == status
    assert result.stderr.count("Traceback") <= 1
    assert result.stderr.count("Failed to") == 1
    assert result.stderr.count("Shutting down: Master") == 1
    assert result.stderr.count("Reason: ") == 1


def test_workers_that_fail_together_say_so_once(tmp_path: Path) -> None:
    """They take longer to fail than the first one boots alone."""
    (tmp_path / "slowly.py").write_text(
        "import os, time\nopen(f'boots.{os.getpid()}', 'w').close()\n"
        "while sum(name.startswith('boots.') for name in os.listdir()) < 4:\n    time.sleep(0.01)\n"
        "raise KeyError('slow')\n"
    )
    result = run("-w", "4", "-b", "127.0.0.1:0", "slowly:app", cwd=tmp_path, deadline=60)
    assert result.returncode == 3
    assert result.stderr.count("Booting worker") == 4
    assert result.stderr.count("Traceback") == 1
    assert result.stderr.count("KeyError: 'slow'") == 2  # The traceback's last line, and the line that is for people.


def test_a_stop_does_not_wait_for_an_import(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "slowly.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    server = serve("slowly:app", cwd=tmp_path)
    until(lambda: (server.directory / "stdout.log").read_text() == "here\n", "the import")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0


def test_code_that_breaks_later_does_not_end_those_who_serve(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "changing.py").write_text(Path(__file__).parent.joinpath("apps/plain.py").read_text())
    server = serve("changing:app", "-w", "2", "--log-level", "debug", cwd=tmp_path)
    server.expected_boots = None
    server.wait_for_log(r"Worker \(pid:\d+\) is ready", 2)
    fetch(server.address, "/")
    replace(tmp_path / "changing.py", "1 / 0\n")
    first, second = server.workers()
    os.kill(first, signal.SIGKILL)
    server.wait_for_log("exited with code 3", 2)
    assert fetch(server.address, "/").status == 200
    assert second in server.workers()
    replace(tmp_path / "changing.py", Path(__file__).parent.joinpath("apps/plain.py").read_text())
    server.wait_for_log(r"Worker \(pid:\d+\) is ready", 3)


def test_a_worker_that_ends_while_the_master_is_about_another_is_noticed(serve: Serve, tmp_path: Path) -> None:
    library = preload.build(Path(__file__).parent / "support" / "slow_reaping.c", tmp_path)
    # Far more than the test waits: nothing but its end tells the master of it.
    server = serve("probe:app", "-w", "2", "--graceful-timeout", "600", environment=preload.preloaded(library))
    with ExitStack() as stack:
        names = {}
        for name in ("one", "two"):
            connection = stack.enter_context(Connection(server.address))
            connection.send(encode("GET", f"/wait?name={name}"))
            names[int(server.wait_for_trace(f"{name}.entered", 2))] = name
        # In this order the master asks for them.
        first, last = sorted(names)
        server.signal(signal.SIGTERM)
        server.wait_for_log("Handling signal: term")
        server.release(names[last])
        until(lambda: last not in server.workers(), "the end of the last")
        server.release(names[first])
        assert server.wait() == 0
