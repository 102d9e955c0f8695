#!/usr/bin/env python3
"""Records what gunicorn writes in its access log, as the cases that our own formatter is tested with.

    python scripts/record_access_log.py > Tests/TelemetryTests/AccessLogCases.swift

Run it with a Python that has gunicorn 27.0.1. Only cases in which we want the same bytes are here.
"""

import datetime
import io
import logging
import os

import gunicorn
from gunicorn.config import Config
from gunicorn.glogging import Logger

DEFAULT = Config().settings["access_log_format"].default
EVERY = (
    "%(h)s|%(l)s|%(u)s|%(t)s|%(r)s|%(s)s|%(m)s|%(U)s|%(q)s|%(H)s|%(b)s|%(B)s|%(f)s|%(a)s|%(T)s|%(M)s|%(D)s|%(L)s|%(p)s"
)
BASIC = "%(u)s"


def basic(value):
    return {"format": BASIC, "request": [("Authorization", value)]}


CASES = [
    {"format": DEFAULT},
    {"format": DEFAULT, "request": [("Referer", "http://a/"), ("User-Agent", 'curl "8"')], "status": 404, "sent": 0},
    {"format": EVERY, "request": [("Authorization", "Basic dXNlcjpwYXNz")], "microseconds": 3_045_678},
    {"format": EVERY, "sent": None, "method": "POST", "target": "/", "path": "/", "query": ""},
    {"format": "%(T)s %(T)d %(M)d %(D)d %(D)i %(M)u %(B)d %(L)s", "microseconds": 59_999_999},
    {"format": "%(L)s %(D)s %(M)s", "microseconds": 7},
    {"format": "%(L)s %(D)s %(M)s", "microseconds": 999},
    {"format": "%(L)s %(D)s %(M)s", "microseconds": 1000},
    {"format": "%(T)5d|%(T)-5d|%(D)010d|%(h)20s|%(h)-20s|%(h).4s|%(T)+d|%(T) d|%%", "microseconds": 3_000_000},
    {"format": "%(h)5.2s|%(T)5.3d|%(T)#d|%(T)-05d|%(T)05s|%(h)05s|%(T)+5d|%(T)+s|%(T)+05d", "microseconds": 3_000_000},
    {"format": "%(h).0s|%(h)0s|%(h)1s|%(D).12d|%(D)+.12d|%(D)15.12d|%(h).s", "microseconds": 3_000_000},
    {"format": "%(h)ls %(T)ld %(T)hd %(T)Ld", "microseconds": 3_000_000},
    {"format": "%(zzz)s %(Q)s %()s %(a(b)c)s %({)s %({}i)s %({x})s %({x}z)s"},
    {"format": "%({x-a}i)s %({X-A}i)s %({x-A}I)s %({nope}i)s", "request": [("X-A", "1"), ("x-a", '"2"')]},
    {"format": "%({content-type}o)s %({Content-Type}O)s %({server}o)s", "response": [("Content-Type", "text/html")]},
    {"format": "%({x}o)s", "response": [("X", "1"), ("x", "2")]},
    {"format": "%({wsgi.url_scheme}e)s %({WSGI.URL_SCHEME}E)s %({nope}e)s", "environ": {"wsgi.url_scheme": "http"}},
    {"format": "%({x}e)s", "environ": {"x": '1"2'}},
    {"format": "plain text, 100 %% of it"},
    {"format": ""},
    {"format": "\u00e9 \u4e2d %(h)s\ttab"},
    {"format": "%(U)s", "path": "/caf\xc3\xa9 \xfc"},
    {"format": "%(U)10s|%(U)-10s|%(U).3s|", "path": "/\xe9\xe8\xea\xeb"},
    {"format": '"%(f)s" "%(a)s"', "request": [("Referer", ""), ("User-Agent", '""')]},
    {"format": "%(h)s", "address": ""},
    {"format": "%(s)s|%(s)5s", "status": 503},
    basic("Basic dXNlcjpwYXNz"),
    basic("basic  dXNlcjpwYXNz "),
    basic("BASIC dXM6"),
    basic("BasicX dXNlcjpwYXNz"),
    basic("Basic dXNlcg"),
    basic("Basic dXNlcg=="),
    basic("Basic dXNlcg="),
    basic("Basic !!dXNl!cg==x"),
    basic("Basic d=XNlcg=="),
    basic("Basic dX=NlcjpwYXNz"),
    basic("Basic dX==NlcjpwYXNz"),
    basic("Basic A"),
    basic("Basic ===="),
    basic("Basic"),
    basic("Basic "),
    basic("Bas"),
    basic("Digest dXNlcjpwYXNz"),
    basic("Basic OnBhc3M="),
    basic("Basic YSJiOng="),
    basic("Basic /w=="),
    basic("Basic w6k6eA=="),
    basic("Basic w6k6/w=="),
    basic("Basic 7aCAOng="),
    basic("Basic 9I+/vzp4"),
    basic("Basic 9JCAgDp4"),
]
NUMBERS = {"status": 200, "sent": 12, "microseconds": 1234}
TEXTS = {
    "method": "GET",
    "target": "/a?b=c",
    "version": "HTTP/1.1",
    "path": "/a",
    "query": "b=c",
    "address": "127.0.0.1",
}


class Exchange:
    """Request or response: whatever attributes the log asks for."""


def line(case):
    config = Config()
    config.set("accesslog", "-")
    config.set("access_log_format", case["format"])
    log = Logger(config)
    log.now = lambda: "[06/Nov/1994:08:49:37 +0000]"
    os.getpid = lambda: 4321
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.access_log.handlers = [handler]
    request, response = Exchange(), Exchange()
    request.headers = [(name.upper(), value) for name, value in case["request"]]
    response.headers = case["response"]
    response.status = f"{case['status']} Reason"
    response.sent = case["sent"]
    environ = {
        "REQUEST_METHOD": case["method"],
        "RAW_URI": case["target"],
        "SERVER_PROTOCOL": case["version"],
        "PATH_INFO": case["path"],
        "QUERY_STRING": case["query"],
        "REMOTE_ADDR": case["address"],
        **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in case["request"]},
        **case["environ"],
    }
    log.access(response, request, environ, datetime.timedelta(microseconds=case["microseconds"]))
    assert out.getvalue().endswith("\n"), (case, out.getvalue())
    return out.getvalue()


def swift(value):
    """A Swift string literal of these characters."""
    parts = []
    for character in value:
        if character in '"\\':
            parts.append("\\" + character)
        elif " " <= character <= "~":
            parts.append(character)
        else:
            parts.append(f"\\u{{{ord(character):x}}}")
    return '"' + "".join(parts) + '"'


def pairs(values):
    return "[" + ", ".join(f"({swift(name)}, {swift(value)})" for name, value in values) + "]"


def main():
    assert gunicorn.__version__ == "27.0.1", gunicorn.__version__
    print("// Written by scripts/record_access_log.py: what gunicorn 27.0.1 logs. Do not edit.")
    print("\nextension AccessLogCase {\n    static let recorded: [AccessLogCase] = [")
    for chosen in CASES:
        case = {**NUMBERS, **TEXTS, "request": [], "response": [], "environ": {}, **chosen}
        arguments = [f"format: {swift(case['format'])}", f"expected: {swift(line(case))}"]
        for name in [*TEXTS, *NUMBERS]:
            if case[name] != {**NUMBERS, **TEXTS}[name]:
                value = case[name]
                arguments.append(
                    f"{name}: {swift(value) if isinstance(value, str) else 'nil' if value is None else value}"
                )
        for name in ("request", "response"):
            if case[name]:
                arguments.append(f"{name}: {pairs(case[name])}")
        if case["environ"]:
            arguments.append(f"environ: {pairs(case['environ'].items())}")
        print("        AccessLogCase(\n            " + ",\n            ".join(arguments) + "),")
    print("    ]\n}")


if __name__ == "__main__":
    main()
