"""Where the servers live: the peers' virtual environment, the versions in it, and what may be said of the machine."""

import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
REQUIREMENTS = Path(__file__).with_name("requirements-peers.txt")
PEERS = PROJECT / ".venv-peers"

HINTS = {
    "bjoern": "bjoern is built from source: it needs libev's headers (Debian: apt-get install libev-dev)",
    "uwsgi": "uWSGI is built from source: it needs a C compiler and Python's headers",
}

LIST = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"


def normal(name: str) -> str:
    """A distribution's name in its normal form, by which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(text: str) -> dict[str, str]:
    """Pinned requirements, one a line: normal name to version."""
    pins = {}
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if line:
            name, _, version = line.partition("==")
            pins[normal(name)] = version
    return pins


def installed(python: Path) -> dict[str, str]:
    """Distributions that an interpreter sees: normal name to version. Empty if it does not run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run([python, "-c", LIST], capture_output=True, text=True, timeout=60, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    if done.returncode != 0:
        return {}
    return {normal(name): version for name, version in json.loads(done.stdout).items() if name}


def install_peers(directory: Path, say=print) -> dict[str, str]:
    """Brings the peers' environment to the pinned versions. Returns what could not be installed, with the reason."""
    python = directory / "bin" / "python"
    if not python.exists():
        say(f"making {directory.name}")
        subprocess.run([sys.executable, "-m", "venv", directory], check=True, timeout=300, stdout=subprocess.DEVNULL)
    have = installed(python)
    failures = {}
    for name, version in requirements(REQUIREMENTS.read_text()).items():
        if have.get(name) == version:
            continue
        say(f"installing {name} {version}")
        try:
            done = subprocess.run(
                [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", f"{name}=={version}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=900,
            )
        except subprocess.TimeoutExpired:
            failures[name] = "the installation did not end within 15 minutes"
            continue
        if done.returncode != 0:
            lines = [line for line in done.stdout.splitlines() if "error:" in line.lower()] or [""]
            failures[name] = neutral("; ".join(filter(None, [lines[0].strip(), HINTS.get(name, "")])))
            say(f"  {name} could not be installed: {failures[name]}")
    return failures


def server_environment(peers: Path) -> dict[str, str]:
    """The environment variables of every server: the applications, and the same frameworks, on the import path.

    The peers' packages come from the path also for monoceros, whose own virtual environment need not have Flask or
    Django, so that all run the same versions.
    """
    names = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    version = sysconfig.get_python_version()
    packages = peers / "lib" / f"python{version}" / "site-packages"
    return {**kept, "LC_ALL": "C.UTF-8", "PYTHONPATH": os.pathsep.join([str(PROJECT), str(packages)])}


@dataclass(frozen=True)
class Cpus:
    """Where the server runs and where everything else does. With one CPU they cannot be apart."""

    server: frozenset[int]
    client: frozenset[int]

    @property
    def apart(self) -> bool:
        return not self.server & self.client


def split_cpus(allowed: set[int]) -> Cpus:
    """The last CPU for the server, since device interrupts tend to go to the first; the first for the client."""
    ordered = sorted(allowed)
    return Cpus(frozenset(ordered[-1:]), frozenset(ordered[:1]))


def machine() -> dict:
    """What matters of the machine and does not identify it."""
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    release = re.match(r"\d+\.\d+", platform.release())
    return {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": model or platform.machine(),
        "kernel": f"Linux {release[0]}" if release else "Linux",
        "python": platform.python_version(),
    }


def neutral(text: str) -> str:
    """A message without the directories of this machine, for the results file."""
    return re.sub(r"(?:/[^\s/:'\"]+)+/([^\s/:'\"]+)", r"\1", text)[:300]
