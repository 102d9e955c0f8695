"""What thousands of stalled requests cost a healthy client: ``python -m benchmarks.stalled``.

One worker serves examples/hello.py. A client asks it again and again on one connection, in rounds with and without
others that have sent half of a request and then nothing more. What it prints is for docs/performance.md.
"""

import argparse
import contextlib
import os
import resource
import socket
import statistics
import sys
import time
from pathlib import Path

from benchmarks.process import Process

ROOT = Path(__file__).resolve().parent.parent
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HALVES = {
    "heads": b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: of a he",
    "bodies": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500,
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connect(port: int, deadline: float = 0.0) -> socket.socket:
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def latencies(port: int, count: int) -> list[float]:
    """Microseconds of each of so many requests on one connection."""
    times = []
    with connect(port) as connection:
        for _ in range(count):
            start = time.perf_counter()
            connection.sendall(REQUEST)
            answer = connection.recv(65536)
            times.append((time.perf_counter() - start) * 1e6)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"unexpected answer: {answer[:60]!r}")
    return times


@contextlib.contextmanager
def stalled(port: int, count: int, half: bytes):
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(connect(port)).sendall(half)
        # A connection that comes after them is answered after they were accepted and read.
        latencies(port, 100)
        yield


def report(name: str, times: list[float]) -> str:
    times = sorted(times)
    p99 = times[len(times) * 99 // 100]
    return f"{name:>14}  {statistics.median(times):8.1f}  {p99:8.1f}  {len(times):8}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stalled", type=int, default=2000, help="how many requests stall")
    parser.add_argument("--requests", type=int, default=2000, help="how many requests a round has")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds of each kind, in turns")
    options = parser.parse_args()

    wanted = options.stalled + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} descriptors are needed; ulimit -n allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))

    port = free_port()
    command = [sys.executable, "-m", "monoceros", "--bind", f"127.0.0.1:{port}", "examples.hello:app"]
    command += ["--worker-connections", str(wanted), "--backlog", str(wanted)]
    command += ["--request-head-timeout", "600", "--request-body-timeout", "600"]
    times: dict[str, list[float]] = {"none": []} | {name: [] for name in HALVES}
    memory: dict[str, int] = {}
    with Process(command, os.sched_getaffinity(0), dict(os.environ), ROOT) as server:
        connect(port, time.monotonic() + 10).close()
        latencies(port, options.requests)
        for _ in range(options.rounds):
            times["none"] += latencies(port, options.requests)
            memory.setdefault("none", server.memory()["private"])
            for name, half in HALVES.items():
                with stalled(port, options.stalled, half):
                    times[name] += latencies(port, options.requests)
                    memory.setdefault(name, server.memory()["private"])
    print(f"{options.stalled} stalled requests, one worker, one healthy client on one connection; microseconds\n")
    print(f"{'stalled':>14}  {'median':>8}  {'p99':>8}  {'requests':>8}  {'private memory':>14}")
    for name, values in times.items():
        print(f"{report(name, values)}  {memory[name] / 1024:10.1f} MiB")


if __name__ == "__main__":
    main()
