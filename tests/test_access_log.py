"""The access log: gunicorn's lines byte by byte, whatever happens to a request."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Serve
from support.access_log import KINDS, Logged, read_when
from support.client import Connection, encode, encode_chunked, fetch
from support.ports import reserved
from support.server import MODULE, clean_environment, command, run
from support.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="the access log of Monoceros")

#: All atoms whose text does not depend on the moment.
ATOMS = (
    "%(h)s|%(l)s|%(u)s|%(r)s|%(m)s|%(U)s|%(q)s|%(H)s|%(s)s|%(b)s|%(B)s|%(f)s|%(a)s|%({x-one}i)s|%({X-Two}i)s|"
    "%({content-type}o)s|%({x-answer}o)s|%({x-none}o)s|%({remote_user}e)s|%({path_info}e)s|%({none}e)s|%(none)s|%%|"
    "%(s)5s|%(m)-6s|"
)

#: Requests that both servers answer in the same way.
REQUESTS = {
    "plain": encode("GET", "/a?b=c&d"),
    "agent": encode("GET", "/", [("User-Agent", "curl/8.0"), ("Referer", "http://example.com/?q=1")]),
    "user": encode("GET", "/", [("Authorization", "Basic am9lOnNlY3JldA==")]),
    "no user": encode("GET", "/", [("Authorization", "Bearer abc")]),
    "quotes": encode("GET", "/", [("User-Agent", 'a "b" c'), ("X-One", '"')]),
    "fields": encode("GET", "/", [("X-One", "1"), ("x-two", "two words")]),
    "encoded": encode("GET", "/with%20space/%C3%A9?q=%20"),
    "head": encode("HEAD", "/length"),
    "not modified": encode("GET", "/304"),
    "no content": encode("GET", "/204"),
    "chunked": encode("GET", "/chunked"),
    "length": encode("GET", "/length"),
    "missing": encode("GET", "/404"),
    "large": encode("GET", "/large"),
    "body": encode("POST", "/echo", [("Content-Type", "text/x")], b"a body"),
    "chunked body": encode_chunked("PUT", "/echo", [b"one", b"two"]),
    "old": encode("GET", "/", version="HTTP/1.0"),
    "delete": encode("DELETE", "/thing"),
}


def gunicorn() -> Path | None:
    """gunicorn 27.0.1 as `make test` fetches it."""
    place = os.environ.get("MONOCEROS_FOREIGN")
    root = Path(place) / "gunicorn-27.0.1" if place else None
    return root if root is not None and (root / "gunicorn").is_dir() else None


def lines_for(words: list[str], environment: dict[str, str], directory: Path, port: int) -> list[str]:
    """The access log of a server after all of `REQUESTS`, each on a connection of its own."""
    path = directory / "access.log"
    more = ["-b", f"127.0.0.1:{port}", "--access-logfile", str(path), "--access-logformat", ATOMS, "logged:app"]
    with open(directory / "error.log", "wb") as errors:
        server = Logged([*words, *more], environment, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            until(lambda: can_talk(port), "the server")
            for request in REQUESTS.values():
                with Connection(("127.0.0.1", port)) as connection:
                    connection.send(request)
                    connection.read_response(request.split(b" ")[0].decode())
            assert server.stop() == 0
        finally:
            server.process.kill()
            server.process.wait(DEADLINE)
    return path.read_text().splitlines()


def can_talk(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


@pytest.mark.skipif(gunicorn() is None, reason="gunicorn's source is fetched by `make test`")
@pytest.mark.parametrize("kind", KINDS)
def test_lines_are_gunicorns(tmp_path: Path, kind: tuple[str, ...]) -> None:
    environment = clean_environment(PYTHONPATH=str(gunicorn()))
    words = [sys.executable, "-m", "gunicorn", "--no-control-socket", *kind]
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    with reserved(2) as (one, other):
        theirs = lines_for(words, environment, tmp_path / "theirs", one)
        ours = lines_for(command(*kind), clean_environment(), tmp_path / "ours", other)
    # In which order workers and threads come to write is nobody's promise.
    assert sorted(ours) == sorted(theirs)
    assert len(ours) == len(REQUESTS)


def test_the_standard_line(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "logged:app")
    fetch(server.address, "/a%20b?c=d", headers=[("User-Agent", "tests")])
    assert re.fullmatch(
        r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /a%20b\?c=d HTTP/1\.1" 200 5 '
        r'"-" "tests"',
        read_when(path, 1)[0],
    )


def test_durations_and_the_process(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(T)s %(M)s %(D)s %(L)s %(p)s", "logged:app")
    fetch(server.address, "/slow")
    seconds, milliseconds, microseconds, decimal, process = read_when(path, 1)[0].split(" ")
    assert 300_000 <= int(microseconds) < 60_000_000
    assert int(milliseconds) == int(microseconds) // 1000 and int(seconds) == int(microseconds) // 1_000_000
    assert decimal == f"{int(microseconds) // 1_000_000}.{int(microseconds) % 1_000_000:06d}"
    assert process == f"<{server.workers()[0]}>"


@pytest.mark.parametrize(
    "sent, written",
    [
        ('x" \\"200', r"x\" \\\"200"),
        ("\\", r"\\"),
        ("a\tb", r"a\tb"),
        ("\xff\xa0\x85\x9f", "\xff\xa0" + r"\x85\x9f"),
        ("caf\xc3\xa9", "caf\xc3\xa9"),
    ],
)
def test_nothing_in_a_header_forges_a_line(
    serve: Serve, tmp_path: Path, author: list[str], sent: str, written: str
) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", '"%(a)s" "%({x-one}i)s"', *author,
                   "logged:app")  # fmt: skip
    fetch(server.address, "/", headers=[("User-Agent", sent), ("X-One", sent)])
    assert read_when(path, 1) == [f'"{written}" "{written}"']


def test_nothing_forges_a_line(serve: Serve, tmp_path: Path, author: list[str]) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", '"%(U)s" "%(r)s" "%({monoceros.test}e)s"',
                   *author, "logged:app")  # fmt: skip
    for sent, written in (
        ("/%0A127.0.0.1%22%1B", r"/\n127.0.0.1\"\x1b"),
        ("/%0d%09%00%7f%5C", r"/\r\t\x00\x7f\\"),
        ("/%C2%85%E2%80%A8", "/\xc2\\x85\xe2\\x80\xa8"),
    ):
        path.write_text("")
        fetch(server.address, sent)
        environ = r"said \"so\"\n\\ \u2028\u2029\x85"
        assert read_when(path, 1) == [f'"{written}" "GET {sent} HTTP/1.1" "{environ}"']


@pytest.mark.parametrize(
    "log_format", ["%(h)s %(s)s", "%({remote_addr}e)s %(s)s", "%(h)s %({server_protocol}e)s"], ids=["h", "e", "both"]
)
def test_an_address_that_the_application_takes_from_a_proxy(
    serve: Serve, tmp_path: Path, author: list[str], log_format: str
) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", log_format, *author, "proxied:app")
    rest = "HTTP/1.1" if "protocol" in log_format else "200"
    for sent, written in (("192.0.2.7", "192.0.2.7"), (None, "127.0.0.1"), ("2001:db8::1", "2001:db8::1")):
        path.write_text("")
        fetch(server.address, "/", headers=[("X-Forwarded-For", sent)] if sent else [])
        assert read_when(path, 1) == [f"{written} {rest}"]


HOSTILE_ADDRESS = ("X-Real-IP", '::1 "200" \\\x85')


def test_an_address_forges_no_line(serve: Serve, tmp_path: Path, author: list[str]) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(h)s %(s)s", *author, "proxied:credulous")
    fetch(server.address, "/", headers=[HOSTILE_ADDRESS])
    assert read_when(path, 1) == [r"::1 \"200\" \\\x85 200"]


def test_an_address_in_json(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(h)s %(s)s", "--access-log-json",
                   "proxied:credulous")  # fmt: skip
    fetch(server.address, "/", headers=[HOSTILE_ADDRESS])
    (line,) = read_when(path, 1)
    assert json.loads(line) == {"remote_address": HOSTILE_ADDRESS[1], "status": 200}


@pytest.mark.parametrize("kind", KINDS)
def test_requests_that_are_refused(serve: Serve, tmp_path: Path, kind: tuple[str, ...], author: list[str]) -> None:
    path = tmp_path / "access.log"
    log_format = '"%(r)s" %(s)s %(b)s %(U)s %(h)s "%(a)s" %({x-one}i)s'
    server = serve("--access-logfile", str(path), "--access-logformat", log_format, *kind, *author, "logged:app")
    for raw in (
        b'GET /bad HTTP/1.1\r\nHost: a\r\nUser-Agent: "me"\r\nX-One: 1\r\nNo colon\r\n\r\n',
        b"\x16\x03\x01 nonsense\r\n\r\n",
    ):
        with Connection(server.address) as connection:
            connection.send(raw)
            size = len(connection.read_response().body)
            connection.assert_closed()
    first, second = sorted(read_when(path, 2))
    assert re.fullmatch(r'"GET /bad HTTP/1\.1" 400 \d+ - 127\.0\.0\.1 "\\"me\\"" 1', first), first
    assert re.fullmatch(rf'"\\x16\\x03\\x01 nonsense -" 400 {size} - 127\.0\.0\.1 "-" -', second), second


def test_clients_that_leave(serve: Serve, tmp_path: Path, author: list[str]) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", '"%(r)s" %(s)s %(b)s', *author, "logged:app")
    with Connection(server.address) as connection:
        connection.send(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart")
        connection.half_close()
        connection.read_to_end()
    assert read_when(path, 1) == ['"POST /echo HTTP/1.1" - -']


def test_a_logger_that_fails_at_refused_requests_is_asked_once(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from monoceros import glogging\n"
        "class Logger(glogging.Logger):\n"
        "    def access(self, resp, req, environ, request_time):\n"
        "        self.info('seen %s', environ['wsgi.input'] and resp.status)\n"
    )
    server = serve("--logger-class", "mine.Logger", "--pythonpath", str(tmp_path), "logged:app")
    for _ in range(3):
        with Connection(server.address) as connection:
            connection.send(b"nonsense\r\n\r\n")
            connection.read_to_end()
        assert fetch(server.address, "/").status == 200
    until(lambda: server.log().count("seen 200 OK") == 3, "served requests")
    # A worker tells of what it refused when it has nothing else to do.
    until(lambda: "KeyError: 'wsgi.input'" in server.log(), "the traceback")
    server.stop()
    assert server.log().count("KeyError: 'wsgi.input'") == 1
    assert server.log().count("The logger failed at a request that was refused, and hears of no more of them") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_is_logged_when_it_has_left(
    serve: Serve, tmp_path: Path, kind: tuple[str, ...], author: list[str]
) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(U)s %(s)s %(b)s %(D)s", *kind, *author,
                   "logged:app")  # fmt: skip
    with Connection(server.address, receive_buffer=4096) as slow:
        slow.send(encode("GET", "/huge"))
        # It has begun, and cannot end before somebody reads.
        assert slow.read_head().status == 200
        fetch(server.address, "/")
        assert [line.split()[0] for line in read_when(path, 1)] == ["/"]
        time.sleep(0.2)
        assert slow.take(20_000_000) == b"x" * 20_000_000
    target, status, count, microseconds = read_when(path, 2)[1].split()
    assert (target, status, count) == ("/huge", "200", "20000000")
    # The client was waited for, too.
    assert int(microseconds) > 200_000


@pytest.mark.parametrize("kind", [("--workers", "1"), ("--threads", "4"), ("--workers", "2", "--threads", "4")])
def test_what_a_client_has_not_taken_at_the_end(
    serve: Serve, tmp_path: Path, kind: tuple[str, ...], author: list[str]
) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(U)s %(s)s %(b)s", "--graceful-timeout", "1",
                   *kind, *author, "logged:app")  # fmt: skip
    server.expected_boots = None
    with Connection(server.address, receive_buffer=4096) as slow:
        slow.send(encode("GET", "/huge"))
        assert slow.read_head().status == 200
        # The end of its worker. A stop would leave that a tenth of a second to write before it is killed.
        server.signal(signal.SIGHUP)
        target, status, count = read_when(path, 1)[0].split()
    assert (target, status) == ("/huge", "200")
    assert 0 < int(count) < 20_000_000


def test_a_client_that_leaves_in_the_middle_of_a_response(serve: Serve, tmp_path: Path, author: list[str]) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(U)s %(s)s %(b)s", *author, "logged:app")
    with Connection(server.address, receive_buffer=4096) as connection:
        connection.send(encode("GET", "/huge"))
        assert connection.read_head().status == 200
        connection.reset()
    target, status, count = read_when(path, 1)[0].split()
    assert (target, status) == ("/huge", "200")
    assert 0 < int(count) < 20_000_000


def test_applications_that_fail(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(U)s %(s)s %(b)s %({remote_user}e)s",
                   "logged:app")  # fmt: skip
    size = len(fetch(server.address, "/raise").body)
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/middle"))
        connection.read_to_end()
    assert read_when(path, 2) == [f"/raise 500 {size} Zoë", "/middle 200 5 Zoë"]
    assert "Error handling request GET /raise\n" in server.log()


@pytest.mark.parametrize("kind", KINDS)
def test_pipelined_requests(serve: Serve, tmp_path: Path, kind: tuple[str, ...]) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(U)s %(s)s", *kind, "logged:app")
    with Connection(server.address) as connection:
        connection.send(b"".join(encode("GET", f"/{number}") for number in range(50)))
        for _ in range(50):
            connection.read_response()
    assert read_when(path, 50) == [f"/{number} 200" for number in range(50)]


def test_json(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-log-json", "--access-logformat",
                   '%(h)s "%(r)s" %(s)s %(B)s %(D)s %({x-none}i)s %({remote_user}e)s', "logged:app")  # fmt: skip
    fetch(server.address, '/a"b')
    entry = json.loads(read_when(path, 1)[0])
    assert entry.pop("duration_us") >= 0
    assert entry == {
        "remote_address": "127.0.0.1",
        "request": 'GET /a"b HTTP/1.1',
        "status": 200,
        "bytes_sent": 5,
        "request_headers.x-none": None,
        "environ.remote_user": "Zoë",
    }


def test_a_format_that_cannot_be_used(tmp_path: Path) -> None:
    result = run("-b", "127.0.0.1:0", "--access-logfile", "-", "--access-logformat", "%(h)q", "logged:app")
    assert result.returncode == 1
    value = "Invalid value for access_log_format (--access-logformat): "
    assert f"{value}'%(h)q': the % at offset 0 ends in 'q'" in result.stderr


def test_a_logger_class_gets_real_records(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from monoceros import glogging\n"
        "class Logger(glogging.Logger):\n"
        "    def atoms(self, *arguments):\n"
        "        atoms = super().atoms(*arguments)\n"
        "        atoms['shop'] = arguments[2]['REMOTE_USER'] + atoms['{x-answer}o']\n"
        "        return atoms\n"
    )
    path = tmp_path / "access.log"
    server = serve(
        "--access-logfile", str(path), "--logger-class", "mine.Logger", "--pythonpath", str(tmp_path),
        "--access-logformat", "%(shop)s %(r)s %(s)s %(b)s %({x-one}i)s", "logged:app",
    )  # fmt: skip
    fetch(server.address, "/length", headers=[("X-One", "1")])
    assert read_when(path, 1) == ['Zoëa \\"quoted\\" one GET /length HTTP/1.1 201 5 1']


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_of_requests(serve: Serve, tmp_path: Path, kind: tuple[str, ...]) -> None:
    (tmp_path / "conf.py").write_text(
        "def pre_request(worker, req):\n"
        "    worker.log.info('before %s %s %s', req.method, req.path, dict(req.headers).get('X-ONE'))\n"
        "    if req.path == '/refused': raise RuntimeError('refused by the hook')\n"
        "    if req.path == '/last': req.force_close()\n"
        "def post_request(worker, req, environ, resp):\n"
        "    worker.log.info('after %s %s %s', environ['PATH_INFO'], resp.status, resp.sent)\n"
    )
    server = serve("-c", str(tmp_path / "conf.py"), *kind, "logged:app")
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/length", [("X-One", "1")]))
        assert connection.read_response().body == b"hello"
        connection.send(encode("GET", "/last"))
        assert connection.read_response().header("Connection") == "close"
        connection.assert_closed()
    assert fetch(server.address, "/refused").status == 500
    for line in ("before GET /length 1\n", "after /length 201 Created 5\n", "after /last 200 OK 5\n",
                 "before GET /refused None\n", "RuntimeError: refused by the hook\n"):  # fmt: skip
        until(lambda line=line: line in server.log(), line)


@pytest.mark.parametrize("kind", [("--workers", "1"), ("--threads", "4")])
def test_a_connection_that_its_application_took(
    serve: Serve, tmp_path: Path, kind: tuple[str, ...], author: list[str]
) -> None:
    path = tmp_path / "access.log"
    server = serve("--access-logfile", str(path), "--access-logformat", "%(r)s %(s)s %(b)s %({connection}i)s", *kind,
                   *author, "sockets:raw")  # fmt: skip
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/echo", [("Connection", "Upgrade")]))
        assert connection.take_until(b"\n") == b"ready\n"
        # Nothing is known of it before the application is done.
        assert path.read_text() == ""
        connection.send(b"bye\n")
        assert connection.read_to_end() == b"echo bye\n"
    # What the application said to the server, and nothing of what it sent by itself.
    assert read_when(path, 1) == ["GET /echo HTTP/1.1 200 0 Upgrade"]
    for count, (target, said) in enumerate({"/stop": "- -", "/written-first": "200 5"}.items(), 2):
        with Connection(server.address) as connection:
            connection.send(encode("GET", target))
            connection.read_to_end()
        assert read_when(path, count)[-1] == f"GET {target} HTTP/1.1 {said} -"
