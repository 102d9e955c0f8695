"""What a healthy client sees beside others that take all they can get: ``python -m benchmarks.beside``.

One worker serves a small application. A healthy client asks it again and again on one connection, alone and beside
each kind of greedy client: uploads as fast as they go, an upload in chunks of a byte, the download of a gigabyte, a
flood of pipelined requests, large uploads to a disk that takes 20 ms for each access, and files from such a disk. The
server has one CPU, all clients have the other, and the healthy one has precedence there. What it prints is for
docs/performance.md.
"""

import argparse
import contextlib
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment, probe
from benchmarks.apps_beside import HELLO
from benchmarks.process import Process
from benchmarks.servers import HOST

REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
CHUNKED = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
FILE_BYTES = 1 << 30
UPLOAD_BYTES = 1 << 27


def upload(connection: socket.socket, size: int = UPLOAD_BYTES, path: str = "/") -> None:
    """Bodies as fast as the server takes them, one after the other."""
    block = b"x" * 262_144
    head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {size}\r\n\r\n".encode()
    while True:
        connection.sendall(head)
        for _ in range(size // len(block)):
            connection.sendall(block)
        connection.recv(65536)


def read_upload(connection: socket.socket) -> None:
    """The same, and the application reads them."""
    upload(connection, path="/read")


def chunks(connection: socket.socket) -> None:
    """A body in chunks of one byte, without end."""
    connection.sendall(CHUNKED)
    block = b"1\r\nx\r\n" * 20_000
    while True:
        connection.sendall(block)


def download(connection: socket.socket) -> None:
    """A large file again and again, read as fast as it comes."""
    buffer = bytearray(1 << 20)
    while True:
        connection.sendall(f"GET /file HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        left = FILE_BYTES
        while left > 0:
            left -= connection.recv_into(buffer)


def pipeline(connection: socket.socket) -> None:
    """Requests without end, and nothing read but what is needed to go on."""
    block = REQUEST * 2000
    connection.setblocking(False)
    buffer = bytearray(1 << 20)
    sent = 0
    while True:
        with contextlib.suppress(BlockingIOError):
            sent = (sent + connection.send(block[sent:])) % len(block)
        with contextlib.suppress(BlockingIOError):
            connection.recv_into(buffer)


def blocks(connection: socket.socket) -> None:
    """A response of many large blocks again and again, read as fast as it comes."""
    buffer = bytearray(1 << 20)
    while True:
        connection.sendall(f"GET /blocks HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        while connection.recv_into(buffer):
            pass
        connection = socket.create_connection(connection.getpeername(), timeout=30)


@dataclass(frozen=True)
class Greedy:
    """One kind of greedy client, how many there are of it, how slow the server's disk is (microseconds), and threads.

    Two threads are for applications that take their time: to read 128 MiB, or to hand out 256 MiB, occupies a thread
    for as long as that takes, and where it is the only one, no fairness of the server can give it to others.
    """

    name: str
    behave: object
    count: int = 2
    disk: int = 0
    threads: int = 1


KINDS = (
    Greedy("uploads", upload),
    Greedy("uploads, read", read_upload, threads=2),
    Greedy("chunks of a byte", chunks),
    Greedy("downloads", download),
    Greedy("large blocks", blocks, count=1, threads=2),
    Greedy("pipelining", pipeline),
    Greedy("slow disk, up", upload, disk=20_000),
    Greedy("slow disk, down", download, disk=20_000),
)


def greedy(behave, port: int) -> None:
    os.nice(19)
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=30) as connection:
        behave(connection)


@contextlib.contextmanager
def precedence():
    """The CPU whenever this process wants it, where that is allowed: the greedy clients' time is not the server's."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@precedence()
def latencies(port: int, seconds: float) -> list[float]:
    """Milliseconds of each request of the healthy client, which pauses for a millisecond between them."""
    times = []
    with socket.create_connection((HOST, port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            connection.sendall(REQUEST)
            answer = b""
            try:
                # Some servers send the head before the body.
                while not answer.endswith(HELLO):
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    answer += piece
            except TimeoutError:
                # It counts for as long as it was waited for.
                return [*times, (time.perf_counter() - start) * 1e3]
            times.append((time.perf_counter() - start) * 1e3)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"unexpected answer: {answer[:60]!r}")
            time.sleep(0.001)
    return times


@contextlib.contextmanager
def crowd(kind: Greedy, port: int):
    clients = [multiprocessing.Process(target=greedy, args=(kind.behave, port)) for _ in range(kind.count)]
    try:
        for client in clients:
            client.start()
        time.sleep(0.5)
        yield
        if not all(client.is_alive() for client in clients):
            print(f"  a client of {kind.name!r} was sent away", file=sys.stderr)
    finally:
        for client in clients:
            client.kill()
            client.join()


def slow_disk(directory: str) -> str:
    library = str(Path(directory) / "slow_disk.so")
    source = Path(__file__).with_name("slow_disk.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, str(source), "-ldl"], check=True)
    return library


def measure(options, kind: Greedy, directory: str, library: str, cpus) -> tuple[list[float], list[float]]:
    """The healthy client's latencies alone, and beside the greedy ones."""
    port = probe.free_port()
    variables = dict(os.environ) | {"BESIDE_FILE": str(Path(directory) / "file"), "TMPDIR": directory}
    variables["PYTHONPATH"] = str(environment.PROJECT)
    if kind.disk:
        variables |= {"LD_PRELOAD": library, "SLOW_DISK_MICROSECONDS": str(kind.disk)}
    threads = ["--threads", str(kind.threads)] if kind.threads > 1 else []
    command = [*options.server.format(port=port).split(), *threads, "benchmarks.apps_beside:app"]
    with Process(command, set(cpus.server), variables, environment.PROJECT) as server:
        probe.wait_for_answer(server, port, "/")
        alone = latencies(port, options.seconds)
        with crowd(kind, port):
            beside = latencies(port, options.seconds)
        return alone, beside


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def main() -> None:
    own = Path(sys.executable).parent / "monoceros"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__.splitlines()[0])
    parser.add_argument("--server", default=f"{own} -b {HOST}:{{port}}", help="the command, with {port} in it")
    parser.add_argument("--kinds", default="", help="only those whose name contains this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    options = parser.parse_args()
    cpus = environment.split_cpus(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus.client)

    print(f"{'beside':18} {'p50 alone':>10} {'p50':>8} {'p99 alone':>10} {'p99':>8} {'worst':>8}   milliseconds")
    with tempfile.TemporaryDirectory() as directory:
        library = slow_disk(directory)
        with open(Path(directory) / "file", "wb") as file:
            file.truncate(FILE_BYTES)
        for kind in KINDS:
            if options.kinds not in kind.name:
                continue
            rounds = [measure(options, kind, directory, library, cpus) for _ in range(options.rounds)]
            figures = [
                statistics.median(figure(times) for times in column)
                for figure, column in (
                    (statistics.median, [alone for alone, _ in rounds]),
                    (statistics.median, [beside for _, beside in rounds]),
                    (lambda times: percentile(times, 0.99), [alone for alone, _ in rounds]),
                    (lambda times: percentile(times, 0.99), [beside for _, beside in rounds]),
                    (max, [beside for _, beside in rounds]),
                )
            ]
            columns = zip(figures, (10, 8, 10, 8, 8), strict=True)
            print(f"{kind.name:18} " + " ".join(f"{figure:{width}.3f}" for figure, width in columns), flush=True)


if __name__ == "__main__":
    main()
