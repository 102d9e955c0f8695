"""`--preload`: the application is loaded once, workers are forked from the process that did, and a reload reloads."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import can_connect, fetch
from support.files import replace
from support.processes import session_members
from support.server import Server, run
from support.waiting import until

CODE = """
import gc, json, os, random
{before}
HERE = os.getpid()
print("loaded by", HERE, flush=True)
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    told = dict(word={word!r}, pid=os.getpid(), parent=os.getppid(), loader=HERE, number=random.random(),
                frozen=gc.get_freeze_count(), color=os.environ.get("COLOR"))
    return [json.dumps(told).encode()]
"""


def write(directory: Path, word: str, before: str = "") -> None:
    replace(directory / "preloaded.py", CODE.format(word=word, before=before))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    write(tmp_path, "old")
    return tmp_path


def start(serve: Serve, directory: Path, *arguments: str, workers: int = 1, **options) -> Server:
    server = serve("--preload", "-w", str(workers), *arguments, "preloaded:app", cwd=directory, **options)
    server.expected_boots = None
    return server


def ask(server: Server) -> dict:
    return json.loads(fetch(server.address, "/").body)


def wait_for(server: Server, word: str) -> None:
    until(lambda: ask(server)["word"] == word, f"the answer {word!r}")


def serving(server: Server, count: int) -> list[int]:
    """The workers, once there are so many: the mold is no worker."""

    def found() -> list[int] | None:
        booted = set(server.boots()) & set(server.workers())
        return sorted(booted) if len(booted) == count else None

    return until(found, f"{count} workers")


def mold(server: Server) -> int:
    return int(server.wait_for_log(r"workers are forked from it \(pid: (\d+)\)")[-1][1])


@pytest.mark.parametrize("arguments", [(), ("--threads", "3")])
def test_it_is_loaded_once(serve: Serve, code: Path, arguments: tuple[str, ...]) -> None:
    server = start(serve, code, *arguments, workers=3)
    workers = serving(server, 3)
    answers = [ask(server) for _ in range(20)]
    assert {answer["loader"] for answer in answers} == {mold(server)}
    assert {answer["parent"] for answer in answers} == {server.pid}
    assert {answer["pid"] for answer in answers} <= set(workers)
    assert len({answer["number"] for answer in answers}) == 20
    assert min(answer["frozen"] for answer in answers) > 1000
    assert (server.directory / "stdout.log").read_text().count("loaded by") == 1


def test_a_reload_really_reloads(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=2)
    old = serving(server, 2)
    first = mold(server)
    for word in ("new", "newer"):
        write(code, word)
        server.signal(signal.SIGHUP)
        wait_for(server, word)
        former = set(old)
        until(lambda: not former & set(server.workers()), "the end of the old workers")  # noqa: B023
        until(lambda: {ask(server)["word"] for _ in range(5)} == {word}, "the new code alone")  # noqa: B023
        old = serving(server, 2)
    assert mold(server) != first
    # Two workers and the process that they were forked from.
    until(lambda: len(server.workers()) == 3, "the end of the former molds")


@pytest.mark.parametrize("before", ["raise KeyError('broken')", "def f(:", "os.kill(os.getpid(), 9)"])
def test_code_that_does_not_load_changes_nothing(serve: Serve, code: Path, before: str) -> None:
    server = start(serve, code, workers=2)
    old = serving(server, 2)
    write(code, "new", before)
    server.signal(signal.SIGHUP)
    server.wait_for_log("The reload is given up")
    assert serving(server, 2) == old
    # And the old code is what replaces a worker: it is in memory.
    os.kill(old[0], signal.SIGKILL)
    until(lambda: set(serving(server, 2)) != set(old), "another worker")
    assert {ask(server)["word"] for _ in range(10)} == {"old"}
    write(code, "mended")
    server.signal(signal.SIGHUP)
    wait_for(server, "mended")


def test_the_configuration_is_that_of_the_reload(serve: Serve, code: Path) -> None:
    file = code / "settings.py"
    file.write_text("preload_app = True\nraw_env = ['COLOR=red']\n")
    server = serve("-c", str(file), "preloaded:app", cwd=code)
    server.expected_boots = None
    assert ask(server)["color"] == "red"
    file.write_text("raw_env = ['COLOR=blue']\n")
    server.signal(signal.SIGHUP)
    answer = until(lambda: (told := ask(server))["color"] == "blue" and told, "the new environment")
    assert answer["loader"] == answer["pid"]
    file.write_text("preload_app = True\nworkers = 2\n")
    server.signal(signal.SIGHUP)
    until(lambda: ask(server)["color"] is None, "the last environment")
    serving(server, 2)


@pytest.mark.parametrize(("spec", "status"), [("preloaded:app", 3), ("preloaded:absent", 4), ("no_such:app", 3)])
def test_a_first_start_that_fails(code: Path, spec: str, status: int) -> None:
    if spec == "preloaded:app":
        write(code, "new", "raise KeyError('broken')")
    done = run("--preload", "-w", "3", "-b", "127.0.0.1:0", spec, cwd=code)
    assert done.returncode == status
    assert done.stderr.count("Traceback (most recent call last)") <= 1
    assert "Shutting down: Master" in done.stderr


def test_an_import_that_hangs_is_ended(code: Path) -> None:
    write(code, "new", "import time\ntime.sleep(60)")
    done = run("--preload", "--boot-timeout", "1", "-b", "127.0.0.1:0", "preloaded:app", cwd=code)
    assert done.returncode == 3
    assert "not loaded in time" in done.stderr


def test_a_mold_that_is_gone_is_made_anew(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=2)
    old = serving(server, 2)
    os.kill(mold(server), signal.SIGKILL)
    server.wait_for_log("Another one is made")
    assert serving(server, 2) == old
    os.kill(old[0], signal.SIGKILL)
    until(lambda: serving(server, 2) != old, "another worker")
    assert ask(server)["word"] == "old"


def test_hooks_of_the_fork_see_the_application(serve: Serve, code: Path) -> None:
    (code / "settings.py").write_text(
        "import os, sys\n"
        "def pre_fork(server, worker):\n"
        "    worker.mark = 'preloaded' in sys.modules\n"
        "def post_fork(server, worker):\n"
        "    server.log.info('mark %s %s %s', worker.mark, os.getpid() == worker.pid, worker.age)\n"
        "def child_exit(server, worker):\n"
        "    server.log.info('gone %s', worker.pid)\n"
    )
    server = start(serve, code, "-c", "settings.py", workers=2)
    workers = serving(server, 2)
    # They write their lines side by side, and some time after they said that they boot.
    marks = sorted(found.groups() for found in server.wait_for_log(r"mark (\w+) (\w+) (\d)\n", 2))
    assert marks == [("True", "True", "1"), ("True", "True", "2")]
    os.kill(workers[0], signal.SIGKILL)
    server.wait_for_log(f"gone {workers[0]}")


def test_a_hook_before_the_fork_may_take_its_time(serve: Serve, code: Path) -> None:
    """Longer than a process that makes workers may be silent (`Mold.patience`), at the start and at a reload."""
    (code / "settings.py").write_text("import time\ndef pre_fork(server, worker):\n    time.sleep(6)\n")
    server = start(serve, code, "-c", "settings.py")
    first = ask(server)
    assert (first["word"], first["loader"]) == ("old", mold(server))
    write(code, "new")
    server.signal(signal.SIGHUP)
    wait_for(server, "new")
    assert ask(server)["loader"] == mold(server) != first["loader"]
    assert len(server.boots()) == 2
    assert "is gone" not in server.log() and "made none" not in server.log()


def test_threads_of_the_import_are_told(serve: Serve, code: Path) -> None:
    write(code, "old", "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()")
    server = start(serve, code)
    ask(server)
    assert "has started 1 thread while it was loaded" in server.log()


def test_workers_write_to_the_files_that_logs_have_now(serve: Serve, code: Path) -> None:
    text = "import logging\nlogging.basicConfig(filename='app.log')\n"
    write(code, "old", text)
    source = (code / "preloaded.py").read_text().replace("    told = ", "    logging.warning('asked')\n    told = ")
    (code / "preloaded.py").write_text(source)
    log, old = code / "app.log", code / "app.old"
    server = start(serve, code)
    first = serving(server, 1)
    ask(server)
    assert "asked" in log.read_text()
    log.rename(old)
    server.signal(signal.SIGUSR1)
    until(log.exists, "the new file")
    os.kill(first[0], signal.SIGTERM)
    until(lambda: serving(server, 1) != first, "another worker")
    size = old.stat().st_size
    ask(server)
    assert "asked" in log.read_text()
    assert old.stat().st_size == size


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nobody_is_left(serve: Serve, code: Path, number: signal.Signals) -> None:
    server = start(serve, code, workers=2)
    serving(server, 2)
    server.signal(number)
    assert server.wait() == 0
    assert not session_members(server.pid)
    assert not can_connect(server.address)


def test_nobody_outlives_a_master_that_is_killed(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=2)
    serving(server, 2)
    server.expected_exit = -signal.SIGKILL
    server.signal(signal.SIGKILL)
    until(lambda: not session_members(server.pid), "the end of mold and workers")


def test_with_reload_the_first_start_waits_for_mended_code(serve: Serve, code: Path) -> None:
    write(code, "new", "def f(:")
    server = start(serve, code, "--reload")
    server.wait_for_log("Listening, and waiting for a file to change")
    write(code, "mended")
    wait_for(server, "mended")
    write(code, "changed")
    wait_for(server, "changed")
