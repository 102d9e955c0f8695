"""What Python sees of a request: hooks, and the Python access log."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

from monoceros.config import Config
from monoceros.glogging import Logger
from monoceros.host import Host
from monoceros.observer import Observer

ENVIRON = {"REQUEST_METHOD": "GET", "RAW_URI": "/a?b", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_X": "1"}


class Recording(Logger):
    """A logger that keeps what it is told."""

    def setup(self, cfg):
        self.cfg = cfg
        self.told = []

    def access(self, resp, req, environ, request_time):
        self.told.append((resp, req, environ, request_time))

    def exception(self, msg, *args, **kwargs):
        self.told.append(msg)

    def debug(self, msg, *args, extra=None, **kwargs):
        self.told.append((msg % args, extra))


@pytest.fixture(autouse=True)
def put_back():
    logs = [logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access")]
    before = [(log, log.handlers[:], log.level, log.propagate) for log in logs]
    yield
    for log, log.handlers, log.level, log.propagate in before:
        log.manager._clear_cache()


def configuration(**changes):
    cfg = Config(environ={})
    for name, value in changes.items():
        cfg.set(name, value)
    return cfg


def end(observer, request, status="200 OK"):
    observer.end(request, ENVIRON, status, [("A", "b")], 5, 5, False, 1500)


def observer_of(logger, cfg):
    """What the host has of a worker with this configuration."""
    return Host(SimpleNamespace(cfg=cfg), logger).observer()


def test_there_is_none_where_nobody_asks():
    cfg = configuration()
    assert observer_of(Logger(cfg), cfg) is None


@pytest.mark.parametrize("hook", ["pre_request", "post_request"])
def test_there_is_one_where_a_hook_asks(hook):
    cfg = configuration(**{hook: lambda worker, req: None})
    assert isinstance(observer_of(Logger(cfg), cfg), Observer)


def test_there_is_one_where_a_logger_of_the_users_asks():
    cfg = configuration()
    assert observer_of(Recording(cfg), cfg).logs


def test_hooks_and_logger_get_the_same_objects():
    seen = []

    def pre_request(worker, req):
        req.mark = 7
        seen.append((worker, req))

    def post_request(worker, req, environ, resp):
        seen.append((worker, req, environ, resp))

    cfg = configuration(pre_request=pre_request, post_request=post_request)
    logger, worker = Recording(cfg), SimpleNamespace()
    observer = Observer(cfg, logger, worker)
    request = observer.begin(ENVIRON, None, 3, True)
    end(observer, request)
    ((response, logged, environ, time),) = logger.told
    assert seen == [(worker, request), (worker, request, ENVIRON, response)]
    assert logged is request and request.mark == 7 and request.req_number == 3 and environ is ENVIRON
    assert (response.status, response.sent, response.headers) == ("200 OK", 5, [("A", "b")])
    assert time == timedelta(microseconds=1500)
    assert not request.should_close() and not response.should_close()


@pytest.mark.parametrize("count", [2, 3])
def test_a_shorter_post_request_is_called_too(count):
    seen = []
    functions = {2: lambda worker, req: seen.append(req), 3: lambda worker, req, environ: seen.append(environ)}
    cfg = configuration(post_request=functions[count])
    observer = Observer(cfg, Recording(cfg), None)
    request = observer.begin(ENVIRON, None, 1, True)
    end(observer, request)
    assert seen == [request if count == 2 else ENVIRON]


def test_a_hook_can_end_the_connection():
    cfg = configuration(pre_request=lambda worker, req: req.force_close())
    assert Observer(cfg, Recording(cfg), None).begin(ENVIRON, None, 1, True).should_close()


def test_what_pre_request_raises_comes_through():
    def pre_request(worker, req):
        raise KeyError("refused")

    cfg = configuration(pre_request=pre_request)
    with pytest.raises(KeyError):
        Observer(cfg, Recording(cfg), None).begin(ENVIRON, None, 1, True)


def test_what_is_raised_afterwards_is_logged():
    class Failing(Recording):
        def access(self, resp, req, environ, request_time):
            raise ValueError

    def post_request(worker, req, environ, resp):
        raise KeyError

    cfg = configuration(post_request=post_request)
    logger = Failing(cfg)
    observer = Observer(cfg, logger, None)
    end(observer, observer.begin(ENVIRON, None, 1, True))
    assert logger.told == ["The logger failed at a request", "Exception in post_request hook"]


def test_the_host_counts_for_statsd():
    cfg = configuration()
    logger = Recording(cfg)
    host = Host(SimpleNamespace(cfg=cfg), logger)
    host.count_workers(4)
    assert logger.told == [("4 workers", {"metric": "gunicorn.workers", "value": 4, "mtype": "gauge"})]


def test_the_logger_hears_of_a_response_when_it_has_left():
    after = []
    cfg = configuration(post_request=lambda worker, req, environ, resp: after.append(resp))
    logger = Recording(cfg)
    observer = Observer(cfg, logger, None)
    tickets = []
    for _ in range(2):
        request = observer.begin(ENVIRON, None, 1, True)
        tickets.append(observer.end(request, ENVIRON, "200 OK", [], 5, 5, False, 1500, True))
    assert len(after) == 2 and logger.told == []
    observer.left(tickets[1], 3, 70_000)
    ((response, logged, environ, time),) = logger.told
    assert response is after[1] and logged is request and environ is ENVIRON
    assert (response.sent, time) == (3, timedelta(milliseconds=70))
    observer.left(tickets[0], 5, 1600)
    assert [told[0] for told in logger.told] == [after[1], after[0]]


def test_a_response_that_has_left_leaves_no_ticket():
    cfg = configuration()
    logger = Recording(cfg)
    observer = Observer(cfg, logger, None)
    assert observer.end(observer.begin(ENVIRON, None, 1, True), ENVIRON, "200 OK", [], 5, 5, False, 1500, False) == 0
    assert len(logger.told) == 1


def test_nobody_waits_for_a_response_where_the_logger_hears_of_none():
    cfg = configuration(post_request=lambda worker, req: None)
    observer = Observer(cfg, Logger(cfg), None)
    assert observer.end(observer.begin(ENVIRON, None, 1, True), ENVIRON, "200 OK", [], 5, 5, False, 1500, True) == 0
