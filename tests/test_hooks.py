"""Server hooks: which are called, when, in which process and with what."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import Server, run
from support.waiting import until

NOTE = """
import os
TRACE = os.environ["TRACES"] + "/hooks"
def note(name, *words):
    with open(TRACE, "a") as file:
        file.write(" ".join([name, "M" if os.getpid() == MASTER() else "W", *map(str, words)]) + "\\n")
def MASTER():
    return int(os.environ.get("MASTER") or 0)
"""

EVERY = (
    NOTE
    + """
def nworkers_changed(server, new, old):
    os.environ["MASTER"] = str(os.getpid())
    note("nworkers_changed", new, old)
def on_starting(server):
    note("on_starting", len(server.LISTENERS), server.pid == os.getpid(), server.address[0][0])
def when_ready(server):
    note("when_ready", len(server.LISTENERS), server.LISTENERS[0].getsockname()[0], server.num_workers)
def pre_fork(server, worker):
    note("pre_fork", worker.pid, worker.age, worker.ppid == server.pid, worker.cfg is server.cfg)
def post_fork(server, worker):
    server.log.info("forked as %s", worker.pid)
    note("post_fork", worker.pid == os.getpid(), worker.age, worker.booted, worker.wsgi)
def post_worker_init(worker):
    note("post_worker_init", callable(worker.wsgi), worker.booted, worker.log is not None)
def worker_int(worker):
    note("worker_int", worker.pid == os.getpid())
def worker_abort(worker):
    note("worker_abort", worker.pid == os.getpid())
def child_exit(server, worker):
    note("child_exit", worker.age, worker.pid in server.WORKERS)
def worker_exit(server, worker):
    note("worker_exit", worker.age, worker.pid == os.getpid())
def on_reload(server):
    note("on_reload", server.num_workers)
def on_exit(server):
    note("on_exit", len(server.WORKERS))
"""
)


def start(serve: Serve, tmp_path: Path, text: str, *arguments: str) -> Server:
    file = tmp_path / "hooks.py"
    file.write_text(text)
    server = serve("-c", str(file), *arguments, "probe:app")
    server.expected_boots = None
    fetch(server.address, "/body?case=one")
    return server


def calls(server: Server) -> list[str]:
    return server.trace("hooks").splitlines()


def names(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


START = [
    "nworkers_changed M 1 None",
    "on_starting M 0 True 127.0.0.1",
    "when_ready M 1 127.0.0.1 1",
    "pre_fork M [booting] 1 True True",
    "post_fork W True 1 False None",
    "post_worker_init W True False True",
]


def test_the_order_of_a_life(serve: Serve, tmp_path: Path) -> None:
    server = start(serve, tmp_path, EVERY)
    assert calls(server) == START
    server.stop()
    assert calls(server)[len(START) :] == ["worker_exit W 1 True", "child_exit M 1 False", "on_exit M 0"]
    assert re.search(r"\[INFO\] forked as \d+", server.log())


def test_a_quick_stop(serve: Serve, tmp_path: Path) -> None:
    server = start(serve, tmp_path, EVERY)
    server.signal(signal.SIGINT)
    server.wait()
    assert names(calls(server)[len(START) :]) == ["worker_int", "worker_exit", "child_exit", "on_exit"]


def test_a_reload(serve: Serve, tmp_path: Path) -> None:
    server = start(serve, tmp_path, EVERY)
    old = server.workers()
    server.signal(signal.SIGHUP)
    until(lambda: server.workers() and not set(old) & set(server.workers()), "a new worker")
    until(lambda: "child_exit" in names(calls(server)), "the old worker's end")
    assert names(calls(server)[len(START) :]) == [
        "on_reload",
        "pre_fork",
        "post_fork",
        "post_worker_init",
        "nworkers_changed",
        "worker_exit",
        "child_exit",
    ]


def test_an_abort(serve: Serve, tmp_path: Path) -> None:
    server = start(serve, tmp_path, EVERY)
    os.kill(server.worker(), signal.SIGABRT)
    until(lambda: "child_exit" in names(calls(server)), "the worker's end")
    assert names(calls(server)[len(START) :])[:3] == ["worker_abort", "worker_exit", "child_exit"]


def test_a_hook_may_change_the_number_of_workers(serve: Serve, tmp_path: Path) -> None:
    server = start(serve, tmp_path, NOTE + "def when_ready(server):\n    server.num_workers = 3\n")
    until(lambda: len(server.workers()) == 3, "three workers")


@pytest.mark.parametrize("hook", ["on_starting", "when_ready"])
def test_one_that_fails_at_the_start_ends_the_server(tmp_path: Path, hook: str) -> None:
    file = tmp_path / "hooks.py"
    file.write_text(f"def {hook}(server):\n    raise KeyError('bad hook')\n")
    result = run("-c", str(file), "-b", "127.0.0.1:0", "probe:app", deadline=60)
    assert result.returncode == 1
    assert result.stderr.count("KeyError: 'bad hook'") == 1
    assert "Booting worker" not in result.stderr


@pytest.mark.parametrize(("hook", "parameters"), [("post_fork", "server, worker"), ("post_worker_init", "worker")])
def test_one_that_fails_in_a_worker_is_a_failed_boot(tmp_path: Path, hook: str, parameters: str) -> None:
    file = tmp_path / "hooks.py"
    file.write_text(f"def {hook}({parameters}):\n    raise KeyError('bad hook')\n")
    result = run("-c", str(file), "-b", "127.0.0.1:0", "probe:app", deadline=60)
    assert result.returncode == 3
    assert result.stderr.count("Traceback") == 1


@pytest.mark.parametrize(
    ("hook", "parameters"),
    [
        ("child_exit", "server, worker"),
        ("worker_exit", "server, worker"),
        ("on_exit", "server"),
        ("worker_int", "worker"),
    ],
)
def test_one_that_fails_at_the_end_changes_nothing(serve: Serve, tmp_path: Path, hook: str, parameters: str) -> None:
    server = start(serve, tmp_path, f"def {hook}({parameters}):\n    raise KeyError('bad hook')\n")
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    assert "KeyError: 'bad hook'" in server.log()


def test_a_hook_can_halt_the_server(tmp_path: Path) -> None:
    file = tmp_path / "hooks.py"
    file.write_text(
        "from monoceros.errors import HaltServer\ndef when_ready(server):\n    raise HaltServer('enough', 7)\n"
    )
    result = run("-c", str(file), "-b", "127.0.0.1:0", "probe:app", deadline=60)
    assert result.returncode == 7
    assert "enough" in result.stderr


def test_a_reload_is_given_up_when_its_hook_fails(serve: Serve, tmp_path: Path) -> None:
    server = start(serve, tmp_path, "")
    old = server.workers()
    (tmp_path / "hooks.py").write_text("def on_reload(server):\n    raise KeyError('bad hook')\n")
    server.signal(signal.SIGHUP)
    server.wait_for_log("The reload is given up")
    assert server.workers() == old
    assert fetch(server.address, "/body?case=one").body == b"hello"


def test_a_halt_in_pre_fork_lets_no_grace_pass(serve: Serve, tmp_path: Path) -> None:
    """The end is announced at once: the other worker goes by itself, with all of the grace before it."""
    text = (
        "count = []\ndef pre_fork(server, worker):\n"
        "    count.append(1)\n    if len(count) > 2:\n        raise SystemExit(9)\n"
    )
    server = start(serve, tmp_path, text, "-w", "2", "--graceful-timeout", "300")
    server.expected_exit = 9
    os.kill(server.workers()[0], signal.SIGKILL)
    assert server.wait() == 9
    assert "It did not stop in time" not in server.log()
