"""Runs wrk and reads its report."""

import os
import re
import resource
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = Path(__file__).with_name("wrk.lua")

# wrk rounds durations to two decimals of the unit it picks.
MICROSECONDS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
DURATION = r"([\d.]+)(us|ms|s|m|h)"
SOCKET_ERRORS = (
    r"Socket errors: connect (?P<connect>\d+), read (?P<read>\d+), write (?P<write>\d+), timeout (?P<timeout>\d+)"
)


class LoadError(Exception):
    """wrk is missing, failed, did not end in time, or printed something that is not its report."""


@dataclass(frozen=True)
class Report:
    """What wrk measured. Latencies are in microseconds; percentiles are keyed by their number."""

    requests: int
    seconds: float
    requests_per_second: float
    mean_latency: float
    percentiles: dict[float, float]
    socket_errors: dict[str, int] = field(default_factory=dict)
    bad_statuses: int = 0
    client_cpu_seconds: float = 0.0

    @property
    def errors(self) -> int:
        return sum(self.socket_errors.values()) + self.bad_statuses

    @property
    def concurrency(self) -> float:
        """How many connections were really being served, by Little's law.

        wrk records only answered requests, so connections that a server never turns to leave no other trace.
        """
        return self.requests_per_second * self.mean_latency / 1e6


def parse(text: str) -> Report:
    """Reads the text that ``wrk --latency`` prints."""

    def find(pattern, what):
        match = re.search(pattern, text, re.MULTILINE)
        if match is None:
            raise LoadError(f"wrk did not report {what}")
        return match

    total = find(rf"^\s*(\d+) requests in {DURATION},", "the number of requests")
    rate = find(r"^Requests/sec:\s+([\d.]+)", "requests per second")
    mean = find(rf"^\s+Latency\s+{DURATION}", "the mean latency")
    percentiles = {
        float(percent): microseconds(value, unit)
        for percent, value, unit in re.findall(rf"^\s*(?:Percentile )?([\d.]+)(?:%|:)\s+{DURATION}\s*$", text, re.M)
    }
    if not {50.0, 99.0} <= percentiles.keys():
        raise LoadError("wrk did not report the latency distribution")
    found = re.search(SOCKET_ERRORS, text)
    bad_statuses = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Report(
        requests=int(total[1]),
        seconds=microseconds(total[2], total[3]) / 1e6,
        requests_per_second=float(rate[1]),
        mean_latency=microseconds(mean[1], mean[2]),
        percentiles=percentiles,
        socket_errors={kind: int(count) for kind, count in found.groupdict().items()} if found else {},
        bad_statuses=int(bad_statuses[1]) if bad_statuses else 0,
    )


def microseconds(value: str, unit: str) -> float:
    return float(value) * MICROSECONDS[unit]


def command(case, port: int, seconds: int, connections: int) -> list[str]:
    """The wrk command line for a case. Only what flags cannot say goes through the Lua script."""
    line = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency"]
    for name, value in case.headers:
        line += ["-H", f"{name}: {value}"]
    simple = case.method == "GET" and not case.body_bytes and len(case.paths) == 1
    if not simple:
        line += ["-s", str(SCRIPT)]
    line.append(f"http://127.0.0.1:{port}{case.paths[0].path}")
    if not simple:
        line += ["--", case.method, str(case.body_bytes), *(f"{path.path}*{path.weight}" for path in case.paths)]
    return line


def run(case, port: int, seconds: int, connections: int) -> Report:
    """Loads the server for that long. Raises LoadError."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(
            command(case, port, seconds, connections),
            capture_output=True,
            text=True,
            timeout=seconds + 20,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise LoadError("wrk is not installed (Debian: apt-get install wrk)") from None
    except subprocess.TimeoutExpired:
        raise LoadError("wrk did not end in time") from None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise LoadError(f"wrk exited with status {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
    report = parse(done.stdout)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Report(**{**vars(report), "client_cpu_seconds": cpu})


def run_warm(case, port: int, seconds: int, server) -> tuple[Report, float]:
    """The same after a second of warm-up; with the CPU seconds that the `Process` of the server used meanwhile."""
    run(case, port, 1, case.connections)
    used = server.cpu_seconds()
    report = run(case, port, seconds, case.connections)
    return report, server.cpu_seconds() - used
