#!/usr/bin/env python3
"""Fails when a Swift module imports upwards, or reaches past the one module that owns a foreign interface.

SwiftPM checks that a target imports only what Package.swift gives it. This checks what Package.swift itself could get
wrong, and what SwiftPM does not know: that an import points down, that pure modules import nothing, and that Python's C
interface, the system's and Foundation stay where they belong.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# From the bottom up: a module imports only from the layers below its own.
LAYERS = (
    {"CSystem", "CPython"},
    {"HTTPWire", "ProxyWire", "Supervision", "Telemetry", "Platform", "PythonBridge"},
    {"HTTPServer", "Scheduling", "Settings"},
    {"Transport"},
    {"Admin", "WSGI"},
    {"Worker", "Arbiter"},
    {"Monoceros"},
)
# No descriptor, no clock, no Python: tested without a machine around them.
PURE = {"HTTPServer", "HTTPWire", "ProxyWire", "Settings", "Supervision", "Telemetry"}
# A foreign module, and the only one of ours that may import it.
OWNERS = {"CPython": "PythonBridge", "CSystem": "Platform", "Glibc": "Platform"}
# Parts of Swift's standard library that are modules of their own, and need no runtime beside it.
STANDARD = {"Swift", "Synchronization"}

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(\w+)",
    re.MULTILINE,
)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def rank(module):
    return next((height for height, layer in enumerate(LAYERS) if module in layer), None)


def complaint(importer, imported):
    """What is wrong with this import, or None."""
    if imported in STANDARD:
        return None
    if importer in PURE and imported not in PURE:
        return f"{importer} is pure and imports the standard library and pure modules only"
    if imported in OWNERS:
        return None if OWNERS[imported] == importer else f"only {OWNERS[imported]} imports {imported}"
    if rank(imported) is None:
        return f"{imported} is neither a module of this package nor of the standard library"
    if rank(imported) >= rank(importer):
        return f"{imported} is not below {importer}"
    return None


def complaints(sources):
    for path in sorted(sources.rglob("*.swift")):
        importer = path.relative_to(sources).parts[0]
        if rank(importer) is None:
            yield f"{path}: {importer} stands in no layer; scripts/check_layers.py lists them"
            continue
        # Comments go, line ends stay: a line number must still be that of the file.
        text = COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), path.read_text(encoding="utf-8"))
        for match in IMPORT.finditer(text):
            if problem := complaint(importer, match[1]):
                line = text.count("\n", 0, match.start(1)) + 1
                yield f"{path}:{line}: import {match[1]}: {problem}"


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    found = list(complaints(root / "Sources"))
    print("\n".join(found) or "layers: every import points down")
    sys.exit(1 if found else 0)
