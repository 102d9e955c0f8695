"""What the number of threads and workers changes: ``python -m benchmarks.tuning``.

Only Monoceros is measured. The pictures and figures are those of docs/tuning.md.
"""

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cases, chart, closed_loop, environment, load, probe
from benchmarks.process import Process
from benchmarks.servers import HOST

RESULTS = Path(__file__).with_name("results") / "tuning.json"
PICTURE = environment.PROJECT / "docs" / "tuning.svg"
# More than any worker here is asked to hold.
CONNECTIONS = 64


@dataclass(frozen=True)
class Experiment:
    """One question: how an application's requests fare under several numbers of threads, or of workers."""

    name: str
    title: str
    unit: str
    case: str
    options: tuple[tuple[str, tuple[str, ...]], ...]
    # What is drawn: a field of load.Report, or a percentile in microseconds.
    figure: str = "requests_per_second"
    all_cpus: bool = False


def threads(*counts: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    one = (("sync", ("-k", "sync")),)
    return one + tuple((f"{count} threads", ("-k", "gthread", "--threads", str(count))) for count in counts)


def workers(*counts: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((f"{count} worker" + "s" * (count > 1), ("-w", str(count))) for count in counts)


EXPERIMENTS = (
    Experiment(
        "waiting", "An application that waits 10 ms", "requests/s, one CPU", "sleep", threads(2, 4, 8, 16, 32, 64)
    ),
    Experiment(
        "computing", "An application that computes (Flask)", "requests/s, one CPU", "flask", threads(2, 4, 8, 16)
    ),
    Experiment(
        "tails",
        "One request in 50 takes 50 ms: p99 of the others",
        "milliseconds, one CPU, 32 connections",
        "mixed",
        threads(2, 4, 8, 16, 32),
        figure="p99",
    ),
    Experiment(
        "workers",
        "Flask, workers on all CPUs beside the client",
        "requests/s",
        "flask",
        workers(1, 2, 3, 4),
        all_cpus=True,
    ),
)


def measure(experiment: Experiment, arguments: tuple[str, ...], seconds: int, peers: Path, own: Path) -> float:
    """The figure of one run."""
    case = cases.CASES[experiment.case]
    allowed = os.sched_getaffinity(0)
    cpus = environment.split_cpus(allowed)
    port = probe.free_port()
    command = [str(own), "-b", f"{HOST}:{port}", "--worker-connections", "2048", *arguments, case.app]
    server_cpus, client_cpus = (allowed, allowed) if experiment.all_cpus else (cpus.server, cpus.client)
    with Process(command, set(server_cpus), environment.server_environment(peers), environment.PROJECT) as server:
        probe.wait_for_answer(server, port, case.paths[0].path)
        os.sched_setaffinity(0, client_cpus)
        try:
            generate = closed_loop.run if case.tells_paths_apart else load.run
            connections = case.connections if case.tells_paths_apart else CONNECTIONS
            generate(case, port, 1, connections)
            # Requests of the warm-up that are still waiting are run although their clients have left.
            time.sleep(1)
            report = generate(case, port, seconds, connections)
        finally:
            os.sched_setaffinity(0, allowed)
    return report.percentiles[99.0] / 1000 if experiment.figure == "p99" else report.requests_per_second


def draw(results: dict) -> str:
    panels = []
    for experiment in EXPERIMENTS:
        bars = []
        for label, _ in experiment.options:
            values = results["figures"][experiment.name][label]
            bars.append(chart.Bar(label, statistics.median(values), min(values), max(values), own=True))
        panels.append(chart.Panel(experiment.title, experiment.unit, bars))
    rounds = results["rounds"]
    return chart.draw(
        "Threads and workers", f"{results['machine']}. Bars are medians of {rounds} rounds, lines their range.", panels
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="seconds of load per measurement")
    parser.add_argument("--peers", type=Path, default=environment.PEERS, help="the environment that has Flask")
    parser.add_argument("--monoceros", type=Path, default=environment.PROJECT / ".venv" / "bin" / "monoceros")
    parser.add_argument("--draw", action="store_true", help="only draw what was measured before")
    options = parser.parse_args()
    if options.draw:
        PICTURE.write_text(draw(json.loads(RESULTS.read_text())))
        return
    figures = {experiment.name: {label: [] for label, _ in experiment.options} for experiment in EXPERIMENTS}
    results = {"machine": environment.machine(), "rounds": options.rounds, "figures": figures}
    for number in range(options.rounds):
        for experiment in EXPERIMENTS:
            for label, arguments in experiment.options:
                value = measure(experiment, arguments, options.seconds, options.peers.absolute(), options.monoceros)
                figures[experiment.name][label].append(value)
                print(f"round {number + 1}  {experiment.name:10} {label:12} {value:10,.2f}", flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    PICTURE.write_text(draw(results))


if __name__ == "__main__":
    main()
