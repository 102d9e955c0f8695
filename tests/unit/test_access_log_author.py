"""Who writes the access log: the core, or Python where something of the user's wants to see requests."""

from __future__ import annotations

import logging
import os

import pytest
from support.loggers import settings

from monoceros import accesslog
from monoceros.glogging import Logger
from monoceros.instrument.statsd import Statsd

pytestmark = pytest.mark.usefixtures("own_loggers")


class Measuring(Statsd):
    def timer(self, name, value):
        super().timer(f"shop.{name}", value)


class Louder(Logger):
    def access(self, resp, req, environ, request_time):
        super().access(resp, req, environ, request_time)


class Later(Logger):
    def now(self):
        return "later"


class Quiet(Logger):
    def setup(self, cfg):
        super().setup(cfg)
        self.extra = True


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (Logger, {}, False),
        (Logger, {"accesslog": "file"}, False),
        (Quiet, {"accesslog": "file"}, False),
        (Louder, {}, True),
        (Later, {"accesslog": "file"}, True),
        (Logger, {"accesslog": "file", "syslog": True, "syslog_addr": "udp://127.0.0.1:9"}, True),
        (Logger, {"syslog": True, "syslog_addr": "udp://127.0.0.1:9"}, True),
        (Logger, {"accesslog": "file", "logconfig_dict": {"version": 1}}, True),
        (Statsd, {}, False),
        (Statsd, {"statsd_host": ("127.0.0.1", 9)}, False),
        (Measuring, {"statsd_host": ("127.0.0.1", 9)}, True),
    ],
)
def test_python_is_asked_where_something_of_the_users_wants_to_see_requests(tmp_path, kind, changes, expected):
    if "accesslog" in changes:
        changes = changes | {"accesslog": str(tmp_path / "access.log")}
    cfg = settings(errorlog="/dev/null", **changes)
    logger = kind(cfg)
    assert accesslog.needs_python(logger, cfg) is expected
    if not expected and "accesslog" in changes:
        descriptor = accesslog.descriptor(logger)
        assert os.path.samestat(os.fstat(descriptor), os.stat(changes["accesslog"]))


@pytest.mark.parametrize("change", ["filter", "handler", "formatter", "replaced", "level", "propagate"])
def test_python_is_asked_once_the_access_log_was_changed_by_hand(tmp_path, change):
    cfg = settings(errorlog="/dev/null", accesslog=str(tmp_path / "access.log"))
    logger = Logger(cfg)
    assert not accesslog.needs_python(logger, cfg)
    match change:
        case "filter":
            logger.access_log.addFilter(lambda record: True)
        case "handler":
            logger.access_log.addHandler(logging.NullHandler())
        case "formatter":
            logger.access_log.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        case "replaced":
            logger.access_log = logging.getLogger("other")
        case "level":
            logger.access_log.setLevel(logging.ERROR)
        case "propagate":
            logger.access_log.propagate = True
    assert accesslog.needs_python(logger, cfg)
