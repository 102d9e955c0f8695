"""Figures as people read them, in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any


def duration(seconds: float | None) -> str:
    """`12 ms`, `3.4 s`, `5 m 20 s`, `2 h 10 m`, `3 d 4 h`."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, second = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {second} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} m"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def size(count: int | None) -> str:
    """`512 B`, `34 MiB`."""
    if count is None:
        return "-"
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}"


def plain(text: Any) -> str:
    """Without what a terminal would obey: paths are the clients' own words."""
    return "".join(
        character if unicodedata.category(character)[0] != "C" else f"\\x{ord(character):02x}"
        for character in str(text)
    )


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], left: Sequence[int] = ()) -> list[str]:
    """Lines with columns as wide as they need; numbers stand at the right, those in `left` at the left."""
    cells = [[plain(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
