"""How long the operator waits for an answer while the server is in trouble.

usage: python -m benchmarks.operations [SECONDS]     # seconds for each kind of trouble, 5 by default

For each it says how many answers there were, and their median, 99th percentile and maximum in milliseconds; where
requests are stuck, whether the status names all of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from monoceros.admin.client import Client

APPLICATIONS = Path(__file__).resolve().parent.parent / "tests" / "apps"


def send(port: int, path: str, times: int = 1) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * times)
    return connection


def short_requests(port: int, stop: threading.Event, client: Client) -> None:
    """Sixteen clients, each with the next request as soon as it has its answer, of 3 ms each."""

    def one() -> None:
        connection = socket.create_connection(("127.0.0.1", port))
        # The end of the server ends it.
        with contextlib.suppress(OSError):
            while not stop.is_set():
                connection.sendall(b"GET /sleep?seconds=0.003 HTTP/1.1\r\nHost: x\r\n\r\n")
                if not connection.recv(4096):
                    return

    for _ in range(16):
        threading.Thread(target=one, daemon=True).start()


def stuck(port: int, stop: threading.Event, client: Client) -> None:
    """Every runner, and as many again that wait; the status has to name each of them."""
    count = 2 * sum(worker["runners"] for worker in client.status()["workers"])
    connections = [send(port, "/stuck?seconds=600") for _ in range(count)]
    threading.Thread(target=lambda: (stop.wait(), connections.clear()), daemon=True).start()
    time.sleep(0.5)
    named = [each for each in client.status()["exchanges"] if each["path"] == "/stuck"]
    phases = [each["phase"] for each in named]
    assert len(named) == count and phases.count("application") == count // 2, phases
    print(f"{'':18} stuck           /status   names all {count}: {count // 2} in the application, the others waiting")


def stopped(port: int, stop: threading.Event, client: Client) -> None:
    """SIGSTOP for one of several workers."""
    os.kill(client.status()["workers"][0]["pid"], signal.SIGSTOP)


def locked(port: int, stop: threading.Event, client: Client) -> None:
    connection = send(port, "/locked?seconds=600")
    threading.Thread(target=lambda: (stop.wait(), connection.close()), daemon=True).start()


def flood(port: int, stop: threading.Event, client: Client) -> None:
    """New connections as fast as two threads can make them, each with a request, none of them read."""

    def one() -> None:
        while not stop.is_set():
            try:
                send(port, "/").close()
            except OSError:
                time.sleep(0.01)

    for _ in range(2):
        threading.Thread(target=one, daemon=True).start()


def idle(port: int, stop: threading.Event, client: Client) -> None:
    """Nothing."""


def measure(client: Client, seconds: float, target: str) -> list[float]:
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        status, _ = client.ask(target)
        assert status == 200, (target, status)
        times.append(1000 * (time.perf_counter() - began))
        time.sleep(0.005)
    return sorted(times)


def main(seconds: float) -> None:
    for workers, arguments in ((1, ["-w", "1"]), (2, ["-w", "2", "--threads", "4"])):
        for trouble in (idle, short_requests, stuck, locked, *([stopped] if workers > 1 else []), flood):
            with tempfile.TemporaryDirectory() as directory:
                address = f"unix:{directory}/admin.sock"
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", 0))
                    port = probe.getsockname()[1]
                server = subprocess.Popen(
                    [sys.executable, "-m", "monoceros", "-b", f"127.0.0.1:{port}", "--admin-bind", address]
                    + [*arguments, "--timeout", "0", "--log-level", "error", "operated"],
                    cwd=APPLICATIONS,
                    start_new_session=True,
                )
                stop = threading.Event()
                try:
                    client = Client(address)
                    while not os.path.exists(address.removeprefix("unix:")) or client.ask("/ready")[0] != 200:
                        time.sleep(0.05)
                    while sum(each["lifetime"] == "serving" for each in client.status()["workers"]) < workers:
                        time.sleep(0.05)
                    trouble(port, stop, client)
                    time.sleep(0.5)
                    for target in ("/health", "/metrics", "/status"):
                        times = measure(client, seconds / 3, target)
                        print(
                            f"{' '.join(arguments):18} {trouble.__name__:15} {target:9} {len(times):5} answers: median"
                            f" {times[len(times) // 2]:6.2f}, p99 {times[len(times) * 99 // 100]:6.2f},"
                            f" maximum {times[-1]:6.2f} ms",
                            flush=True,
                        )
                finally:
                    stop.set()
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5)
