"""The logger: what each setting does to the two logs, and what a request looks like in them."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import re
import socket
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest

from monoceros import accesslog, glogging
from monoceros.atoms import Atoms, SafeAtoms
from monoceros.glogging import Logger, parse_syslog_address
from monoceros.http.message import Request
from monoceros.http.wsgi import Response
from monoceros.instrument.statsd import Statsd

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


@pytest.fixture(autouse=True)
def put_back():
    """The loggers are the process's: each test leaves them as it found them."""
    logs = [logging.root, logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access")]
    before = [(log, log.handlers[:], log.level, log.propagate, log.filters[:]) for log in logs]
    for log in logs[1:]:
        log.handlers[:] = []
        # pytest puts handlers of its own on a logger that keeps its records to itself.
        log.propagate = True
    yield
    for log, handlers, level, propagate, filters in before:
        for handler in log.handlers:
            if handler not in handlers:
                handler.close()
        log.handlers[:], log.level, log.propagate, log.filters[:] = handlers, level, propagate, filters
        log.disabled = False
        log.manager._clear_cache()


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


# The error log


def test_error_lines_have_gunicorns_format():
    with captured() as (out, err):
        Logger(settings()).info("Booting worker with pid: %d", 5)
    assert LINE.fullmatch(err.getvalue()).groups() == (str(os.getpid()), "INFO", "Booting worker with pid: 5")
    assert out.getvalue() == ""


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_the_level_keeps_lesser_messages_out(level):
    with captured() as (_, err):
        logger = Logger(settings(loglevel=level.upper()))
        for name in Logger.LOG_LEVELS:
            getattr(logger, name)("by its method")
            logger.log(name, "by its name")
            logger.log(Logger.LOG_LEVELS[name], "by its number")
    assert logger.loglevel == Logger.LOG_LEVELS[level]
    count = sum(number >= Logger.LOG_LEVELS[level] for number in Logger.LOG_LEVELS.values())
    assert err.getvalue().count("\n") == 3 * count


def test_an_unknown_level_is_info_and_said():
    with captured() as (_, err):
        assert Logger(settings(loglevel="chatty")).loglevel == logging.INFO
    assert "Unknown loglevel 'chatty'" in err.getvalue()


def test_setting_up_again_replaces_what_was_there(tmp_path):
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    logger = Logger(settings(errorlog=str(first)))
    logger.info("one")
    logger.setup(settings(errorlog=str(second), loglevel="debug"))
    logger.debug("two")
    assert first.read_text().count("\n") == 1 and second.read_text().count("\n") == 1
    assert len(logger.error_log.handlers) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"errorlog": "/none/error.log"},
        {"accesslog": "/none/access.log"},
        {"syslog": True, "syslog_facility": "weather"},
        {"logconfig_dict": {"handlers": {"console": {"class": "no.such"}}}},
    ],
)
def test_a_setup_that_fails_leaves_the_log_as_it_was(tmp_path, changes):
    path = tmp_path / "error.log"
    first = settings(errorlog=str(path), loglevel="warning")
    logger = Logger(first)
    logger.warning("one")
    with pytest.raises(RuntimeError):
        logger.setup(settings(**({"errorlog": str(tmp_path / "other.log"), "loglevel": "debug"} | changes)))
    logger.warning("two")
    logger.info("not this")
    assert [LINE.fullmatch(line)[3] for line in path.read_text().splitlines(keepends=True)] == ["one", "two"]
    assert logger.cfg is first


def test_syslog_goes_on_after_a_configuration_closed_every_handler(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        server.settimeout(10)
        changes = SYSLOG | {"syslog_addr": f"unix://{tmp_path}/s#dgram", "logconfig_dict": {"loggers": {}}}
        Logger(settings(**changes)).error("hello")
        assert server.recv(2000).decode() == expected_syslog("error", "hello", 3)


def test_an_exception_has_its_traceback(tmp_path):
    path = tmp_path / "error.log"
    logger = Logger(settings(errorlog=str(path)))
    try:
        raise KeyError("missing")
    except KeyError:
        logger.exception("It failed")
    first, *rest = path.read_text().splitlines(keepends=True)
    assert LINE.fullmatch(first)[2] == "ERROR"
    assert rest[0] == "Traceback (most recent call last):\n" and rest[-1] == "KeyError: 'missing'\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(
        RuntimeError, match=f"^Invalid value for errorlog: '{tmp_path}/none/error.log': it isn't writable: No such file"
    ):
        Logger(settings(errorlog=str(tmp_path / "none" / "error.log")))


def test_the_root_logger_does_not_repeat_a_line(tmp_path):
    root = io.StringIO()
    logging.root.addHandler(logging.StreamHandler(root))
    Logger(settings(errorlog=str(tmp_path / "error.log"))).error("once")
    assert root.getvalue() == ""


def test_every_file_of_every_logger_is_reopened(tmp_path):
    paths = [tmp_path / name for name in ("error.log", "access.log", "application.log", "root.log")]
    logger = Logger(settings(errorlog=str(paths[0]), accesslog=str(paths[1])))
    mine = logging.getLogger("test_glogging.application")
    mine.addHandler(logging.FileHandler(paths[2]))
    logging.root.addHandler(logging.FileHandler(paths[3]))
    for path in paths:
        path.rename(f"{path}.1")
    try:
        logger.reopen_files()
        logger.error("after")
        logger.access(*exchange())
        mine.error("after")
        logging.root.error("after")
    finally:
        for handler in mine.handlers[:]:
            mine.removeHandler(handler)
            handler.close()
    # What `mine` logs goes on to the root.
    assert [path.read_text().count("after" if path != paths[1] else "GET") for path in paths] == [1, 1, 1, 2]
    assert all((tmp_path / f"{path.name}.1").read_text() == "" for path in paths)


def test_a_file_that_cannot_be_reopened_is_said_and_goes_on(tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    logger = Logger(settings(errorlog=str(directory / "error.log")))
    directory.rename(tmp_path / "moved")
    logger.reopen_files()
    logger.info("still here")
    text = (tmp_path / "moved" / "error.log").read_text()
    assert "cannot be opened again (No such file or directory)" in text and "still here" in text


# Configurations of `logging`


def dictionary(path: object, text: str) -> dict[str, object]:
    return {
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(path), "formatter": "mine"}},
        "formatters": {"mine": {"format": text}},
        "root": {"level": "WARNING", "handlers": []},
        "loggers": {name: {"handlers": ["file"], "propagate": False} for name in ("gunicorn.error", "gunicorn.access")},
    }


def test_a_dictionary_is_followed_before_a_file(tmp_path):
    chosen, other = tmp_path / "chosen.log", tmp_path / "other.log"
    (tmp_path / "log.json").write_text(json.dumps(dictionary(other, "%(message)s")))
    logger = Logger(
        settings(logconfig_dict=dictionary(chosen, "[mine] %(message)s"), logconfig_json=str(tmp_path / "log.json"))
    )
    logger.error("hello")
    logger.access(*exchange())
    assert chosen.read_text().startswith("[mine] hello\n[mine] 192.0.2.7 - brk0v [")
    assert not other.exists()


def test_json_is_followed(tmp_path):
    (tmp_path / "log.json").write_text(json.dumps(dictionary(tmp_path / "a.log", "%(levelname)s %(message)s")))
    Logger(settings(logconfig_json=str(tmp_path / "log.json"))).error("hello")
    assert (tmp_path / "a.log").read_text() == "ERROR hello\n"


def test_an_ini_file_is_followed_and_knows_where_it_is(tmp_path):
    (tmp_path / "log.ini").write_text(
        "[loggers]\nkeys=root,error\n[handlers]\nkeys=file\n[formatters]\nkeys=mine\n"
        "[logger_root]\nhandlers=\n[logger_error]\nqualname=gunicorn.error\nhandlers=file\npropagate=0\n"
        "[handler_file]\nclass=FileHandler\nargs=('%(here)s/a.log',)\nformatter=mine\n"
        "[formatter_mine]\nformat=%(levelname)s %(message)s\n"
    )
    Logger(settings(logconfig=str(tmp_path / "log.ini"))).error("hello")
    assert (tmp_path / "a.log").read_text() == "ERROR hello\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"logconfig": "/none.ini"}, "logconfig: '/none.ini': there is no such file"),
        ({"logconfig_json": "/none.json"}, "logconfig_json: '/none.json': the file cannot be read: No such file"),
        ({"logconfig_json": __file__}, "logconfig_json: '.*': the file is not JSON"),
        (
            {"logconfig_dict": {"handlers": {"console": {"class": "no.such"}}}},
            "^Invalid value for logconfig_dict: Unable to configure handler",
        ),
        ({"syslog": True, "syslog_facility": "weather"}, "syslog_facility: 'weather': choose from kern, user"),
        ({"syslog": True, "syslog_addr": "localhost:514"}, "syslog_addr: 'localhost:514': it must be unix://PATH"),
        ({"syslog": True, "syslog_addr": "udp://localhost:99999"}, "syslog_addr: .*'99999' is not a valid port number"),
    ],
)
def test_what_cannot_be_followed_is_said(changes, message):
    with pytest.raises(RuntimeError, match=message):
        Logger(settings(**changes))


def test_the_defaults_of_a_dictionary_never_wait():
    for handler in glogging.CONFIG_DEFAULTS["handlers"].values():
        assert handler["class"] == "monoceros.loghandlers.StreamHandler"


# syslog


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("unix:///dev/log", None, "/dev/log"),
        ("unix:///dev/log#dgram", socket.SOCK_DGRAM, "/dev/log"),
        ("unix:///dev/log#stream", socket.SOCK_STREAM, "/dev/log"),
        ("udp://", socket.SOCK_DGRAM, ("localhost", 514)),
        ("udp://Example.org", socket.SOCK_DGRAM, ("example.org", 514)),
        ("udp://example.org:99", socket.SOCK_DGRAM, ("example.org", 99)),
        ("tcp://[::1]:99", socket.SOCK_STREAM, ("::1", 99)),
        ("tcp://[::1]", socket.SOCK_STREAM, ("::1", 514)),
    ],
)
def test_syslog_addresses(text, kind, address):
    assert parse_syslog_address(text) == (kind, address)


def test_a_syslog_port_is_a_number():
    with pytest.raises(RuntimeError, match="'http' is not a valid port number"):
        parse_syslog_address("udp://localhost:http")


def expected_syslog(name: str, text: str, level: int = 6, facility: int = 16) -> str:
    return f"<{facility * 8 + level}>gunicorn.shop.{name}: [{os.getpid()}] {text}\0"


SYSLOG = {"syslog": True, "syslog_prefix": "shop", "syslog_facility": "local0", "errorlog": "/dev/null"}


def test_syslog_over_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        logger = Logger(settings(syslog_addr=f"udp://127.0.0.1:{server.getsockname()[1]}", **SYSLOG))
        logger.error("größer")
        assert server.recv(2000).decode() == expected_syslog("error", "größer", 3)
        logger.access(*exchange(HTTP_USER_AGENT="curl"))
        assert server.recv(2000).decode().startswith(expected_syslog("access", "192.0.2.7 - brk0v [")[:-1])


@pytest.mark.parametrize("kind", ["dgram", "stream", None])
def test_syslog_over_a_unix_socket(tmp_path, kind):
    path = f"{tmp_path}/s"
    number = socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_UNIX, number) as server:
        server.bind(path)
        if kind == "stream":
            server.listen()
        logger = Logger(settings(syslog_addr=f"unix://{path}" + (f"#{kind}" if kind else ""), **SYSLOG))
        logger.warning("hello")
        peer = server.accept()[0] if kind == "stream" else server
        assert peer.recv(2000).decode() == expected_syslog("error", "hello", 4)
        peer.close()


def test_syslog_over_tcp_comes_back_after_a_break():
    with socket.create_server(("127.0.0.1", 0)) as server:
        logger = Logger(settings(syslog_addr=f"tcp://127.0.0.1:{server.getsockname()[1]}", **SYSLOG))
        with server.accept()[0] as peer:
            server.accept()[0].close()
            logger.error("first")
            assert peer.recv(2000).decode() == expected_syslog("error", "first", 3)
        target = logger.error_log.handlers[-1]._target
        for number in range(50):
            logger.error("lost or late %d", number)
            if target.socket is None:
                break
        target._next_attempt = 0.0
        logger.error("again")
        with server.accept()[0] as peer:
            assert peer.recv(2000).decode().startswith("<131>gunicorn.shop.error: [")


def test_a_syslog_server_that_is_not_there_is_said_at_the_start_and_waited_for(tmp_path):
    error = tmp_path / "error.log"
    changes = SYSLOG | {"syslog_addr": f"unix://{tmp_path}/none", "errorlog": str(error)}
    logger = Logger(settings(**changes))
    logger.info("hello")
    text = error.read_text()
    assert "cannot be reached (No such file or directory)" in text and "hello" in text


def test_a_syslog_server_that_never_reads_stops_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        logger = Logger(settings(syslog_addr=f"unix://{tmp_path}/s#dgram", **SYSLOG))
        for _ in range(1000):
            logger.error("x" * 1000)
        handler = logger.error_log.handlers[-1]
        assert handler._line_writer.lost > 0


def test_the_access_log_stays_out_of_syslog_when_asked(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        changes = SYSLOG | {"disable_redirect_access_to_syslog": True, "syslog_addr": f"unix://{tmp_path}/s"}
        logger = Logger(settings(**changes))
        logger.access(*exchange())
        logger.error("only this")
        assert server.recv(2000).decode() == expected_syslog("error", "only this", 3)


# The access log


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


# Who writes the access log


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


# The objects that hooks and loggers get


def test_a_request_has_gunicorns_attributes():
    _, request, _, _ = exchange()
    assert (request.method, request.uri, request.path, request.query) == ("GET", "/a%20b?q=1", "/a%20b", "q=1")
    assert (request.version, request.scheme, request.trailers, request.fragment) == ((1, 1), "http", [], "")
    assert request.remote_addr == request.peer_addr == ("192.0.2.7", 4711)
    assert request.proxy_protocol_info is None and request.req_number == 1
    assert request.should_close()
    request.started = 5.0
    assert request.started == 5.0


def test_a_request_makes_its_fields_from_the_environ_when_it_has_no_others():
    request = Request(ENVIRON | {"CONTENT_TYPE": "text/plain", "REMOTE_PORT": ""})
    assert request.headers == [
        ("CONTENT-TYPE", "text/plain"),
        ("USER-AGENT", 'curl "quoted"'),
        ("X-TWICE", "one,two"),
        ("AUTHORIZATION", "Basic YnJrMHY6c2VjcmV0"),
    ]
    assert request.remote_addr == "192.0.2.7"


def test_a_response_has_gunicorns_attributes():
    response, request, _, _ = exchange()
    assert (response.status, response.status_code, response.sent) == ("200 OK", 200, 1234)
    assert response.headers == [("Content-Type", "text/plain"), ("X-Id", "7")]
    assert response.headers_sent and not response.chunked and response.req is request


# statsd


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


def test_many_threads_write_whole_lines(tmp_path):
    logger = Logger(settings(errorlog=str(tmp_path / "error.log")))

    def work(letter: str) -> None:
        for _ in range(100):
            logger.info(letter * 50)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "error.log").read_text().splitlines(keepends=True)
    texts = [LINE.fullmatch(line)[3] for line in lines]
    assert len(texts) == 400 and all(text == text[0] * 50 for text in texts)
