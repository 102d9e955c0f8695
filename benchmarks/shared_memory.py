"""What several workers of a Django project need of memory, and how soon all of them answer: beside gunicorn.

usage: python -m benchmarks.shared_memory [--python PYTHON] [--rounds N] [--requests N] [--workers N]

The project is the one in examples/django_site. For each server, in turn and over all rounds: seconds from the start to
the first answer and to the first answer of the last worker, and the PSS of all its processes after so many requests, as
medians. The last column is the PSS as a share of that of gunicorn with --preload. A worker with --refork-after has to
have been asked often enough to become what others are forked from; the memory is read when that has happened and every
worker has answered.

Both servers run on the same Python with the same packages, in an environment that is made below .venv-peers for each
version. Our modules are compiled beforehand, as those of a package are that pip has installed: a server that compiles
them at each start (the working tree's, with PYTHONDONTWRITEBYTECODE) is not what is compared.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import environment, probe
from benchmarks.process import Process, parse_rollup

PROJECT = environment.PROJECT / "examples" / "django_site"
HOST = "127.0.0.1"
#: The project's application, and which process has answered.
WRAPPER = """
import os
from mysite.wsgi import application as project

def application(environ, start_response):
    def start(status, headers, *rest):
        return start_response(status, [*headers, ("X-Process", str(os.getpid()))], *rest)
    return project(environ, start)
"""
GUNICORN = ["-m", "gunicorn", "--no-control-socket"]
OURS = ["-m", "monoceros"]
SERVERS = {
    "gunicorn": GUNICORN,
    "gunicorn --preload": [*GUNICORN, "--preload"],
    "monoceros": OURS,
    "monoceros --preload": [*OURS, "--preload"],
    "monoceros --refork-after 1000": [*OURS, "--refork-after", "1000"],
    "monoceros --preload --refork-after 1000": [*OURS, "--preload", "--refork-after", "1000"],
}
REFERENCE = "gunicorn --preload"


def make_environment(python: str) -> Path:
    """The interpreter of an environment with what is compared and measured, which is made where it is not there."""
    version = subprocess.run([python, "-V"], check=True, capture_output=True, text=True).stdout.split()[-1]
    directory = environment.PEERS / f"python-{version}"
    found = directory / "bin" / "python"
    pins = environment.requirements(environment.REQUIREMENTS.read_text())
    pins |= environment.requirements((environment.PROJECT / "requirements-dev.txt").read_text())
    wanted = {name: pins[name] for name in ("gunicorn", "django", "whitenoise")}
    if not wanted.items() <= environment.installed(found).items():
        print(f"making an environment for Python {version}", flush=True)
        subprocess.run([python, "-m", "venv", directory], check=True)
        packages = [f"{name}=={version}" for name, version in wanted.items()]
        subprocess.run([found, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
    subprocess.run([found, "-m", "compileall", "-q", environment.PROJECT / "python", PROJECT], check=True)
    return found


def ask(port: int) -> int:
    """The process that answered."""
    with socket.create_connection((HOST, port), timeout=10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    head = answer.partition(b"\r\n\r\n")[0]
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise SystemExit(f"not answered: {head[:200]!r}")
    return int(head.lower().partition(b"x-process:")[2].split()[0])


def boot(port: int, server: Process, workers: int) -> tuple[float, float]:
    """Seconds to the first answer, and to that of the last worker."""
    first = 0.0
    seen: set[int] = set()
    while len(seen) < workers:
        if not server.alive:
            raise SystemExit(f"a server ended: {server.ending()}")
        try:
            seen.add(ask(port))
        except OSError:
            time.sleep(0.002)
            continue
        first = first or time.perf_counter() - server.started
    return first, time.perf_counter() - server.started


def settle(port: int, server: Process, workers: int) -> None:
    """Ask until no process has come or gone for a while and every worker has answered."""
    members = None
    while members != (members := {(stat.pid, stat.born) for stat in server.members()}):
        end = time.monotonic() + 2
        seen: set[int] = set()
        while time.monotonic() < end or len(seen & {pid for pid, _ in members}) < workers:
            seen.add(ask(port))
            time.sleep(0.01)
            if {stat.pid for stat in server.members()} != {pid for pid, _ in members}:
                break


def measure(command: list[str], environment_: dict[str, str], directory: Path, options) -> tuple[float, float, float]:
    port = probe.free_port()
    command = [*command, "-w", str(options.workers), "-b", f"{HOST}:{port}", "shared:application"]
    with Process(command, os.sched_getaffinity(0), environment_, directory) as server:
        first, last = boot(port, server, options.workers)
        for _ in range(options.requests):
            ask(port)
        settle(port, server, options.workers)
        total = 0
        for stat in server.members():
            with contextlib.suppress(OSError):
                total += parse_rollup(Path(f"/proc/{stat.pid}/smaps_rollup").read_text()).get("Pss", 0)
        return first, last, total / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter that both servers run on")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "shared.py").write_text(WRAPPER)
        variables = dict(os.environ)
        variables["PYTHONPATH"] = os.pathsep.join([str(PROJECT), str(environment.PROJECT / "python")])
        variables["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
        variables["DJANGO_DATABASE"] = str(directory / "guestbook.sqlite3")
        python = make_environment(options.python)
        subprocess.run(
            [python, "manage.py", "migrate", "-v", "0"], cwd=PROJECT, env=variables, check=True, capture_output=True
        )
        results: dict[str, list[tuple[float, float, float]]] = {server: [] for server in SERVERS}
        for _ in range(options.rounds):
            for server, command in SERVERS.items():
                results[server].append(measure([str(python), *command], variables, directory, options))
        reference = statistics.median(result[2] for result in results[REFERENCE])
        print(f"{'server':42} {'first':>7} {'all':>7} {'PSS':>9} {'share':>6}")
        for server, values in results.items():
            first, last, memory = (statistics.median(column) for column in zip(*values, strict=True))
            print(f"{server:42} {first:5.2f} s {last:5.2f} s {memory:5.1f} MiB {memory / reference:6.2f}")


if __name__ == "__main__":
    main()
