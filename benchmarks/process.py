"""A server as a tree of processes: starting it, accounting for it through /proc, and ending it."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Stat:
    """One line of /proc/PID/stat. ``ticks`` is the process's own user and system time and that of its dead children."""

    pid: int
    state: str
    parent: int
    session: int
    ticks: int
    # When the process started, in ticks since boot: with the pid it tells a process from a later one of the same pid.
    born: int


def parse_stat(text: str) -> Stat:
    # proc_pid_stat(5). The command stands in parentheses and may itself hold spaces and parentheses.
    head, _, tail = text.rpartition(")")
    pid = int(head.partition(" ")[0])
    fields = tail.split()
    return Stat(pid, fields[0], int(fields[1]), int(fields[3]), sum(map(int, fields[11:15])), int(fields[19]))


def parse_rollup(text: str) -> dict[str, int]:
    """The counters of /proc/PID/smaps_rollup, in KiB."""
    counters = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB":
            counters[name] = int(words[0])
    return counters


def parse_cpu(text: str, cpu: int) -> int:
    """Ticks that a CPU spent in processes (user, nice, system) according to /proc/stat."""
    for line in text.splitlines():
        name, *values = line.split()
        if name == f"cpu{cpu}":
            return sum(int(value) for value in values[:3])
    raise ValueError(f"no cpu{cpu} in /proc/stat")


def tree(stats: list[Stat], root: int) -> list[Stat]:
    """The processes that descend from a root or live in its session; the latter finds what was reparented."""
    members = {root}
    grown = True
    while grown:
        found = {stat.pid for stat in stats if stat.session == root or stat.parent in members}
        grown = not found <= members
        members |= found
    return [stat for stat in stats if stat.pid in members]


def snapshot() -> list[Stat]:
    stats = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                stats.append(parse_stat((entry / "stat").read_text(errors="replace")))
            except OSError:
                continue  # it ended while we were looking
    return stats


def cpu_ticks(cpu: int) -> int:
    return parse_cpu((PROC / "stat").read_text(), cpu)


class Process:
    """A server under test, in a session of its own; ended and reaped on the way out of a ``with`` block."""

    def __init__(self, command: list[str], cpus: set[int], environment: dict[str, str], directory: Path):
        self.command = command
        self.cpus = cpus
        self.environment = environment
        self.directory = directory
        self.started = 0.0

    def __enter__(self):
        self.output = tempfile.TemporaryFile()
        try:
            self.started = time.perf_counter()
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=self.output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, self.cpus),
            )
        except BaseException:
            self.output.close()
            raise
        return self

    def __exit__(self, *exception):
        try:
            self.stop()
        finally:
            self.output.close()

    @property
    def alive(self) -> bool:
        return self.child.poll() is None

    def ending(self) -> str:
        """How it ended, and the last line that it printed, for a message."""
        code = self.child.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        said = self.last_words()
        return f"{how}: {said}" if said else how

    def members(self) -> list[Stat]:
        return tree(snapshot(), self.child.pid)

    def cpu_seconds(self) -> float:
        """User and system time of the whole tree since it started."""
        return sum(stat.ticks for stat in self.members()) / TICKS_PER_SECOND

    def memory(self) -> dict[str, int]:
        """PSS and private memory of the whole tree, in KiB."""
        total = {"pss": 0, "private": 0}
        for stat in self.members():
            try:
                counters = parse_rollup((PROC / str(stat.pid) / "smaps_rollup").read_text())
            except OSError:
                continue  # ended, or a zombie without memory
            total["pss"] += counters.get("Pss", 0)
            total["private"] += counters.get("Private_Clean", 0) + counters.get("Private_Dirty", 0)
        return total

    def last_words(self) -> str:
        """The last line it printed: usually why it failed."""
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def stop(self, grace: float = 5.0):
        """TERM to the server, KILL to what is left of its session after the grace, then reap."""
        strays = {(stat.pid, stat.born) for stat in self.members() if stat.pid != self.child.pid}
        if self.alive:
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(grace)
        # Workers normally leave with their master; those that did not are ended one by one.
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and left(strays):
            time.sleep(0.01)
        for pid in left(strays):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.alive:
            self.child.kill()
        self.child.wait(grace)


def left(strays: set[tuple[int, int]]) -> list[int]:
    """Those that still run. The time of birth keeps a pid that was given to somebody else out of it."""
    return [stat.pid for stat in snapshot() if (stat.pid, stat.born) in strays and stat.state != "Z"] if strays else []
