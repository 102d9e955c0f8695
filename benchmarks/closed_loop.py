"""A load generator that tells the latency of one path from another's, which wrk cannot.

wrk also adds samples for requests that a slow one kept it from sending, so that a case in which some requests are slow
on purpose says little about the others. This one is a closed loop over epoll in Python: slower than wrk, and fast
enough for cases in which the server waits most of the time.
"""

import random
import resource
import select
import socket
import time
from array import array

from benchmarks.load import LoadError, Report

# The order of the paths is random and the same in each run.
SEED = 1


class Client:
    """One connection with at most one request under way."""

    def __init__(self, port: int, requests: list[bytes]):
        self.requests = requests
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.kind = 0
        self.sent_at = 0.0

    def send(self, kind: int) -> None:
        self.kind = kind
        self.sent_at = time.perf_counter()
        self.socket.send(self.requests[kind])

    def receive(self) -> bool:
        """Whether the response is complete. Raises LoadError when it is not what it should be."""
        data = self.socket.recv(65536)
        if not data:
            raise LoadError("the server closed a connection")
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return False
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
            raise LoadError(f"not a 200: {head[:60]!r}")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line[:15].lower() == b"content-length:"), None)
        if length is None:
            raise LoadError("a response without Content-Length")
        if len(body) < length:
            return False
        self.received = b""
        return True


def run(case, port: int, seconds: float, connections: int) -> Report:
    """Loads the server; the latencies are those of the case's first path."""
    chance = random.Random(SEED)
    requests = [f"{case.method} {path.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() for path in case.paths]
    kinds = [index for index, path in enumerate(case.paths) for _ in range(path.weight)]
    before = resource.getrusage(resource.RUSAGE_SELF)
    poller = select.epoll()
    clients = {}
    latencies = array("d")
    count = 0
    try:
        for _ in range(connections):
            client = Client(port, requests)
            clients[client.socket.fileno()] = client
            poller.register(client.socket, select.EPOLLIN)
        began = time.perf_counter()
        for client in clients.values():
            client.send(chance.choice(kinds))
        while (now := time.perf_counter()) < began + seconds:
            for number, _ in poller.poll(0.1, connections):
                client = clients[number]
                if not client.receive():
                    continue
                count += 1
                if client.kind == 0:
                    latencies.append(time.perf_counter() - client.sent_at)
                client.send(chance.choice(kinds))
    except OSError as error:
        raise LoadError(str(error)) from None
    finally:
        poller.close()
        for client in clients.values():
            client.socket.close()
    if not latencies:
        raise LoadError("no request was answered")
    after = resource.getrusage(resource.RUSAGE_SELF)
    ordered = sorted(latencies)
    return Report(
        requests=count,
        seconds=now - began,
        requests_per_second=count / (now - began),
        mean_latency=connections / (count / (now - began)) * 1e6,
        percentiles={percent: ordered[int(len(ordered) * percent / 100)] * 1e6 for percent in (50.0, 90.0, 99.0)},
        client_cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )
