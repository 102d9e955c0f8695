"""The Pythons of this machine."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path


@functools.cache
def interpreter(version: str) -> str | None:
    """An interpreter of that version that really starts (a version manager may offer a name without one)."""
    candidates = [shutil.which(f"python{version}"), sys.executable]
    root = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    candidates += [str(path) for path in Path(root, "versions").glob(f"{version}.*/bin/python3")]
    for candidate in filter(None, candidates):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        result = subprocess.run([candidate, "-c", code], capture_output=True, text=True, timeout=30)
        if result.returncode == 0 and result.stdout.strip() == version:
            return candidate
    return None
