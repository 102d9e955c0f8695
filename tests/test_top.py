"""`monoceros top` in a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from support.operations import Operate, Stuck, command, request, under_way
from support.server import MODULE, Server, clean_environment
from support.terminal import Terminal
from support.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


@pytest.fixture
def top(short_path: str) -> Iterator[Callable[..., Terminal]]:
    """Start it for the server of the test."""
    all_of_them: list[Terminal] = []

    def start(**changes: str) -> Terminal:
        arguments = ("monoceros.admin", "top", "--interval", "0.2", "--admin", f"unix:{short_path}")
        all_of_them.append(Terminal(*arguments, **changes))
        return all_of_them[-1]

    yield start
    for each in all_of_them:
        each.close()


def test_it_shows_the_server_and_sorts_by_keys(
    operate: Operate, stuck: Callable[[Server], Stuck], top: Callable[..., Terminal]
) -> None:
    server, client = operate("--threads", "2")
    stuck(server).send("/stuck")
    under_way(client, 1)
    terminal = top()
    for text in (b"lifetime", b"runners", b"requests/s", b"under way, the oldest first", b"/stuck", b"q quit"):
        terminal.wait_for(text)
    assert request(server.address, "/") == (200, b"ok\n")
    terminal.wait_for(b"latency since the last look, ")
    # Curses writes what changes: where the order is named.
    for key, order in ((b"m", b"memory"), (b"b", b"busy"), (b"a", b"age"), (b"r", b"requests"), (b"p", b"process id")):
        terminal.type(key)
        terminal.wait_for(order)
    terminal.type(b"q")
    assert terminal.wait() == 0
    terminal.expect_restored()
    server.signal(signal.SIGQUIT)


@pytest.mark.parametrize("size", [(2, 10), (12, 60), (60, 250)])
def test_a_terminal_of_any_size(operate: Operate, top: Callable[..., Terminal], size: tuple[int, int]) -> None:
    operate()
    terminal = top()
    terminal.wait_for(b"q quit")
    terminal.shown.clear()
    terminal.resize(*size)
    until(lambda: terminal.shown, "a picture of another size")
    terminal.resize(30, 120)
    # Keys are listened to.
    terminal.type(b"m")
    terminal.wait_for(b"memory")
    terminal.type(b"q")
    assert terminal.wait() == 0
    terminal.expect_restored()


@pytest.mark.parametrize(("keys", "number", "status"), [(b"\x03", None, 0), (None, signal.SIGTERM, 1)])
def test_the_terminal_is_given_back(
    operate: Operate, top: Callable[..., Terminal], keys: bytes | None, number: int | None, status: int
) -> None:
    operate()
    terminal = top()
    terminal.wait_for(b"q quit")
    if keys:
        os.write(terminal.descriptor, keys)
    if number:
        os.kill(terminal.pid, number)
    assert terminal.wait() == status
    terminal.expect_restored()


def test_a_server_that_goes_away_and_comes_back(
    operate: Operate, top: Callable[..., Terminal], short_path: str
) -> None:
    server, _ = operate()
    terminal = top()
    terminal.wait_for(b"q quit")
    server.stop()
    terminal.wait_for(b"nobody answers at unix:")
    terminal.shown.clear()
    operate()
    terminal.wait_for(b"q quit")
    terminal.type(b"q")
    assert terminal.wait() == 0
    terminal.expect_restored()


@pytest.mark.parametrize("name", ["", "no-such-terminal"])
def test_a_terminal_that_is_not_known(operate: Operate, top: Callable[..., Terminal], name: str) -> None:
    operate()
    terminal = top(TERM=name)
    assert terminal.wait() == 1
    terminal.wait_for(f"Error: nothing is known of the terminal '{name}' (TERM)".encode())
    assert b"Traceback" not in terminal.shown


def test_no_terminal(operate: Operate, short_path: str) -> None:
    operate()
    shown = command("top", "--admin", f"unix:{short_path}")
    assert shown.returncode == 1
    assert shown.stdout == ""
    assert shown.stderr == "Error: top needs a terminal; monoceros status writes the same once\n"


def test_letters_that_the_locale_has_not(operate: Operate, stuck: Callable[[Server], Stuck], short_path: str) -> None:
    server, client = operate()
    # A path that is cut ends in a character that is not in every locale.
    stuck(server).send("/stuck" + "/x" * 100)
    under_way(client, 1)
    shown = subprocess.run(
        [sys.executable, "-m", "monoceros.admin", "status", "--admin", f"unix:{short_path}"],
        env=clean_environment(PYTHONIOENCODING="ascii"), capture_output=True, timeout=DEADLINE,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert b"/x/x\\u2026\n" in shown.stdout
    server.signal(signal.SIGQUIT)
