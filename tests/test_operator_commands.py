"""`monoceros status`, `stacks`, `top` and `ctl`."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.operations import LINE_OF_WAIT, Operate, Stuck, command, request, under_way
from support.server import APPLICATIONS, MODULE, Server
from support.waiting import until

from monoceros.admin.client import Client, NotReachable

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


def test_the_commands_show_what_is_under_way(
    operate: Operate, stuck: Callable[[Server], Stuck], short_path: str, tmp_path: Path
) -> None:
    server, client = operate("--pid", str(tmp_path / "pid"))
    stuck(server).send("/stuck")
    under_way(client, 1)
    address = f"unix:{short_path}"
    shown = command("status", "--admin", address)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"^ *[\d.]+ m?s +application .* GET +/stuck$", shown.stdout, re.MULTILINE)
    document = json.loads(command("status", "--json", MONOCEROS_ADMIN=address).stdout)
    assert document["exchanges"][0]["path"] == "/stuck"

    def stacks(*arguments: str, cwd: Path = APPLICATIONS) -> str | None:
        shown = command("stacks", *arguments, cwd=cwd)
        # A worker that does not get the machine at once is read without Python, or says nothing.
        is_orderly = shown.returncode == 0 and f"line {LINE_OF_WAIT}, in wait_here" in shown.stdout
        return shown.stdout if is_orderly else None

    by_pid = until(lambda: stacks("--pid-file", str(tmp_path / "pid")), "the stacks")
    (tmp_path / "monoceros.conf.py").write_text(f"admin_bind = {address!r}\n")
    by_configuration = until(lambda: stacks(str(server.worker()), cwd=tmp_path), "the stacks")
    assert by_configuration == by_pid
    server.signal(signal.SIGQUIT)


def test_a_command_without_a_server_says_so(tmp_path: Path) -> None:
    nothing = command("status", cwd=tmp_path)
    assert nothing.returncode == 1
    assert nothing.stderr.startswith("Error: No server found")
    gone = command("status", "--admin", f"unix:{tmp_path}/none", cwd=tmp_path)
    assert gone.returncode == 1
    assert gone.stderr.startswith("Error: nobody answers at unix:")
    with pytest.raises(NotReachable):
        Client(f"unix:{tmp_path}/none").status()


def test_a_module_of_a_commands_name_is_served_still(serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "status.py").write_text((APPLICATIONS / "operated.py").read_text())
    server = serve("status", cwd=tmp_path)
    assert request(server.address, "/") == (200, b"ok\n")
    assert command("status:application", "--check-config", cwd=tmp_path).returncode == 0


def test_orders(operate: Operate, short_path: str) -> None:
    server, client = operate("-w", "1")
    server.expected_boots = None
    address = f"unix:{short_path}"
    assert command("ctl", "worker", "add", "2", "--admin", address).stdout == "3 workers wanted\n"
    until(lambda: len(server.workers()) == 3, "three workers")
    assert command("ctl", "worker", "remove", "--admin", address).stdout == "2 workers wanted\n"
    until(lambda: len(server.workers()) == 2, "two workers")
    first = server.workers()[0]
    assert command("ctl", "worker", "kill", str(first), "--admin", address).returncode == 0
    until(lambda: first not in server.workers() and len(server.workers()) == 2, "another in its place")
    assert client.ask(f"/ctl/workers/end?pid={server.pid}", "POST")[0] == 404
    assert command("ctl", "reload", "--admin", address).returncode == 0
    until(lambda: client.status()["server"]["reloads"] == 1, "the reload")
    assert client.status()["server"]["generation"] == 2
    shown = command("ctl", "show", "workers", "--admin", address)
    assert shown.stdout.lstrip().startswith("pid ") and "lifetime" in shown.stdout
    assert command("ctl", "quit", "--admin", address).returncode == 0
    assert server.wait() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_orders_of_workers_that_run_as_another_user(operate: Operate, tmp_path: Path) -> None:
    # What the application imports is imported before, since the other user may not be able to read it.
    (tmp_path / "settings.py").write_text("import operated\n")
    server, client = operate("-c", str(tmp_path / "settings.py"), "-u", "65534", "-g", "65534")
    server.expected_boots = None
    assert "Uid:\t65534\t65534" in Path(f"/proc/{server.worker()}/status").read_text()
    assert client.ask("/ctl/workers/add", "POST")[0] == 202
    until(lambda: len(server.workers()) == 2, "another worker")
    assert client.ask("/ctl/workers/remove", "POST")[0] == 202
    until(lambda: len(server.workers()) == 1, "a worker less")
    assert client.ask("/ctl/reload", "POST")[0] == 202
    until(lambda: client.status()["server"]["reloads"] == 1, "the reload")
    server.wait_for_log("in use by all workers")
    until(lambda: len(server.workers()) == 1, "the new worker alone")
    # A young worker has its line a moment before it says which process it is.
    until(lambda: client.ask(f"/stacks?pid={server.worker()}")[0] in (200, 503), "its stacks, or that it has none")
    assert client.ask("/ctl/quit", "POST")[0] == 202
    assert server.wait() == 0
    assert "The operator asks for what the signal SIGTERM does" in server.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_orders_that_workers_pass_on_are_bounded(operate: Operate, tmp_path: Path) -> None:
    """Else a worker that somebody broke into has a master that is root fork for ever."""
    (tmp_path / "settings.py").write_text("import operated\n")
    server, client = operate("-c", str(tmp_path / "settings.py"), "-u", "65534", "-g", "65534")
    server.expected_boots = None

    def refused(order: str, line: str) -> int:
        """Repeats an order until the log says that it is refused; how often that took."""
        for count in range(1, 1000):
            assert client.ask(f"/ctl/{order}", "POST")[0] == 202
            if re.search(line, server.log()):
                return count
            time.sleep(0.05)
        raise AssertionError(f"no line {line!r} in the log")

    refused("workers/add", r"\[WARNING\] The operator cannot add a worker: 8 are the most ")
    assert client.status()["server"]["workers_wanted"] == 8
    # All of them are told of.
    until(lambda: len(client.status()["workers"]) == 8, "eight workers")
    count = refused("reload", r"\[WARNING\] The operator asks for what the signal SIGHUP does too often")
    assert client.status()["server"]["reloads"] < count
    assert client.ask("/ctl/quit?now=1", "POST")[0] == 202
    assert server.wait() == 0


def test_a_pid_file_leads_to_its_own_master_while_another_takes_over(operate: Operate, tmp_path: Path) -> None:
    server, client = operate("--pid", str(tmp_path / "pid"), "-w", "2")
    server.expected_boots = None
    server.signal(signal.SIGUSR2)
    until(lambda: (tmp_path / "pid.2").exists(), "the new master's pid file")
    new = int((tmp_path / "pid.2").read_text())

    def master(name: str) -> int:
        shown = command("status", "--json", "--pid-file", str(tmp_path / name))
        return json.loads(shown.stdout)["server"]["pid"] if shown.returncode == 0 else 0

    until(lambda: master("pid.2") == new, "the new master's workers")
    for _ in range(5):
        assert master("pid") == server.pid
        assert master("pid.2") == new
    # The old one is told to leave, and nobody else.
    assert command("ctl", "quit", "--pid-file", str(tmp_path / "pid")).returncode == 0
    assert server.wait() == 0
    until(lambda: not (tmp_path / "pid.2").exists(), "the new master in the old one's place")
    assert client.status()["server"]["pid"] == new == master("pid")
    assert command("ctl", "quit", "--pid-file", str(tmp_path / "pid")).returncode == 0
    until(lambda: not (tmp_path / "pid").exists(), "the end of the new master")


@pytest.mark.parametrize("count", ["0", "-1", "x", "1.5", "\u0663"])
def test_a_number_of_workers_is_one(count: str) -> None:
    refused = command("ctl", "worker", "add", "--admin", "unix:/nonexistent", "--", count)
    assert refused.returncode == 2
    assert f"argument N: {count!r} is no number of workers" in refused.stderr
