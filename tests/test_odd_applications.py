"""Applications that do what they should not: the worker stays in service, or is replaced."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.processes import children
from support.server import Server
from support.waiting import until


@pytest.fixture
def odd(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("ODD_FILE", str(tmp_path / "file.gz"))
    return serve("odd:app")


def get(server: Server, path: str) -> bytes:
    response = fetch(server.address, path)
    assert response.status == 200
    return response.body


@pytest.mark.parametrize("how", ["exit", "raise", "return"])
def test_a_child_that_the_application_forks_does_not_become_a_second_worker(odd: Server, how: str) -> None:
    worker = odd.worker()
    for _ in range(3):
        assert get(odd, f"/fork?{how}") == b"plain"
        assert get(odd, "/plain") == b"plain"
    until(lambda: not children(worker), "the children to be gone")
    assert get(odd, "/plain") == b"plain"
    assert odd.worker() == worker


@pytest.mark.parametrize("place", ["body?exit", "body?raise", "body?return", "body?end", "close?raise", "close?return"])
def test_a_child_that_is_forked_behind_the_call_does_not_become_one_either(odd: Server, place: str) -> None:
    worker = odd.worker()
    for _ in range(3):
        assert get(odd, f"/fork_in_{place}") == b"plain"
        assert get(odd, "/plain") == b"plain"
    until(lambda: not children(worker), "the children to be gone")
    assert get(odd, "/plain") == b"plain"
    assert odd.worker() == worker


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
@pytest.mark.parametrize(
    ("how", "status"), [("none", b"0"), ("five", b"5"), ("large", b"7"), ("text", b"1"), ("error", b"1")]
)
def test_a_child_that_exits_has_the_status_that_it_says(
    serve: Serve, kind: tuple[str, ...], how: str, status: bytes
) -> None:
    server = serve("odd:app", *kind, environment={"PYTHONUNBUFFERED": ""})
    assert get(server, f"/fork_exit?{how}") == status
    assert (server.directory / "stdout.log").read_text() == "the child says\n"
    assert ("a last word\n" in server.log()) == (how == "text")
    assert ("Error in a process that the application forked" in server.log()) == (how == "error")
    assert get(server, "/plain") == b"plain"


def test_clients_see_the_end_while_a_child_has_their_sockets(odd: Server) -> None:
    with Connection(odd.address) as other:
        other.send(encode("GET", "/plain"))
        assert other.read_response().body == b"plain"
        with Connection(odd.address) as own:
            own.send(encode("GET", "/fork_stay", headers=[("Connection", "close")]))
            child = int(own.read_response().body)
            try:
                assert own.read_to_end() == b""
                other.send(encode("GET", "/plain", headers=[("Connection", "close")]))
                assert other.read_response().body == b"plain"
                assert other.read_to_end() == b""
            finally:
                os.kill(child, signal.SIGKILL)


def test_programs_of_the_application_do_not_ignore_signals_of_the_server(odd: Server) -> None:
    ignored = re.search(rb"SigIgn:\s*([0-9a-f]+)", get(odd, "/signals"))
    assert ignored
    for number in (signal.SIGUSR1, signal.SIGWINCH):
        assert not int(ignored[1], 16) >> (number - 1) & 1, f"{number.name} is ignored"
    # The worker itself does not mind them.
    worker = odd.worker()
    for number in (signal.SIGUSR1, signal.SIGWINCH):
        os.kill(worker, number)
    assert get(odd, "/plain") == b"plain"
    assert odd.worker() == worker


@pytest.mark.parametrize("wrong", ["numbers", "nothing", "class", "trace", "pair"])
def test_exc_info_that_is_none_is_a_type_error(odd: Server, wrong: str) -> None:
    assert get(odd, f"/exc_info?{wrong}") == b"first refused"
    assert get(odd, "/plain") == b"plain"


def test_files_that_only_look_plain_are_read(odd: Server) -> None:
    assert get(odd, "/pipe") == b"from a pipe\n"
    assert get(odd, "/gzip") == b"plain text " * 50
    assert get(odd, "/proc").startswith(b"Name:")
    assert b"do_tell" in get(odd, "/tell")


def test_threads_that_write_to_a_slow_client(odd: Server) -> None:
    with Connection(odd.address, receive_buffer=65536) as connection:
        connection.send(encode("GET", "/threads"))
        response = connection.read_response()
    assert response.body == b"T" * (4 * 60 * 50_000)
    assert get(odd, "/plain") == b"plain"


def test_a_worker_whose_descriptors_are_closed_is_replaced(odd: Server) -> None:
    odd.expect_replacements()
    old = odd.worker()
    with Connection(odd.address) as connection:
        connection.send(encode("GET", "/close_all"))
        connection.read_to_end()
    until(lambda: [pid for pid in odd.workers() if pid != old], "a new worker")
    assert get(odd, "/plain") == b"plain"


def test_an_unknown_keyword_is_a_type_error(odd: Server) -> None:
    assert get(odd, "/unknown_keyword") == b"refused"


def test_workers_never_hang_at_boot(serve: Serve) -> None:
    """Two threads of a forked process must not initialize anything shared at the same time."""
    server = serve("odd:app", "-w", "4")
    server.expect_replacements(40)
    end = time.monotonic() + 150
    for _ in range(10):
        old = until(lambda: server.workers() if len(server.workers()) == 4 else None, "four workers")
        for pid in old:
            os.kill(pid, signal.SIGTERM)
        until(lambda old=old: not set(old) & set(server.workers()), "the workers to leave")
        assert time.monotonic() < end
    assert get(server, "/plain") == b"plain"
