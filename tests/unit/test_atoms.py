"""What a request looks like in the access log that Python writes."""

from __future__ import annotations

import json
import logging
import os
import pickle
import re
from datetime import timedelta

import pytest
from support.loggers import DEFAULT_FORMAT, ENVIRON, captured, exchange, settings

from monoceros.atoms import Atoms, SafeAtoms
from monoceros.glogging import Logger

pytestmark = pytest.mark.usefixtures("own_loggers")


def access_line(text: str, **environ: str) -> str:
    with captured() as (out, _):
        Logger(settings(accesslog="-", access_log_format=text)).access(*exchange(**environ))
    return out.getvalue()


def test_the_default_line():
    line = access_line(DEFAULT_FORMAT)
    assert re.fullmatch(
        r"192\.0\.2\.7 - brk0v \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "
        r'"GET /a%20b\?q=1 HTTP/1\.1" 200 1234 "-" "curl \\"quoted\\""\n',
        line,
    )


@pytest.mark.parametrize(
    ("atom", "text"),
    [
        ("%(h)s", "192.0.2.7"),
        ("%(l)s", "-"),
        ("%(u)s", "brk0v"),
        ("%(r)s", "GET /a%20b?q=1 HTTP/1.1"),
        ("%(s)s", "200"),
        ("%(m)s", "GET"),
        ("%(U)s", "/a b"),
        ("%(q)s", "q=1"),
        ("%(H)s", "HTTP/1.1"),
        ("%(b)s", "1234"),
        ("%(B)d", "1234"),
        ("%(f)s", "-"),
        ("%(a)s", 'curl \\"quoted\\"'),
        ("%(T)s", "2"),
        ("%(M)s", "2345"),
        ("%(D)s", "2345678"),
        ("%(L)s", "2.345678"),
        ("%(p)s", "<PID>"),
        ("%({x-twice}i)s", "two"),
        ("%({X-Twice}i)s", "two"),
        ("%({none}i)s", "-"),
        ("%({content-type}o)s", "text/plain"),
        ("%({X-ID}o)s", "7"),
        ("%({server}o)s", "-"),
        ("%({wsgi.url_scheme}e)s", "http"),
        ("%({REMOTE_PORT}e)s", "4711"),
        ("%({none}e)s", "-"),
        ("%(unknown)s", "-"),
    ],
)
def test_atoms(atom, text):
    assert access_line(atom) == text.replace("PID", str(os.getpid())) + "\n"


def test_durations_go_on_past_a_day():
    response, request, environ, _ = exchange()
    atoms = Atoms(Logger(settings()), response, request, environ, timedelta(days=1, seconds=1))
    assert (atoms["T"], atoms["M"], atoms["L"]) == (86401, 86401000, "86401.000000")


@pytest.mark.parametrize("sent", [None, 0, 5])
def test_the_length_of_a_body(sent):
    response, request, environ, time = exchange()
    response.sent = sent
    atoms = Logger(settings()).atoms(response, request, environ, time)
    assert (atoms["b"], atoms["B"]) == ("-" if sent is None else str(sent), sent)


@pytest.mark.parametrize("credentials", ["basic YnJrMHY6", "BASIC YnJrMHY6", "Basic  YnJrMHY6"])
def test_the_scheme_of_a_user_is_in_any_case(credentials):
    assert access_line("%(u)s", HTTP_AUTHORIZATION=credentials) == "brk0v\n"


@pytest.mark.parametrize(
    "credentials", ["", "Basic", "Basic ixsTtkKzIpVTncfQjbBcnoRNoDfbnaXG", "Basic a", "Bearer YTpi"]
)
def test_malformed_credentials_are_no_user(credentials):
    assert access_line("%(u)s", HTTP_AUTHORIZATION=credentials) == "-\n"


def test_no_line_can_be_forged():
    line = access_line("%(U)s|%(a)s", PATH_INFO='/a\r\nGET "\x1b[31m\x85\u2028', HTTP_USER_AGENT="\n\t\x7f\\")
    assert line == r"/a\r\nGET \"\x1b[31m\x85\u2028|\n\t\x7f\\" + "\n"


def test_a_line_makes_only_the_atoms_it_asks_for():
    class Fields(dict):
        def items(self):
            raise AssertionError("the fields were looked at")

    response, request, environ, time = exchange()
    response.headers = request._headers = Fields()
    with captured() as (out, _):
        logger = Logger(settings(accesslog="-", access_log_format="%(h)s"))
        logger.access(response, request, environ, time)
    assert out.getvalue() == "192.0.2.7\n"


def test_a_handler_finds_the_atoms_in_the_record():
    records: list[logging.LogRecord] = []
    logger = Logger(settings(accesslog="-"))
    handler = logging.Handler()
    handler.emit = records.append
    logger.access_log.addHandler(handler)
    with captured():
        logger.access(*exchange())
    atoms = records[0].args
    assert atoms["h"] == "192.0.2.7" and atoms["{x-id}o"] == "7"
    assert records[0].getMessage().startswith("192.0.2.7 - brk0v [")


WHOLE = [
    dict,
    lambda atoms: {**atoms},
    lambda atoms: dict(atoms.items()),
    lambda atoms: {key: atoms[key] for key in atoms},
    lambda atoms: atoms.copy(),
    lambda atoms: atoms | {},
    lambda atoms: {} | atoms,
    lambda atoms: json.loads(json.dumps(atoms)),
    lambda atoms: pickle.loads(pickle.dumps(atoms)),
]


@pytest.mark.parametrize("kind", ["plain", "safe"])
@pytest.mark.parametrize("view", WHOLE)
def test_atoms_are_whole_however_they_are_looked_at(view, kind):
    response, request, environ, time = exchange()

    def atoms():
        made = Logger(settings()).atoms(response, request, environ, time)
        return made if kind == "plain" else SafeAtoms(made)

    whole = view(atoms())
    assert len(whole) == 19 + 2 + 2 + len(ENVIRON)
    assert whole["h"] == "192.0.2.7" and whole["{x-twice}i"] == "two" and whole["{request_method}e"] == "GET"
    assert isinstance(atoms(), dict) and atoms() and len(atoms()) == len(whole)
    assert "{x-id}o" in atoms() and "{none}o" not in atoms()
    assert atoms().get("h") == "192.0.2.7" and atoms().get("none") is None


def test_a_subclass_adds_atoms_and_replaces_them():
    class Mine(Logger):
        def atoms(self, resp, req, environ, request_time):
            atoms = super().atoms(resp, req, environ, request_time)
            atoms["color"] = 'blue "sky"'
            atoms.update(h="hidden")
            return atoms

        def now(self):
            return "[now]"

    with captured() as (out, _):
        logger = Mine(settings(accesslog="-", access_log_format="%(color)s %(h)s %(t)s %(m)s %(none)s"))
        logger.access(*exchange())
    assert out.getvalue() == 'blue \\"sky\\" hidden [now] GET -\n'


def test_a_subclass_may_return_a_dictionary_of_its_own():
    class Mine(Logger):
        def atoms(self, resp, req, environ, request_time):
            return {"h": '"', "{x}i": 5}

    with captured() as (out, _):
        Mine(settings(accesslog="-", access_log_format="%(h)s %({X}i)s %(m)s")).access(*exchange())
    assert out.getvalue() == '\\" 5 -\n'


def test_a_format_that_fails_is_an_error_and_no_more():
    with captured() as (_, err):
        Logger(settings(accesslog="-", access_log_format="%(s)d")).access(*exchange())
    assert "TypeError" in err.getvalue()
