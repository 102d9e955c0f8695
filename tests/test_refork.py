"""`--refork-after`: a worker that is warm becomes the process that the next workers are forked from."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, can_connect, encode, fetch
from support.crew import Clients
from support.files import replace
from support.operations import metrics, value
from support.processes import descriptors, session_members
from support.server import Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

CODE = """
import gc, os, random, threading, time
{before}
# What a worker has learned by serving.
cache = {{}}

def told():
    return dict(word={word!r}, pid=os.getpid(), parent=os.getppid(), loader=LOADER, warmed_by=cache.get("pid"),
                generation=cache.get("generation", 0), number=random.random(), frozen=gc.get_freeze_count(),
                main=threading.main_thread().ident == threading.get_ident(), threads=len(os.listdir("/proc/self/task")))

LOADER = os.getpid()

def app(environ, start_response):
    import json
    if environ["PATH_INFO"] == "/thread":
        threading.Thread(target=time.sleep, args=(600,), name="lurker", daemon=True).start()
    if environ["PATH_INFO"] == "/slow":
        time.sleep(2)
    cache.setdefault("pid", os.getpid())
    body = json.dumps(told()).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
"""

KINDS = pytest.mark.parametrize("kind", [(), ("--threads", "3")])


def write(directory: Path, word: str, before: str = "") -> None:
    replace(directory / "warming.py", CODE.format(word=word, before=before))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    write(tmp_path, "old")
    return tmp_path


def start(serve: Serve, directory: Path, *arguments: str, workers: int = 2, after: int = 60, **options) -> Server:
    server = serve(
        "-w", str(workers), "--refork-after", str(after), *arguments, "warming:app", cwd=directory, **options
    )
    server.expected_boots = None
    return server


def ask(server: Server, path: str = "/") -> dict:
    return json.loads(fetch(server.address, path).body)


def molds(server: Server) -> list[int]:
    return [
        int(pid) for pid in re.findall(r"Worker \(pid:(\d+)\) is warm: from now on workers are forked", server.log())
    ]


def warm_up(server: Server, count: int = 1) -> int:
    """Ask until so many workers have become molds; returns the last of them."""

    def found() -> list[int]:
        for _ in range(10):
            ask(server)
        return molds(server)[count - 1 : count]

    return until(found, f"{count} molds")[0]


def serving(server: Server) -> set[int]:
    """The processes that are workers."""
    found = set()
    for pid in server.workers():
        # It may have ended meanwhile.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if "worker" in Path(f"/proc/{pid}/cmdline").read_text():
                found.add(pid)
    return found


def are_of(server: Server, mold: int) -> bool:
    """Whether every worker was forked from the mold: it has said that it boots after that was one."""
    log = server.log().partition(f"Worker (pid:{mold}) is warm: from now on")[2]
    return serving(server) <= {int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", log)}


def wait_for_generation(server: Server, mold: int, workers: int = 2) -> set[int]:
    """Wait until every worker was forked from the mold."""
    until(lambda: are_of(server, mold) and len(serving(server)) == workers, "workers of the mold alone")
    return serving(server)


@KINDS
@pytest.mark.parametrize("workers", [1, 2])
def test_new_workers_begin_warm(serve: Serve, code: Path, kind: tuple[str, ...], workers: int) -> None:
    server = start(serve, code, *kind, workers=workers)
    mold = warm_up(server)
    pids = wait_for_generation(server, mold, workers)
    answers = [ask(server) for _ in range(10)]
    assert {answer["pid"] for answer in answers} <= pids
    assert {answer["parent"] for answer in answers} == {server.pid}
    assert {answer["loader"] for answer in answers} == {mold}
    assert {answer["warmed_by"] for answer in answers} == {mold}
    assert len({answer["number"] for answer in answers}) == 10
    assert min(answer["frozen"] for answer in answers) > 1000
    assert {answer["main"] for answer in answers} == {not kind}
    # It serves nobody, and has one thread.
    assert "monoceros: mold" in Path(f"/proc/{mold}/cmdline").read_text()
    # A thread that has ended is still there for a moment.
    until(lambda: os.listdir(f"/proc/{mold}/task") == [str(mold)], "the end of its threads")


@KINDS
def test_generation_after_generation(serve: Serve, code: Path, kind: tuple[str, ...]) -> None:
    """Under load nothing fails, and nothing is left behind: no process, no descriptor, no thread."""
    server = start(serve, code, *kind)
    with Clients(server, encode("GET", "/"), kept=2, fresh=2, pause=0.002) as clients:
        clients.serve_until(lambda: len(molds(server)) >= 4, "four molds")
    assert clients.failures == []

    def is_alone() -> bool:
        """Whether there are two workers of the last mold, that mold, and nobody else."""
        mold, workers = molds(server)[-1], serving(server)
        return are_of(server, mold) and len(workers) == 2 and set(server.workers()) == workers | {mold}

    until(is_alone, "the end of the former molds")
    plain = serve("-w", "2", *kind, "warming:app", cwd=code)
    until(lambda: len(plain.workers()) == 2, "two workers")
    for _ in range(10):
        ask(plain)

    def shape(workers: list[int]) -> set[tuple[int, int]]:
        return {(len(descriptors(pid)), len(os.listdir(f"/proc/{pid}/task"))) for pid in workers}

    until(lambda: is_alone() and shape(sorted(serving(server))) == shape(plain.workers()), "the same as ever")


@KINDS
def test_connections_stay(serve: Serve, code: Path, kind: tuple[str, ...]) -> None:
    server = start(serve, code, *kind)
    with Connection(server.address) as idle:
        idle.send(encode("GET", "/"))
        first = json.loads(idle.read_response().body)["pid"]
        mold = warm_up(server)
        wait_for_generation(server, mold)
        idle.send(encode("GET", "/"))
        answer = json.loads(idle.read_response().body)
    assert answer["warmed_by"] == mold
    assert answer["pid"] != first


def test_a_request_under_way_is_finished(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=1)
    with Connection(server.address) as slow:
        slow.send(encode("GET", "/slow"))
        warm_up(server)
        assert slow.read_response().status == 200


@pytest.mark.parametrize("kind", [(), ("--threads", "3"), ("--preload",)])
def test_threads_of_the_application_keep_it_a_worker(serve: Serve, code: Path, kind: tuple[str, ...]) -> None:
    server = start(serve, code, *kind, workers=1)
    worker = ask(server, "/thread")["pid"]
    for _ in range(80):
        ask(server)
    line = server.wait_for_log(
        r"Worker \(pid:(\d+)\) is warm, but no workers can be forked from it: it has 1 thread .*"
    )
    assert int(line[0][1]) == worker
    assert "(lurker)" in line[0][0]
    for _ in range(40):
        assert ask(server)["pid"] == worker
    assert molds(server) == []
    assert server.log().count("is warm, but") == 1


def test_the_hook_is_called_in_the_worker(serve: Serve, code: Path) -> None:
    (code / "settings.py").write_text(
        "import os\n"
        "def after_mold(server, worker):\n"
        "    server.log.info('molded %s %s', worker.pid == os.getpid(), worker.age)\n"
        "    import warming\n"
        "    warming.cache['generation'] = warming.cache.get('generation', 0) + 1\n"
        "def worker_exit(server, worker):\n"
        "    server.log.info('left %s', worker.pid)\n"
        "def child_exit(server, worker):\n"
        "    server.log.info('gone %s', worker.pid)\n"
    )
    server = start(serve, code, "-c", "settings.py")
    mold = warm_up(server)
    wait_for_generation(server, mold)
    assert re.findall(r"molded (\w+) [12]\b", server.log()) == ["True"]
    assert ask(server)["generation"] == 1
    assert f"left {mold}" not in server.log()
    assert f"gone {mold}" not in server.log()
    os.kill(mold, signal.SIGKILL)
    server.wait_for_log(f"gone {mold}")


def test_a_hook_that_fails_costs_nothing(serve: Serve, code: Path) -> None:
    (code / "settings.py").write_text("def after_mold(server, worker):\n    raise KeyError('no')\n")
    server = start(serve, code, "-c", "settings.py", after=5)
    until(lambda: ask(server) and "Exception in the server hook after_mold" in server.log(), "the exception")
    assert molds(server) == []
    assert ask(server)["word"] == "old"


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_a_reload_loads_new_code(serve: Serve, code: Path, preload: tuple[str, ...]) -> None:
    server = start(serve, code, *preload)
    mold = warm_up(server)
    wait_for_generation(server, mold)
    write(code, "new")
    server.signal(signal.SIGHUP)
    until(lambda: {ask(server)["word"] for _ in range(5)} == {"new"}, "the new code alone")
    until(lambda: mold not in server.workers(), "the end of the mold of the old code")
    assert ask(server)["loader"] != mold
    # And it becomes warm in its turn.
    wait_for_generation(server, warm_up(server, len(molds(server)) + 1))
    assert ask(server)["word"] == "new"


def test_code_that_does_not_load_leaves_the_mold(serve: Serve, code: Path) -> None:
    server = start(serve, code)
    mold = warm_up(server)
    old = wait_for_generation(server, mold)
    write(code, "new", "raise KeyError('broken')")
    server.signal(signal.SIGHUP)
    server.wait_for_log("The reload is given up")
    until(lambda: serving(server) == old, "the old workers alone")
    os.kill(min(old), signal.SIGKILL)
    until(lambda: len(serving(server)) == 2 and serving(server) != old, "another worker")
    assert {ask(server)["warmed_by"] for _ in range(10)} == {mold}
    assert ask(server)["word"] == "old"


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_a_mold_that_dies_is_no_harm(serve: Serve, code: Path, preload: tuple[str, ...]) -> None:
    server = start(serve, code, *preload)
    mold = warm_up(server)
    old = wait_for_generation(server, mold)
    os.kill(mold, signal.SIGKILL)
    server.wait_for_log(rf"workers are forked from \(pid:{mold}\) is gone")
    os.kill(min(old), signal.SIGKILL)
    until(lambda: len(serving(server)) == 2 and serving(server) != old, "another worker")
    assert ask(server)["word"] == "old"
    # Another one takes its place.
    wait_for_generation(server, warm_up(server, 2))


def test_a_mold_that_stands_still_is_replaced(serve: Serve, code: Path) -> None:
    server = start(serve, code)
    mold = warm_up(server)
    old = wait_for_generation(server, mold)
    os.kill(mold, signal.SIGSTOP)
    os.kill(min(old), signal.SIGKILL)
    server.wait_for_log(rf"workers are forked from \(pid:{mold}\) is gone")
    until(lambda: len(serving(server)) == 2, "another worker")
    assert ask(server)["word"] == "old"


@KINDS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_nobody_is_left(serve: Serve, code: Path, kind: tuple[str, ...], number: signal.Signals) -> None:
    server = start(serve, code, *kind)
    wait_for_generation(server, warm_up(server))
    server.signal(number)
    assert server.wait() == 0
    assert not session_members(server.pid)
    assert not can_connect(server.address)


def test_nobody_outlives_a_master_that_is_killed(serve: Serve, code: Path) -> None:
    server = start(serve, code)
    wait_for_generation(server, warm_up(server))
    server.expected_exit = -signal.SIGKILL
    server.signal(signal.SIGKILL)
    until(lambda: not session_members(server.pid), "the end of mold and workers")


def test_a_stop_in_the_middle_of_it(serve: Serve, code: Path) -> None:
    server = start(serve, code, after=5)
    until(lambda: ask(server) and molds(server), "a mold")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert not session_members(server.pid)


def test_the_operator_is_answered(serve: Serve, code: Path) -> None:
    """The socket for that is handed on, too, and so are the bells by which stacks are asked for."""
    address = code / "admin.sock"
    server = start(
        serve, code, "--admin-bind", f"unix:{address}", "--access-logfile", str(code / "access.log"),
        "--slow-request-log", "5",
    )  # fmt: skip
    first = wait_for_generation(server, warm_up(server))
    again = wait_for_generation(server, warm_up(server, 2))
    assert not first & again

    def shown() -> set[int]:
        return {worker["pid"] for worker in json.loads(fetch(str(address), "/status").body)["workers"]}

    # The last of those that were replaced may be on its way out.
    until(lambda: shown() == again, "the new workers alone in the status")
    # One that does not get the machine at once says nothing.
    pid = min(again)
    until(lambda: b"Thread" in fetch(str(address), f"/stacks?pid={pid}").body, "the stacks")
    lines = (code / "access.log").read_text().splitlines()
    ask(server)
    until(lambda: len((code / "access.log").read_text().splitlines()) > len(lines), "another line")


def test_counters_never_go_back(serve: Serve, code: Path) -> None:
    """The cells of those that were replaced are others' now; what they counted stays."""
    address = f"unix:{code / 'admin.sock'}"
    server = start(serve, code, "--admin-bind", address)
    client = Client(address, timeout=DEADLINE)
    for _ in range(10):
        ask(server)
    before = metrics(client)
    wait_for_generation(server, warm_up(server))
    wait_for_generation(server, warm_up(server, 2))
    after = metrics(client)
    counters = [key for key in before if key[0].endswith(("_total", "_bucket", "_sum", "_count"))]
    assert counters
    assert [key for key in counters if after[key] < before[key]] == []
    assert value(after, "monoceros_requests_total", method="GET", status="2xx") >= 120


def test_it_is_off_with_reload(serve: Serve, code: Path) -> None:
    server = start(serve, code, "--reload", workers=1, after=3)
    assert "refork_after has no effect with reload" in server.log()
    for _ in range(20):
        ask(server)
    write(code, "new")
    until(lambda: ask(server)["word"] == "new", "the new code")
    assert molds(server) == []
