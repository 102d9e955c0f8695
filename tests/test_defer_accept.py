"""Clients that connect and say nothing, whom the kernel keeps back at first (``--defer-accept``)."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.processes import connected
from support.server import APPLICATIONS, Server, clean_environment, command
from support.waiting import until

ONE = encode("GET", "/body?case=one")

#: `TCP_SYN_RECV` in /proc/net/tcp: the handshake is not over, as far as the server's kernel is concerned.
HALF_OPEN = "03"


def known(server: Server) -> int:
    """The connections that the one worker has."""
    return connected(server.worker())


def is_half_open(port: int, client: Connection) -> bool:
    """Whether the kernel has not given out this client of the server at `port`."""
    wanted = (f"{port:04X}", f"{client.socket.getsockname()[1]:04X}", HALF_OPEN)
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if (local.split(":")[1], remote.split(":")[1], state) == wanted:
            return True
    return False


def is_kept_back(server: Server) -> bool:
    """Whether a silent client is unknown to the server when one that connected later has been answered."""
    with Connection(server.address) as silent, Connection(server.address) as honest:
        honest.send(ONE)
        assert honest.read_response().status == 200
        count = known(server)
        silent.send(ONE)
        assert silent.read_response().body == b"hello"
        assert known(server) == 2
    until(lambda: known(server) == 0, "the ends of both")
    return count == 1


def test_a_silent_client_is_unknown_until_it_speaks(serve: Serve) -> None:
    assert is_kept_back(serve("probe:app", "--defer-accept", "60"))


def test_without_it_a_silent_client_is_accepted_at_once(serve: Serve) -> None:
    assert not is_kept_back(serve("probe:app", "--defer-accept", "0"))


def test_by_default_a_silent_client_is_kept_back_for_a_while_and_then_accepted(serve: Serve) -> None:
    server = serve("probe:app")

    def meets_it() -> bool:
        # A second is not long where the machine is busy.
        with Connection(server.address) as silent:
            return is_half_open(server.address[1], silent)

    until(meets_it, "a client that is kept back")
    until(lambda: known(server) == 0, "the ends of those clients")
    with Connection(server.address) as silent:
        until(lambda: known(server) == 1, "the silent client to be accepted")
        assert not is_half_open(server.address[1], silent)
        silent.send(ONE)
        assert silent.read_response().body == b"hello"


def test_a_health_check_that_only_connects_is_answered(serve: Serve) -> None:
    """Who closes without a word is not kept back, nor left over."""
    server = serve("probe:app", "--defer-accept", "60")
    with Connection(server.address) as checker:
        checker.half_close()
        assert checker.read_to_end() == b""
    for _ in range(20):
        Connection(server.address).reset()
    assert fetch(server.address, "/body?case=one").body == b"hello"
    until(lambda: known(server) == 0, "the ends of all clients")


def test_clients_of_a_proxy_come_with_its_preamble(serve: Serve) -> None:
    server = serve("probe.environs:mounted", "--defer-accept", "60", "--proxy-protocol")
    with Connection(server.address) as connection:
        assert known(server) == 0
        connection.send(b"PROXY TCP4 192.0.2.7 192.0.2.8 4711 80\r\n")
        until(lambda: known(server) == 1, "the client with its preamble")
        connection.send(encode("GET", "/"))
        assert b"192.0.2.7" in connection.read_response().body


def test_no_silent_client_is_lost_when_workers_change(serve: Serve) -> None:
    """They wait in a socket that all workers share, and that outlives each."""
    server = serve("probe:app", "-w", "2", "--defer-accept", "60")
    server.expect_replacements(2)
    with Connection(server.address) as silent:
        former = set(until(lambda: len(server.workers()) == 2 and server.workers(), "two workers"))
        server.signal(signal.SIGHUP)
        until(lambda: len(server.workers()) == 2 and not former & set(server.workers()), "two other workers")
        silent.send(ONE)
        assert silent.read_response().body == b"hello"


def test_a_stop_does_not_wait_for_silent_clients(serve: Serve) -> None:
    server = serve("probe:app", "--defer-accept", "3600", "--graceful-timeout", "3600")
    with Connection(server.address) as silent:
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        with pytest.raises(ConnectionError):
            silent.send(ONE)
            if silent.read_to_end() == b"":
                raise ConnectionResetError


def test_a_reload_takes_the_new_setting(serve: Serve, tmp_path: Path) -> None:
    configuration = tmp_path / "conf.py"
    configuration.write_text("defer_accept = 60\n")
    server = serve("probe:app", "-c", str(configuration))
    server.expect_replacements(3)
    assert is_kept_back(server)
    for seconds, is_expected in ((0, False), (60, True)):
        configuration.write_text(f"defer_accept = {seconds}\n")
        former = server.worker()
        server.signal(signal.SIGHUP)
        until(lambda former=former: former not in server.workers() and len(server.workers()) == 1, "another worker")
        assert is_kept_back(server) == is_expected
    # A reload that fails leaves the socket as it is.
    configuration.write_text("defer_accept = 0\nraise ValueError\n")
    server.signal(signal.SIGHUP)
    server.wait_for_log("The reload is given up")
    assert is_kept_back(server)


def test_a_socket_that_was_handed_over_keeps_what_it_has(tmp_path: Path) -> None:
    """By a service manager, or by number: whoever opened it has settings of his own for that."""
    for seconds in (0, 7):
        with socket.create_server(("127.0.0.1", 0)) as given, open(tmp_path / "log", "wb") as log:
            given.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)
            setting = given.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT)
            assert (setting == 0) == (seconds == 0)
            number = given.fileno()
            process = subprocess.Popen(
                command("probe:app", "--defer-accept", "60", "-b", f"fd://{number}"),
                cwd=APPLICATIONS,
                env=clean_environment(TRACES=str(tmp_path)),
                stderr=log,
                pass_fds=[number],
            )
            try:
                assert fetch(given.getsockname(), "/body?case=one").body == b"hello"
                assert given.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) == setting
            finally:
                process.terminate()
                assert process.wait(60) == 0
