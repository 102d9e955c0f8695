"""`monoceros top`: what the server does, live in a terminal.

It is drawn with the standard library's curses: an operator's tool has to be there when the server is, with nothing to
install first.
"""

from __future__ import annotations

import contextlib
import curses
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from monoceros.admin import report
from monoceros.admin.client import Client, NotReachable
from monoceros.admin.histogram import Histogram, bars
from monoceros.admin.tables import plain

#: Keys, what they sort workers by, and how.
ORDERS: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "p": ("process id", lambda worker: worker["pid"]),
    "a": ("age", lambda worker: -worker["age_s"]),
    "b": ("busy runners", lambda worker: -worker["busy"]),
    "r": ("requests", lambda worker: -worker["requests"]),
    "m": ("memory", lambda worker: -(worker["proportional_bytes"] or worker["resident_bytes"] or 0)),
}
HELP = "sort: " + "  ".join(f"{key} {name}" for key, (name, _) in ORDERS.items()) + "   q quit"
HISTOGRAM_HEIGHT = 4


class View:
    """What was seen last, and before that: rates are the difference."""

    def __init__(self) -> None:
        self.document: dict[str, Any] | None = None
        self.histogram: Histogram | None = None
        self.seen = 0.0
        self.rates = {"requests": 0.0, "accepted": 0.0, "bytes_sent": 0.0}
        self.recent: Histogram | None = None
        self.error = ""
        self.order = "p"

    def look(self, client: Client) -> None:
        try:
            document = client.status()
            histogram = Histogram.read(client.ask("/metrics")[1], "monoceros_request_duration_seconds")
        except NotReachable as error:
            self.error = str(error)
            return
        now = time.monotonic()
        if self.document is not None and self.histogram is not None:
            passed = max(now - self.seen, 1e-6)
            self.rates = {
                name: max(0.0, (document["totals"][name] - self.document["totals"][name]) / passed)
                for name in self.rates
            }
            self.recent = histogram.since(self.histogram)
        self.document, self.histogram, self.seen, self.error = document, histogram, now, ""

    def lines(self, width: int, height: int) -> list[str]:
        """The picture, cut to the screen: what is under way matters most and takes the room that is left."""
        if self.document is None:
            return [plain(self.error)[:width]]
        document = self.document
        name, key = ORDERS[self.order]
        lines = [
            *report.summary(document)[:2],
            f"{self.rates['requests']:.1f} requests/s, {self.rates['accepted']:.1f} connections/s, "
            f"{self.rates['bytes_sent'] / 1024:.1f} KiB/s sent",
            *report.listeners(document),
            "",
            *report.workers(sorted(document["workers"], key=key)),
            f"sorted by {name}",
            "",
        ]
        if self.recent is not None and self.recent.count:
            lines += [
                f"latency since the last look, {self.recent.count} requests:",
                *bars(self.recent, HISTOGRAM_HEIGHT),
                "",
            ]
        exchanges = document["exchanges"]
        count = len(exchanges) + sum(document.get("unlisted", {}).values())
        lines.append(f"{count} under way{', the oldest first:' if exchanges else ''}")
        if exchanges:
            lines += report.exchanges(exchanges)
        footer = plain(self.error) or HELP
        return [line[: width - 1] for line in [*lines[: max(0, height - 1)], footer]]


def run(client: Client, interval: float) -> int:
    """Shows it until somebody presses q. Raises NotReachable when there is nothing to show at the start."""
    check_terminal()
    # Keys have to wait for it.
    client.timeout = min(client.timeout, 2)
    view = View()
    view.look(client)
    if view.document is None:
        raise NotReachable(view.error)
    with contextlib.suppress(KeyboardInterrupt):
        curses.wrapper(show, client, view, interval)
    return 0


def check_terminal() -> None:
    """Raises NotReachable where there is no terminal that curses could draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NotReachable("top needs a terminal; monoceros status writes the same once")
    try:
        curses.setupterm(os.environ.get("TERM") or "unknown", sys.stdout.fileno())
    except curses.error:
        raise NotReachable(f"nothing is known of the terminal {os.environ.get('TERM', '')!r} (TERM)") from None


def show(screen: Any, client: Client, view: View, interval: float) -> None:
    with contextlib.suppress(curses.error):
        curses.curs_set(0)
    while True:
        height, width = screen.getmaxyx()
        screen.erase()
        for row, line in enumerate(view.lines(width, height)[:height]):
            # The last cell of a terminal cannot be written to.
            with contextlib.suppress(curses.error):
                screen.addstr(row, 0, line)
        screen.refresh()
        until = time.monotonic() + interval
        while (left := until - time.monotonic()) > 0:
            screen.timeout(max(1, int(left * 1000)))
            key = screen.getch()
            if key in (ord("q"), 27):
                return
            if 0 <= key < 256 and chr(key) in ORDERS:
                view.order = chr(key)
                break
            if key == curses.KEY_RESIZE:
                break
        else:
            view.look(client)
