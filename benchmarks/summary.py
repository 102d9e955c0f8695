"""Medians, spreads and pairwise ratios of recorded samples. Pure: numbers in, numbers out."""

from dataclasses import dataclass
from statistics import median

# Below this share of the clients' connections, latencies describe only those that were served.
STARVED = 0.5


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, with the lowest and the highest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values) -> "Spread | None":
        values = list(values)
        return cls(median(values), min(values), max(values)) if values else None


@dataclass(frozen=True)
class Row:
    """One server in one case. Ratios are keyed by the name of the reference server."""

    server: str
    rate: Spread
    per_cpu: Spread
    p50: Spread
    tail: Spread
    pss_kib: float
    errors: int
    rounds: int
    concurrency: float
    server_cpu: float
    client_cpu: float
    kept_alive: bool
    rate_ratios: dict[str, Spread]
    per_cpu_ratios: dict[str, Spread]


def ratios(reference: list[dict], peer: list[dict], metric: str) -> list[float]:
    """reference / peer in every round in which both were measured without errors."""
    theirs = {sample["round"]: sample for sample in peer if not sample["errors"]}
    return [
        sample[metric] / theirs[sample["round"]][metric]
        for sample in sorted(reference, key=lambda sample: sample["round"])
        if not sample["errors"] and sample["round"] in theirs and theirs[sample["round"]][metric] > 0
    ]


def rows(results: dict, case: str) -> list[Row]:
    """The servers of a case, the highest rate first.

    Rounds with errors are left out where there are others; where there are none they are shown, and the count of
    errors with them.
    """
    samples = {}
    for sample in results["samples"]:
        if sample["case"] == case:
            samples.setdefault(sample["server"], []).append(sample)
    references = [name for name in samples if results["servers"][name]["reference"]]
    found = []
    for name, all_samples in samples.items():
        used = [sample for sample in all_samples if not sample["errors"]] or all_samples

        def spread(metric, used=used):
            return Spread.of(sample[metric] for sample in used)

        def against(metric, name=name, all_samples=all_samples):
            pairs = {other: Spread.of(ratios(samples[other], all_samples, metric)) for other in references}
            return {other: ratio for other, ratio in pairs.items() if ratio is not None and other != name}

        found.append(
            Row(
                server=name,
                rate=spread("requests_per_second"),
                per_cpu=spread("requests_per_cpu_second"),
                p50=spread("p50_us"),
                tail=spread("tail_us"),
                pss_kib=spread("pss_kib").middle,
                errors=sum(sample["errors"] for sample in all_samples),
                rounds=len(used),
                concurrency=spread("concurrency").middle,
                server_cpu=spread("server_cpu").middle,
                client_cpu=spread("client_cpu").middle,
                kept_alive=all(sample["kept_alive"] for sample in all_samples),
                rate_ratios=against("requests_per_second"),
                per_cpu_ratios=against("requests_per_cpu_second"),
            )
        )
    return sorted(found, key=lambda row: row.rate.middle, reverse=True)


def starved(row: Row, connections: int) -> bool:
    return row.concurrency < STARVED * connections


def client_bound(row: Row) -> bool:
    """The load generator had no CPU left while the server still had some: the rate is not the server's limit."""
    return row.client_cpu > 0.95 and row.server_cpu < 0.95


def disturbance(results: dict) -> Spread | None:
    """The share of the server's CPU that other processes took while it was measured."""
    return Spread.of(sample["foreign_cpu"] for sample in results["samples"] if sample["foreign_cpu"] is not None)
