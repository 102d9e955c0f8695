"""Names a server hook that hangs. The master has one thread, so that as long as a hook runs it does nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from types import FrameType

from monoceros.hints import Any

#: The hooks that run in the master, and in what workers are forked from, by the events at which they do. Those in
#: workers are within the time of a boot, of a request or of an end.
HOOKS = {
    "starting": "on_starting",
    "ready": "when_ready",
    "reloading": "on_reload",
    "workers_changed": "nworkers_changed",
    "will_fork": "pre_fork",
    "will_fork_from_mold": "pre_fork",
    "worker_exited": "child_exit",
    "mold_exited": "child_exit",
    "will_execute": "pre_exec",
    "exiting": "on_exit",
}

#: Seconds that a hook has where `boot_timeout` is not set.
UNSET = 60

PACKAGE = os.path.dirname(__file__)


@contextlib.contextmanager
def watch(event: str, cfg: Any, log: Any) -> Iterator[None]:
    """Writes where the hook of an event is when it has not returned within `boot_timeout`, and when it has after all.

    By SIGALRM: what Python code waits for is interrupted for a moment. C code that does not ask Python whether there
    are signals is named when it returns.
    """
    hook = HOOKS.get(event)
    seconds = cfg.boot_timeout or UNSET
    in_main_thread = threading.current_thread() is threading.main_thread()
    if hook is None or not in_main_thread or cfg.hook(hook) is None:
        yield
        return

    def report(number: int, frame: FrameType | None) -> None:
        stack = traceback.extract_stack(frame)[depth:]
        # What calls the hook is the server's own.
        while stack and os.path.dirname(stack[0].filename) == PACKAGE:
            del stack[0]
        text = "".join(traceback.format_list(stack)).rstrip()
        # Who sends TERM meanwhile is to know why nothing happens. `pre_exec` is called in a process of its own.
        waits = "" if hook == "pre_exec" else " Until it does, the master obeys no signal but KILL."
        log.critical("The server hook %s has not returned for %s s.%s It is here:\n%s", hook, seconds, waits, text)

    # Without this function, and what contextlib has between it and its caller.
    depth = sum(1 for _ in traceback.walk_stack(sys._getframe())) - 2
    began = time.monotonic()
    former_handler = signal.signal(signal.SIGALRM, report)
    former_timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        # A hook that has an alarm of its own set keeps it.
        if signal.getsignal(signal.SIGALRM) is report:
            signal.setitimer(signal.ITIMER_REAL, *former_timer)
            # One that Python did not set cannot be put back.
            signal.signal(signal.SIGALRM, signal.SIG_DFL if former_handler is None else former_handler)
        if (lasted := time.monotonic() - began) >= seconds:
            log.warning("The server hook %s returned after %.0f s.", hook, lasted)
