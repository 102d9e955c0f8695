"""The logger that sends what it sees to statsd."""

from __future__ import annotations

import socket

import pytest
from support.loggers import exchange, settings

from monoceros.instrument.statsd import Statsd

pytestmark = pytest.mark.usefixtures("own_loggers")


@pytest.fixture
def receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        yield server


def test_statsd_gets_what_is_logged(receiver):
    cfg = settings(errorlog="/dev/null", statsd_host=receiver.getsockname(), statsd_prefix="shop..")
    logger = Statsd(cfg)
    logger.warning("careful")
    logger.info("", extra={"metric": "queue", "value": 0, "mtype": "gauge"})
    logger.access(*exchange())
    got = [receiver.recv(200).decode() for _ in range(5)]
    assert got == [
        "shop.gunicorn.log.warning:1|c|@1.0",
        "shop.queue:0|g",
        "shop.gunicorn.request.duration:2345.678|ms",
        "shop.gunicorn.requests:1|c|@1.0",
        "shop.gunicorn.request.status.200:1|c|@1.0",
    ]


def test_dogstatsd_gets_tags(receiver):
    cfg = settings(errorlog="/dev/null", statsd_host=receiver.getsockname(), dogstatsd_tags="a:b,c:d")
    Statsd(cfg).histogram("size", 3)
    assert receiver.recv(200) == b"size:3|h|#a:b,c:d"


def test_a_statsd_that_never_reads_stops_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        path = tmp_path / "error.log"
        logger = Statsd(settings(errorlog=str(path), statsd_host=f"{tmp_path}/s"))
        for _ in range(1000):
            logger.increment("count", 1)
        assert path.read_text() == ""


def test_no_server_is_no_fault(tmp_path):
    logger = Statsd(settings(errorlog=str(tmp_path / "error.log")))
    logger.info("hello", extra={"metric": "a", "value": 1, "mtype": "counter"})
    assert logger.sock is None
    (line,) = (tmp_path / "error.log").read_text().splitlines()
    assert line.endswith("[INFO] hello")
