#!/usr/bin/env python3
"""Fails when a comment in Swift goes past 120 columns.

`swift format` breaks code at that width, as far as string literals let it, and leaves comments as they are. For Python,
ruff looks at both.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 120
# Where Swift is.
WHERE = ("Package.swift", "Sources", "Tests")

# A line that is a comment, or ends in one: two spaces stand before it, which no URL in a string has.
COMMENT = re.compile(r"^\s*//|  // ")


def files(root):
    for name in WHERE:
        place = root / name
        yield from [place] if place.is_file() else sorted(place.rglob("*.swift"))


def complaints(root):
    for path in files(root):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > LIMIT and COMMENT.search(line):
                yield f"{name}:{number}: {len(line)} columns, {LIMIT} at most"


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    found = list(complaints(root))
    print("\n".join(found) or f"columns: no comment goes past {LIMIT}")
    sys.exit(1 if found else 0)
