"""The access log's file: opened again, complete at the end, and no reason to wait when it cannot be written."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.access_log import KINDS, Logged, read_when
from support.client import Connection, encode, fetch
from support.server import MODULE, clean_environment, command
from support.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="the access log of Monoceros")


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_opened_again_at_usr1(serve: Serve, tmp_path: Path, kind: tuple[str, ...]) -> None:
    path, old = tmp_path / "access.log", tmp_path / "access.log.1"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(p)s %(U)s", *kind, "logged:app")
    fetch(server.address, "/before")
    read_when(path, 1)
    path.rename(old)
    os.kill(server.pid, signal.SIGUSR1)
    until(path.exists, "the new file")
    count = 0

    def all_wrote() -> bool:
        nonlocal count
        fetch(server.address, "/after")
        count += 1
        return len({line.split()[0] for line in path.read_text().splitlines()}) == int(kind[1])

    until(all_wrote, "lines of every worker in the new file")
    until(lambda: len((old.read_text() + path.read_text()).splitlines()) == count + 1, "every line in one of them")


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_complete_after_a_stop(serve: Serve, tmp_path: Path, kind: tuple[str, ...]) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(U)s", *kind, "logged:app")
    for number in range(300):
        fetch(server.address, f"/{number}")
    server.stop()
    assert sorted(path.read_text().splitlines()) == sorted(f"/{number}" for number in range(300))


def answers_on(path: str) -> bool:
    try:
        return fetch(path, "/").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_that_nobody_reads_stops_nothing(short_path: str, tmp_path: Path, kind: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    errors = tmp_path / "error.log"
    words = command("-b", f"unix:{short_path}", "--access-logfile", "-", "--error-logfile", str(errors), "--access-logformat", "%(U)s " + "x" * 4000, *kind, "logged:app")  # fmt: skip # noqa: E501
    server = Logged(words, clean_environment(), stdout=writing)
    try:
        until(lambda: answers_on(short_path), "an answer")
        # More than the pipe and what may wait for it hold.
        with Connection(short_path) as connection:
            for _ in range(1500):
                connection.send(encode("GET", "/many"))
                assert connection.read_response().status == 200
        os.set_blocking(reading, False)
        received = b""

        def is_said() -> bool:
            nonlocal received
            try:
                while block := os.read(reading, 65536):
                    received += block
            except BlockingIOError:
                pass
            assert answers_on(short_path)
            return "lost" in errors.read_text()

        if kind[1] == "1":
            until(is_said, "the count of lost lines")
            lost = re.search(
                r"\[ERROR\] (\d+) lines were lost: the access log could not be written", errors.read_text()
            )
            assert lost is not None and 0 < int(lost[1]) < 1500
            assert all(len(line) > 4000 for line in received.splitlines()[:-1]), "lines are whole"
        assert server.stop() == 0
    finally:
        server.process.kill()
        server.process.wait(DEADLINE)
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("kind", [("--workers", "1"), ("--threads", "4")])
def test_a_full_disk_stops_nothing(serve: Serve, kind: tuple[str, ...], author: list[str]) -> None:
    server = serve("--access-logfile", "/dev/full", *kind, *author, "logged:app")
    for _ in range(300):
        assert fetch(server.address, "/").status == 200
    server.stop()
    # What never reached the file is said, too: by each worker, where Python writes.
    said = re.findall(
        r"\[ERROR\] (\d+) lines? (?:was|were) lost: (.*) could not be written \(No space left", server.log()
    )
    assert sum(int(count) for count, _ in said) == 300
    assert {name for _, name in said} == {"/dev/full" if author else "the access log"}
