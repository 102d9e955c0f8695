"""Two workers on all CPUs: ``python -m benchmarks.two_workers hello`` and ``… flask``, six minutes each at most.

hello: requests per second of the smallest application, beside granian, from wrk. flask: p99 at 60 % of the load,
requests at random moments (:mod:`benchmarks.open_loop`), beside every server that has several workers: at 60 % of what
Monoceros can do, which is the same rate for all, and at 60 % of what each server can do itself.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks import environment, load, open_loop, probe
from benchmarks.cases import CASES
from benchmarks.process import Process
from benchmarks.servers import REFERENCE, SERVERS, Place

SHARE = 0.6
HELLO_SERVERS = (REFERENCE, "granian", "granian-threads")
FLASK_SERVERS = tuple(
    server.name for server in SERVERS.values() if server.many_workers and server.name != "monoceros-threads"
)


def serve(name: str, app: str, path: str, options, measure):
    """What ``measure`` makes of a running server's port."""
    peers, own = options.peers.absolute() / "bin", options.monoceros.absolute().parent
    place = Place(app, probe.free_port(), peers, own, 2, SERVERS[name].threads)
    variables = environment.server_environment(options.peers.absolute())
    with Process(SERVERS[name].command(place), os.sched_getaffinity(0), variables, environment.PROJECT) as process:
        probe.wait_for_answer(process, place.port, path)
        # All workers are up.
        time.sleep(1)
        return measure(place.port)


def hello(options) -> None:
    case = CASES["two-workers"]
    rates: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for name in HELLO_SERVERS:
            report = serve(
                name, case.app, "/", options, lambda port: load.run(case, port, options.seconds, case.connections)
            )
            rates.setdefault(name, []).append(report.requests_per_second)
            print(f"{name:18} {report.requests_per_second:10,.0f} requests/s  {report.errors} errors", flush=True)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max(rate for name, rate in medians.items() if name != REFERENCE)
    print(f"median: {REFERENCE} {medians[REFERENCE]:,.0f}, {medians[REFERENCE] / best:.2f} times the better granian")


def flask(options) -> None:
    app, path = "benchmarks.apps_flask:app", "/page?page=2"
    found: dict[str, list[tuple[float, dict, dict]]] = {}

    def capacity(port: int) -> float:
        # One that serves no other connection before one has ended answers hardly anything.
        return max(1.0, open_loop.closed_capacity(port, path))

    def measure(port: int) -> tuple[float, dict, dict]:
        own = capacity(port)
        rates = (common * SHARE, own * SHARE)
        same, each = (open_loop.run(open_loop.load(port, path, rate, options.seconds)) for rate in rates)
        return own, same, each

    common = serve(REFERENCE, app, path, options, capacity)
    for number in range(options.rounds):
        # The first of a row must not always be the same.
        shift = number * len(FLASK_SERVERS) // options.rounds
        for name in FLASK_SERVERS[shift:] + FLASK_SERVERS[:shift]:
            found.setdefault(name, []).append(serve(name, app, path, options, measure))
    print(f"{'':18} {'can do':>8} {'p99 at':>8} {common * SHARE:7.0f}/s {'p99 at 60 % of its own':>24}   milliseconds")
    for name in FLASK_SERVERS:
        results = found[name]
        own, same, each = (
            statistics.median(values)
            for values in (
                [result[0] for result in results],
                [result[1]["99"] for result in results],
                [result[2]["99"] for result in results],
            )
        )
        errors = sum(result[1]["errors"] + result[2]["errors"] for result in results)
        rounds = ", ".join(f"{result[1]['99']:.1f}" for result in results)
        print(f"{name:18} {own:8.0f} {same:18.1f} {each:24.1f}   {errors} errors; the rounds at one rate: {rounds}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.two_workers", description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("hello", "flask"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--peers", type=Path, default=environment.PEERS)
    parser.add_argument("--monoceros", type=Path, default=Path(sys.executable).parent / "monoceros")
    options = parser.parse_args()
    if options.part == "hello":
        options.rounds = options.rounds or 5
        hello(options)
    else:
        options.rounds = options.rounds or 3
        flask(options)


if __name__ == "__main__":
    main()
