"""What requests of 20 ms wait while most threads are in long ones: ``python -m benchmarks.postponed COMMAND…``.

A server with four threads is in three requests that last for all of the run, and answers 1,500 short requests a second,
which leave in even steps whatever has been answered. One client, then eight, ask for what takes 20 ms, each again and
again. COMMAND starts a server, as ``{command} -b ADDRESS --threads 4 APP``; give several to compare them.
"""

import argparse
import os
import select
import statistics
import time
from collections import deque

from benchmarks import environment, probe
from benchmarks.closed_loop import Client
from benchmarks.process import Process

APP = "benchmarks.apps:postponed"
REQUESTS = [f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for path in ("/", "/slow", "/longest")]
SHORT, SLOW, LONGEST = range(3)
THREADS = 4
SHORT_PER_SECOND = 1500
SHORT_CONNECTIONS = 64


def measure(port: int, slow: int, seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds of the short requests and of the slow ones."""
    poller = select.epoll()
    clients = {}

    def connect() -> Client:
        client = Client(port, REQUESTS)
        clients[client.socket.fileno()] = client
        poller.register(client.socket, select.EPOLLIN)
        return client

    times: tuple[list[float], list[float]] = ([], [])
    try:
        for _ in range(THREADS - 1):
            connect().send(LONGEST)
            time.sleep(0.1)
        idle = deque(connect() for _ in range(SHORT_CONNECTIONS))
        for _ in range(slow):
            connect().send(SLOW)
        began = time.perf_counter()
        sent = 0
        due: deque[float] = deque()
        while (now := time.perf_counter()) < began + seconds:
            while began + sent / SHORT_PER_SECOND <= now:
                due.append(began + sent / SHORT_PER_SECOND)
                sent += 1
            while due and idle:
                client = idle.popleft()
                client.send(SHORT)
                # It waits for a connection as it would for the server.
                client.sent_at = due.popleft()
            # Without a sleep, whose milliseconds would be pauses in which nothing short comes.
            for number, _ in poller.poll(0, 256):
                client = clients[number]
                if client.kind == LONGEST or not client.receive():
                    continue
                times[client.kind].append((time.perf_counter() - client.sent_at) * 1e3)
                if client.kind == SHORT:
                    idle.append(client)
                else:
                    client.send(SLOW)
    finally:
        poller.close()
        for client in clients.values():
            client.socket.close()
    return times


def row(name: str, times: list[float]) -> str:
    ordered = sorted(times)
    return (
        f"  {name:12} {len(ordered):6} requests  p50 {statistics.median(ordered):8.2f} ms"
        f"  p99 {ordered[int(len(ordered) * 0.99)]:8.2f} ms  longest {ordered[-1]:8.2f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postponed", description=__doc__.splitlines()[0])
    parser.add_argument("commands", nargs="+", metavar="COMMAND", help="the command of a server, and its options")
    parser.add_argument("--seconds", type=float, default=5.0, help="(default: %(default)s)")
    arguments = parser.parse_args()
    cpus = environment.split_cpus(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus.client)
    variables = environment.server_environment(environment.PROJECT / ".venv-peers")
    variables["LONGEST_SECONDS"] = str(arguments.seconds + 5)
    for command in arguments.commands:
        for slow in (1, 8):
            port = probe.free_port()
            line = [*command.split(), "-b", f"127.0.0.1:{port}", "--threads", str(THREADS), APP]
            with Process(line, set(cpus.server), variables, environment.PROJECT) as process:
                probe.wait_for_answer(process, port, "/")
                short, slowly = measure(port, slow, arguments.seconds)
            print(f"{command}, {slow} of 20 ms")
            print(row("short", short))
            print(row("20 ms", slowly), flush=True)


if __name__ == "__main__":
    main()
