"""What several threads cost where one would do: ``python -m benchmarks.crew``.

Hello, World over 64 kept connections, by a worker of one thread and by one of four, on one CPU; the load comes from the
other. Once with the CPU to itself, once with a busy loop beside it that wants all of it. The two take turns; what is
printed are medians over the rounds, and the median of the rounds' ratios. COMMAND starts the server, as
``{command} -b ADDRESS APP``.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environment, load, probe
from benchmarks.cases import CASES
from benchmarks.process import Process

CASE = CASES["hello"]
CREWS = (1, 4)


@dataclass(frozen=True)
class Sample:
    rate: float
    p99: float
    per_cpu_second: float


@contextlib.contextmanager
def busy_loop(cpus: set[int]):
    """Another process that wants all of these CPUs' time."""
    program = f"import os\nos.sched_setaffinity(0, {cpus})\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            yield
        finally:
            process.kill()


def measure(command: str, threads: int, seconds: int, cpus) -> Sample:
    port = probe.free_port()
    line = [*command.split(), "-b", f"127.0.0.1:{port}", "--threads", str(threads), "--keep-alive", "75", CASE.app]
    with Process(line, set(cpus.server), dict(os.environ), environment.PROJECT) as process:
        probe.wait_for_answer(process, port, CASE.paths[0].path)
        report, used = load.run_warm(CASE, port, seconds, process)
    if report.errors:
        raise SystemExit(f"{report.errors} errors with {threads} threads")
    return Sample(report.requests_per_second, report.percentiles[99.0] / 1e3, report.requests / used)


def main() -> None:
    own = Path(sys.executable).parent / "monoceros"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crew", description=__doc__.splitlines()[0])
    parser.add_argument("command", nargs="?", default=str(own), metavar="COMMAND")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="seconds of load in each measurement")
    options = parser.parse_args()
    cpus = environment.split_cpus(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus.client)
    for title, neighbor in (("quiet", contextlib.nullcontext), ("busy loop", lambda: busy_loop(set(cpus.server)))):
        rounds: list[dict[int, Sample]] = []
        for number in range(options.rounds):
            with neighbor():
                order = CREWS if number % 2 == 0 else CREWS[::-1]
                rounds.append({threads: measure(options.command, threads, options.seconds, cpus) for threads in order})
        for threads in CREWS:
            samples = [samples[threads] for samples in rounds]
            print(
                f"{title:10} {threads} thread{'s' if threads > 1 else ' '}"
                f"  {statistics.median(sample.rate for sample in samples):9,.0f} requests/s"
                f"  {statistics.median(sample.per_cpu_second for sample in samples):9,.0f} per CPU-second"
                f"  p99 {statistics.median(sample.p99 for sample in samples):6.2f} ms"
            )
        rate, p99 = (
            statistics.median(getattr(samples[4], name) / getattr(samples[1], name) for samples in rounds)
            for name in ("rate", "p99")
        )
        print(f"{title:10} four to one: rate {rate:.3f}, p99 {p99:.3f}", flush=True)


if __name__ == "__main__":
    main()
