"""Histograms of `/metrics`, as bars of text."""

from __future__ import annotations

import re
from dataclasses import dataclass

BLOCKS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Histogram:
    #: Upper bounds in seconds, the last one infinite, and how many fell below each but above the one before.
    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(self.counts)

    @classmethod
    def read(cls, text: str, name: str) -> Histogram:
        """From a scrape: buckets are cumulative there."""
        found = re.findall(rf'^{name}_bucket\{{le="([^"]+)"\}} (\d+)', text, re.MULTILINE)
        totals = [int(total) for _, total in found]
        return cls(
            tuple(float(bound) for bound, _ in found),
            tuple(total - before for total, before in zip(totals, [0, *totals], strict=False)),
        )

    def since(self, before: Histogram) -> Histogram:
        """What came between two looks at counters that only grow."""
        if before.bounds != self.bounds:
            return self
        return Histogram(
            self.bounds, tuple(max(0, now - then) for now, then in zip(self.counts, before.counts, strict=True))
        )


def label(bound: float) -> str:
    """Four characters at most, so that bars stand close."""
    if bound == float("inf"):
        return "more"
    if bound < 0.001:
        return f"{bound * 1e6:.0f}u"
    return f"{bound * 1000:.3g}m" if bound < 1 else f"{bound:.3g}s"


def bars(histogram: Histogram, height: int) -> list[str]:
    """One column for each bucket, as high as its share of the fullest; the bounds below."""
    most = max(histogram.counts, default=0)
    if most == 0:
        return []
    eighths = [round(count / most * height * 8) or int(count > 0) for count in histogram.counts]
    lines = [
        "".join(f"{BLOCKS[min(8, max(0, each - row * 8))] * 3:>5}" for each in eighths).rstrip()
        for row in range(height - 1, -1, -1)
    ]
    return [*lines, "".join(f"{label(bound):>5}" for bound in histogram.bounds)]
