"""The reader of wrk's report, and the command lines given to wrk."""

import pytest

from benchmarks import load
from benchmarks.cases import CASES

REPORT = """Running 2s test @ http://127.0.0.1:21001/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.05ms   45.00us   4.10ms   93.78%
    Req/Sec    13.18k     2.35k   21.18k    85.00%
  Latency Distribution
     50%  871.00us
     75%    1.02ms
     90%    1.50ms
     99%    1.20s
  26210 requests in 2.10s, 1.95MB read
Requests/sec:  13097.14
Transfer/sec:      0.97MB
"""

TROUBLE = """  Socket errors: connect 1, read 20, write 300, timeout 4000
  Non-2xx or 3xx responses: 50000
"""


def test_reads_counts_and_latencies_in_microseconds():
    report = load.parse(REPORT)
    assert report.requests == 26210
    assert report.seconds == pytest.approx(2.10)
    assert report.requests_per_second == pytest.approx(13097.14)
    assert report.mean_latency == pytest.approx(1050)
    assert report.percentiles == pytest.approx({50.0: 871, 75.0: 1020, 90.0: 1500, 99.0: 1_200_000})
    assert report.errors == 0
    assert report.socket_errors == {}


def test_counts_every_kind_of_error():
    head, rate = REPORT.split("Requests/sec", 1)
    report = load.parse(f"{head}{TROUBLE}Requests/sec{rate}")
    assert report.socket_errors == {"connect": 1, "read": 20, "write": 300, "timeout": 4000}
    assert report.bad_statuses == 50000
    assert report.errors == 54321


def test_reads_the_percentile_that_the_script_prints():
    assert load.parse(REPORT + "Percentile 97.02: 112.50us\n").percentiles[97.02] == pytest.approx(112.5)


def test_concurrency_follows_littles_law():
    assert load.parse(REPORT).concurrency == pytest.approx(13097.14 * 0.00105)


@pytest.mark.parametrize("lost", ["requests in", "Requests/sec", "Latency  ", "99%"])
def test_refuses_a_report_with_a_part_missing(lost):
    text = "\n".join(line for line in REPORT.splitlines() if lost not in line or "Running" in line)
    with pytest.raises(load.LoadError):
        load.parse(text)


def test_a_plain_request_needs_no_script():
    line = load.command(CASES["hello"], 8000, 3, 64)
    assert "-s" not in line
    assert line[-1] == "http://127.0.0.1:8000/"
    assert {"-t1", "-c64", "-d3s", "--latency"} <= set(line)


def test_the_browser_sends_twelve_fields_with_host():
    line = load.command(CASES["browser"], 8000, 3, 64)
    assert line.count("-H") == 11


def test_bodies_and_turns_go_through_the_script():
    assert load.command(CASES["post-1k"], 8000, 3, 64)[-4:] == ["--", "POST", "1024", "/*1"]
    assert load.command(CASES["mixed"], 8000, 3, 32)[-5:] == ["--", "GET", "0", "/*49", "/slow*1"]
