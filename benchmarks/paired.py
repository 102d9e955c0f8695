"""Two versions of Monoceros against each other: ``python -m benchmarks.paired BEFORE AFTER``.

BEFORE and AFTER are two installed ``monoceros`` commands, each in an environment of its own. They are measured in
turns, the order changing from round to round; what is compared is the two of one round, so that a machine which is
slower for a while is slower for both. Printed is the median of the rounds' ratios, after to before: above 1, the later
one is faster.
"""

import argparse
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment, load, probe
from benchmarks.cases import CASES
from benchmarks.process import Process


@dataclass(frozen=True)
class Setup:
    """A case, and the options under which it is served."""

    name: str
    case: str
    options: tuple[str, ...] = ()


SETUPS = {
    setup.name: setup
    for setup in (
        Setup("hello", "hello"),
        Setup("browser", "browser"),
        Setup("hello-threads", "hello", ("-k", "gthread", "--threads", "4")),
        Setup("post-64k", "post-64k"),
        Setup("flask", "flask"),
        Setup("close", "close"),
    )
}


@dataclass(frozen=True)
class Sample:
    """Requests per second, and per CPU-second of the server."""

    rate: float
    efficiency: float


def measure(command: Path, setup: Setup, extra: list[str], seconds: int, cpus, variables) -> Sample:
    case = CASES[setup.case]
    port = probe.free_port()
    line = [str(command), "-b", f"127.0.0.1:{port}", *setup.options, *extra, case.app]
    with Process(line, set(cpus.server), variables, environment.PROJECT) as process:
        probe.wait_for_answer(process, port, case.paths[0].path)
        report, used = load.run_warm(case, port, seconds, process)
    if report.errors:
        raise SystemExit(f"{setup.name}: {report.errors} errors under {command}")
    return Sample(report.requests_per_second, report.requests / used)


def row(name: str, pairs: list[tuple[Sample, Sample]]) -> str:
    rates = sorted(after.rate / before.rate for before, after in pairs)
    efficiencies = [after.efficiency / before.efficiency for before, after in pairs]
    return (
        f"{name:14}  rate {statistics.median(rates):.3f}  ({rates[0]:.2f} to {rates[-1]:.2f})"
        f"  per CPU-second {statistics.median(efficiencies):.3f}"
        f"  before {statistics.median(before.rate for before, _ in pairs):,.0f} requests/s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paired", description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, help="the monoceros command to compare with")
    parser.add_argument("after", type=Path, help="the monoceros command that is compared")
    parser.add_argument("--setups", default=",".join(SETUPS), metavar="NAME,…", help="(default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="seconds of load in each measurement")
    parser.add_argument("--before-option", action="append", default=[], metavar="OPTION", help="only for BEFORE")
    parser.add_argument("--after-option", action="append", default=[], metavar="OPTION", help="only for AFTER")
    parser.add_argument("--peers", type=Path, default=environment.PEERS, help="an environment with Flask")
    options = parser.parse_args()
    unknown = [name for name in options.setups.split(",") if name not in SETUPS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(SETUPS)}")

    allowed = os.sched_getaffinity(0)
    cpus = environment.split_cpus(allowed)
    os.sched_setaffinity(0, cpus.client)
    variables = environment.server_environment(options.peers.absolute())
    sides = [(options.before.absolute(), options.before_option), (options.after.absolute(), options.after_option)]
    for name in options.setups.split(","):
        pairs = []
        for number in range(options.rounds):
            order = (0, 1) if number % 2 == 0 else (1, 0)
            samples = {
                side: measure(sides[side][0], SETUPS[name], sides[side][1], options.seconds, cpus, variables)
                for side in order
            }
            pairs.append((samples[0], samples[1]))
        print(row(name, pairs), flush=True)


if __name__ == "__main__":
    sys.exit(main())
