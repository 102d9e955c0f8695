"""What a worker grows by: ``python -m benchmarks.growth``.

Idle keep-alive connections: their memory, what they cost a client that is active, and the CPU of a worker that has
nothing to do. And requests: what a hundred thousand of them leave behind. The figures are those of docs/performance.md.
"""

import argparse
import contextlib
import json
import os
import resource
import socket
import statistics
import time

from benchmarks import environment, probe
from benchmarks.process import Process
from benchmarks.servers import HOST
from benchmarks.stalled import latencies

REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
# Requests that are sent at once; their answers are read before the next.
BATCH = 50


def microseconds(port: int, count: int) -> str:
    times = sorted(latencies(port, count))
    return f"median {statistics.median(times):.0f} µs, p99 {times[len(times) * 99 // 100]:.0f} µs"


def idle(port: int, server: Process, count: int) -> None:
    latencies(port, 2000)
    print(f"without idle connections: {microseconds(port, 5000)}")
    before = server.memory()["private"]
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection((HOST, port), timeout=10))
            if not probe.one_request(client):
                raise SystemExit("a connection was closed without an answer")
        after = server.memory()["private"]
        print(f"{count} idle connections: {(after - before) * 1024 / count:.0f} bytes each")
        print(f"beside them: {microseconds(port, 5000)}")
        used, began = server.cpu_seconds(), time.monotonic()
        time.sleep(20)
        share = (server.cpu_seconds() - used) / (time.monotonic() - began)
        print(f"CPU while nothing happens: {share:.2%} of one CPU, over 20 s")


def requests(port: int, server: Process, count: int) -> None:
    """Memory and objects after each tenth of so many requests."""
    with socket.create_connection((HOST, port), timeout=10) as client:
        answer = None
        for window in range(11):
            if window:
                for _ in range(count // 10 // BATCH):
                    client.sendall(REQUEST * BATCH)
                    received = 0
                    while received < BATCH * answer:
                        received += len(client.recv(1 << 18))
            else:
                client.sendall(REQUEST)
                answer = len(client.recv(65536))
            with socket.create_connection((HOST, port), timeout=10) as other:
                other.sendall(REQUEST.replace(b"GET /", b"GET /measure"))
                inside = json.loads(other.recv(65536).partition(b"\r\n\r\n")[2])
            print(
                f"after {window * count // 10:7,} requests: {server.memory()['private']:6,} KiB private,"
                f" {inside['objects']:6,} objects, {inside['blocks']:6,} blocks"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=100_000)
    options = parser.parse_args()
    wanted = options.connections + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit(f"{wanted} descriptors are needed; ulimit -n allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    # Server and client on CPUs of their own: a client that is moved beside its server is another measurement.
    cpus = environment.split_cpus(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus.client)
    for kind in (["-k", "sync"], ["-k", "gthread", "--threads", "4"]):
        port = probe.free_port()
        command = [str(environment.PROJECT / ".venv" / "bin" / "monoceros"), "-b", f"{HOST}:{port}", *kind]
        command += ["--worker-connections", str(wanted), "--backlog", "2048", "--keep-alive", "600"]
        command += ["benchmarks.apps:measured"]
        print(" ".join(kind))
        with Process(command, set(cpus.server), dict(os.environ), environment.PROJECT) as server:
            probe.wait_for_answer(server, port, "/")
            requests(port, server, options.requests)
            idle(port, server, options.connections)


if __name__ == "__main__":
    main()
