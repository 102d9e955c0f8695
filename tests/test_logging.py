"""The error log of a running server: where it goes, who may change it, and what happens when it cannot be written."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.processes import children, session_members
from support.server import APPLICATIONS, MODULE, clean_environment, command, run
from support.waiting import DEADLINE, until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="the log of Monoceros")

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(\w+)\] (.*)\n")
LOST = re.compile(r"\[ERROR\] (\d+) lines were lost: (.*) could not be written \((.*)\)\n")

#: One worker that is Python's main thread, and two with threads.
KINDS = [("--workers", "1"), ("--workers", "2", "--threads", "4")]


class Process:
    """A server whose log cannot be read while it runs: it is up when its socket is."""

    def __init__(self, path: str, *arguments: str, answers: str = "/body?case=one", **options: object) -> None:
        self.path = path
        self.target = answers
        self.process = subprocess.Popen(
            command("-b", f"unix:{path}", *arguments),
            cwd=APPLICATIONS,
            env=clean_environment(TRACES=os.path.dirname(path)),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **options,
        )
        try:
            until(self._answers, "an answer")
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, "the server ended"
        try:
            return fetch(self.path, self.target).status == 200
        except OSError:
            return False

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        for pid in session_members(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait(DEADLINE)


@contextmanager
def started(path: str, *arguments: str, **options: object) -> Iterator[Process]:
    process = Process(path, *arguments, **options)
    try:
        yield process
    finally:
        process.kill()


def fail_often(path: str, count: int) -> None:
    """Makes the server log a traceback for each of many requests, and answer them all."""
    for _ in range(count):
        assert fetch(path, "/raise-before").status == 500


# Logs that cannot be written


@pytest.mark.parametrize("kind", KINDS)
def test_a_pipe_that_nobody_reads_stops_nothing(short_path: str, kind: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    try:
        with started(short_path, *kind, "probe:app", stderr=writing, stdout=subprocess.DEVNULL) as server:
            # Twice as much as the pipe and both workers hold for it.
            fail_often(short_path, 1000)
            assert fetch(short_path, "/body?case=one").body == b"hello"
            # The pipe has room again, and the next line tells what was lost.
            text = drain(reading, lambda text: len(LOST.findall(text)) > 0, lambda: fail_often(short_path, 1))
            assert server.stop() == 0
        lost = LOST.findall(text)
        assert {(name, reason) for _, name, reason in lost} == {("standard error", "it took no more")}
        tracebacks = text.count("RuntimeError: secret failed before the start")
        assert 0 < tracebacks < 1000, "not all were lost, and not all written"
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
def test_a_worker_is_ended_whether_its_last_words_can_be_written_or_not(short_path: str, kind: tuple[str, ...]) -> None:
    """Nothing can run Python in it any more, and standard error is a pipe that is full."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for size in (4096, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(writing, b"." * size)
    os.set_blocking(writing, True)
    arguments = ("--timeout", "1", "--error-logfile", f"{os.path.dirname(short_path)}/log", *kind)
    try:
        with started(short_path, *arguments, "threaded:app", answers="/who", stderr=writing) as server:
            worker = json.loads(fetch(short_path, "/who").body)["pid"]
            with Connection(short_path) as stuck:
                stuck.send(encode("GET", "/hog?seconds=150"))
                until(lambda: worker not in children(server.process.pid), "the end of the worker")
            assert json.loads(fetch(short_path, "/who").body)["pid"] != worker
            assert server.stop() == 0
    finally:
        os.close(reading)
        os.close(writing)


def drain(descriptor: int, is_enough: Callable[[str], bool], provoke: Callable[[], None]) -> str:
    """What comes out of the pipe until it is enough."""
    os.set_blocking(descriptor, False)
    received = b""

    def read() -> bool:
        nonlocal received
        provoke()
        try:
            while block := os.read(descriptor, 65536):
                received += block
        except BlockingIOError:
            pass
        return is_enough(received.decode())

    until(read, "the count of lost lines")
    return received.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_master_whose_log_is_stuck_still_does_its_work(short_path: str, kind: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    try:
        with started(short_path, *kind, "probe:app", stderr=writing, stdout=subprocess.DEVNULL) as server:
            fail_often(short_path, 200)
            everybody = int(kind[1]) + 1
            until(lambda: len(session_members(server.process.pid)) == everybody, "all workers")
            victim = next(pid for pid in session_members(server.process.pid) if pid != server.process.pid)
            os.kill(victim, signal.SIGKILL)
            until(lambda: victim not in session_members(server.process.pid), "the end of the worker")
            until(lambda: len(session_members(server.process.pid)) == everybody, "its replacement")
            assert fetch(short_path, "/body?case=one").body == b"hello"
            assert server.stop() == 0
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("place", ["stderr", "file"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_stops_nothing(short_path: str, kind: tuple[str, ...], place: str) -> None:
    with open("/dev/full", "wb") as full:
        options = ("--error-logfile", "/dev/full") if place == "file" else ()
        stderr = full if place == "stderr" else subprocess.DEVNULL
        with started(short_path, *kind, *options, "probe:app", stderr=stderr, stdout=subprocess.DEVNULL) as server:
            fail_often(short_path, 300)
            assert fetch(short_path, "/body?case=one").body == b"hello"
            assert server.stop() == 0


def test_a_closed_stderr_stops_nothing(short_path: str) -> None:
    reading, writing = os.pipe()
    with started(short_path, "probe:app", stderr=writing, stdout=subprocess.DEVNULL) as server:
        os.close(reading)
        os.close(writing)
        fail_often(short_path, 100)
        assert server.stop() == 0


def test_what_an_application_writes_to_wsgi_errors_does_not_wait(short_path: str) -> None:
    reading, writing = os.pipe()
    try:
        with started(short_path, "errors_stream:app", stderr=writing, stdout=subprocess.DEVNULL) as server:
            for _ in range(200):
                assert fetch(short_path, "/").body == b"said"
            assert server.stop() == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_a_line_and_its_end_are_one_write(short_path: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        # More than the lines of this test, so that none is lost.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        with started(short_path, "probe:app", stderr=theirs, stdout=subprocess.DEVNULL) as server:
            fail_often(short_path, 3)
            assert server.stop() == 0
        ours.setblocking(False)
        writes = []
        try:
            while True:
                writes.append(ours.recv(1 << 16).decode())
        except BlockingIOError:
            pass
    assert sum("RuntimeError: secret failed before the start\n" in write for write in writes) == 3
    for write in writes:
        assert write.endswith("\n") and LINE.match(write), f"a part of a line: {write!r}"


# Where it goes


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_opened_again_at_usr1(tmp_path: Path, kind: tuple[str, ...]) -> None:
    path, old = tmp_path / "error.log", tmp_path / "error.log.1"
    with started(f"{tmp_path}/s", *kind, "--error-logfile", str(path), "probe:app") as server:
        fail_often(server.path, 1)
        path.rename(old)
        server.process.send_signal(signal.SIGUSR1)
        # The workers are told by the master; each writes to the new file once it has been.
        workers = int(kind[1])
        until(lambda: path.exists(), "the new file")

        def all_wrote() -> bool:
            fail_often(server.path, 1)
            pids = set(re.findall(r"\[(\d+)\] \[ERROR\] Error handling request", path.read_text()))
            return len(pids) == workers

        until(all_wrote, "lines of every worker in the new file")
        before = old.read_text()
        fail_often(server.path, 20)
        assert server.stop() == 0
    assert old.read_text() == before
    assert "Shutting down: Master" in path.read_text()


def test_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    server = Process(f"{tmp_path}/s", "--error-logfile", str(path), "probe:app", stderr=subprocess.PIPE)
    try:
        fail_often(server.path, 1)
        assert server.stop() == 0
        assert server.process.stderr.read() == b""
    finally:
        server.kill()
    text = path.read_text()
    assert "RuntimeError: secret failed before the start" in text
    assert all(LINE.fullmatch(line) for line in text.splitlines(keepends=True) if line.startswith("["))


def test_wsgi_errors_goes_where_the_error_log_goes(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    with started(
        f"{tmp_path}/s", "--error-logfile", str(path), "embedding.prints:app", stderr=subprocess.PIPE
    ) as server:
        assert fetch(server.path, "/").body == b"said"
        assert server.stop() == 0
        assert b"wsgi.errors" not in server.process.stderr.read()
    assert "written to wsgi.errors\n" in path.read_text()


def test_captured_output_is_in_the_file_too(tmp_path: Path) -> None:
    path = tmp_path / "error.log"
    arguments = ("--capture-output", "--error-logfile", str(path), "embedding.prints:app")
    with started(f"{tmp_path}/s", *arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert fetch(server.path, "/").body == b"said"
        assert server.stop() == 0
        assert server.process.stderr.read() == server.process.stdout.read() == b""
    text = path.read_text()
    for said in ("printed to stdout", "printed to stderr", "written to descriptor 2", "written to wsgi.errors"):
        assert text.count(f"{said}\n") == 2, "one for the request that found the server up, one for the test's"


@pytest.mark.parametrize("form", ["dict", "json", "ini"])
def test_a_logging_configuration(tmp_path: Path, form: str) -> None:
    handler = {"class": "logging.FileHandler", "filename": str(tmp_path / "a.log"), "formatter": "mine"}
    settings = {
        "version": 1,
        "handlers": {"file": handler},
        "formatters": {"mine": {"format": "MINE %(levelname)s %(message)s"}},
        "root": {"handlers": []},
        "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["file"], "propagate": False}},
    }
    (tmp_path / "log.json").write_text(json.dumps(settings))
    (tmp_path / "log.ini").write_text(
        "[loggers]\nkeys=root,error\n[handlers]\nkeys=file\n[formatters]\nkeys=mine\n[logger_root]\nhandlers=\n"
        "[logger_error]\nqualname=gunicorn.error\nlevel=INFO\nhandlers=file\npropagate=0\n"
        "[handler_file]\nclass=FileHandler\nargs=('%(here)s/a.log',)\nformatter=mine\n"
        "[formatter_mine]\nformat=MINE %(levelname)s %(message)s\n"
    )
    (tmp_path / "conf.py").write_text(f"logconfig_dict = {settings!r}\n")
    flags = {"dict": ("-c", "conf.py"), "json": ("--log-config-json", "log.json"), "ini": ("--log-config", "log.ini")}
    flag, name = flags[form]
    with started(f"{tmp_path}/s", flag, str(tmp_path / name), "probe:app") as server:
        assert server.stop() == 0
    text = (tmp_path / "a.log").read_text()
    assert "MINE INFO Booting worker" in text and "MINE INFO Shutting down" in text


FORMATTERS = {
    "field": ({"format": "%(user)s %(message)s"}, "logging.Formatter with '%\\(user\\)s %\\(message\\)s': .*'user'"),
    "class": ({"()": "embedding.loggers.Personal"}, "embedding.loggers.Personal with .*: AttributeError: .*loggers.py"),
}


@pytest.mark.parametrize("name", FORMATTERS)
def test_a_formatter_that_fails_is_named_once(tmp_path: Path, name: str) -> None:
    """Not with a traceback for each line. Lines and requests go on."""
    formatter, words = FORMATTERS[name]
    (tmp_path / "conf.py").write_text(f"logconfig_dict = {{'formatters': {{'generic': {formatter!r}}}}}\n")
    with (
        open(tmp_path / "out", "wb") as out,
        open(tmp_path / "err", "wb") as err,
        started(f"{tmp_path}/s", "-c", f"{tmp_path}/conf.py", "probe:app", stdout=out, stderr=err) as server,
    ):
        fail_often(server.path, 3)
        assert server.stop() == 0
    text = (tmp_path / "err").read_text()
    assert len(re.findall(f"(?m)^A log's formatter fails, and lines are written without it: {words}", text)) == 1, text
    assert text.count("A log's formatter fails") == 1 and "Logging error" not in text
    # The tracebacks are the application's.
    assert text.count("[ERROR] Error handling request") == 3 == text.count("Traceback")
    assert '"GET /raise-before HTTP/1.1" 500' in (tmp_path / "out").read_text()


def test_syslog(tmp_path: Path, serve: Serve) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(f"{tmp_path}/log")
        syslog.settimeout(DEADLINE)
        server = serve(
            "--log-syslog", "--log-syslog-to", f"unix://{tmp_path}/log#dgram", "-n", "shop:main", "probe:app"
        )
        first = syslog.recv(2000).decode()
        assert re.fullmatch(rf"<14>gunicorn\.shop\.main\.error: \[{server.pid}\] Starting monoceros .*\0", first)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("Marked", r"(?m)^MARKED INFO Booting worker with pid: \d+$"),
        ("Json", r'(?m)^\{"level": "INFO", "text": "Booting worker with pid: \d+"\}$'),
        ("Replaced", r"\[CRITICAL\] adapted info: Booting worker with pid: \d+\n"),
    ],
)
def test_a_logger_class_of_the_users(tmp_path: Path, name: str, pattern: str) -> None:
    path = tmp_path / "error.log"
    arguments = ("--logger-class", f"embedding.loggers.{name}", "--error-logfile", str(path), "probe:app")
    with started(f"{tmp_path}/s", *arguments) as server:
        fail_often(server.path, 1)
        assert server.stop() == 0
    assert re.search(pattern, path.read_text())
    assert "Error handling request" in path.read_text()


def test_a_logger_class_that_leaves_messages_out(serve: Serve) -> None:
    server = serve("--logger-class", "embedding.loggers.Quiet", "probe:app")
    assert fetch(server.address, "/body?case=one").status == 200
    assert "Using worker" in server.log() and "Booting" not in server.log()


@pytest.mark.parametrize("name", ["gunicorn.glogging.Logger", "monoceros.glogging.Logger"])
def test_the_loggers_own_name(serve: Serve, name: str) -> None:
    server = serve("--logger-class", name, "probe:app")
    assert fetch(server.address, "/body?case=one").status == 200


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--error-logfile", "/none/error.log"),
            "Error: Invalid value for errorlog (--error-logfile/--log-file): '/none/error.log': it isn't writable: No",
        ),
        (
            ("--log-syslog", "--log-syslog-facility", "x"),
            "Error: Invalid value for syslog_facility (--log-syslog-facility): 'x': choose from kern, user",
        ),
        (
            ("--log-syslog", "--log-syslog-to", "here"),
            "Error: Invalid value for syslog_addr (--log-syslog-to): 'here': it must be unix://PATH",
        ),
        (
            ("--log-config", "/none.ini"),
            "Error: Invalid value for logconfig (--log-config): '/none.ini': there is no such file",
        ),
        (
            ("--log-config-json", "/none.json"),
            "Error: Invalid value for logconfig_json (--log-config-json): '/none.json': the file cannot be read",
        ),
        (
            ("--logger-class", "no.such.Logger"),
            "Error: Invalid value for logger_class (--logger-class): class uri 'no.such.Logger' invalid or not found:",
        ),
        (
            ("--logger-class", "plain.app"),
            "Error: Invalid value for logger_class (--logger-class): 'plain.app': it is no class",
        ),
        (
            ("--log-config", "/etc/passwd"),
            "Error: Invalid value for logconfig (--log-config): '/etc/passwd': ",
        ),
    ],
)
def test_what_cannot_be_followed_is_one_line_at_the_start(arguments: tuple[str, ...], line: str) -> None:
    result = run(*arguments, "-b", "127.0.0.1:0", "probe:app")
    assert result.returncode == 1
    assert result.stderr.startswith(line) and result.stderr.count("\n") == 1, result.stderr


def test_what_waits_at_the_end_is_written_when_the_log_takes_it(short_path: str) -> None:
    reading, writing = os.pipe()
    try:
        with started(short_path, "probe:app", stderr=writing, stdout=subprocess.DEVNULL) as server:
            fail_often(short_path, 200)
            server.process.send_signal(signal.SIGTERM)
            text = b""
            end = time.monotonic() + DEADLINE
            os.set_blocking(reading, False)
            while server.process.poll() is None and time.monotonic() < end:
                try:
                    text += os.read(reading, 65536)
                except BlockingIOError:
                    time.sleep(0.001)
            with suppress(BlockingIOError):
                text += os.read(reading, 1 << 20)
        assert b"Shutting down: Master\n" in text
    finally:
        os.close(reading)
        os.close(writing)
