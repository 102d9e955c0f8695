"""What sharing requests between workers would bring: a simulation of queues, before anything is built and measured.

`python -m benchmarks.sharing` writes docs/sharing.svg and prints the table of docs/performance.md. The same seed gives
the same figures on every machine: no clock and no server is involved.

A worker has one runner. Requests come at random moments (Poisson) on connections that are spread evenly over the
workers, which is the best case for queues of their own. Five ways to serve them:

- `own queues`: a request waits for the worker that its connection belongs to.
- `sharing`: as `SharingPolicy` has it. A worker posts what waits behind its runner while another worker is idle. A
  worker that becomes idle tells nobody, so who holds requests looks again every 2 ms, or between two short requests.
- `sharing, with a bell`: the same, but whoever becomes idle is noticed at once by those that hold requests.
- `all that waits`: a worker posts whatever waits behind its runner, whether somebody is idle or not: the relay is the
  queue.
- `one queue`: the ideal; every runner takes the oldest request there is.
"""

import argparse
import heapq
import math
import random
from collections import deque
from pathlib import Path

from benchmarks import chart

ROOT = Path(__file__).resolve().parent.parent
# Seconds. Measured on this machine: a parcel of 400 bytes, and how long a sleeping worker needs to take it.
PARCEL_CPU = 3.5e-6
PARCEL_DELAY = 50e-6
# Requests known to be longer than this run without the baton: the pilot hears of new ones at once (`PromotionPolicy`).
PROMOTED = 2e-3
LOOK_AGAIN = 2e-3
# Requests shorter than this are not worth a parcel.
WORTH_SHARING = 200e-6
WAYS = ("own queues", "sharing", "sharing, with a bell", "all that waits", "one queue")
LOADS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SERVICES = {
    "0.1 ms": lambda _: 100e-6,
    "1 ms": lambda _: 1e-3,
    "10 ms": lambda _: 10e-3,
    "100 ms": lambda _: 100e-3,
    "mix: 90 % 1 ms, 9 % 10 ms, 1 % 100 ms": lambda rng: rng.choices((1e-3, 10e-3, 100e-3), (90, 9, 1))[0],
}
MEANS = {"0.1 ms": 100e-6, "1 ms": 1e-3, "10 ms": 10e-3, "100 ms": 100e-3}


def mean(service: str) -> float:
    return MEANS.get(service, 0.9 * 1e-3 + 0.09 * 10e-3 + 0.01 * 100e-3)


class Simulation:
    def __init__(self, way: str, workers: int, service: str, load: float, requests: int, seed: int):
        self.way, self.workers, self.service = way, workers, service
        self.rng = random.Random(f"{seed} {workers} {service} {load}")
        self.rate = load * workers / mean(service)
        self.requests = requests
        self.shares = way not in ("own queues", "one queue") and mean(service) >= WORTH_SHARING
        self.events: list = []
        self.order = 0
        self.running: list[float | None] = [None] * workers  # the service time of what runs
        self.unseen = [deque() for _ in range(workers)]  # in the kernel: nobody looked
        self.held = [deque() for _ in range(workers)]
        self.common: deque = deque()  # the one queue, or the relay
        self.travelling = 0
        self.looks = [False] * workers
        self.times: list[float] = []
        self.posted = 0

    def at(self, time: float, what, *arguments) -> None:
        self.order += 1
        heapq.heappush(self.events, (time, self.order, what, arguments))

    def run(self) -> "Simulation":
        time = 0.0
        for _ in range(self.requests):
            time += self.rng.expovariate(self.rate)
            self.at(time, self.arrive, (time, SERVICES[self.service](self.rng)), self.rng.randrange(self.workers))
        while self.events:
            time, _, what, arguments = heapq.heappop(self.events)
            what(time, *arguments)
        self.times.sort()
        return self

    def idle(self) -> list[int]:
        return [worker for worker in range(self.workers) if self.running[worker] is None]

    def arrive(self, now: float, request, worker: int) -> None:
        if self.way == "one queue":
            self.common.append(request)
            if idle := self.idle():
                self.start(now, idle[0])
        elif self.running[worker] is None:
            self.held[worker].append(request)
            self.start(now, worker)
        elif self.running[worker] >= PROMOTED:
            self.held[worker].append(request)
            self.share(now, worker)
        else:
            self.unseen[worker].append(request)

    def start(self, now: float, worker: int) -> None:
        """The runner is free: it takes the oldest request that it may have."""
        self.held[worker].extend(self.unseen[worker])
        self.unseen[worker].clear()
        own, common = self.held[worker], self.common
        if common and (not own or common[0] < own[0]):
            request, extra = common.popleft(), PARCEL_CPU if self.shares else 0.0
        elif own:
            request, extra = own.popleft(), 0.0
        else:
            self.running[worker] = None
            if self.way.endswith("bell"):
                for other in range(self.workers):
                    if self.held[other]:
                        self.at(now, self.share, other)
            return
        began, service = request
        self.running[worker] = service
        extra += PARCEL_CPU * self.share(now, worker)
        self.at(now + service + extra, self.end, worker, began)

    def end(self, now: float, worker: int, began: float) -> None:
        self.times.append(now - began)
        self.running[worker] = None
        self.start(now, worker)

    def share(self, now: float, worker: int, again: bool = False) -> int:
        """Posts what waits here while somebody is idle. Returns how many."""
        if again:
            self.looks[worker] = False
        if not self.shares or self.running[worker] is None:
            return 0
        count = 0
        while self.held[worker] and (
            self.way == "all that waits" or len(self.idle()) > self.travelling + len(self.common)
        ):
            self.at(now + PARCEL_DELAY, self.adopt, self.held[worker].popleft())
            self.travelling += 1
            count += 1
        self.posted += count
        # The pilot looks again; with short requests the runner does that itself, after each.
        if self.held[worker] and not self.looks[worker] and self.running[worker] >= PROMOTED:
            self.looks[worker] = True
            self.at(now + LOOK_AGAIN, self.share, worker, True)
        return count

    def adopt(self, now: float, request) -> None:
        self.travelling -= 1
        self.common.append(request)
        if idle := self.idle():
            self.start(now, idle[0])

    def percentile(self, share: float) -> float:
        return self.times[min(len(self.times) - 1, int(share * len(self.times)))]


def figures(requests: int, seed: int) -> dict:
    """(workers, service, way) -> a list of (load, p50, p99, parcels for each request)."""
    return {
        (workers, service, way): [
            (load, run.percentile(0.5), run.percentile(0.99), run.posted / requests)
            for load in LOADS
            for run in [Simulation(way, workers, service, load, requests, seed).run()]
        ]
        for workers in (2, 4)
        for service in SERVICES
        for way in WAYS
    }


# MARK: The picture

WIDTH, HEIGHT = 330, 210
LEFT, BOTTOM = 52, 40
LINES = {
    "own queues": 'class="line peer-line"',
    "sharing": 'class="line own-line dashed"',
    "sharing, with a bell": 'class="line own-line"',
    "all that waits": 'class="line own-line dotted"',
    "one queue": 'class="line ideal-line"',
}
STYLE = f"""
  .line {{ fill: none; stroke-width: 2; }} .dashed {{ stroke-dasharray: 5 3; }} .dotted {{ stroke-dasharray: 2 3; }}
  .peer-line {{ stroke: {chart.LIGHT["peer"]}; }} .own-line {{ stroke: {chart.LIGHT["own"]}; }}
  .ideal-line {{ stroke: {chart.LIGHT["ink"]}; stroke-width: 1; }}
  @media (prefers-color-scheme: dark) {{
  .peer-line {{ stroke: {chart.DARK["peer"]}; }} .own-line {{ stroke: {chart.DARK["own"]}; }}
  .ideal-line {{ stroke: {chart.DARK["ink"]}; }} }}
"""


def panel(title: str, curves: dict, x: float, y: float) -> list[str]:
    """p99 over the load, in multiples of the mean service time, on a scale whose steps are factors of two."""
    most = 64.0
    left, top, width, height = x + LEFT, y + 24, WIDTH - LEFT - 12, HEIGHT - 24 - BOTTOM

    def across(load):
        return left + (load - LOADS[0]) / (LOADS[-1] - LOADS[0]) * width

    def up(value):
        share = min(max(value, 1.0), most)
        return top + height * (1 - math.log2(share) / math.log2(most))

    parts = [chart.text(x, y + 12, title, "panel")]
    for mark in (1, 2, 4, 8, 16, 32, 64):
        parts.append(f'<line x1="{left}" y1="{up(mark):.1f}" x2="{left + width}" y2="{up(mark):.1f}" class="grid"/>')
        parts.append(chart.text(left - 6, up(mark) + 4, f"{mark} ×", "tick", "end"))
    for load in LOADS[::2]:
        parts.append(chart.text(across(load), top + height + 15, f"{load:.0%}".replace("%", " %"), "tick", "middle"))
    parts.append(chart.text(left + width / 2, top + height + 31, "load", "unit", "middle"))
    for way, points in curves.items():
        path = "L".join(f"{across(load):.1f} {up(value):.1f}" for load, value in points)
        parts.append(f'<path d="M{path}" {LINES[way]}/>')
    return parts


def picture(results: dict) -> str:
    services = list(SERVICES)
    width = 2 * chart.MARGIN + 2 * WIDTH + chart.GAP
    height = chart.HEAD + 24 + len(services) * (HEIGHT + 8)
    title = "Several workers, one queue: p99 over the load"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="chart-title">',
        f'<title id="chart-title">{title}</title>',
        f"<style>{chart.STYLE}{STYLE}</style>",
        f'<rect width="{width}" height="{height}" class="page"/>',
        chart.text(chart.MARGIN, 34, title, "title"),
        chart.text(chart.MARGIN, 54, "Simulated; in multiples of the mean time in the application.", "faint"),
    ]
    x = chart.MARGIN
    for way, style in LINES.items():
        parts.append(f'<path d="M{x} 74h28" {style}/>')
        parts.append(chart.text(x + 34, 78, way, "label"))
        x += 46 + 6.2 * len(way)
    for column, workers in enumerate((2, 4)):
        for row, service in enumerate(services):
            curves = {
                way: [(load, p99 / mean(service)) for load, _, p99, _ in results[workers, service, way]] for way in WAYS
            }
            parts += panel(
                f"{workers} workers, {service}",
                curves,
                chart.MARGIN + column * (WIDTH + chart.GAP),
                chart.HEAD + 20 + row * (HEIGHT + 8),
            )
    return "\n".join([*parts, "</svg>", ""])


def table(results: dict, load: float) -> str:
    lines = [
        f"| workers | time in the application | {' | '.join(WAYS)} | parcels | of all that waits |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for workers in (2, 4):
        for service in SERVICES:
            row = [next(point for point in results[workers, service, way] if point[0] == load) for way in WAYS]
            cells = " | ".join(f"{point[2] * 1000:.3g}" for point in row)
            parcels = [point[3] for way, point in zip(WAYS, row, strict=True) if way in ("sharing", "all that waits")]
            lines.append(f"| {workers} | {service} | {cells} | {parcels[0]:.2f} | {parcels[1]:.2f} |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--requests", type=int, default=40_000, help="for each point of a curve")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--picture", type=Path, default=ROOT / "docs" / "sharing.svg")
    chosen = options.parse_args()
    results = figures(chosen.requests, chosen.seed)
    chosen.picture.write_text(picture(results), encoding="utf-8")
    print(table(results, 0.6))
    print()
    print(table(results, 0.8))


if __name__ == "__main__":
    main()
