"""Worker classes of the user's, and the names of those that there are not."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import MODULE, run
from support.waiting import until

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="worker classes of Monoceros")

CLASSES = """
import signal
from monoceros.workers.gthread import ThreadWorker
from monoceros.workers.sync import SyncWorker

class Mine(SyncWorker):
    def init_process(self):
        self.log.info("before %s", self.wsgi)
        super().init_process()
        self.log.info("after %s", callable(self.wsgi))
    def init_signals(self):
        super().init_signals()
        signal.signal(signal.SIGUSR2, lambda number, frame: self.log.info("another signal"))
    def handle_usr1(self, sig, frame):
        self.log.info("the logs are opened again")
        super().handle_usr1(sig, frame)
    def handle_exit(self, sig, frame):
        self.log.info("no more requests")
        super().handle_exit(sig, frame)
    def handle_quit(self, sig, frame):
        self.log.info("no more time")
        super().handle_quit(sig, frame)

class Threads(ThreadWorker):
    def load_wsgi(self):
        def app(environ, start_response):
            start_response("200 OK", [("X-Multithread", str(environ["wsgi.multithread"]))])
            return [b"mine"]
        self.wsgi = app

class Fails(SyncWorker):
    def init_process(self):
        raise RuntimeError("there is no database")

class Runs(SyncWorker):
    def run(self):
        pass

class Beats(SyncWorker):
    def notify(self):
        pass

class Nobodys:
    pass
"""


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    (tmp_path / "my_workers.py").write_text(CLASSES)
    return tmp_path


@pytest.mark.parametrize("end, said", [(signal.SIGTERM, "no more requests"), (signal.SIGINT, "no more time")])
@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_a_subclass_has_its_say(
    serve: Serve, classes: Path, end: signal.Signals, said: str, preload: tuple[str, ...]
) -> None:
    server = serve("--pythonpath", str(classes), "-k", "my_workers.Mine", *preload, "logged:app")
    assert fetch(server.address, "/").status == 200
    assert "before None" in server.log() and "after True" in server.log()
    os.kill(server.boots()[-1], signal.SIGUSR2)
    until(lambda: "another signal" in server.log(), "the handler of a signal that it added")
    os.kill(server.boots()[-1], signal.SIGUSR1)
    until(lambda: "the logs are opened again" in server.log(), "its handler of USR1")
    server.signal(end)
    assert server.wait() == 0
    assert said in server.log()


def test_a_subclass_may_load_the_application(serve: Serve, classes: Path) -> None:
    server = serve("--pythonpath", str(classes), "-k", "my_workers.Threads", "logged:app")
    answer = fetch(server.address, "/")
    assert (answer.body, answer.header("X-Multithread")) == (b"mine", "True")
    assert "Using worker: gthread" in server.log()


def test_one_that_fails_at_the_start(classes: Path) -> None:
    result = run("-b", "127.0.0.1:0", "--pythonpath", str(classes), "-k", "my_workers.Fails", "logged:app")
    assert result.returncode == 3
    assert result.stderr.splitlines().count("RuntimeError: there is no database") == 1


@pytest.mark.parametrize(
    "name, status, said",
    [
        ("gevent", 1, "there are no workers of event loops; gthread with --threads serves many requests at a time"),
        ("gunicorn.workers.ggevent.GeventWorker", 1, "there are no workers of event loops"),
        ("eventlet", 1, "there are no workers of event loops"),
        ("tornado", 1, "there are no workers of event loops"),
        ("aiohttp.GunicornWebWorker", 1, "there are no workers of event loops"),
        ("uvicorn.workers.UvicornWorker", 1, "ASGI is not there yet; choose from sync, gthread"),
        ("uvicorn_worker.UvicornH11Worker", 1, "ASGI is not there yet; choose from sync, gthread"),
        ("asgi", 1, "ASGI is not there yet; choose from sync, gthread"),
        ("synk", 1, "there is no such worker class; choose from sync, gthread, or name one of yours"),
        ("no_such_module.Worker", 1, "No module named 'no_such_module'"),
        ("my_workers.NoSuch", 1, "module 'my_workers' has no attribute 'NoSuch'"),
        ("my_workers.Nobodys", 1, "it is not one of Monoceros. Choose from sync, gthread."),
        ("my_workers.Runs", 1, "it serves by itself (run())"),
        ("my_workers.Beats", 1, "it serves by itself (notify())"),
    ],
)
def test_what_there_is_not_is_one_line(classes: Path, name: str, status: int, said: str) -> None:
    result = run("-b", "127.0.0.1:0", "--pythonpath", str(classes), "-k", name, "logged:app")
    lines = result.stderr.splitlines()
    assert (result.returncode, len(lines)) == (status, 1), result.stderr
    assert said in lines[0] and name in lines[0]
