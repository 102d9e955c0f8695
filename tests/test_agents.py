"""Packages from PyPI that know gunicorn, each beside a real server: what they watch is seen as under gunicorn."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.client import fetch
from support.processes import session_members
from support.server import REPOSITORY, clean_environment
from support.waiting import DEADLINE, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("MONOCEROS_TEST_SERVER" in __import__("os").environ, reason="imports Monoceros itself"),
]

PACKAGES = [
    "ddtrace==4.16.0",
    "flask==3.1.3",
    "newrelic==14.1.0",
    "opentelemetry-distro==0.66b1",
    "opentelemetry-instrumentation-flask==0.66b1",
    "prometheus_client==0.26.0",
    "scout_apm==4.0.0",
    "sentry-sdk==2.75.0",
]

HELLO = """
    from flask import Flask
    app = Flask(__name__)

    @app.route("/")
    def index():
        return "hello"

    @app.route("/boom")
    def boom():
        raise RuntimeError("boom")
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the packages, and Monoceros from this repository."""
    directory = tmp_path_factory.mktemp("agents") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True, timeout=DEADLINE * 4)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *PACKAGES], capture_output=True, text=True, timeout=900)
    if done.returncode != 0:
        pytest.skip(f"the packages cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    site = next((directory / "lib").glob("python*/site-packages"))
    (site / "monoceros.pth").write_text(f"{REPOSITORY / 'python'}\n")
    return directory / "bin"


class Agent:
    """A server that an agent watches, and all that both say."""

    def __init__(self, scripts: Path, directory: Path, files: dict[str, str], *arguments: str, **environment: str):
        for name, text in files.items():
            (directory / name).write_text(textwrap.dedent(text))
        self.output = directory / "output"
        self.socket = f"{directory}/s"
        wrapper = [str(scripts / arguments[0]), *arguments[1:]] if arguments and arguments[0] != "python" else []
        program = [
            str(scripts / "python"),
            "-m",
            "monoceros",
            "-b",
            f"unix:{self.socket}",
            "-c",
            "conf.py",
            "served:app",
        ]
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [*wrapper, *program],
                cwd=directory,
                env=clean_environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: Path(self.socket).exists() or self.process.poll() is not None, "the socket")

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def fetch(self, path: str = "/"):
        return fetch(self.socket, path)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(DEADLINE)
        until(lambda: not session_members(self.process.pid), "the end of every process")
        return code


@pytest.fixture
def watched(scripts: Path, short_path: str):
    started: list[Agent] = []

    def start(files: dict[str, str], *arguments: str, **environment: str) -> Agent:
        agent = Agent(scripts, Path(short_path).parent, {"conf.py": ""} | files, *arguments, **environment)
        started.append(agent)
        return agent

    yield start
    for agent in started:
        if agent.process.poll() is None:
            assert agent.stop() == 0, agent.text()


def test_sentry_reports_an_error_of_the_application(watched) -> None:
    served = """
        import sentry_sdk

        class Printing(sentry_sdk.transport.Transport):
            def capture_envelope(self, envelope):
                for item in envelope.items:
                    print("sent", item.type, item.payload.json.get("transaction"), flush=True)

        sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", traces_sample_rate=1.0, transport=Printing)
        from hello import app
    """
    agent = watched({"hello.py": HELLO, "served.py": served})
    assert agent.fetch("/boom").status == 500
    until(lambda: "sent event boom\n" in agent.text() and "sent transaction boom\n" in agent.text(), "the reports")


def test_newrelic_sees_a_raw_application_with_gunicorns_names(watched) -> None:
    served = """
        import newrelic.agent

        def app(environ, start_response):
            found = newrelic.agent.current_transaction()
            start_response("200 OK", [])
            return [type(found).__name__.encode()]
    """
    ini = "[newrelic]\nlicense_key = " + "0" * 40 + "\napp_name = test\ndeveloper_mode = true\n"
    files = {"served.py": served, "conf.py": "gunicorn_compat = True\n", "newrelic.ini": ini}
    agent = watched(files, "newrelic-admin", "run-program", NEW_RELIC_CONFIG_FILE="newrelic.ini")
    # The first requests may come before the agent is ready.
    until(lambda: agent.fetch().body == b"WSGIWebTransaction", "a transaction around the request")


def test_prometheus_adds_up_what_several_workers_count(watched) -> None:
    conf = """
        import os
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = os.getcwd()
        workers = 2
    """
    served = """
        from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, multiprocess

        requests = Counter("requests", "all")
        Gauge("workers", "alive", multiprocess_mode="livesum").set(1)

        def app(environ, start_response):
            requests.inc()
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
            start_response("200 OK", [])
            return [generate_latest(registry)]
    """
    agent = watched({"served.py": served, "conf.py": conf})
    until(lambda: b"workers 2.0\n" in agent.fetch().body, "both workers' metrics")
    before = float(agent.fetch().body.split(b"requests_total ")[-1].split()[0])
    assert f"requests_total {before + 1}".encode() in agent.fetch().body


def test_scout_wraps_an_application(watched) -> None:
    served = """
        from scout_apm.flask import ScoutApm
        from hello import app
        app.config.update(SCOUT_MONITOR=True, SCOUT_KEY="key", SCOUT_NAME="test")
        app.config.update(SCOUT_CORE_AGENT_LAUNCH=False, SCOUT_CORE_AGENT_DOWNLOAD=False)
        ScoutApm(app)
    """
    agent = watched({"hello.py": HELLO, "served.py": served})
    assert agent.fetch().body == b"hello"


@pytest.mark.parametrize("conf", ["", "import monoceros.gunicorn_compat\n"])
def test_ddtrace_traces_a_request(watched, conf: str) -> None:
    served = """
        import ddtrace
        from hello import app

        @app.route("/traced")
        def traced():
            return ddtrace.tracer.current_span().name
    """
    agent = watched(
        {"hello.py": HELLO, "served.py": served, "conf.py": conf},
        "ddtrace-run",
        DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
        DD_TRACE_STARTUP_LOGS="false",
        DD_TRACE_AGENT_URL="http://127.0.0.1:9",
    )
    assert agent.fetch("/traced").body == b"served.traced"


def test_opentelemetry_exports_a_span(watched) -> None:
    agent = watched(
        {"served.py": HELLO},
        "opentelemetry-instrument",
        OTEL_TRACES_EXPORTER="console",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    assert agent.fetch().body == b"hello"
    assert agent.stop() == 0
    assert '"name": "GET /"' in agent.text()
