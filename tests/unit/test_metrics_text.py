"""What the metrics' encoder writes (Tests/Expected, held current by Swift's tests), read by Prometheus' own parsers."""

from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

EXPECTED = Path(__file__).parents[2] / "Tests" / "Expected"


@pytest.fixture(params=["prometheus", "openmetrics"])
def families(request):
    text = (EXPECTED / f"metrics.{request.param}.txt").read_text(encoding="utf-8")
    parse = {"prometheus": parse_prometheus, "openmetrics": parse_openmetrics}[request.param]
    return {family.name: family for family in parse(text)}


def value(families, name, sample=None, **labels):
    found = [s.value for s in families[name].samples if s.name == (sample or name) and s.labels == labels]
    assert len(found) == 1, (name, labels, families[name].samples)
    return found[0]


def test_counters_are_counters(families):
    requests = families["monoceros_requests"]
    assert requests.type == "counter"
    total = "monoceros_requests_total"
    assert value(families, "monoceros_requests", total, method="GET", status="2xx") == 1
    assert value(families, "monoceros_requests", total, method="POST", status="5xx") == 2
    assert value(families, "monoceros_requests", total, method="other", status="none") == 2
    assert value(families, "monoceros_connections_accepted", "monoceros_connections_accepted_total") == 3
    assert value(families, "monoceros_worker_ends", "monoceros_worker_ends_total", cause="recycled") == 1


def test_histograms_add_up(families):
    for name in ("request_duration", "application_duration", "runner_wait"):
        family = families[f"monoceros_{name}_seconds"]
        assert family.type == "histogram"
        buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
        assert buckets == sorted(buckets)
        assert buckets[-1] == (float("inf"), value(families, family.name, f"{family.name}_count"))
    assert value(
        families, "monoceros_request_duration_seconds", "monoceros_request_duration_seconds_sum"
    ) == pytest.approx(143.000030004)


def test_gauges_have_their_values(families):
    assert value(families, "monoceros_workers", lifetime="serving") == 1
    assert value(families, "monoceros_workers", lifetime="leaving") == 1
    assert value(families, "monoceros_runners", state="busy") == 2
    assert value(families, "monoceros_runners", state="idle") == 2
    assert value(families, "monoceros_exchanges", phase="application") == 1
    assert value(families, "monoceros_worker_heartbeat_age_seconds", worker="0") == pytest.approx(0.250000006)
    assert value(families, "monoceros_worker_resident_memory_bytes", worker="1") == 31_000_000
    assert value(families, "monoceros_listener_backlog", listener="http://127.0.0.1:8000") == 3


def test_labels_are_escaped(families):
    ids = {sample.labels["id"] for sample in families["monoceros_requests_refused"].samples}
    assert ids == {"head-too-large", "missing-host", 'an "id" with \\ and\nmore'}


def test_every_family_is_explained_and_names_are_conventional(families):
    for family in families.values():
        assert family.documentation.endswith(".")
        assert family.name.startswith("monoceros_")
        if family.type == "counter":
            assert all(sample.name == f"{family.name}_total" for sample in family.samples)
        for word in ("milliseconds", "microseconds", "kilobytes", "percent"):
            assert word not in family.name


def test_no_series_stands_twice(families):
    samples = [(s.name, tuple(sorted(s.labels.items()))) for family in families.values() for s in family.samples]
    assert len(samples) == len(set(samples))
    assert len(samples) > 150
