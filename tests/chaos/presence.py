"""When a server had a worker that could answer, so that a time without answers is explained or is not."""

from __future__ import annotations

import threading
import time

from support.processes import processes

from chaos.server import Server

#: Seconds between two looks.
PAUSE = 0.02


class Presence:
    """Looks at the workers of a server, in a thread, until it is left."""

    def __init__(self, server: Server) -> None:
        self._master = server.pid
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        #: When it looked, on the monotonic clock, and whether a worker ran then.
        self._looks: list[tuple[float, bool]] = []

    def __enter__(self) -> Presence:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def within(self, began: float, ended: float) -> float:
        """For how many seconds between these two times of the monotonic clock a worker ran."""
        seconds, last = 0.0, began
        for when, runs in self._looks:
            if runs and when > began:
                seconds += max(0.0, min(when, ended) - last)
            last = min(max(when, began), ended)
        return seconds

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE):
            # Neither dead (Z, X) nor stopped (T, t): one that is stopped answers nobody.
            runs = any(each.parent == self._master and each.state not in "ZXTt" for each in processes())
            self._looks.append((time.monotonic(), runs))
