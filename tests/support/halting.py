"""Stopping one thread of another process: signals stop them all (ptrace(2))."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from .waiting import until

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
#: Threads too (waitpid(2)).
WALL = 0x40000000

library = ctypes.CDLL(None, use_errno=True)
library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def thread_named(pid: int, name: str) -> int:
    """The one thread of this name, once it has it: a young thread is called as the one that started it, and names
    itself."""

    def found() -> int | None:
        threads = [thread for thread, called in thread_names(pid).items() if called == name]
        return threads[0] if len(threads) == 1 else None

    return until(found, f"one thread that is called {name}")


def thread_names(pid: int) -> dict[int, str]:
    """What the threads of a process are called, by their numbers."""
    names = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        # It may have ended meanwhile.
        with suppress(FileNotFoundError, ProcessLookupError):
            names[int(task.name)] = (task / "comm").read_text().strip()
    return names


@contextmanager
def halted(thread: int) -> Iterator[None]:
    """The thread stands still meanwhile. Its process may be killed."""
    if library.ptrace(SEIZE, thread, None, None) != 0:
        pytest.skip(f"threads of others may not be stopped: {os.strerror(ctypes.get_errno())}")
    try:
        assert library.ptrace(INTERRUPT, thread, None, None) == 0
        os.waitpid(thread, WALL)
        yield
    finally:
        # Where it is dead, its process ends only when this is noticed here.
        if library.ptrace(DETACH, thread, None, None) != 0:
            with suppress(ChildProcessError):
                os.waitpid(thread, WALL)
