"""The threads of a worker that are the server's own, so that others can be told from them."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable

_own: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def start(name: str, run: Callable[[], object], *, daemon: bool) -> threading.Thread:
    """Starts one of the server's own threads."""
    thread = threading.Thread(target=run, name=name, daemon=daemon)
    _own.add(thread)
    thread.start()
    return thread


def others(native: Iterable[int] = ()) -> list[str]:
    """The threads of this process beside its main one that are not the server's: their names, as far as they have any.

    :param native: the kernel's numbers of the server's that Python has not started.
    """
    known = {os.getpid(), *native} | {thread.native_id for thread in list(_own)}
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found = sorted({int(number) for number in os.listdir("/proc/self/task")} - known)
    return [names.get(number) or f"{_command(number)} ({number})" for number in found]


def _command(number: int) -> str:
    try:
        with open(f"/proc/self/task/{number}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "a thread that has just ended"
