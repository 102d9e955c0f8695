"""A wall clock that can be set for one server, without setting the machine's, by which others live."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class JumpingClock:
    """Compiled where there is a compiler, and preloaded (ld.so(8), LD_PRELOAD)."""

    def __init__(self, directory: Path) -> None:
        """Raises LookupError where there is no compiler."""
        compiler = shutil.which("cc") or shutil.which("clang")
        if compiler is None:
            raise LookupError("there is no C compiler")
        self._library = directory / "clock.so"
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        self._file = directory / "clock.offset"
        self._file.write_bytes(bytes(8))

    @property
    def variables(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._file)}

    def set(self, seconds: int) -> None:
        """How far it is ahead of the machine's from now on."""
        with open(self._file, "r+b") as file:
            file.write(struct.pack("=q", seconds))
