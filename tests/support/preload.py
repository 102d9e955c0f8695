"""Libraries in C that stand between a server and its system, for faults that cannot be had at will (LD_PRELOAD)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def build(source: Path, directory: Path) -> str:
    """The library's path."""
    library = directory / source.with_suffix(".so").name
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    return str(library)


def preloaded(library: str) -> dict[str, str]:
    """The variable that has a server load it, behind what is loaded already: a sanitizer wants to be the first."""
    return {"LD_PRELOAD": ":".join(filter(None, (os.environ.get("LD_PRELOAD"), library)))}
