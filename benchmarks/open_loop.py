"""Latency over the rate, for requests that come whether or not the last ones were answered.

``python -m benchmarks.open_loop`` draws docs/open-loop.svg. Users do not wait for each other: a closed loop of clients
slows down with the server and so hides its queue. Here requests are due at random moments of a fixed mean rate (a
Poisson process, the same one for every server), are sent over kept connections of which there are more than enough, and
their latency counts from the moment when they were due.
"""

import argparse
import asyncio
import json
import os
import random
import selectors
import statistics
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from benchmarks import curves, environment, probe
from benchmarks.process import Process
from benchmarks.servers import HOST, SERVERS, Place

RESULTS = Path(__file__).with_name("results") / "open_loop.json"
PICTURE = environment.PROJECT / "docs" / "open-loop.svg"
SEED = 7
# Enough that a request nearly never waits for a connection of the client's own.
CONNECTIONS = 64
PERCENTILES = (50.0, 99.0, 99.9)
# Seconds that answers may take after the last request.
GRACE = 3.0


@dataclass(frozen=True)
class Scene:
    """What is asked for, and of how many workers. ``capacity`` is in requests per second; nil is measured first."""

    name: str
    title: str
    app: str
    path: str
    workers: int
    capacity: float | None


SCENES = (
    Scene("wait-2", "2 workers, requests of 10 ms", "benchmarks.apps_one_server:app", "/", 2, 200.0),
    Scene("wait-4", "4 workers, requests of 10 ms", "benchmarks.apps_one_server:app", "/", 4, 400.0),
    Scene("flask-2", "2 workers, Flask", "benchmarks.apps_flask:app", "/page?page=2", 2, None),
)


class Connection(asyncio.Protocol):
    """One kept connection; tells its pool when a response is complete."""

    def __init__(self, pool: "Pool"):
        self.pool = pool
        self.received = b""
        self.due = 0.0

    def connection_made(self, transport):
        self.transport = transport

    def send(self, due: float) -> None:
        self.due = due
        self.transport.write(self.pool.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
        if len(body) < length:
            return
        self.received = b""
        self.pool.answered(self, head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")), b"connection: close" not in lines)

    def connection_lost(self, exception) -> None:
        self.pool.lost(self)


class Pool:
    def __init__(self, port: int, path: str):
        self.port = port
        self.request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
        self.idle: list[Connection] = []
        self.busy: set[Connection] = set()
        # No connection is made any more in place of one that ends.
        self.is_over = False
        self.waiting: list[float] = []
        self.latencies: list[float] = []
        # When those were due whose connection ended without an answer.
        self.unanswered: list[float] = []
        self.errors = 0

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self), HOST, self.port)
        if self.is_over:
            connection.transport.abort()
        else:
            self.release(connection)

    def ask(self, due: float) -> None:
        if not self.idle:
            self.waiting.append(due)
            return
        # The one that was used last comes last: all of them stay in use, as those of many users are.
        connection = self.idle.pop(0)
        self.busy.add(connection)
        connection.send(due)

    def release(self, connection: Connection) -> None:
        if self.waiting:
            self.busy.add(connection)
            connection.send(self.waiting.pop(0))
        else:
            self.idle.append(connection)

    def answered(self, connection: Connection, is_good: bool, is_kept: bool) -> None:
        self.latencies.append((time.perf_counter() - connection.due) * 1e3)
        self.errors += not is_good
        self.busy.discard(connection)
        if is_kept:
            self.release(connection)
        else:
            connection.transport.close()

    async def close(self) -> None:
        """Ends all connections. A loop that is closed would leave their sockets open."""
        self.is_over = True
        for connection in [*self.idle, *self.busy]:
            connection.transport.abort()
        await asyncio.sleep(0)

    def lost(self, connection: Connection) -> None:
        if connection in self.busy:
            self.busy.discard(connection)
            self.unanswered.append(connection.due)
            self.errors += 1
        elif connection in self.idle:
            self.idle.remove(connection)
        if not self.is_over:
            self.task = asyncio.get_running_loop().create_task(self.connect())


async def load(port: int, path: str, rate: float, seconds: float) -> dict:
    pool = Pool(port, path)
    for _ in range(CONNECTIONS):
        await pool.connect()
    chance = random.Random(SEED)
    due = start = time.perf_counter() + 0.05
    count = 0
    while due < start + seconds:
        pause = due - time.perf_counter()
        # Who is late sends at once, and the latency counts from the moment all the same. Answers are read meanwhile.
        await asyncio.sleep(max(pause, 0))
        pool.ask(due)
        count += 1
        due += chance.expovariate(rate)
    deadline = time.perf_counter() + GRACE
    while len(pool.latencies) + len(pool.unanswered) < count and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    pool.is_over = True
    # What was never answered was waited for until now, at least.
    end = time.perf_counter()
    open_dues = [*pool.unanswered, *pool.waiting, *(connection.due for connection in pool.busy)]
    times = sorted(pool.latencies + [(end - due) * 1e3 for due in open_dues])
    figures = {f"{share:g}": times[min(count - 1, int(count * share / 100))] for share in PERCENTILES}
    errors = pool.errors + len(open_dues) - len(pool.unanswered)
    await pool.close()
    return {"rate": rate, "count": count, "errors": errors, **figures}


def run(what: Coroutine):
    """As asyncio.run, on a loop that sleeps to the microsecond: that of epoll rounds up to milliseconds."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(what)


def closed_capacity(port: int, path: str) -> float:
    """What clients that ask again at once get out of it, in requests per second."""

    async def ask() -> float:
        pool = Pool(port, path)
        for _ in range(16):
            await pool.connect()
        end = time.perf_counter() + 2
        pool.waiting = []
        for _ in range(16):
            pool.ask(time.perf_counter())
        original = pool.release

        def again(connection):
            if time.perf_counter() < end:
                pool.busy.add(connection)
                connection.send(time.perf_counter())
            else:
                original(connection)

        pool.release = again
        await asyncio.sleep(2.2)
        await pool.close()
        return len(pool.latencies) / 2

    return run(ask())


def place(name: str, scene: Scene, options) -> Place:
    own = options.monoceros.absolute().parent
    return Place(scene.app, probe.free_port(), options.peers.absolute() / "bin", own, scene.workers, 1)


def measure(name: str, scene: Scene, rates: list[float], options) -> list[dict]:
    where = place(name, scene, options)
    variables = environment.server_environment(options.peers.absolute())
    with Process(SERVERS[name].command(where), os.sched_getaffinity(0), variables, environment.PROJECT) as process:
        probe.wait_for_answer(process, where.port, scene.path)
        time.sleep(1)
        return [run(load(where.port, scene.path, rate, options.seconds)) for rate in rates]


def capacity(scene: Scene, options) -> float:
    """The scene's own figure, or what the reference gets."""
    if scene.capacity is not None:
        return scene.capacity
    where = place("monoceros", scene, options)
    variables = environment.server_environment(options.peers.absolute())
    with Process(
        SERVERS["monoceros"].command(where), os.sched_getaffinity(0), variables, environment.PROJECT
    ) as process:
        probe.wait_for_answer(process, where.port, scene.path)
        time.sleep(1)
        return closed_capacity(where.port, scene.path)


def draw(results: dict) -> str:
    panels = []
    for scene in SCENES:
        if scene.name not in results["scenes"]:
            continue
        measured = results["scenes"][scene.name]
        for share in PERCENTILES:
            lines = []
            for server, rounds in measured.items():
                points = []
                for index, first in enumerate(rounds[0]):
                    values = [samples[index][f"{share:g}"] for samples in rounds]
                    points.append((first["rate"], statistics.median(values)))
                lines.append(curves.Line(SERVERS[server].title, points, own=SERVERS[server].is_reference))
            panels.append(curves.Panel(f"{scene.title}: p{share:g}", "requests/s", "milliseconds", lines))
    machine = results["machine"]
    return curves.draw(
        "Latency over the rate, open loop",
        f"{machine['cpus']} CPUs for servers and clients, {machine['kernel']}, CPython {machine['python']}; "
        f"{results['rounds']} x {results['seconds']:g} s, medians; from when a request was due",
        panels,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.open_loop", description=__doc__.splitlines()[0])
    parser.add_argument("--servers", default="monoceros,granian,gunicorn-gthread,uwsgi", metavar="NAME,…")
    parser.add_argument("--scenes", default=",".join(scene.name for scene in SCENES), metavar="NAME,…")
    parser.add_argument("--loads", default="0.2,0.4,0.6,0.8,0.9", help="shares of the capacity", metavar="SHARE,…")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement")
    parser.add_argument("--peers", type=Path, default=environment.PEERS)
    parser.add_argument("--monoceros", type=Path, default=Path(sys.executable).parent / "monoceros")
    parser.add_argument("--draw", action="store_true", help="only draw what was measured before")
    options = parser.parse_args()
    if options.draw:
        PICTURE.write_text(draw(json.loads(RESULTS.read_text())))
        return
    results = {"machine": environment.machine(), "rounds": options.rounds, "seconds": options.seconds, "scenes": {}}
    for scene in SCENES:
        if scene.name not in options.scenes.split(","):
            continue
        limit = capacity(scene, options)
        rates = [limit * float(share) for share in options.loads.split(",")]
        measured = results["scenes"].setdefault(scene.name, {})
        for _ in range(options.rounds):
            for name in options.servers.split(","):
                samples = measure(name, scene, rates, options)
                measured.setdefault(name, []).append(samples)
                for sample in samples:
                    figures = "  ".join(f"p{share:g} {sample[f'{share:g}']:8.1f}" for share in PERCENTILES)
                    print(
                        f"{scene.name:8} {name:18} {sample['rate']:8.0f} requests/s  {figures}"
                        f"  {sample['errors']} errors",
                        flush=True,
                    )
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PICTURE.write_text(draw(results))


if __name__ == "__main__":
    main()
