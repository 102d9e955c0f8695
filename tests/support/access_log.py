"""What the tests of the access log share: a server whose output is the test's, and who writes the lines."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from .server import APPLICATIONS
from .waiting import DEADLINE, until

#: One worker that is Python's main thread, and two with threads.
KINDS = [("--workers", "1"), ("--workers", "2", "--threads", "4")]


class Logged:
    """A server on a Unix socket or a port, and its access log."""

    def __init__(self, words: list[str], environment: dict[str, str], **options: object) -> None:
        self.process = subprocess.Popen(
            words, cwd=APPLICATIONS, env=environment, stdin=subprocess.DEVNULL, start_new_session=True, **options
        )

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


def read_when(path: Path, count: int) -> list[str]:
    """The lines of the log once there are so many."""
    until(lambda: path.exists() and len(path.read_text().splitlines()) >= count, "lines")
    return path.read_text().splitlines()


#: A logger of the user's that changes nothing: lines come by way of Python.
PYTHON = "from monoceros import glogging\nclass Logger(glogging.Logger):\n    def now(self):\n        return '[then]'\n"


@pytest.fixture(params=["core", "python"])
def author(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Arguments that have lines written by the core, and by Python's logger: they are to be the same."""
    if request.param == "core":
        return []
    (tmp_path / "my_logger.py").write_text(PYTHON)
    return ["--logger-class", "my_logger.Logger", "--pythonpath", str(tmp_path)]
