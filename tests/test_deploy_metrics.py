"""The dashboard and the alert rules ask for metrics that there are, with labels and values that these have."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.server import MODULE, REPOSITORY, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has these metrics")

DASHBOARD = REPOSITORY / "deploy" / "grafana-dashboard.json"
ALERTS = REPOSITORY / "deploy" / "prometheus-alerts.yml"
#: Labels that the scraper adds.
FOREIGN_LABELS = {"job", "instance"}

Labels = dict[str, dict[str, set[str]]]


@pytest.fixture
def offered(serve: Callable[..., Server], short_path: str) -> Labels:
    """By name of a sample: its labels, and the values that each of them has."""
    serve("operated", "--admin-bind", f"unix:{short_path}")
    client = Client(f"unix:{short_path}", timeout=DEADLINE)
    until(lambda: client.ask("/ready")[0] == 200, "a server that is ready")
    found: Labels = {}
    for family in text_string_to_metric_families(client.ask("/metrics")[1]):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


def check(expression: str, offered: Labels) -> None:
    names = re.findall(r"\bmonoceros_\w+", expression)
    assert names or "up{" in expression, expression
    for name in names:
        assert name in offered, f"{name} in {expression}"
    for name, selectors in re.findall(r"\b(monoceros_\w+)\{([^}]*)\}", expression):
        for label, operator, value in re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', selectors):
            if label in FOREIGN_LABELS:
                continue
            assert label in offered[name], f"{label} in {expression}"
            wanted = value.split("|") if "~" in operator else [value]
            assert set(wanted) <= offered[name][label], f"{value} in {expression}"
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        for label in labels.replace(" ", "").split(","):
            assert label in FOREIGN_LABELS or any(label in offered[name] for name in names), f"{label} in {expression}"


def test_the_dashboard_asks_for_what_there_is(offered: Labels) -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) > 20
    for expression in expressions:
        check(expression, offered)
    identifiers = [panel["id"] for panel in dashboard["panels"]]
    assert len(identifiers) == len(set(identifiers))
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_the_alert_rules_ask_for_what_there_is(offered: Labels) -> None:
    text = ALERTS.read_text()
    # Each `expr`, on one line or folded.
    expressions = re.findall(r"^ +expr: (?!>-)(.+)$", text, re.MULTILINE)
    expressions += [" ".join(lines.split()) for lines in re.findall(r"expr: >-\n((?: {10}.*\n)+)", text)]
    assert len(expressions) == text.count("- alert: ") > 5
    for expression in expressions:
        check(expression, offered)


def test_the_check_finds_what_there_is_not(offered: Labels) -> None:
    for wrong in (
        "rate(monoceros_request_total[5m])",
        'monoceros_workers{lifetime="alive"}',
        'monoceros_workers{stage="serving"}',
        "sum by (stage) (monoceros_workers)",
        'monoceros_worker_ends_total{cause=~"killed|murdered"}',
    ):
        with pytest.raises(AssertionError):
            check(wrong, offered)
