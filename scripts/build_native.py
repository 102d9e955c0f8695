#!/usr/bin/env python3
"""Builds the Swift core with SwiftPM and copies it to where Python imports it from.

Run by `make build` and by the wheel's build hook, so that the flags stand once. It needs Swift and the headers of
the Python that runs it; whatever is missing is said in one line. `--check` only looks, and builds nothing.
MONOCEROS_SWIFT names another `swift` command.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = "_native.abi3.so"
MINIMUM_SWIFT = (6, 2)
MINIMUM_PYTHON = (3, 11)


class BuildError(Exception):
    """Something that the build needs is missing, or the compiler failed. The text is one line for the user."""


def package_directory():
    return ROOT / "python" / "monoceros"


def swift_command():
    """The `swift` to use, checked to be new enough."""
    swift = os.environ.get("MONOCEROS_SWIFT", "swift")
    path = shutil.which(swift)
    if path is None:
        raise BuildError(f"`{swift}` was not found. Install Swift 6.2 or later (https://swift.org/install).")
    text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
    match = re.search(r"Swift version (\d+)\.(\d+)", text)
    if match is None:
        raise BuildError(f"`{path} --version` does not name a version of Swift. Install Swift 6.2 or later.")
    version = int(match[1]), int(match[2])
    if version < MINIMUM_SWIFT:
        raise BuildError(
            f"Swift {version[0]}.{version[1]} is too old; it takes 6.2 or later (https://swift.org/install)."
        )
    return path


def include_flags():
    """The flags that let Swift's C importer find Python.h."""
    if sys.version_info < MINIMUM_PYTHON:
        raise BuildError(f"Python {sys.version.split()[0]} is too old; it takes 3.11 or later.")
    include = Path(sysconfig.get_path("include"))
    if not (include / "Python.h").is_file():
        raise BuildError(f"{include}/Python.h is missing. Install Python's headers (Debian, Ubuntu: python3-dev).")
    return ["-Xcc", f"-I{include}"]


def build(destination, strip):
    """Builds the release library and places it at `destination`, replacing it in one step.

    A server that runs keeps the file it has mapped, which overwriting in place would pull from under it.
    """
    command = [swift_command(), "build", "-c", "release", "--product", "_native", *include_flags()]
    # A target may import only what Package.swift gives it: imports point down.
    command += ["--explicit-target-dependency-import-check", "error"]
    # The compiler's output goes to stderr: a PEP 517 frontend may be reading our stdout.
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode != 0:
        raise BuildError(
            "`swift build` failed; its messages stand above. If they speak of a module cache or of another path, "
            "the .build folder was copied here from elsewhere: remove it."
        )
    built = ROOT / ".build" / "release" / "lib_native.so"
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f".{destination.name}.{os.getpid()}")
    try:
        shutil.copyfile(built, temporary)
        if strip:
            strip_symbols(temporary)
        temporary.chmod(0o755)
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)


def strip_symbols(path):
    """Removes what only a debugger reads. Without binutils the library works as well; it is larger."""
    tool = shutil.which("strip")
    if tool is None:
        print("build_native: no `strip` here, the library keeps its symbols", file=sys.stderr)
        return
    if subprocess.run([tool, "--strip-unneeded", str(path)]).returncode != 0:
        raise BuildError(f"`{tool}` failed on {path}.")


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["--check"]:
            swift_command()
            include_flags()
        else:
            # Symbols stay: this is the build that profilers and debuggers look at.
            build(package_directory() / LIBRARY, strip=False)
    except BuildError as error:
        sys.exit(f"build_native: {error}")
