"""Are several workers one server? ``python -m benchmarks.one_server``.

Workers that each keep the connections which they happened to accept are several servers: some have a queue while others
idle. Measured is how near the workers of each server come to one queue for all: the rate of clients that ask again at
once, the latency of clients that think between two requests, and a short request of one client behind a long one of
another. The application waits 10 ms, so that the number of CPUs hardly matters. Latencies are in milliseconds.

A whole run is recorded in benchmarks/results/one_server.json, of which `python -m benchmarks render` makes a table.
"""

import argparse
import asyncio
import datetime
import json
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment, probe
from benchmarks.process import Process
from benchmarks.servers import HOST, SERVERS, Place

WAIT_SECONDS = 0.010
RECORD = Path(__file__).with_name("results") / "one_server.json"
SERVERS_MEASURED = "monoceros,granian,gunicorn-gthread,uwsgi"
REQUEST = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True)
class Row:
    """One load: ``think`` is how long a client waits between two requests, in seconds."""

    name: str
    workers: int
    threads: int
    clients: int
    think: float = 0.0
    # Half of the clients ask for 1.5 s, and only the others count.
    blocked: bool = False

    @property
    def ideal(self) -> str:
        if self.think or self.blocked:
            return ""
        return f"{min(self.clients, self.workers * self.threads) / WAIT_SECONDS:.0f}"


ROWS = (
    Row("4 workers, 4 clients", 4, 1, 4),
    Row("4 workers, 32 clients", 4, 1, 32),
    Row("2 workers of 4 threads, 32 clients", 2, 4, 32),
    Row("4 workers, 16 clients that think 50 ms", 4, 1, 16, think=0.050),
    Row("1 worker of 4 threads, 16 clients that think 50 ms", 1, 4, 16, think=0.050),
    Row("2 workers, a short request beside a long one", 2, 1, 2, blocked=True),
)


class Client:
    """One connection that is kept; where the server closes it, another is made."""

    def __init__(self, port: int, path: str):
        self.port = port
        self.request = REQUEST.format(path=path).encode()
        self.streams = None
        self.connections = 0

    async def ask(self) -> None:
        for _ in range(2):
            if self.streams is None:
                self.streams = await asyncio.open_connection(HOST, self.port)
                self.connections += 1
            reader, writer = self.streams
            try:
                writer.write(self.request)
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                # It was closed between two requests, as servers may.
                self.close()
                continue
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
                raise SystemExit(f"unexpected answer: {head[:60]!r}")
            lines = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            if b"connection: close" in lines:
                self.close()
            return
        raise SystemExit("a connection was closed twice without an answer")

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


async def run_client(client: Client, row: Row, until: float, times: list[float]) -> None:
    while time.perf_counter() < until:
        start = time.perf_counter()
        await client.ask()
        times.append((time.perf_counter() - start) * 1e3)
        if row.think:
            # Uniform around the mean, so that clients do not fall into step.
            await asyncio.sleep(row.think * (0.5 + os.urandom(1)[0] / 255))


async def load(port: int, row: Row, seconds: float) -> tuple[float, list[float]]:
    """Requests per second, and the latency of each."""
    if row.blocked:
        return await load_blocked(port, seconds)
    clients = [Client(port, "/") for _ in range(row.clients)]
    await asyncio.gather(*(client.ask() for client in clients))
    times: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(run_client(client, row, until, times) for client in clients))
    for client in clients:
        client.close()
    return len(times) / seconds, times


async def load_blocked(port: int, seconds: float) -> tuple[float, list[float]]:
    """Two clients connect together; one asks for long, and then the other for short, on connections that are kept."""
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        slow, fast = Client(port, "/slow"), Client(port, "/fast")
        fast_first, slow_first = Client(port, "/fast"), Client(port, "/fast")
        await asyncio.gather(fast_first.ask(), slow_first.ask())
        fast.streams, slow.streams = fast_first.streams, slow_first.streams
        waiting = asyncio.create_task(slow.ask())
        await asyncio.sleep(0.05)
        start = time.perf_counter()
        await fast.ask()
        times.append((time.perf_counter() - start) * 1e3)
        await waiting
        for client in (slow, fast):
            client.close()
    return len(times) / seconds, times


def measure(name: str, row: Row, options, cpus) -> tuple[float, list[float]]:
    server = SERVERS[name]
    place = Place(
        "benchmarks.apps_one_server:app",
        probe.free_port(),
        options.peers.absolute() / "bin",
        options.monoceros.absolute().parent,
        row.workers,
        row.threads,
    )
    variables = environment.server_environment(options.peers.absolute())
    with Process(server.command(place), set(cpus), variables, environment.PROJECT) as process:
        probe.wait_for_answer(process, place.port, "/fast")
        # All workers are up: a server that starts them one after the other must not be judged by its first second.
        time.sleep(1)
        return asyncio.run(load(place.port, row, options.seconds))


def servers_for(row: Row, chosen: list[str]) -> list[str]:
    """Of each product the variant that fits the row: with threads or without."""
    names = []
    for name in chosen:
        threaded = f"{name}-threads"
        names.append(threaded if row.threads > 1 and threaded in SERVERS else name)
    return names


def summarize(rounds: list[tuple[float, list[float]]]) -> dict[str, float]:
    """Medians over the rounds, each of which has a rate and the latencies of its requests."""
    found = {"rate": statistics.median(rate for rate, _ in rounds)}
    sorted_rounds = [sorted(times) for _, times in rounds]
    for name, share in (("p50", 0.5), ("p99", 0.99), ("worst", 1.0)):
        found[name] = statistics.median(times[min(len(times) - 1, int(len(times) * share))] for times in sorted_rounds)
    return {name: round(value, 2) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_server", description=__doc__.splitlines()[0])
    parser.add_argument("--servers", default=SERVERS_MEASURED, metavar="NAME,…")
    parser.add_argument("--rows", default="", help="only those whose name contains this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--results", type=Path, help="the JSON file to write")
    parser.add_argument("--peers", type=Path, default=environment.PEERS)
    parser.add_argument("--monoceros", type=Path, default=Path(sys.executable).parent / "monoceros")
    options = parser.parse_args()
    chosen = (options.rows, options.servers, options.rounds, options.seconds)
    is_whole = chosen == tuple(parser.get_default(name) for name in ("rows", "servers", "rounds", "seconds"))
    target = options.results or (RECORD if is_whole else None)
    allowed = os.sched_getaffinity(0)
    print(f"{'':52} {'server':24} {'rate':>7} {'ideal':>6} {'p50':>8} {'p99':>8} {'worst':>8}")
    rows = []
    for row in ROWS:
        if options.rows not in row.name:
            continue
        results: dict[str, list[tuple[float, list[float]]]] = {}
        for _ in range(options.rounds):
            for name in servers_for(row, options.servers.split(",")):
                results.setdefault(name, []).append(measure(name, row, options, allowed))
        figures = {name: summarize(rounds) for name, rounds in results.items()}
        for name, found in figures.items():
            print(
                f"{row.name:52} {name:24} {found['rate']:7.1f} {row.ideal:>6} {found['p50']:8.1f} {found['p99']:8.1f}"
                f" {found['worst']:8.1f}",
                flush=True,
            )
        rows.append({"load": row.name, "threads": row.threads, "ideal": row.ideal, "servers": figures})
    if target:
        record = {
            "date": datetime.date.today().isoformat(), "rounds": options.rounds, "seconds": options.seconds,
            "rows": rows,
        }  # fmt: skip
        target.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
