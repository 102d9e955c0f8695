"""The simulation behind "Several workers, one queue": it agrees with queueing theory, and with itself."""

import xml.etree.ElementTree as xml

import pytest

from benchmarks import sharing


def run(way, workers=4, service="10 ms", load=0.6, requests=4000, seed=3):
    return sharing.Simulation(way, workers, service, load, requests, seed).run()


def test_every_request_is_served_once_and_takes_its_time():
    for way in sharing.WAYS:
        times = run(way).times
        assert len(times) == 4000
        assert times[0] >= 10e-3 - 1e-9


def test_the_same_seed_gives_the_same_figures():
    assert run("sharing").times == run("sharing").times
    assert run("sharing").times != run("sharing", seed=4).times


def test_own_queues_wait_as_theory_says():
    # M/D/1: the mean wait is load / (2 * (1 - load)) service times (Pollaczek and Khinchine).
    times = run("own queues", load=0.5, requests=60_000).times
    assert sum(times) / len(times) / 10e-3 - 1 == pytest.approx(0.5, rel=0.1)


def test_sharing_lies_between_its_bounds():
    own, shared, everything, ideal = (
        run(way, requests=20_000).percentile(0.99) for way in ("own queues", "sharing", "all that waits", "one queue")
    )
    assert own > 1.5 * shared
    assert shared > everything
    assert everything == pytest.approx(ideal, rel=0.02)


def test_short_requests_are_not_posted():
    assert run("sharing", service="0.1 ms").posted == 0
    assert run("sharing", service="1 ms").posted > 0


def test_nothing_is_posted_while_all_are_busy(monkeypatch):
    simulation = sharing.Simulation("sharing", 2, "10 ms", 0.6, 10, 1)
    simulation.running = [10e-3, 10e-3]
    simulation.held[0].append((0.0, 10e-3))
    assert simulation.share(0.0, 0) == 0
    simulation.running[1] = None
    assert simulation.share(0.0, 0) == 1


def test_the_picture_is_one(monkeypatch):
    monkeypatch.setattr(sharing, "LOADS", (0.2, 0.6))
    root = xml.fromstring(sharing.picture(sharing.figures(200, 1)))
    paths = [element for element in root.iter() if element.tag.endswith("path")]
    assert len(paths) == len(sharing.WAYS) * (1 + 2 * len(sharing.SERVICES))
