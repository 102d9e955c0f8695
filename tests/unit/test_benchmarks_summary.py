"""Medians, spreads, pairwise ratios, and the page and charts made from them."""

import itertools
import xml.etree.ElementTree as ElementTree

import pytest

from benchmarks import chart, render, summary


def sample(server, number, rate, errors=0, **others):
    base = {
        "case": "hello",
        "server": server,
        "round": number,
        "requests": rate,
        "requests_per_second": float(rate),
        "requests_per_cpu_second": rate * 1.1,
        "p50_us": 500.0,
        "tail_us": 900.0,
        "errors": errors,
        "error_kinds": {"read": errors} if errors else {},
        "concurrency": 63.0,
        "kept_alive": True,
        "pss_kib": 20480,
        "server_cpu": 1.0,
        "client_cpu": 0.5,
        "foreign_cpu": 0.01,
    }
    return {**base, **others}


def server(title, reference=False, note=""):
    return {"title": title, "version": "1.0", "threads": 1, "reference": reference, "note": note, "command": "x APP"}


def results(samples):
    return {
        "format": 1,
        "date": "2026-01-02",
        "machine": {"cpus": 2, "cpu": "A & B <CPU>", "kernel": "Linux 6.1", "python": "3.11.7"},
        "pinned": True,
        "settings": {"rounds": 3, "seconds": 4, "warm_up": 1},
        "servers": {"monoceros": server("monoceros", True), "peer": server("a <peer>"), "lame": server("lame")},
        "frameworks": {"flask": "3.0"},
        "cases": {"hello": {"title": "Hello", "connections": 64, "threads": None, "workers": 1}},
        "missing": {"lame": "does not build"},
        "samples": samples,
        "failures": [{"case": "idle", "server": "peer", "round": None, "reason": "closes"}],
        "start": {"monoceros": [0.02, 0.03, 0.025], "peer": [0.1, 0.2, 0.15]},
        "idle": {"monoceros": {"connections": 1000, "held": 1000, "bytes_per_connection": 500.0}},
    }


ROUNDS = [(120, 100), (80, 40), (90, 60)]


def three_rounds(**of_second_peer):
    found = []
    for number, (own, peer) in enumerate(ROUNDS):
        found.append(sample("monoceros", number, own))
        found.append(sample("peer", number, peer, **(of_second_peer if number == 1 else {})))
    return found


def test_a_ratio_is_taken_within_each_round_and_then_the_median():
    own, peer = summary.rows(results(three_rounds()), "hello")
    assert (own.server, peer.server) == ("monoceros", "peer")
    # 1.2, 2.0, 1.5: their median, which is neither the ratio of the medians (90 / 60 would be 1.5 as well here by
    # the second round's fall of both) nor of the best rounds.
    assert peer.rate_ratios["monoceros"] == summary.Spread(1.5, 1.2, 2.0)
    assert own.rate_ratios == {}


def test_the_median_of_ratios_differs_from_the_ratio_of_medians():
    samples = [sample("monoceros", n, rate) for n, rate in enumerate((100, 10, 50))]
    samples += [sample("peer", n, rate) for n, rate in enumerate((50, 2, 100))]
    peer = next(row for row in summary.rows(results(samples), "hello") if row.server == "peer")
    assert peer.rate_ratios["monoceros"].middle == 2.0
    assert peer.rate.middle == 50


def test_a_round_with_errors_counts_neither_in_figures_nor_in_ratios():
    peer = summary.rows(results(three_rounds(errors=7)), "hello")[1]
    assert peer.errors == 7
    assert peer.rounds == 2
    assert peer.rate == summary.Spread(80, 60, 100)
    assert peer.rate_ratios["monoceros"] == summary.Spread(pytest.approx(1.35), 1.2, 1.5)


def test_where_all_rounds_have_errors_there_is_no_ratio_but_a_mark():
    found = results([sample("monoceros", 0, 100), sample("peer", 0, 50, errors=3)])
    peer = summary.rows(found, "hello")[1]
    assert peer.rate.middle == 50
    assert peer.rate_ratios == {}
    assert "†" in render.page(found).split("### Hello")[1]


def test_a_round_measured_on_one_side_only_makes_no_pair():
    found = results([sample("monoceros", 0, 100), sample("peer", 1, 50)])
    assert summary.rows(found, "hello")[1].rate_ratios == {}


def test_marks_starved_clients_and_a_client_at_its_limit():
    starving = sample("peer", 0, 50, concurrency=4.0)
    limited = sample("monoceros", 0, 100, client_cpu=0.99, server_cpu=0.7)
    own, peer = summary.rows(results([starving, limited]), "hello")
    assert summary.starved(peer, 64) and not summary.starved(own, 64)
    assert summary.client_bound(own) and not summary.client_bound(peer)


def test_the_page_tells_figures_ratios_and_what_is_missing():
    page = render.page(results(three_rounds()))
    assert "| **monoceros** | 90 (80–120) |" in page
    assert "1.50 (1.20–2.00)" in page
    assert "**lame** was not measured: does not build" in page
    assert "| **monoceros** | 20.0 | 25 (20–30) | 500 |" in page
    assert "| a <peer> | 20.0 | 150 (100–200) | closes |" in page


def test_the_page_tells_how_near_several_workers_come_to_one_queue():
    figures = {"rate": 387.4, "p50": 10.31, "p99": 10.8, "worst": 13.7}
    slow = {"rate": 198.0, "p50": 20.2, "p99": 20.6, "worst": 1022.1}
    rows = [{"load": "4 workers", "threads": 1, "ideal": "400", "servers": {"monoceros": figures, "peer": slow}}]
    record = {"date": "2026-01-02", "rounds": 3, "seconds": 4.0, "rows": rows}
    page = render.page(results(three_rounds()), record)
    assert "3 interleaved rounds of\n4 s, measured on 2026-01-02" in page
    assert "| 4 workers | **monoceros** | 387 | 400 | 10.3 | 10.8 | 13.7 |" in page
    assert "|  | a <peer> | 198 | 400 | 20.2 | 20.6 | 1022.1 |" in page
    assert "one server" not in render.page(results(three_rounds()))
    # As where a part of the servers was measured.
    record["rows"][0]["servers"]["another"] = slow
    assert "one server" not in render.page(results(three_rounds()), record)


def test_the_page_says_so_when_nothing_was_measured():
    empty = results([]) | {"start": {}, "idle": {}}
    assert set(render.pages(empty)) == {"benchmarks.md"}
    assert "was not measured" in render.page(empty)


def test_charts_are_well_formed_and_draw_every_bar():
    pages = render.pages(results(three_rounds()))
    space = "{http://www.w3.org/2000/svg}"
    for name, bars, titles in (("benchmarks.svg", 2, 1), ("benchmarks-footprint.svg", 4, 2)):
        root = ElementTree.fromstring(pages[name])
        assert root.tag == f"{space}svg"
        rects = root.findall(f"{space}rect")
        assert [rect.get("class") for rect in rects].count("own") == titles
        assert len(rects) == bars + 1  # and the page behind them
        assert len([text for text in root.findall(f"{space}text") if text.get("class") == "panel"]) == titles
    assert "a &lt;peer&gt;" in pages["benchmarks.svg"]


@pytest.mark.parametrize("highest", [0, 0.4, 1, 9.9, 100, 101, 131072, 2.5e6])
def test_ticks_are_even_and_reach_the_highest_value(highest):
    marks = chart.ticks(highest)
    steps = [after - before for before, after in itertools.pairwise(marks)]
    assert marks[0] == 0 and marks[-1] >= highest
    assert 1 <= len(steps) <= 6
    assert steps == pytest.approx([steps[0]] * len(steps))


def test_longer_values_have_longer_bars():
    bars = [chart.Bar("a", 100, 90, 110), chart.Bar("b", 50, 50, 50, own=True)]
    root = ElementTree.fromstring(chart.draw("T", "S", [chart.Panel("P", "u", bars)]))
    widths = [
        float(rect.get("width"))
        for rect in root.iter("{http://www.w3.org/2000/svg}rect")
        if rect.get("class") in ("own", "peer")
    ]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
