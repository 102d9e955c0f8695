"""A program in a terminal of its own, as somebody sees it who sits there."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
import threading

from .server import clean_environment
from .waiting import until

#: What a terminal is told when a program takes the whole screen, and when it gives it back (xterm).
TAKES_SCREEN, GIVES_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """Runs `python -m ARGUMENTS` there."""

    def __init__(self, *arguments: str, **changes: str) -> None:
        """`changes` are of the environment."""
        environment = clean_environment(**{"TERM": "xterm", **changes})
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            # Where the tests are in the background, they have it ignored, and so would the program.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(sys.executable, [sys.executable, "-m", *arguments], environment)
        self.shown = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.resize(40, 150)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self.descriptor, 4096)
            except OSError:
                return
            if not data:
                return
            self.shown.extend(data)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Presses keys; what is shown from then on is what follows."""
        self.shown.clear()
        os.write(self.descriptor, keys)

    def wait_for(self, text: bytes) -> None:
        until(lambda: text in self.shown, f"{text!r} on the screen")

    def wait(self) -> int:
        """Its exit status."""

        def status() -> tuple[int] | None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return (os.waitstatus_to_exitcode(status),) if pid else None

        (code,) = until(status, "the end of the program")
        self.pid = 0
        return code

    def expect_restored(self) -> None:
        """Keys are echoed, lines are read whole, and the screen is the shell's."""
        until(lambda: self.shown.rfind(GIVES_SCREEN) > self.shown.rfind(TAKES_SCREEN), "the shell's screen")
        modes = termios.tcgetattr(self.descriptor)[3]
        assert modes & termios.ECHO and modes & termios.ICANON

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)
