"""Immortal objects: what is there before a fork is not counted any more, unless somebody could see it ending.

Each Python that is there is tried: those that have none must go on as ever.
"""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve
from support.client import fetch
from support.interpreters import interpreter
from support.processes import memory
from support.server import Server, run
from support.waiting import until

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
#: Those in which objects are made immortal.
IMMORTAL = ("3.12", "3.13")
#: How many times `tests/apps/inherited.py` refers to each thing once more.
MORE = 10


@pytest.fixture(params=VERSIONS)
def python(request: pytest.FixtureRequest) -> str:
    found = interpreter(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param}")
    return found


def has_immortals(python: str) -> bool:
    return python in map(interpreter, IMMORTAL)


@pytest.fixture
def modern() -> str:
    """An interpreter that has immortal objects."""
    for version in reversed(IMMORTAL):
        if found := interpreter(version):
            return found
    pytest.skip("there is no Python that has immortal objects")


def start(serve: Serve, python: str, *arguments: str, workers: int = 1, preload: bool = True, **options: Any) -> Server:
    server = serve(
        *(["--preload"] if preload else []),
        "-w",
        str(workers),
        "--log-level",
        "debug",
        *arguments,
        "inherited:app",
        python=python,
        **options,
    )
    server.expected_boots = None
    return server


def ask(server: Server, path: str) -> Any:
    return json.loads(fetch(server.address, path).body)["answer"]


def counted(server: Server, kind: str) -> set[str]:
    """What of a kind is counted."""
    told = ask(server, "/counts")
    assert {more for _, more in told.values()} <= {0, MORE}
    found = {name: more for name, (its_kind, more) in told.items() if its_kind == kind}
    assert found
    return {name for name, more in found.items() if more}


def told_of_immortals(server: Server) -> list[int]:
    return [int(count) for count in re.findall(r"(\d+) objects have become immortal", server.log())]


def test_what_nobody_sees_ending_is_not_counted(serve: Serve, python: str) -> None:
    server = start(serve, python)
    everything = set(ask(server, "/counts"))
    lasting, ending = counted(server, "lasting"), counted(server, "ending")
    assert ending and lasting | ending <= everything
    if has_immortals(python):
        assert lasting == set()
        assert ending == {name for name, (kind, _) in ask(server, "/counts").items() if kind == "ending"}
        # In the master, and in the process that has loaded the application.
        assert len(told_of_immortals(server)) == 2
        assert min(told_of_immortals(server)) > 1000
    else:
        assert lasting | ending == everything
        assert told_of_immortals(server) == []
        assert "This Python has no immortal objects" in server.log()


def test_it_can_be_turned_off(serve: Serve, modern: str) -> None:
    server = start(serve, modern, "--no-immortal-objects")
    assert counted(server, "lasting") == {
        name for name, (kind, _) in ask(server, "/counts").items() if kind == "lasting"
    }
    assert "immortal" not in server.log()


@pytest.mark.parametrize("setting", [(), ("--no-immortal-objects",)])
def test_what_ends_is_closed_and_told(serve: Serve, python: str, setting: tuple[str, ...]) -> None:
    server = start(serve, python, *setting)
    answer = ask(server, "/drop")
    # The file, and each socket, whatever owned it.
    assert answer["closed"] == 11
    for name in ("told", "told by its owner", "awaited", "awaited function"):
        assert (server.traces / name).read_text().split() == [str(server.boots()[-1])], name


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_as_ever(serve: Serve, python: str, number: signal.Signals) -> None:
    server = start(serve, python, "--worker-class", "sync", workers=2)
    ask(server, "/use")
    ask(server, "/garbage")
    server.signal(number)
    assert server.wait() == 0
    # Nothing of the application's runs when it is too late for it.
    assert "Exception ignored" not in server.log()
    assert "SIGSEGV" not in server.log() and "SIGABRT" not in server.log()


def private_memory(pid: int) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(number) for number in re.findall(r"^Private_Dirty: +(\d+) kB", rollup, re.MULTILINE)) * 1024


def test_using_what_was_inherited_copies_no_page(serve: Serve, modern: str) -> None:
    """Forty thousand texts stand on some 700 pages."""
    grown = {}
    for setting in ((), ("--no-immortal-objects",)):
        server = start(serve, modern, *setting)
        ask(server, "/")
        pid = server.boots()[-1]
        before = private_memory(pid)
        ask(server, "/use")
        grown[setting] = private_memory(pid) - before
    assert grown["--no-immortal-objects",] - grown[()] > 2_000_000


def test_garbage_is_collected(serve: Serve, python: str) -> None:
    server = start(serve, python)
    ask(server, "/garbage")
    objects = [ask(server, "/garbage")["objects"] for _ in range(5)]
    assert max(objects) - min(objects) < 100


def test_a_reload_loads_new_code(serve: Serve, python: str, tmp_path: Path) -> None:
    source = (Path(__file__).parent / "apps" / "inherited.py").read_text()
    (tmp_path / "inherited.py").write_text(source)
    server = start(serve, python, cwd=tmp_path)
    assert "new" not in ask(server, "/counts")
    changed = source.replace('    "code": ', '    "new": ["new"],\n    "code": ')
    (tmp_path / "inherited.new").write_text(changed)
    (tmp_path / "inherited.new").rename(tmp_path / "inherited.py")
    server.signal(signal.SIGHUP)
    until(lambda: "new" in ask(server, "/counts"), "the new code")
    assert "new" not in counted(server, "lasting") or not has_immortals(python)


def molds(server: Server) -> list[str]:
    return re.findall(r"Worker \(pid:(\d+)\) is warm: from now on workers are forked", server.log())


def mold_of(server: Server, generation: int) -> int:
    """The process that workers are forked from, once so many have become one."""

    def is_there() -> list[str]:
        ask(server, "/garbage")
        return molds(server)[generation - 1 : generation]

    return int(until(is_there, f"generation {generation}")[0])


@pytest.mark.parametrize("preload", [True, False])
def test_what_ends_in_a_later_generation_is_closed_and_told(serve: Serve, python: str, preload: bool) -> None:
    server = start(serve, python, "--refork-after", "30", preload=preload)
    mold_of(server, 3)
    assert ask(server, "/drop")["closed"] == 11
    for name in ("told", "told by its owner", "awaited", "awaited function"):
        assert (server.traces / name).read_text().split(), name


def test_generation_after_generation_holds_no_more(serve: Serve, python: str) -> None:
    """What fills holes is filled anew, what is immortal is so once, and the garbage of each generation goes."""
    server = start(serve, python, "--refork-after", "40")
    sizes = [memory(mold_of(server, generation)) for generation in range(2, 9)]
    # A leak grows each time.
    assert min(after - before for before, after in zip(sizes, sizes[1:], strict=False)) < 40_000, sizes
    if has_immortals(python):
        assert told_of_immortals(server)[-1] < 1000


def test_the_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("immortal_objects = False\n")
    answer = run("--print-config", "-c", str(tmp_path / "gunicorn.conf.py"), "inherited:app", TRACES=os.devnull)
    assert re.search(r"immortal_objects\s*=\s*False", answer.stdout), answer
