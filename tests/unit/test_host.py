"""What the Swift core calls: the log, the application, `wsgi.errors`, a worker's signal handlers."""

import contextlib
import errno
import functools
import io
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from types import SimpleNamespace

import pytest

from monoceros.application import load_application
from monoceros.glogging import Logger
from monoceros.host import Host
from monoceros.wsgi import ErrorsStream

LINE = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(\w+)\] (.*)\n")


class Application:
    """What `Host` asks of what it serves."""

    def __init__(self, app_uri):
        self.app_uri = app_uri
        self.cfg = SimpleNamespace(proc_name="shop")
        # No function of this file: it would stand in the tracebacks.
        self.wsgi = functools.partial(load_application, app_uri)


def settings(level):
    return SimpleNamespace(
        loglevel=level,
        errorlog="-",
        accesslog=None,
        access_log_format="%(m)s %(U)s %(s)s %(B)s %(D)s %({x}i)s %({y}o)s",
        capture_output=False,
        syslog=False,
        logconfig=None,
        logconfig_dict={},
        logconfig_json=None,
    )


def make_host(spec="module:app", level="info"):
    host = Host(Application(spec), Logger(settings(level)))
    # As the master does before it forks: of workers that fail together, one says why.
    host.first_word.renew()
    return host


@pytest.fixture(autouse=True)
def put_back():
    """The logger is the process's: other tests find it as it was."""
    log = logging.getLogger("gunicorn.error")
    before = log.handlers[:], log.level, log.propagate
    yield
    log.handlers[:], log.level, log.propagate = before
    log.manager._clear_cache()


@contextlib.contextmanager
def captured():
    """Everything on stderr, in a buffer; the log is put back afterwards."""
    log = logging.getLogger("gunicorn.error")
    handlers, level, propagate = log.handlers[:], log.level, log.propagate
    try:
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            yield stderr
    finally:
        log.handlers[:] = handlers
        log.setLevel(level)
        log.propagate = propagate


def test_log_lines_have_gunicorns_format():
    with captured() as stderr:
        make_host().log(logging.INFO, "Booting worker with pid: 5, 100% done")
        match = LINE.fullmatch(stderr.getvalue())
        assert match is not None
        assert match.groups() == ("INFO", "Booting worker with pid: 5, 100% done")


def test_the_level_keeps_lesser_messages_out():
    with captured() as stderr:
        host = make_host(level="WARNING")
        host.log(logging.INFO, "not this")
        host.log(logging.WARNING, "but this")
        text = stderr.getvalue()
        assert "not this" not in text
        assert "but this" in text
        assert not host.log_enabled(logging.INFO)
        assert host.log_enabled(logging.ERROR)


def test_lost_access_lines_are_said():
    with captured() as stderr:
        host = make_host()
        host.report_lost_access_lines(1, errno.ENOSPC)
        host.report_lost_access_lines(12, 0)
        texts = [LINE.fullmatch(line).groups() for line in stderr.getvalue().splitlines(keepends=True)]
    assert texts == [
        ("ERROR", "1 line was lost: the access log could not be written (No space left on device)"),
        ("ERROR", "12 lines were lost: the access log could not be written (it took no more)"),
    ]


def test_an_exception_is_logged_with_its_traceback():
    with captured() as stderr:
        try:
            raise KeyError("missing")
        except KeyError as error:
            make_host().log_exception("Error handling request /", type(error), error, error.__traceback__)
        first, *rest = stderr.getvalue().splitlines(keepends=True)
        assert LINE.fullmatch(first).groups() == ("ERROR", "Error handling request /")
        assert rest[0] == "Traceback (most recent call last):\n"
        assert rest[-1] == "KeyError: 'missing'\n"


@pytest.mark.parametrize(
    ("text", "spec", "status", "line"),
    [
        ("", "host_target:app", 4, "Failed to find attribute 'app' in 'host_target'."),
        ("", "host_target:a.b", 4, "Failed to parse 'a.b' as an attribute name or function call."),
        ("", "host_missing:app", 3, "Failed to import 'host_missing': No module named 'host_missing'."),
    ],
)
def test_a_wrong_spec_is_one_line_and_no_traceback(tmp_path, monkeypatch, text, spec, status, line):
    with captured() as stderr:
        (tmp_path / "host_target.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "host_target", raising=False)
        with pytest.raises(SystemExit) as caught:
            make_host(spec).load_application()
        assert caught.value.code == status
        text = stderr.getvalue()
        assert text.startswith(line)
        assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("def f():\n    raise KeyError('x')\nf()\n", "KeyError: 'x'"),
        ("import sys\nsys.exit(7)\n", "SystemExit: 7"),
        ("import host_no_dependency\n", "ModuleNotFoundError: No module named 'host_no_dependency'"),
        ("def f(:\n", "SyntaxError: "),
    ],
)
def test_a_module_that_raises_shows_the_users_frames_and_then_one_line(tmp_path, monkeypatch, text, last):
    with captured() as stderr:
        (tmp_path / "host_raises.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "host_raises", raising=False)
        with pytest.raises(SystemExit) as caught:
            make_host("host_raises:app").load_application()
        assert caught.value.code == 3
        text = stderr.getvalue()
        assert LINE.match(text).groups() == ("ERROR", "Exception in worker process")
        assert "Traceback (most recent call last):" in text or "SyntaxError" in last
        assert "host_raises.py" in text
        assert "importlib" not in text
        assert "monoceros/application.py" not in text
        assert text.splitlines()[-1].startswith(f"Failed to load 'host_raises:app': {last}")


def test_errors_stream_writes_text_through_at_once(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=False)
    monkeypatch.setattr(sys, "stderr", stream)
    errors = ErrorsStream()
    assert errors.write("größer\n") == 7
    assert stream.buffer.getvalue() == "größer\n".encode()
    errors.writelines(["a", "b"])
    print("printed", file=errors)
    errors.flush()
    assert stream.buffer.getvalue() == "größer\nabprinted\n".encode()


def test_errors_stream_takes_text_only(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(TypeError, match="takes str, not bytes"):
        ErrorsStream().write(b"bytes")
    assert sys.stderr.getvalue() == ""


def test_errors_stream_never_fails_over_a_character(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    ErrorsStream().write("caf\xe9 \ud800")
    assert stream.buffer.getvalue() == b"caf\\xe9 \\ud800"


def test_errors_stream_survives_its_closing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    errors = ErrorsStream()
    with errors:
        errors.write("first")
    errors.close()
    errors.write(" second")
    assert sys.stderr.getvalue() == "first second"


def test_errors_stream_keeps_writes_of_threads_whole(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    errors = ErrorsStream()

    def work(letter):
        for _ in range(200):
            errors.writelines([letter * 10, letter * 10, "\n"])

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = sys.stderr.getvalue().splitlines()
    assert len(lines) == 800
    assert all(len(line) == 20 and len(set(line)) == 1 for line in lines)


def test_software_names_the_version():
    host = make_host()
    assert host.server_software == f"monoceros/{host.version}"


SIGNALS = """
    import os, signal, sys, time
    from types import SimpleNamespace
    from monoceros.host import Host
    said = []
    app = SimpleNamespace(cfg=SimpleNamespace(proc_name="shop"))
    logger = SimpleNamespace(
        reopen_files=lambda: said.append("reopen"), critical=lambda *words: said.append("threads")
    )
    server = SimpleNamespace(cfg=SimpleNamespace(worker_int=lambda worker: None, worker_abort=lambda worker: None))
    class Control:
        def __getattr__(self, name):
            return lambda: said.append(name)
    Host(app, logger, server).install_worker_signals(Control())
    try:
        os.kill(os.getpid(), signal.{name})
        for _ in range(1000):
            time.sleep(0.001)
            if said:
                break
    finally:
        print(said, flush=True)
    sys.exit(9)
"""


@pytest.mark.parametrize(
    ("name", "said", "status"),
    [
        ("SIGTERM", "['terminate']", 9),
        ("SIGINT", "['quit']", 0),
        ("SIGQUIT", "['quit']", 0),
        ("SIGABRT", "['abort', 'threads']", 1),
        ("SIGUSR1", "['reopen']", 9),
        ("SIGWINCH", "[]", 9),
        ("SIGCHLD", "[]", 9),
        ("SIGHUP", "", -signal.SIGHUP),
        ("SIGUSR2", "", -signal.SIGUSR2),
    ],
)
def test_signals_of_a_worker(name, said, status):
    script = textwrap.dedent(SIGNALS).replace("{name}", name)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == (said, status)
    assert done.stderr == ""


# Threads


def test_a_thread_is_pythons_own_and_no_daemon():
    said = []
    make_host().start_thread("runner-9", lambda: said.append(threading.current_thread()))
    for thread in threading.enumerate():
        if thread.name == "runner-9":
            thread.join(30)
    assert [(thread.name, thread.daemon) for thread in said] == [("runner-9", False)]


def test_an_overdue_request_is_told_with_its_stack():
    entered, release = threading.Event(), threading.Event()

    def application():
        entered.set()
        release.wait(30)

    with captured() as stderr:
        host = make_host()
        runner = threading.Thread(target=application)
        runner.start()
        entered.wait(30)
        host.log_overdue("GET /slow", 31, runner.ident)
        release.set()
        runner.join()
        first = stderr.getvalue()
        host.log_overdue("GET /gone", 31, -1)
        second = stderr.getvalue().removeprefix(first)
    told = f"[CRITICAL] WORKER TIMEOUT (pid:{os.getpid()}): GET /slow has been running for 31 s. It is here:\n"
    assert told in first
    assert "in application\n    release.wait(30)" in first
    assert second.endswith("(its thread runs no Python)\n")


LEAVING = """
    import atexit
    from types import SimpleNamespace
    from monoceros.glogging import Logger
    from monoceros.host import Host
    atexit.register(print, "atexit")
    print("before", end=" ")
    app = SimpleNamespace(cfg=SimpleNamespace(proc_name="shop"))
    Host(app, Logger(SimpleNamespace(**{settings}))).leave_threads_behind(2, {error})
"""


@pytest.mark.parametrize(
    ("error", "status"),
    [("None", 0), ("SystemExit(3)", 3), ("SystemExit()", 0), ("SystemExit('x')", 1), ("OSError()", 255)],
)
def test_leaving_threads_behind(error, status):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LEAVING.format(error=error, settings=vars(settings("info"))))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (status, "before atexit\n")
