"""What the operator's commands make of figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from monoceros import cli
from monoceros.admin import report
from monoceros.admin.histogram import Histogram, bars, label
from monoceros.admin.tables import duration, plain, size, table

SCRAPE = """\
# TYPE monoceros_x histogram
monoceros_x_bucket{le="0.0001"} 3
monoceros_x_bucket{le="0.001"} 3
monoceros_x_bucket{le="+Inf"} 7
monoceros_x_sum 1.5
monoceros_x_count 7
monoceros_y_bucket{le="0.0001"} 9
"""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0.0123, "12 ms"), (1, "1.0 s"), (75, "1 m 15 s"), (7260, "2 h 1 m"), (90_000, "1 d 1 h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "-"), (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (5 << 40, "5 TiB"), (1 << 60, "1048576 TiB")],
)
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text


def test_what_a_client_sent_does_not_reach_the_terminal() -> None:
    assert plain("/a\x1b[2J\n\u202eb") == "/a\\x1b[2J\\x0a\\x202eb"
    assert "\x1b" not in "\n".join(table(("path",), [("\x1b]0;x\x07",)]))


def test_a_table_is_as_wide_as_it_needs() -> None:
    assert table(("n", "name"), [(1, "a"), (100, "long")], left=(1,)) == ["  n  name", "  1  a", "100  long"]


def test_histograms_are_read_and_subtracted() -> None:
    histogram = Histogram.read(SCRAPE, "monoceros_x")
    assert histogram == Histogram((0.0001, 0.001, float("inf")), (3, 0, 4))
    assert histogram.since(Histogram(histogram.bounds, (1, 0, 4))).counts == (2, 0, 0)
    assert histogram.since(Histogram((1.0,), (1,))) == histogram


def test_bars_are_as_high_as_their_share() -> None:
    lines = bars(Histogram((0.0001, 0.001, float("inf")), (1, 0, 1000)), 2)
    assert lines == ["            ███", "  ▁▁▁       ███", " 100u   1m more"]
    assert bars(Histogram((1.0,), (0,)), 2) == []
    assert (
        max(len(label(bound)) for bound in (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.25, 2.5, 60, float("inf"))) <= 4
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["status"], True),
        (["top", "--admin", "x"], True),
        (["status:app"], False),
        (["-b", ":1", "status"], False),
        ([], False),
    ],
)
def test_which_command_lines_are_an_operators(
    arguments: list[str], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.is_operators(arguments) is expected


@pytest.mark.parametrize("is_package", [False, True])
def test_a_module_of_that_name_comes_first(is_package: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if is_package:
        (tmp_path / "status").mkdir()
    else:
        (tmp_path / "status.py").touch()
    assert not cli.is_operators(["status"])
    assert cli.is_operators(["top"])


def test_a_report_of_a_server_without_workers() -> None:
    document = {
        "server": {
            "version": "1", "pid": 7, "started": "2026", "generation": 1, "reloads": 0, "workers_wanted": 0,
            "worker_starts": 0, "worker_ends": {"asked": 0},
        },
        "totals": {
            "requests": 0, "responses": {"2xx": 0}, "accepted": 0, "relayed": 0, "bytes_received": 0, "bytes_sent": 0,
        },
        "listeners": [{"address": "unix:x", "backlog": None, "backlog_limit": None}],
        "workers": [], "exchanges": [], "slowest": [], "settings": {},
    }  # fmt: skip
    text = report.whole(document)
    assert "ended: none" in text
    assert "listener unix:x\n" in text
