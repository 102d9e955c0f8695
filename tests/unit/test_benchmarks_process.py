"""The readers of /proc, and a real process tree."""

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks import process

TAIL = "S 10 42 42 0 -1 4194560 100 200 0 0 7 5 3 2 20 0 1 0 1234 0 0 0"

FORKING = """
import os, time
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        pass
time.sleep(30)
"""


@pytest.mark.parametrize("command", ["python3", "a (b) c", "x) S 1 2 3", "(", ")"])
def test_a_command_may_hold_anything(command):
    stat = process.parse_stat(f"77 ({command}) {TAIL}")
    assert stat == process.Stat(pid=77, state="S", parent=10, session=42, ticks=7 + 5 + 3 + 2, born=1234)


def test_sums_processes_of_the_tree_and_of_the_session():
    stats = [
        process.Stat(10, "S", 1, 10, 0, 0),  # the root
        process.Stat(11, "S", 10, 10, 0, 0),  # a child
        process.Stat(12, "S", 11, 12, 0, 0),  # a grandchild in a session of its own
        process.Stat(13, "S", 1, 10, 0, 0),  # reparented, but of the session
        process.Stat(14, "S", 13, 14, 0, 0),  # and its child
        process.Stat(15, "S", 1, 15, 0, 0),  # a stranger
    ]
    assert [stat.pid for stat in process.tree(stats, 10)] == [10, 11, 12, 13, 14]


def test_reads_the_counters_of_a_rollup():
    text = "55d0-7ffd ---p 00000000 00:00 0    [rollup]\nRss:   5124 kB\nPss:   1201 kB\nPrivate_Dirty:  800 kB\n"
    assert process.parse_rollup(text) == {"Rss": 5124, "Pss": 1201, "Private_Dirty": 800}


def test_reads_the_busy_ticks_of_one_cpu():
    text = "cpu  1 1 1 1\ncpu0 10 20 30 4000 50 60 70 80 0 0\ncpu1 1 2 3 4 5 6 7 8 0 0\n"
    assert process.parse_cpu(text, 0) == 60
    assert process.parse_cpu(text, 1) == 6
    with pytest.raises(ValueError):
        process.parse_cpu(text, 2)


def test_accounts_for_a_real_tree_and_leaves_nothing_behind():
    cpus = os.sched_getaffinity(0)
    with process.Process([sys.executable, "-c", FORKING], cpus, dict(os.environ), Path.cwd()) as running:
        deadline = time.monotonic() + 20
        while running.cpu_seconds() < 0.2 or len(running.members()) < 2:
            assert time.monotonic() < deadline, "the child was not found, or used no CPU"
            time.sleep(0.02)
        memory = running.memory()
        assert memory["pss"] >= memory["private"] > 0
        pids = {stat.pid for stat in running.members()}
        assert len(pids) == 2
    deadline = time.monotonic() + 30  # a killed process takes a moment to leave the table
    while left := [stat for stat in process.snapshot() if stat.pid in pids and stat.state != "Z"]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("code", "ending"),
    [
        ("import os; os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
        ("print('first'); raise SystemExit('no such application')", "exit status 1: no such application"),
    ],
)
def test_tells_how_a_server_ended(code, ending):
    cpus = os.sched_getaffinity(0)
    with process.Process([sys.executable, "-u", "-c", code], cpus, dict(os.environ), Path.cwd()) as ended:
        ended.child.wait(20)
        assert ended.ending() == ending
