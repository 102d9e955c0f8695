"""What clients may take of a worker: its threads, its memory and its disk have bounds, and a slow disk stops nobody."""

from __future__ import annotations

import json
import os
import select
import signal
import threading
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import Serve
from support import preload
from support.client import Address, Connection, can_connect, encode, fetch
from support.processes import memory
from support.server import Server
from support.waiting import until

MIB = 1 << 20
SLOW_DISK = Path(__file__).parents[1] / "benchmarks" / "slow_disk.c"


def is_well(server: Server) -> bool:
    return fetch(server.address, "/body?case=one").body == b"hello"


# Clients that read slowly


def test_eight_slow_readers_of_streams_hold_nobody(server: Server) -> None:
    """40 MiB each, on the one thread of a sync worker: the applications are done long before their clients."""
    size, count = 65536, 640
    with ExitStack() as stack:
        readers = [stack.enter_context(Connection(server.address, receive_buffer=4096)) for _ in range(8)]
        for number, reader in enumerate(readers):
            reader.send(encode("GET", f"/counted?name=slow.{number}&size={size}&count={count}&length={size * count}"))
        for number, reader in enumerate(readers):
            reader.read_head()
            assert is_well(server)
            assert server.wait_for_trace(f"slow.{number}.close") == "c"
        # One that is patient gets all of it, in order, and the connection goes on.
        assert readers[0].take(size * count) == b"x" * (size * count)
        readers[0].send(encode("GET", "/body?case=one"))
        assert readers[0].read_response().body == b"hello"


def test_a_stream_through_a_file_is_what_the_application_made(serve: Serve) -> None:
    """Chunked, and with the file emptied now and then: nothing is lost, doubled or out of place."""
    server = serve("probe:app", "--response-buffer", "100000")
    with Connection(server.address, receive_buffer=65536) as connection:
        connection.send(encode("GET", "/big?mib=48"))
        digest = sha256(connection.read_response().body).hexdigest()
    expected = sha256()
    for number in range(48):
        expected.update(sha256(str(number).encode()).digest() * (MIB // 32))
    assert digest == expected.hexdigest()
    assert is_well(server)


def test_who_holds_a_thread_that_others_need_is_cut_off(serve: Serve) -> None:
    server = serve("probe:app", "--response-spool", "0", "--response-wait", "1")
    with Connection(server.address) as waiting, Connection(server.address, receive_buffer=4096) as reader:
        waiting.send(encode("GET", "/body?case=one"))
        assert waiting.read_response().body == b"hello"
        reader.send(encode("GET", "/counted?name=cut&size=65536&count=640"))
        reader.read_head()
        waiting.send(encode("GET", "/body?case=one"))
        assert waiting.read_response().body == b"hello"
        assert server.trace("cut.close") == "c"
        server.wait_for_log(r"\[WARNING\] .*--response-wait")


def test_who_holds_a_thread_that_nobody_needs_is_left_alone(serve: Serve) -> None:
    server = serve("probe:app", "--response-spool", "0", "--response-wait", "1")
    with Connection(server.address, receive_buffer=65536) as reader:
        reader.send(encode("GET", f"/counted?name=kept&size=65536&count=640&length={40 * MIB}"))
        reader.read_head()
        # Longer than the limit, in which nobody else asks for anything.
        threading.Event().wait(3)
        assert reader.take(40 * MIB) == b"x" * (40 * MIB)


# Memory


def test_unread_responses_leave_memory(serve: Serve) -> None:
    server = serve("probe:app", "--buffer-memory", str(16 * MIB))
    assert is_well(server)
    before = memory(server.worker())
    with ExitStack() as stack:
        readers = [stack.enter_context(Connection(server.address, receive_buffer=4096)) for _ in range(30)]
        for reader in readers:
            # One large block is no reason to hold the application up, and used to stay in memory.
            reader.send(encode("GET", "/big?mib=10&list&length"))
            reader.read_head()
        assert is_well(server)
        # 300 MiB are waiting: the budget, one block under way, and what an allocator keeps.
        assert memory(server.worker()) - before < 80 * MIB
        body = readers[-1].take(10 * MIB)
    expected = b"".join(sha256(str(number).encode()).digest() * (MIB // 32) for number in range(10))
    assert sha256(body).digest() == sha256(expected).digest()


def test_large_heads_give_way_to_those_who_get_on(serve: Serve) -> None:
    server = serve("probe:app", "--buffer-memory", str(4 * MIB))
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 8000) for n in range(90))
    with ExitStack() as stack:
        stalled = []
        for _ in range(12):
            connection = stack.enter_context(Connection(server.address))
            connection.send(head)
            stalled.append(connection)
            assert is_well(server)
        # 8 MiB and more were sent: the first of them are closed.
        stalled[0].read_to_end()
        server.wait_for_log(r"\[WARNING\] .*--buffer-memory")
        assert is_well(server)


# Disk


def announce(address: Address, size: int) -> Connection:
    connection = Connection(address)
    connection.send(encode("POST", "/digest", [("Content-Length", str(size)), ("Expect", "100-continue")]))
    return connection


def test_bodies_past_the_limit_of_the_disk_are_refused_before_they_are_read(serve: Serve, tmp_path: Path) -> None:
    server = serve("probe:app", "-w", "2", "--spool-limit", str(2 * MIB), "--tmp-upload-dir", str(tmp_path))
    with announce(server.address, 2 * MIB + 1) as connection:
        response = connection.read_response()
        assert response.status == 503 and b"spool-full" in response.body and not response.interim
        assert int(response.header("Retry-After") or 0) > 0
    # What fits is served, again and again: what was in files is given back, a moment after the answer was sent.
    body = b"x" * (2 * MIB - 1)
    for _ in range(4):
        until(lambda: fetch(server.address, "/digest", "POST", body=body).status == 200, "room for a body")
    server.wait_for_log(r"\[WARNING\] .*--spool-limit")


def test_the_limit_of_the_disk_is_for_all_workers_together(serve: Serve, tmp_path: Path) -> None:
    server = serve("probe:app", "-w", "2", "--spool-limit", str(4 * MIB), "--tmp-upload-dir", str(tmp_path))
    with ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(Connection(server.address))
            connection.send(encode("POST", "/digest", [("Content-Length", str(MIB + 65536))]) + b"x" * MIB)
        # Whichever worker has them, a body of unknown length finds the limit when it comes to it.
        with Connection(server.address) as last:
            last.send(encode("POST", "/digest", [("Transfer-Encoding", "chunked")]))
            try:
                for _ in range(64):
                    last.send(b"10000\r\n" + b"y" * 65536 + b"\r\n")
            except OSError:
                pass
            assert last.read_response().status == 503
        assert is_well(server)


# A slow disk


@pytest.fixture(scope="module")
def slow_disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    return preload.build(SLOW_DISK, tmp_path_factory.mktemp("library"))


@pytest.fixture
def stall(tmp_path: Path) -> Path:
    """The disk gives nothing and takes nothing while this is there."""
    return tmp_path / "stall"


def on_slow_disk(serve: Serve, library: str, stall: Path, *arguments: str) -> Server:
    server = serve("probe:app", *arguments, environment=preload.preloaded(library) | {"SLOW_DISK_STALL": str(stall)})
    # It starts on one that is fast.
    assert is_well(server)
    stall.touch()
    return server


def has_answered(connection: Connection) -> bool:
    return bool(select.select([connection.socket], [], [], 0)[0])


def test_an_upload_to_a_slow_disk_stops_nobody(serve: Serve, slow_disk: str, stall: Path) -> None:
    server = on_slow_disk(serve, slow_disk, stall)
    body = os.urandom(300_000)
    with Connection(server.address) as upload:
        upload.send(encode("POST", "/digest?piece=10000", body=body))
        for _ in range(20):
            assert is_well(server)
        # It is not done, so the others did not wait for it.
        assert not has_answered(upload)
        stall.unlink()
        found = json.loads(upload.read_response().body)
        assert found["size"] == len(body) and found["sha256"] == sha256(body).hexdigest()


def test_a_file_from_a_slow_disk_stops_nobody(serve: Serve, slow_disk: str, stall: Path, tmp_path: Path) -> None:
    server = on_slow_disk(serve, slow_disk, stall)
    content = os.urandom(MIB + 300_000)
    (tmp_path / "file").write_bytes(content)
    with Connection(server.address) as download, Connection(server.address) as leaving:
        for connection in (download, leaving):
            connection.send(encode("GET", f"/file?kind=file&path={tmp_path / 'file'}"))
        for _ in range(20):
            assert is_well(server)
        # A client that leaves while the disk has its connection takes nobody else's.
        leaving.reset()
        assert is_well(server)
        stall.unlink()
        assert download.read_response().body == content
        assert is_well(server)


def test_a_line_of_a_body_on_a_slow_disk_is_read_without_the_lock(serve: Serve, slow_disk: str, stall: Path) -> None:
    server = on_slow_disk(serve, slow_disk, stall, "--threads", "2", "--request-body-memory", "1000")
    operations = json.dumps([["readline"]]).replace(" ", "").replace('"', "%22")
    # Too small for the write to be slow, and read in one window, which is slow only where it is large.
    body = b"x" * 40_000 + b"\n"
    with Connection(server.address) as lines:
        lines.send(encode("POST", f"/input?operations={operations}", body=body))
        for _ in range(20):
            assert is_well(server)
        assert not has_answered(lines)
        stall.unlink()
        assert json.loads(lines.read_response().body) == [body.decode()]


def test_a_worker_that_ends_finishes_what_the_disk_has(serve: Serve, slow_disk: str, stall: Path) -> None:
    server = on_slow_disk(serve, slow_disk, stall)
    with Connection(server.address) as upload:
        upload.send(encode("POST", "/digest?piece=10000", body=b"x" * 100_000))
        until(lambda: is_well(server), "an answer beside it")
        server.signal(signal.SIGTERM)
        until(lambda: not can_connect(server.address), "the listener to be closed")
        assert not has_answered(upload)
        stall.unlink()
        server.stop()
        assert json.loads(upload.read_response().body)["size"] == 100_000
