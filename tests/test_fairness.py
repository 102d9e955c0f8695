"""No client starves others, however fast or slow it is, and however many there are of its kind.

Nothing here asserts a time: what is compared is how much one gets while another waits.
"""

from __future__ import annotations

import resource
import selectors
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from conftest import Serve
from support import preload
from support.client import Closed, Connection, Truncated, encode, fetch
from support.processes import descriptors
from support.server import Server
from support.waiting import DEADLINE, until

GET = encode("GET", "/")


def ask(connection: Connection) -> None:
    connection.send(GET)
    assert connection.read_response().body == b"hello"


# A crowd in a worker that is busy


def shares(server: Server, first: int, later: int, each: int) -> list[int]:
    """How many answers each connection gets that asks again whenever it was answered: so many on the average.

    Some are there when the others come; those who come, come while all threads are busy. What is counted begins once
    each has had an answer.
    """
    request = encode("GET", "/sleep")
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        counts: dict[Connection, int] = {}

        def join() -> None:
            connection = stack.enter_context(Connection(server.address))
            connection.send(request)
            counts[connection] = 0
            selector.register(connection.socket, selectors.EVENT_READ, connection)

        def serve(end: Callable[[], bool]) -> None:
            while not end():
                for key, _ in selector.select(1):
                    connection = key.data
                    assert connection.read_response().body == b"hello"
                    counts[connection] += 1
                    connection.send(request)

        for _ in range(first):
            join()
        serve(lambda: all(counts.values()))
        for _ in range(later):
            join()
        deadline = time.monotonic() + DEADLINE
        serve(lambda: all(counts.values()) or time.monotonic() > deadline)
        assert all(counts.values()), f"never answered: {sum(not count for count in counts.values())}"
        before = dict(counts)
        enough = sum(counts.values()) + each * len(counts)
        serve(lambda: sum(counts.values()) >= enough)
        return [counts[connection] - before[connection] for connection in counts]


def test_who_comes_into_a_busy_worker_gets_the_same_share(serve: Serve) -> None:
    counts = shares(serve("fair:app", "--threads", "8"), 16, 64, 36)
    assert min(counts) > 0 and max(counts) / min(counts) <= 1.5, sorted(counts)


@pytest.mark.parametrize("arguments", [("--workers", "2", "--threads", "4"), ("--workers", "2"), ()], ids=str)
def test_nobody_is_left_in_the_backlog(serve: Serve, arguments: tuple[str, ...]) -> None:
    assert min(shares(serve("fair:app", *arguments), 16, 64, 4)) > 0


# One that takes all it can get


class Greedy:
    """A client that goes on and on, in a thread of its own, and counts its bytes."""

    def __init__(self, server: Server, behave: Callable[[Connection, Greedy], None]) -> None:
        self.count = 0
        self.stopped = Event()
        self.connection = Connection(server.address)
        self.thread = Thread(target=self._run, args=(behave,))
        self.thread.start()

    def _run(self, behave: Callable[[Connection, Greedy], None]) -> None:
        with suppress(OSError, Closed, Truncated):
            while not self.stopped.is_set():
                behave(self.connection, self)

    def send(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            size = self.connection.socket.send(rest)
            self.count += size
            rest = rest[size:]

    def stop(self) -> None:
        self.stopped.set()
        with suppress(OSError):
            self.connection.socket.shutdown(2)
        self.thread.join(DEADLINE)
        self.connection.socket.close()


def upload(connection: Connection, greedy: Greedy) -> None:
    size = 64 << 20
    greedy.send(encode("POST", "/", [("Content-Length", str(size))]))
    block = b"x" * 262_144
    for _ in range(size // len(block)):
        greedy.send(block)
    connection.read_response()


def chunks(connection: Connection, greedy: Greedy) -> None:
    greedy.send(encode("POST", "/", [("Transfer-Encoding", "chunked")]))
    block = b"1\r\nx\r\n" * 20_000
    while True:
        greedy.send(block)


def download(connection: Connection, greedy: Greedy) -> None:
    connection.send(encode("GET", "/file"))
    left = int(connection.read_head().header("Content-Length") or "0") - len(connection.buffer)
    connection.buffer.clear()
    room = bytearray(1 << 20)
    while left > 0:
        size = connection.socket.recv_into(room, min(left, len(room)))
        if not size:
            raise Closed
        greedy.count += size
        left -= size


@contextmanager
def beside(server: Server, behave: Callable[[Connection, Greedy], None], count: int) -> Iterator[Callable[[], int]]:
    """Greedy clients at work; gives how many bytes they have moved so far."""
    crowd: list[Greedy] = []
    try:
        for _ in range(count):
            crowd.append(Greedy(server, behave))
        total = lambda: sum(greedy.count for greedy in crowd)  # noqa: E731
        until(lambda: total() > 10_000_000, "the greedy clients to be under way")
        yield total
    finally:
        for greedy in crowd:
            greedy.stop()


@pytest.mark.parametrize(
    ("behave", "count", "bind"),
    [
        pytest.param(upload, 2, "unix", id="uploads"),
        pytest.param(chunks, 1, "tcp", id="chunks"),
        pytest.param(download, 2, "tcp", id="downloads"),
    ],
)
def test_a_greedy_client_gets_little_while_another_waits(
    serve: Serve,
    tmp_path: Path,
    short_path: str,
    behave: Callable[[Connection, Greedy], None],
    count: int,
    bind: str,
) -> None:
    """What the kernel keeps for the greedy, and what they get while this machine runs something else, is in it."""
    large = tmp_path / "large"
    with open(large, "wb") as file:
        file.truncate(1_400_000_000)
    binds = (f"unix:{short_path}",) if bind == "unix" else ("127.0.0.1:0",)
    server = serve("fair:app", binds=binds, environment={"LARGE_FILE": str(large)})
    with Connection(server.address) as healthy:
        ask(healthy)
        with beside(server, behave, count) as moved:
            amounts = []
            for _ in range(60):
                before = moved()
                ask(healthy)
                amounts.append(moved() - before)
                time.sleep(0.002)
            assert moved() > 10_000_000
    assert statistics.median(amounts) < 8_000_000, sorted(amounts)


# Those who stall


@pytest.fixture
def room_for_a_crowd() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3000
    if before[1] != resource.RLIM_INFINITY and before[1] < wanted:
        pytest.skip(f"{wanted} descriptors are needed, and no more than {before[1]} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(wanted, before[0]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


HALF_BODY = encode("POST", "/", [("Content-Length", "1000")]) + b"x" * 500


@pytest.mark.parametrize("beginning", [GET[:20], HALF_BODY, b""], ids=["head", "body", "silence"])
def test_those_who_stall_give_their_places_back(serve: Serve, room_for_a_crowd: None, beginning: bytes) -> None:
    server = serve("fair:app", "--request-head-timeout", "600", "--request-body-timeout", "600")
    with ExitStack() as stack:
        for _ in range(1100):
            connection = stack.enter_context(Connection(server.address))
            if beginning:
                connection.send(beginning)
        for _ in range(3):
            assert fetch(server.address).body == b"hello"
    if beginning:
        server.wait_for_log(r"\[WARNING\] All places or descriptors are taken: ")


def test_those_who_stall_give_their_descriptors_back(serve: Serve) -> None:
    server = serve("fair:app", "--request-head-timeout", "600")
    fetch(server.address)
    limit = max(descriptors(server.worker())) + 1 + 40
    resource.prlimit(server.worker(), resource.RLIMIT_NOFILE, (limit, limit))
    with ExitStack() as stack:
        stalled = [stack.enter_context(Connection(server.address)) for _ in range(200)]
        for connection in stalled:
            connection.send(GET[:20])
        for _ in range(3):
            assert fetch(server.address).body == b"hello"
        # Who gives way is told why.
        assert stalled[0].read_response().status == 408


# When nothing can be accepted

REFUSING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int accept_call(int, struct sockaddr *, socklen_t *, int);

/* accept4(2) as a filter of system calls leaves it while the file FORBIDDEN is there. Each call leaves a byte in it. */
int accept4(int listener, struct sockaddr *address, socklen_t *size, int flags)
{
    int calls = open(getenv("FORBIDDEN"), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (calls >= 0) {
        (void)!write(calls, "x", 1);
        close(calls);
        errno = EPERM;
        return -1;
    }
    return ((accept_call *)dlsym(RTLD_NEXT, "accept4"))(listener, address, size, flags);
}
"""


def test_an_accept_that_is_forbidden_is_not_tried_all_the_time(serve: Serve, tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("a C compiler is needed")
    (tmp_path / "refusing.c").write_text(REFUSING)
    library = preload.build(tmp_path / "refusing.c", tmp_path)
    forbidden = tmp_path / "forbidden"
    forbidden.touch()
    server = serve("fair:app", environment=preload.preloaded(library) | {"FORBIDDEN": str(forbidden)})
    with Connection(server.address) as connection:
        connection.send(GET)
        found = server.wait_for_log(r"\[ERROR\] Clients have to wait: (.*)\n")
        assert "not permitted" in found[0][1] and "seccomp" in found[0][1] and "ulimit" not in found[0][1]
        # It is tried again, now and then: each time a handful of calls, since it may befall one connection only.
        size = forbidden.stat().st_size
        until(lambda: forbidden.stat().st_size > size, "another attempt")
        start = time.monotonic()
        size = forbidden.stat().st_size
        time.sleep(1)
        attempts = (forbidden.stat().st_size - size) / (time.monotonic() - start)
        assert attempts < 2000, f"{attempts:.0f} calls a second"
        forbidden.unlink()
        assert connection.read_response().body == b"hello"
    assert len(server.wait_for_log("Clients have to wait")) == 1


def test_an_application_that_closes_all_descriptors_is_named(serve: Serve) -> None:
    server = serve("odd:app")
    server.expect_replacements()
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/close_all"))
        connection.read_to_end()
    found = server.wait_for_log(r"\[ERROR\] (The worker cannot \w+ and leaves: .*)\n")
    assert "os.closerange" in found[0][1]
    assert fetch(server.address).status in (200, 404, 500)
    assert "ulimit" not in server.log()
