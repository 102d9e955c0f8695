"""A small HTTP client for what is not load: the first answer, correctness, idle connections."""

import http.client
import random
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.servers import HOST

POLL_SECONDS = 0.0005


class ProbeError(Exception):
    """The server did not answer, or not as it should. The text says what was seen."""


def free_port() -> int:
    """A free port outside the range from which the kernel takes client ports.

    Polling a port of that range until somebody listens could connect to itself, and then nobody else could bind it.
    """
    first_client_port = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(100):
        port = random.randrange(10000, first_client_port) if first_client_port > 10100 else 0
        with socket.socket() as listener:
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
            return listener.getsockname()[1]
    raise ProbeError("no free port found")


def wait_for_answer(process, port: int, target: str, limit: float = 20.0) -> float:
    """Seconds from the start of the process to its first successful response."""
    deadline = process.started + limit
    request = f"GET {target} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode()
    while time.perf_counter() < deadline:
        if not process.alive:
            raise ProbeError(f"did not start: {process.ending()}")
        try:
            with socket.create_connection((HOST, port), timeout=max(0.1, deadline - time.perf_counter())) as client:
                client.sendall(request)
                status = client.recv(64)
        except OSError:
            time.sleep(POLL_SECONDS)
            continue
        if status.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
            return time.perf_counter() - process.started
        if status:
            first = status.split(b"\r\n")[0].decode("latin-1")
            raise ProbeError(f"answered {first!r} to the first request: {process.last_words()}")
    raise ProbeError(f"no answer within {limit:.0f} s: {process.last_words()}")


def check(case, port: int) -> bool:
    """Sends every request of the case twice on a connection and compares the answers with the expected ones.

    Returns whether the server kept the connection open.
    """
    kept = True
    for path in case.paths:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        # http.client would silently open a second connection; `kept` is about the first.
        connection.auto_open = 0
        try:
            connection.connect()
            for _ in range(2):
                if connection.sock is None:
                    kept = False
                    connection.connect()
                _exchange(connection, case, path)
        except (OSError, http.client.HTTPException) as error:
            raise ProbeError(f"{case.method} {path.path}: {type(error).__name__}: {error}") from None
        finally:
            connection.close()
    return kept


def _exchange(connection, case, path):
    body = b"x" * case.body_bytes if case.body_bytes else None
    headers = dict(case.headers)
    if body:
        headers["Content-Type"] = "application/octet-stream"
    connection.request(case.method, path.path, body=body, headers=headers)
    response = connection.getresponse()
    length = len(response.read())
    if response.status != 200:
        raise ProbeError(f"{case.method} {path.path}: status {response.status}")
    if length != path.length:
        raise ProbeError(f"{case.method} {path.path}: {length} bytes of body instead of {path.length}")


def one_request(client: socket.socket, target: str = "/") -> bool:
    """One keep-alive request on an open connection; False if no whole answer came. For bodies with a length."""
    client.sendall(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    data = b""
    while True:
        head, separator, body = data.partition(b"\r\n\r\n")
        if separator:
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:") and len(body) >= int(line.partition(b":")[2]):
                    return head.startswith(b"HTTP/1.1 200")
        received = client.recv(4096)
        if not received:
            return False
        data += received


def is_open(client: socket.socket) -> bool:
    """Whether the peer has not closed: there is neither an end of file nor an error to read."""
    client.setblocking(False)
    try:
        return bool(client.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


def idle_memory(process, port: int, count: int, timeout: float = 3.0, limit: float = 60.0) -> dict:
    """Private memory of the server before and after ``count`` clients made one request each and stayed connected.

    ``timeout`` bounds every step of a connection and ``limit`` all of them together, in seconds.
    """
    deadline = time.monotonic() + limit
    with ExitStack() as stack:
        clients = []
        try:
            # What the server allocates once is not the price of a connection.
            for _ in range(8):
                with socket.create_connection((HOST, port), timeout=timeout) as client:
                    if not all(one_request(client) for _ in range(25)):
                        raise ProbeError("closes the connection after the response")
            before = process.memory()
            for _ in range(count):
                if time.monotonic() > deadline:
                    raise ProbeError(f"only {len(clients)} connections within {limit:.0f} s")
                client = stack.enter_context(socket.create_connection((HOST, port), timeout=timeout))
                if not one_request(client):
                    raise ProbeError(f"closed connection {len(clients) + 1} without an answer")
                clients.append(client)
        except TimeoutError:
            raise ProbeError(f"holds {len(clients)} connection(s), then answers no more") from None
        except OSError as error:
            raise ProbeError(f"connection {len(clients) + 1}: {type(error).__name__}") from None
        time.sleep(0.5)
        after = process.memory()
        held = sum(is_open(client) for client in clients)
    return {
        "connections": count,
        "held": held,
        "bytes_per_connection": (after["private"] - before["private"]) * 1024 / count,
    }
