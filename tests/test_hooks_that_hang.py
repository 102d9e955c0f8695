"""A server hook that does not return holds the master up: the log names it. In a worker it costs that."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import Server
from support.waiting import until

SLOW = """
import os, time
def {hook}({parameters}):
    while not os.access({go!r}, os.F_OK): time.sleep(0.01)
"""


def start(serve: Serve, tmp_path: Path, hook: str, parameters: str, *arguments: str) -> Server:
    text = SLOW.format(hook=hook, parameters=parameters, go=str(tmp_path / "go"))
    (tmp_path / "slow.py").write_text(text)
    server = serve("-c", str(tmp_path / "slow.py"), "--boot-timeout", "2", *arguments, "probe:app")
    server.expected_boots = None
    return server


@pytest.mark.parametrize("more", [(), ("--preload",)])
@pytest.mark.parametrize(
    ("hook", "parameters", "number"),
    [
        ("when_ready", "server", None),
        ("pre_fork", "server, worker", None),
        ("on_reload", "server", signal.SIGHUP),
        ("on_exit", "server", signal.SIGTERM),
        ("child_exit", "server, worker", signal.SIGTERM),
    ],
)
def test_one_in_the_master_is_named(
    serve: Serve, tmp_path: Path, hook: str, parameters: str, number: signal.Signals | None, more: tuple[str, ...]
) -> None:
    server = start(serve, tmp_path, hook, parameters, *more)
    if number is not None:
        fetch(server.address, "/body?case=one")
        server.signal(number)
    server.wait_for_log(rf"\[CRITICAL\] The server hook {hook} has not returned for 2 s\. .*It is here:")
    # One line, wherever it is in it: what it calls is written in C.
    server.wait_for_log(rf'slow\.py", line 4, in {hook}\n    while not os\.access\(')
    assert "arbiter.py" not in server.log()
    (tmp_path / "go").touch()
    server.wait_for_log(rf"The server hook {hook} returned after \d+ s\.")
    if number == signal.SIGTERM:
        assert server.wait() == 0
    else:
        assert fetch(server.address, "/body?case=one").status == 200
    assert server.log().count("has not returned") == server.log().count("returned after")


@pytest.mark.parametrize(("hook", "parameters"), [("post_fork", "server, worker"), ("post_worker_init", "worker")])
def test_one_in_a_worker_is_named_and_ends_that(serve: Serve, tmp_path: Path, hook: str, parameters: str) -> None:
    """As an import that hangs does."""
    server = start(serve, tmp_path, hook, parameters)
    server.wait_for_log(r"is still booting\. It is here:")
    server.wait_for_log(rf'slow\.py", line 4,? in {hook}')
    # At least: the master may have come to look a moment later.
    server.wait_for_log(r"it has been booting for ([2-9]|[1-9]\d+) s")
    (tmp_path / "go").touch()
    assert fetch(server.address, "/body?case=one").status == 200


def test_an_alarm_of_the_hook_is_its_own(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "alarm.py").write_text(
        "import signal\n"
        "def when_ready(server):\n"
        "    signal.signal(signal.SIGALRM, lambda *_: server.log.info('rung'))\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
        "def pre_fork(server, worker):\n"
        "    pass\n"
    )
    server = serve("-c", str(tmp_path / "alarm.py"), "--boot-timeout", "60", "probe:app")
    assert fetch(server.address, "/body?case=one").status == 200
    # Python runs its handler when the master runs Python the next time.
    until(lambda: server.signal(signal.SIGUSR1) or re.search("rung", server.log()), "the alarm")
    assert "has not returned" not in server.log()
