"""What is wrong with how logs are written, as stderr is told of it: once, and then counted."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
import traceback

from monoceros.logwriter import encode, writer_for


class Complaints:
    """What is wrong with how logs are written, on stderr: each once, and then how often."""

    #: Seconds between two complaints of the same.
    INTERVAL = 60.0
    #: Different ones that are told apart.
    MOST = 100

    def __init__(self) -> None:
        #: When each was said, and how often it was not since then.
        self._known: dict[object, tuple[float, int]] = {}

    def hear_of_formatter(self, formatter: logging.Formatter | None, error: Exception) -> None:
        """A formatter could not write a record that another can."""
        kind = f"{type(formatter).__module__}.{type(formatter).__qualname__}"
        style = getattr(formatter, "_fmt", None)
        name = f"{kind} with {style!r}" if style else kind
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = "" if where.filename == logging.__file__ else f" ({where.filename}:{where.lineno})"
        what = f"{type(error).__name__}: {' '.join(str(error).split())}{place}"
        text = f"A log's formatter fails, and lines are written without it: {name}: {what}"
        self.hear((name, type(error), where.filename, where.lineno), f"{text}\n", text)

    def hear(self, which: object, text: str, summary: str) -> None:
        """Says `text` for the first of its kind, and how often `summary` was the case later."""
        if not logging.raiseExceptions:
            return
        if which not in self._known and len(self._known) >= self.MOST:
            which = None
        now = time.monotonic()
        said, suppressed = self._known.get(which, (None, 0))
        if said is not None and now < said + self.INTERVAL:
            self._known[which] = said, suppressed + 1
            return
        self._known[which] = now, 0
        if said is not None:
            text = f"{summary} ({suppressed + 1} times more)\n"
        writer = writer_for(sys.stderr)
        if writer is not None:
            writer.write(encode(text, sys.stderr))
        elif sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write(text)


#: Those of this process, and of the master up to the fork: what it has said is not said by each worker.
complaints = Complaints()
