"""Workers that fail by an exception of the server's own, or die young again and again."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import run
from support.waiting import until

CODE = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
"""

#: A configuration file that breaks one method of the server's own, which only workers call.
BROKEN = """
import monoceros.host
def fail(self, *arguments):
    raise OSError("injected")
monoceros.host.Host.{} = fail
"""

#: What a worker calls before it serves, in order.
STEPS = ("install_worker_signals", "watch_signals", "needs_python_access_log", "observer", "start_daemon")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "simple.py").write_text(CODE)
    return tmp_path


def test_a_pause_before_the_next_fork_is_told(serve: Serve, code: Path) -> None:
    """Workers that die young are not replaced at once. Who waits for them is told for how long, once for each pause."""
    server = serve("simple:app", cwd=code)
    server.expected_boots = None

    def kill() -> bool:
        # They are looked for before the log is read: where it says nothing of a pause, none of them came after one.
        workers = server.workers()
        is_told = "The next worker is forked in " in server.log()
        for pid in [] if is_told else workers:
            # It may be one that was killed before.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return is_told

    until(kill, "the pause")
    assert fetch(server.address, "/").body == b"hello"
    # The first ones, of tenths of a second, are not worth a line.
    pauses = re.findall(r"\[WARNING\] The next worker is forked in (\d\.\d) s: the last ones ended soon", server.log())
    assert len(pauses) == 1 and float(pauses[0]) >= 0.5


@pytest.mark.parametrize("kind", [(), ("--threads", "2")])
@pytest.mark.parametrize("step", STEPS)
def test_what_fails_before_a_worker_serves_ends_the_server(code: Path, step: str, kind: tuple[str, ...]) -> None:
    """As code that does not boot does: there is no sense in starting the same again."""
    (code / "broken.py").write_text(BROKEN.format(step))
    arguments = ("-c", "broken.py", "--slow-request-log", "60", "-b", "127.0.0.1:0", "-w", "4", *kind, "simple:app")
    result = run(*arguments, cwd=code, deadline=60)
    assert result.returncode == 3, result.stderr
    assert result.stderr.count("OSError: injected") == 2 and result.stderr.count("Traceback") == 1, result.stderr
    assert "Exception in worker process" in result.stderr
    assert "Failed to prepare the worker: OSError: injected" in result.stderr
    assert result.stderr.count("Booting worker") <= 4
    assert "Reason: Worker failed to boot." in result.stderr


def test_a_reload_to_workers_that_cannot_serve_is_given_up(serve: Serve, code: Path) -> None:
    config = code / "config.py"
    config.write_text("")
    server = serve("-c", str(config), "simple:app", cwd=code)
    server.expect_replacements()
    assert fetch(server.address, "/").body == b"hello"
    first = server.worker()
    config.write_text(BROKEN.format("observer"))
    server.signal(signal.SIGHUP)
    server.wait_for_log("The reload is given up, its first worker exited with code 3")
    assert fetch(server.address, "/").body == b"hello"
    assert server.worker() == first


@pytest.mark.parametrize("fault", ["os._exit(1)", "os.kill(os.getpid(), 9)", "os._exit(0)"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_loop_of_early_deaths_is_slow_and_ends_when_told(
    serve: Serve, code: Path, fault: str, number: signal.Signals
) -> None:
    (code / "dying.py").write_text(f"import os\n{fault}\n")
    server = serve("-w", "2", "dying:app", cwd=code)
    server.expected_boots = None
    server.wait_for_log("Booting worker", 4)
    server.signal(number)
    assert server.wait() == 0
    until(lambda: not server.workers(), "the end of every worker")


def test_a_failure_while_it_serves_costs_that_worker_alone(serve: Serve, code: Path) -> None:
    (code / "raising.py").write_text(
        "import signal\n"
        "def fail(number, frame):\n    raise OSError('by a signal')\n"
        "signal.signal(signal.SIGRTMIN, fail)\n" + CODE
    )
    server = serve("--threads", "2", "raising:app", cwd=code)
    server.expect_replacements()
    assert fetch(server.address, "/").body == b"hello"
    first = server.worker()
    os.kill(first, signal.SIGRTMIN)
    server.wait_for_log(rf"Worker \(pid:{first}\) exited with code 255")
    assert "Exception in worker process" in server.log() and "OSError: by a signal" in server.log()
    until(lambda: server.workers() and first not in server.workers(), "another worker")
    assert fetch(server.address, "/").body == b"hello"
