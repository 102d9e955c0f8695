"""Unix sockets: abstract names, and who gets a path that two servers want."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import APPLICATIONS, clean_environment, command
from support.waiting import DEADLINE, until

ONE = "/body?case=one"


def ask(address: str) -> bytes:
    """One request to a Unix socket, abstract ones included; all that comes back."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(DEADLINE)
        client.connect(address)
        client.sendall(f"GET {ONE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_an_abstract_name(serve: Serve) -> None:
    name = f"@monoceros-test-{os.getpid()}"
    server = serve("probe:app", binds=(f"unix:{name}",))
    assert server.address == name
    assert f"Listening at: unix:{name} (" in server.log()
    assert ask("\0" + name[1:]).endswith(b"hello")
    assert not (APPLICATIONS / name).exists()


def test_a_file_that_is_called_like_an_abstract_name(tmp_path: Path, serve: Serve) -> None:
    server = serve("probe:app", "--chdir", str(APPLICATIONS), binds=(f"unix:{tmp_path}/@name",))
    assert fetch(server.address, ONE).body == b"hello"


def test_two_servers_that_start_at_once(short_path: str, tmp_path: Path) -> None:
    """One serves; the other says that the path is in use, and takes nothing from the first."""
    # What a killed server leaves behind is in the way of both.
    with socket.socket(socket.AF_UNIX) as former:
        former.bind(short_path)
    logs = [tmp_path / "0.log", tmp_path / "1.log"]
    servers = []
    try:
        for log in logs:
            with open(log, "wb") as stderr:
                servers.append(
                    subprocess.Popen(
                        command("-b", f"unix:{short_path}", "probe:app"),
                        cwd=APPLICATIONS,
                        env=clean_environment(TRACES=str(tmp_path)),
                        stdin=subprocess.DEVNULL,
                        stderr=stderr,
                    )
                )
        until(lambda: any("Listening at" in log.read_text() for log in logs), "one to listen")
        until(lambda: any("Connection in use" in log.read_text() for log in logs), "the other to be refused")
        loser = next(number for number, log in enumerate(logs) if "Connection in use" in log.read_text())
        assert servers[loser].wait(DEADLINE) == 1
        assert "Listening at" not in logs[loser].read_text()
        assert ask(short_path).endswith(b"hello")
        assert not os.path.exists(short_path + ".lock")
        servers[1 - loser].terminate()
        assert servers[1 - loser].wait(DEADLINE) == 0
        assert not os.path.exists(short_path)
    finally:
        for server in servers:
            if server.poll() is None:
                server.kill()
                server.wait()


@pytest.mark.parametrize(
    ("arguments", "mode"), [((), 0o770), (("--umask", "0"), 0o777), (("--umask", "077"), 0o700), (("-m", "007"), 0o770)]
)
def test_only_user_and_group_may_connect_unless_asked(
    serve: Serve, short_path: str, arguments: tuple[str, ...], mode: int
) -> None:
    serve("probe:app", *arguments, binds=(f"unix:{short_path}",))
    assert stat.S_IMODE(os.stat(short_path).st_mode) == mode


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_file_is_given_to_the_group_of_the_workers(serve: Serve, short_path: str) -> None:
    # Another user may not be able to read where Python is installed; another group changes nothing of that.
    serve("probe:app", "--user", "0", "--group", "65533", binds=(f"unix:{short_path}",))
    found = os.stat(short_path)
    assert (found.st_uid, found.st_gid) == (0, 65533)
