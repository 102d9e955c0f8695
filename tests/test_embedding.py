"""Programs that start a server by themselves: the recipes of gunicorn's documentation with the word replaced."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import APPLICATIONS, Server, clean_environment
from support.waiting import DEADLINE

pytestmark = pytest.mark.skipif("MONOCEROS_TEST_SERVER" in __import__("os").environ, reason="imports Monoceros itself")


def run(*program: str, cwd: Path = APPLICATIONS, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program],
        cwd=cwd,
        env=clean_environment(PYTHONPATH=str(APPLICATIONS), **changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def script(directory: Path, text: str) -> str:
    path = directory / "program.py"
    path.write_text(textwrap.dedent(text))
    return str(path)


def body(server: Server, path: str = "/") -> bytes:
    return fetch(server.address, path).body


def test_a_custom_application(serve: Serve) -> None:
    server = serve(program=("-m", "embedding.standalone", "proc_name=mine"))
    server.expected_boots = 2
    assert body(server) == b"Works fine"
    assert len(server.wait_for_log(r"Booting worker with pid: (\d+)", 2)) == 2


def test_a_custom_application_under_gunicorns_name(serve: Serve, tmp_path: Path) -> None:
    text = (APPLICATIONS / "embedding" / "standalone.py").read_text()
    program = script(tmp_path, "import monoceros.gunicorn_compat\n" + text.replace("monoceros.app", "gunicorn.app"))
    server = serve(program=(program,))
    server.expected_boots = 2
    assert body(server) == b"Works fine"


def test_the_recipe_for_hooks(serve: Serve, tmp_path: Path) -> None:
    text = (APPLICATIONS / "embedding" / "standalone.py").read_text()
    hooks = """
        def pre_fork(server, worker):
            print(f"pre-fork server {server.pid} worker {worker.pid}", file=sys.stderr, flush=True)

        def when_ready(server):
            server.log.info("ready with %s at %s", server.num_workers, server.address)

        def post_fork(server, worker):
            server.log.info("forked %s of %s", worker.pid, server.cfg.proc_name)

        def child_exit(server, worker):
            server.log.info("gone: %s", worker.pid)
    """
    text = text.replace("if __name__", f"{textwrap.dedent(hooks)}\nif __name__")
    names = ("pre_fork", "when_ready", "post_fork", "child_exit")
    given = "".join(f'    options["{name}"] = {name}\n' for name in names)
    text = text.replace("    StandaloneApplication(handler", f"{given}    StandaloneApplication(handler")
    (tmp_path / "program.py").write_text(text)
    server = serve(program=(str(tmp_path / "program.py"), "proc_name=mine"))
    server.expected_boots = 2
    assert body(server) == b"Works fine"
    boots = {match[1] for match in server.wait_for_log(r"Booting worker with pid: (\d+)", 2)}
    server.wait_for_log(rf"pre-fork server {server.pid} worker \[booting\]\n", 2)
    server.wait_for_log(r"\[INFO\] ready with 2 at \[\('127\.0\.0\.1', 0\)\]\n")
    assert {match[1] for match in server.wait_for_log(r"\[INFO\] forked (\d+) of mine\n", 2)} == boots
    server.stop()
    assert {match[1] for match in server.wait_for_log(r"\[INFO\] gone: (\d+)\n", 2)} == boots


def test_an_application_by_name_with_settings_of_its_own(serve: Serve) -> None:
    server = serve(program=("-m", "embedding.by_name", "plain:app"))
    assert body(server) == b"hello"
    server.wait_for_log("Using worker: gthread")


def test_the_module_of_the_command(serve: Serve) -> None:
    server = serve(program=("-m", "monoceros.app.wsgiapp", "plain:app", "--bind=127.0.0.1:0", "--workers=2"))
    server.expected_boots = 2
    assert body(server) == b"hello"


def test_a_server_with_its_own_arguments_and_its_own_file(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "hello.conf.py").write_text("proc_name = 'named'\n")
    program = ("-m", "embedding.from_file", "--keep-alive", "5", "plain:app", "hello")
    server = serve(program=program, cwd=tmp_path, environment={"PYTHONPATH": str(APPLICATIONS)})
    server.expected_boots = 3
    assert body(server) == b"hello named 3"


def test_the_application_is_loaded_in_each_worker_and_once(serve: Serve, tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        import os
        from monoceros.app.base import BaseApplication

        class Own(BaseApplication):
            def load_config(self):
                self.cfg.set("bind", "127.0.0.1:0")

            def load(self):
                print("loading in", os.getpid(), "with", type(self.logger).__name__, flush=True)
                def app(environ, start_response):
                    start_response("200 OK", [])
                    return [str(self.wsgi() is app).encode()]
                return app

        Own().run()
        """,
    )
    server = serve(program=(program,))
    assert body(server) == b"True" and body(server) == b"True"
    output = (server.directory / "stdout.log").read_text()
    assert output == f"loading in {server.worker()} with Logger\n"


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("workers=many", "Error: Invalid value for workers (set in Python): 'many'"),
        ("worker_class=gevent", "Error: Invalid value for worker_class (set in Python): 'gevent'"),
        ("loglevel", None),
        ("syslog_facility=weather", "Error: Invalid value for syslog_facility (set in Python): 'weather'"),
        (
            "errorlog=/none/error.log",
            "Error: Invalid value for errorlog (set in Python): '/none/error.log': it isn't writable",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(option: str, line: str | None) -> None:
    if line is None:
        result = run("-c", "from monoceros.config import Config; Config().set('no_such_setting', 1)")
        assert "AttributeError: No configuration setting for: no_such_setting" in result.stderr
        return
    result = run("-m", "embedding.standalone", option, "syslog=true" if "facility" in option else "workers=1", option)
    assert result.returncode == 1
    assert result.stderr.startswith(line) and result.stderr.count("\n") == 1


def test_an_application_that_cannot_be_loaded_stops_the_server() -> None:
    result = run("-m", "embedding.by_name", "plain:none")
    assert result.returncode == 4
    assert "Failed to find attribute 'none' in 'plain'." in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "from monoceros.workers.sync import SyncWorker\nclass Own(SyncWorker):\n    def run(self):\n        pass\n",
            "it serves by itself (run()), and Monoceros serves in its core",
        ),
        (
            "from monoceros.workers.base import Worker\nclass Own(Worker):\n    pass\n",
            "derive it from SyncWorker or ThreadWorker",
        ),
        ("class Own:\n    pass\n", "it is not one of Monoceros"),
    ],
)
def test_a_worker_class_that_serves_by_itself_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "own_worker.py").write_text(text)
    program = "from monoceros.workers.base import kind_of; import own_worker; kind_of(own_worker.Own)"
    result = run("-c", program, cwd=tmp_path)
    assert "RuntimeError: The worker class own_worker.Own cannot be used: " in result.stderr
    assert said in result.stderr


def test_a_worker_class_that_only_adds_is_its_parents_kind(tmp_path: Path) -> None:
    program = """
        from monoceros.workers.base import kind_of
        from monoceros.workers.gthread import ThreadWorker
        class Own(ThreadWorker):
            extra = 5
        print(kind_of(Own))
    """
    result = run("-c", textwrap.dedent(program))
    assert (result.stdout, result.stderr) == ("gthread\n", "")


NAMES = [
    "app.base:Application",
    "app.base:BaseApplication",
    "app.pasterapp:serve",
    "app.wsgiapp:WSGIApplication",
    "app.wsgiapp:run",
    "arbiter:Arbiter",
    "config:Config",
    "config:get_default_config_file",
    "errors:AppImportError",
    "errors:ConfigError",
    "errors:HaltServer",
    "glogging:CONFIG_DEFAULTS",
    "glogging:Logger",
    "glogging:SafeAtoms",
    "http.errors:InvalidHeader",
    "http.errors:NoMoreData",
    "http.message:Request",
    "http.wsgi:Response",
    "instrument.statsd:Statsd",
    "util:http_date",
    "util:import_app",
    "util:is_ipv6",
    "util:SUPPORTED_WORKERS",
    "util:parse_address",
    "workers.base:Worker",
    "workers.gthread:ThreadWorker",
    "workers.sync:SyncWorker",
]


def test_gunicorns_names_are_the_same_objects() -> None:
    program = """
        import importlib, json, sys
        import monoceros.gunicorn_compat
        wrong = []
        for name in json.loads(sys.argv[1]):
            module, attribute = name.split(":")
            ours = importlib.import_module(f"monoceros.{module}")
            theirs = importlib.import_module(f"gunicorn.{module}")
            if getattr(theirs, attribute) is not getattr(ours, attribute) or theirs.__name__ != f"gunicorn.{module}":
                wrong.append(name)
        import gunicorn, monoceros.util
        gunicorn.util.added = 5
        assert monoceros.util.added == gunicorn.util.added == 5
        del gunicorn.util.added
        assert not hasattr(monoceros.util, "added") and "getcwd" in dir(gunicorn.util)
        assert monoceros.app.base.__name__ == "monoceros.app.base", "an alias took the place of its module"
        exec("from gunicorn.util import *")
        assert getcwd is monoceros.util.getcwd
        print(wrong, gunicorn.__version__, gunicorn.version_info >= (20, 1), gunicorn.SERVER_SOFTWARE)
    """
    result = run("-c", textwrap.dedent(program), json.dumps(NAMES))
    assert result.stderr == ""
    assert result.stdout.startswith("[] 27.0.1 True monoceros/")


def test_gunicorns_names_lead_nowhere_until_asked_for() -> None:
    result = run("-c", "import monoceros.app.wsgiapp, sys; print('gunicorn' in sys.modules); import gunicorn")
    assert result.stdout == "False\n"
    assert "ModuleNotFoundError: No module named 'gunicorn'" in result.stderr


@pytest.mark.parametrize("place", ["command line", "environment", "file"])
def test_the_setting_lends_the_name_too(serve: Serve, tmp_path: Path, place: str) -> None:
    (tmp_path / "conf.py").write_text(
        {"file": "gunicorn_compat = True\n"}.get(
            place, "import gunicorn.glogging\nlogger_class = gunicorn.glogging.Logger\n"
        )
    )
    (tmp_path / "served.py").write_text(
        "from gunicorn import util\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [util.__name__.encode()]\n"
    )
    flags = ("--gunicorn-compat",) if place == "command line" else ()
    environment = {"MONOCEROS_CMD_ARGS": "--gunicorn-compat"} if place == "environment" else {}
    server = serve(
        *flags, "-c", str(tmp_path / "conf.py"), "--chdir", str(tmp_path), "served:app", environment=environment
    )
    assert body(server) == b"gunicorn.util"


def test_the_setting_says_when_gunicorn_itself_is_there(tmp_path: Path) -> None:
    (tmp_path / "gunicorn").mkdir()
    (tmp_path / "gunicorn" / "__init__.py").write_text("")
    (tmp_path / "served.py").write_text("import gunicorn\ndef app(environ, start_response):\n    pass\n")
    result = run("-m", "monoceros", "--gunicorn-compat", "--check-config", "served:app", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stderr == "Warning: gunicorn_compat has no effect: gunicorn itself is installed.\n"


def test_what_has_no_counterpart_does_not_exist() -> None:
    program = "import monoceros.gunicorn_compat, gunicorn.workers.ggevent"
    result = run("-c", program)
    assert "No module named 'gunicorn.workers.ggevent': Monoceros has no counterpart of it" in result.stderr


def test_an_installed_gunicorn_keeps_its_names(tmp_path: Path) -> None:
    (tmp_path / "gunicorn").mkdir()
    (tmp_path / "gunicorn" / "__init__.py").write_text("")
    (tmp_path / "gunicorn" / "glogging.py").write_text("theirs = True")
    program = "import monoceros.gunicorn_compat as c, gunicorn.glogging; print(c.is_serving, gunicorn.glogging.theirs)"
    result = run("-c", program, cwd=tmp_path)
    assert (result.stdout, result.stderr) == ("False True\n", "")
