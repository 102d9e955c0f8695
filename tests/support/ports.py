"""Ports that a server is told by their number, where nobody else takes them before it does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved(count: int = 1, host: str = "127.0.0.1") -> Iterator[list[int]]:
    """Free ports, which stay the test's while the block runs.

    A socket is bound to each and does not listen. The kernel gives such a port to nobody who asks for any, and lets a
    server bind it that sets SO_REUSEADDR, as servers do (socket(7)).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    holders = [socket.socket(family) for _ in range(count)]
    try:
        for holder in holders:
            holder.bind((host, 0))
            # After it was given: a port that is given to one with this option may be given to another.
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()
