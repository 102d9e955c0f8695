"""A server process under test: started, waited for, looked at, stopped and reaped."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from support.client import Address
from support.processes import children, session_members
from support.waiting import DEADLINE, until

TESTS = Path(__file__).resolve().parent.parent
REPOSITORY = TESTS.parent
APPLICATIONS = TESTS / "apps"

#: The module to run, so that the same tests can be put to another server with the same command line.
MODULE = os.environ.get("MONOCEROS_TEST_SERVER", "monoceros")

#: The interpreter that servers run on: another one finds the package where its sources are.
PYTHON = os.environ.get("MONOCEROS_TEST_PYTHON", sys.executable)

#: What another server needs to be comparable: one thread that keeps connections alive, as Monoceros' sync worker has.
EXTRA_ARGUMENTS = {"gunicorn": ["--worker-class", "gthread", "--threads", "1", "--no-control-socket"]}

#: More arguments for every server, so that the same tests can be put to another kind of worker.
MORE_ARGUMENTS = shlex.split(os.environ.get("MONOCEROS_TEST_ARGUMENTS", ""))

#: Variables that change what a server does, and that the environment of the test run must not decide.
STEERING = ("GUNICORN_CMD_ARGS", "MONOCEROS_CMD_ARGS", "WEB_CONCURRENCY", "PORT", "SCRIPT_NAME", "FORWARDED_ALLOW_IPS")


def clean_environment(python: str = PYTHON, **changes: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in STEERING}
    if python != sys.executable:
        environment["PYTHONPATH"] = str(REPOSITORY / "python")
    return environment | {"PYTHONDONTWRITEBYTECODE": "1"} | changes


def command(*arguments: str, python: str = PYTHON) -> list[str]:
    return [python, "-m", MODULE, *EXTRA_ARGUMENTS.get(MODULE, []), *MORE_ARGUMENTS, *arguments]


def run(
    *arguments: str, cwd: Path = APPLICATIONS, deadline: float = DEADLINE, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run a command line that is expected to end by itself."""
    assert importlib.util.find_spec(MODULE), f"{MODULE} is not installed"
    return run_to_end(command(*arguments), cwd=cwd, deadline=deadline, **changes)


def run_to_end(
    words: list[str], *, cwd: Path = APPLICATIONS, deadline: float = DEADLINE, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run any command in an environment that says nothing of this one, but for `changes`."""
    return subprocess.run(
        words,
        cwd=cwd,
        env=clean_environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=deadline,
    )


class Server:
    """A running server.

    Every server is the leader of a session of its own, so that whatever it leaves behind can be found and is a failure.
    """

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        binds: tuple[str, ...] = ("127.0.0.1:0",),
        cwd: Path = APPLICATIONS,
        environment: dict[str, str] | None = None,
        program: tuple[str, ...] | None = None,
        python: str = PYTHON,
    ) -> None:
        """
        :param python: the interpreter.
        :param program: a command line of its own, instead of the server's with `binds` and `arguments`.
        """
        assert importlib.util.find_spec(MODULE), f"{MODULE} is not installed"
        self.directory = directory
        self.log_path = directory / "stderr.log"
        #: Where the applications of the tests leave their traces.
        self.traces = directory / "traces"
        self.traces.mkdir()
        #: How many workers may be booted in the life of this server; one that crashes and is replaced raises it.
        self.expected_boots: int | None = self._worker_count(arguments) if MODULE == "monoceros" else None
        self.expected_exit = 0
        self.command = command(*(part for bind in binds for part in ("-b", bind)), *arguments, python=python)
        if program is not None:
            self.command = [python, *program]
        with open(self.log_path, "wb") as log, open(directory / "stdout.log", "wb") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=cwd,
                env=clean_environment(python, TRACES=str(self.traces), **(environment or {})),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        self.pid = self.process.pid
        try:
            line = until(self._listening, "the line `Listening at:`")
        except BaseException:
            self.kill()
            raise
        self.addresses = [self._parse(part) for part in line.split(",")]

    @staticmethod
    def _worker_count(arguments: tuple[str, ...]) -> int:
        for flag, value in zip(arguments, arguments[1:], strict=False):
            if flag in ("-w", "--workers"):
                return int(value)
        return 1

    def _listening(self) -> str | None:
        if found := re.search(r"Listening at: (.*) \(\d+\)\n", self.log()):
            return found[1]
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()}")
        return None

    @staticmethod
    def _parse(text: str) -> Address:
        if text.startswith("unix:"):
            return text.removeprefix("unix:")
        found = re.fullmatch(r"http://\[?([^]]*)]?:(\d+)", text.strip())
        assert found, text
        return found[1], int(found[2])

    # Looking

    @property
    def address(self) -> Address:
        return self.addresses[0]

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://{host}:{port}"

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def expect_replacements(self, count: int = 1) -> None:
        """Allow for workers that the test ends, or makes end, before their time."""
        if self.expected_boots is not None:
            self.expected_boots += count

    def wait_for_log(self, pattern: str, count: int = 1) -> list[re.Match[str]]:
        """Wait until `pattern` was logged `count` times."""

        def matches() -> list[re.Match[str]] | None:
            found = list(re.finditer(pattern, self.log()))
            return found if len(found) >= count else None

        return until(matches, f"{count} × {pattern!r} in the log")

    def boots(self) -> list[int]:
        """The pids of all workers so far."""
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.log())]

    def workers(self) -> list[int]:
        return children(self.pid)

    def worker(self) -> int:
        """The one worker of a server that has one."""
        found = until(self.workers, "a worker")
        assert len(found) == 1, found
        return found[0]

    def trace(self, name: str) -> str:
        """What an application wrote under this name so far."""
        path = self.traces / name
        return path.read_text() if path.exists() else ""

    def wait_for_trace(self, name: str, size: int = 1) -> str:
        until(lambda: len(self.trace(name)) >= size, f"{size} characters in the trace {name}")
        return self.trace(name)

    def release(self, name: str) -> None:
        """Let an application go on that waits for this name."""
        (self.traces / name).touch()

    # Ending

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, deadline: float = DEADLINE) -> int:
        """Wait for the end of the master and return its exit code (negative: the signal that killed it)."""
        return self.process.wait(deadline)

    def stop(self) -> None:
        """End it if it still runs, and check that it ended well and left nobody behind."""
        try:
            if self.process.poll() is None:
                self.signal(signal.SIGTERM)
            code = self.wait()
            until(lambda: not session_members(self.pid), "the end of every worker")
        finally:
            self.kill()
        assert code == self.expected_exit, f"exit code {code}, expected {self.expected_exit}"
        boots = self.boots()
        if self.expected_boots is not None:
            assert len(boots) <= self.expected_boots, f"workers booted: {boots}, expected at most {self.expected_boots}"

    def kill(self) -> None:
        """End the whole session by force. Only what this server itself started can be in it."""
        if self.process.poll() is None or session_members(self.pid):
            for pid in session_members(self.pid):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        self.process.wait(DEADLINE)
