"""What the tests of the logger share: its settings, a request to tell it of, and where its lines go."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

from monoceros.http.message import Request
from monoceros.http.wsgi import Response

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[(\d+)\] \[(\w+)\] (.*)\n")
DEFAULT_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'


def settings(**changes: object) -> SimpleNamespace:
    """What the logger reads of the configuration."""
    values: dict[str, object] = {
        "errorlog": "-",
        "accesslog": None,
        "access_log_format": DEFAULT_FORMAT,
        "loglevel": "info",
        "capture_output": False,
        "logconfig": None,
        "logconfig_dict": {},
        "logconfig_json": None,
        "syslog": False,
        "syslog_addr": "udp://localhost:514",
        "syslog_prefix": None,
        "syslog_facility": "user",
        "disable_redirect_access_to_syslog": False,
        "proc_name": "shop:app",
        "uid": os.geteuid(),
        "gid": os.getegid(),
        "statsd_host": None,
        "statsd_prefix": "",
        "dogstatsd_tags": "",
    }
    assert changes.keys() <= values.keys()
    return SimpleNamespace(**values | changes)


ENVIRON = {
    "REQUEST_METHOD": "GET",
    "RAW_URI": "/a%20b?q=1",
    "PATH_INFO": "/a b",
    "QUERY_STRING": "q=1",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "192.0.2.7",
    "REMOTE_PORT": "4711",
    "HTTP_USER_AGENT": 'curl "quoted"',
    "HTTP_X_TWICE": "one,two",
    "HTTP_AUTHORIZATION": "Basic YnJrMHY6c2VjcmV0",
    "wsgi.url_scheme": "http",
}


def exchange(**environ: str) -> tuple[Response, Request, dict[str, str], timedelta]:
    """The arguments of `Logger.access`."""
    whole = ENVIRON | environ
    request = Request(whole, [("X-TWICE", "one"), ("X-TWICE", "two"), ("USER-AGENT", whole["HTTP_USER_AGENT"])])
    response = Response(request, "200 OK", [("Content-Type", "text/plain"), ("X-Id", "7")], 1234, 1234)
    return response, request, whole, timedelta(seconds=2, microseconds=345678)


@contextmanager
def captured():
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    try:
        yield sys.stdout, sys.stderr
    finally:
        sys.stdout, sys.stderr = out, err
