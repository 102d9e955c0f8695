"""The server that is hurt: the installed one, in a session of its own, on the loopback interface."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.processes import children, session_members
from support.server import APPLICATIONS, clean_environment
from support.waiting import until

MODULE = os.environ.get("MONOCEROS_TEST_SERVER", "monoceros")


def options() -> str:
    """What the server's `--help` says: faults that need an option are left out where it is missing."""
    help_text = subprocess.run(
        [sys.executable, "-m", MODULE, "--help"], env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    return help_text.stdout


class Server:
    def __init__(
        self,
        directory: Path,
        arguments: list[str],
        workers: int,
        port: int = 0,
        log: Path | None = None,
        limits: Callable[[], None] | None = None,
        variables: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        """
        :param prefix: a command that runs the server's in its own place.
        """
        self.workers_wanted = workers
        self.log_path = log or directory / f"server-{len(list(directory.iterdir()))}.log"
        command = [
            *prefix,
            sys.executable,
            "-m",
            MODULE,
            "-b",
            f"127.0.0.1:{port}",
            "-w",
            str(workers),
            *arguments,
            "chaotic:app",
        ]
        with open(self.log_path, "ab") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=APPLICATIONS,
                env=clean_environment(**(variables or {})),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
                preexec_fn=limits,
            )
        self.pid = self.process.pid
        try:
            self.port = port or int(until(self._listening, "the line `Listening at:`"))
            until(self.is_whole, "all workers")
        except BaseException:
            self.kill()
            raise

    def _listening(self) -> str | None:
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode}: {self.log()[-2000:]}")
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+) ", self.log())
        return found[1] if found else None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.is_file() else ""

    def workers(self) -> list[int]:
        return children(self.pid)

    def is_whole(self) -> bool:
        return len(self.workers()) >= self.workers_wanted

    def members(self) -> list[int]:
        return session_members(self.pid)

    def stop(self) -> int:
        """Ends it as its operator would, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends by force what is left of the session. Only what this server started can be in it."""
        for pid in self.members():
            send(pid, signal.SIGKILL)
        self.process.wait(60)


def send(pid: int, number: signal.Signals) -> bool:
    """Sends a signal to a process that may have ended. Returns whether it was still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
