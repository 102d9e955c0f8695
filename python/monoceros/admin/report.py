"""What `/status` says, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monoceros.admin.tables import duration, plain, size, table

WORKER_HEADINGS = (
    "pid", "gen", "lifetime", "age", "heartbeat", "busy", "runners", "requests", "connections", "memory",
)  # fmt: skip
EXCHANGE_HEADINGS = ("age", "phase", "in phase", "pid", "thread", "client", "method", "path")
SLOW_HEADINGS = ("took", "ago", "status", "client", "method", "path")


def summary(document: dict[str, Any]) -> list[str]:
    server, totals = document["server"], document["totals"]
    ends = ", ".join(f"{count} {cause}" for cause, count in server["worker_ends"].items() if count)
    responses = ", ".join(f"{kind} {count}" for kind, count in totals["responses"].items() if count)
    return [
        f"monoceros {plain(server['version'])}, master {server['pid']}, since {server['started']}, "
        f"generation {server['generation']}, {server['reloads']} reloads",
        f"workers: {server['workers_wanted']} wanted, {server['worker_starts']} started; ended: {ends or 'none'}",
        f"requests: {totals['requests']} ({responses or 'none'}); connections accepted {totals['accepted']}, "
        f"relayed {totals['relayed']}; received {size(totals['bytes_received'])}, sent {size(totals['bytes_sent'])}",
    ]


def listeners(document: dict[str, Any]) -> list[str]:
    return [
        f"listener {plain(each['address'])}"
        + (f": {each['backlog']} of {each['backlog_limit']} wait" if each["backlog"] is not None else "")
        for each in document["listeners"]
    ]


def workers(found: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            each["pid"], each["generation"], each["lifetime"], duration(each["age_s"]),
            duration(each["heartbeat_age_s"]), each["busy"], each["runners"], each["requests"],
            sum(each["connections"].values()), size(each["proportional_bytes"] or each["resident_bytes"]),
        )
        for each in found
    ]  # fmt: skip
    return table(WORKER_HEADINGS, rows, left=(2,))


def exchanges(found: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            duration(each["age_s"]), *phase(each),
            # Nobody's that waits between the workers, and no thread's that waits or is being sent.
            each["pid"] or "-", each["thread"] or "-",
            each["client"], each["method"], each["path"] + ("…" if each["path_is_cut"] else ""),
        )
        for each in found
    ]  # fmt: skip
    return table(EXCHANGE_HEADINGS, rows, left=(1, 5, 6, 7))


def phase(exchange: dict[str, Any]) -> tuple[str, str]:
    """What an exchange is at, and for how long. Servers of former versions do not say that one waits for its client."""
    if (wait := exchange.get("client_wait_s")) is not None:
        return "awaits client", duration(wait)
    return exchange["phase"], duration(exchange["phase_age_s"])


def unlisted(document: dict[str, Any]) -> list[str]:
    """How many more there are than the server tells one by one."""
    # Servers of former versions do not say.
    found = {phase: count for phase, count in document.get("unlisted", {}).items() if count}
    return ["and more: " + ", ".join(f"{count} in {phase}" for phase, count in found.items())] if found else []


def slowest(found: Sequence[dict[str, Any]]) -> list[str]:
    rows = [
        (
            duration(each["duration_s"]), duration(each["ended_s_ago"]), each["status"] or "-", each["client"],
            each["method"], each["path"] + ("…" if each["path_is_cut"] else ""),
        )
        for each in found
    ]  # fmt: skip
    return table(SLOW_HEADINGS, rows, left=(3, 4, 5))


def whole(document: dict[str, Any]) -> str:
    lines = [*summary(document), *listeners(document), "", *workers(document["workers"])]
    if document["exchanges"]:
        lines += ["", "under way:", *exchanges(document["exchanges"]), *unlisted(document)]
    if document["slowest"]:
        lines += ["", "slowest of the last minute:", *slowest(document["slowest"])]
    if document["settings"]:
        lines += ["", "settings:", *(f"  {name} = {plain(value)}" for name, value in document["settings"].items())]
    return "\n".join(lines)
