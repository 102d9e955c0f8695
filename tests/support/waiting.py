"""Waiting for something to become true, never longer than a deadline."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

#: Seconds after which a test gives up. Generous, because it is only ever spent by a failing test.
DEADLINE = float(os.environ.get("MONOCEROS_TEST_DEADLINE", "30"))


def until(predicate: Callable[[], Value], what: str, deadline: float = DEADLINE) -> Value:
    """Call `predicate` until it returns something true, and return that."""
    end = time.monotonic() + deadline
    pause = 0.002
    while not (value := predicate()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline:g} s for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return value
