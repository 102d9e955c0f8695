"""The command: ``python -m benchmarks`` measures and renders; ``python -m benchmarks render`` only renders."""

import argparse
import functools
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from benchmarks import environment, render
from benchmarks.cases import CASES, IDLE, START
from benchmarks.one_server import RECORD
from benchmarks.run import Bench, Plan
from benchmarks.servers import REFERENCE, SERVERS, Place

LATEST = Path(__file__).with_name("results") / "latest.json"
DOCS = environment.PROJECT / "docs"
# Runs of a part of the suite go where nothing is kept: they must not replace the published ones.
PARTIAL = environment.PROJECT / "build" / "benchmarks"


def names(allowed):
    def parse(text):
        chosen = [name for name in text.split(",") if name]
        unknown = [name for name in chosen if name not in allowed]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown) or text!r}; known: {', '.join(allowed)}")
        return chosen

    return parse


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return int(text)


def parser():
    default_servers = [name for name, server in SERVERS.items() if server.default]
    default_cases = [name for name, case in CASES.items() if case.default] + [START, IDLE]
    top = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    top.add_argument("action", nargs="?", choices=("run", "render", "list"), default="run")
    top.add_argument("--servers", type=names(SERVERS), default=default_servers, metavar="NAME,…")
    top.add_argument("--cases", type=names([*CASES, START, IDLE]), default=default_cases, metavar="NAME,…")
    top.add_argument("--rounds", type=positive, metavar="N", help="rounds over all cases and servers (default: 3)")
    top.add_argument("--seconds", type=positive, metavar="N", help="seconds of load per measurement (default: 4)")
    top.add_argument("--warm-up", type=positive, default=1, metavar="N", help="seconds of load before it (default: 1)")
    top.add_argument("--quick", action="store_true", help="hello and browser only, one round of one second")
    top.add_argument("--results", type=Path, metavar="FILE", help="the JSON file to write, or to render")
    top.add_argument("--docs", type=Path, metavar="DIR", help="where to write benchmarks.md and its charts")
    top.add_argument("--peers", type=Path, default=environment.PEERS, metavar="DIR", help="the peers' environment")
    top.add_argument("--no-install", action="store_true", help="take the peers' environment as it is")
    top.add_argument("--monoceros", type=Path, metavar="FILE", help="the monoceros command to measure")
    return top


def own_command(options) -> Path:
    """The monoceros to measure: the one given, the one beside the running interpreter, or the project's."""
    beside = Path(sys.executable).parent / "monoceros"
    return options.monoceros or (beside if beside.exists() else environment.PROJECT / ".venv" / "bin" / "monoceros")


def absent(server, options, own: Path, have: dict, failures: dict) -> str | None:
    """Why a server cannot be measured, if it cannot."""
    if server.is_reference:
        return None if own.exists() else "not installed: run `make install`, or give --monoceros FILE"
    name = environment.normal(server.package)
    if name in failures:
        return failures[name]
    program = Path(server.command(Place("", 0, options.peers / "bin", own.parent))[0])
    return None if name in have and program.exists() else f"not installed in {options.peers.name}"


def plan(options) -> Plan:
    options.peers = options.peers.absolute()
    failures = {} if options.no_install else environment.install_peers(options.peers)
    have = environment.installed(options.peers / "bin" / "python")
    own = own_command(options).absolute()
    chosen = [SERVERS[name] for name in options.servers]
    reasons = {server.name: absent(server, options, own, have, failures) for server in chosen}
    quick = options.quick
    wanted = [name for name in options.cases if not quick or name in ("hello", "browser", START)]
    return Plan(
        servers=[server for server in chosen if reasons[server.name] is None],
        cases=[CASES[name] for name in wanted if name in CASES],
        start=START in wanted,
        idle=IDLE in wanted,
        rounds=options.rounds or (1 if quick else 3),
        seconds=options.seconds or (1 if quick else 4),
        warm_up=options.warm_up,
        peers=options.peers,
        own=own.parent,
        missing={name: reason for name, reason in reasons.items() if reason},
    )


def write(path: Path, text: str):
    """Replaces a file at once, so that an interruption leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def save_pages(results, directory: Path):
    one_server = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else None
    for name, text in render.pages(results, one_server).items():
        write(directory / name, text)
        print(f"wrote {os.path.relpath(directory / name)}")


def measure(options) -> int:
    if shutil.which("wrk") is None:
        print("benchmarks: wrk is not installed (Debian: apt-get install wrk)", file=sys.stderr)
        return 1
    top = parser()
    whole = options.servers == top.get_default("servers") and options.cases == top.get_default("cases")
    published = whole and not options.quick
    results_file = options.results or (LATEST if published else PARTIAL / "results.json")
    work = plan(options)
    for name, reason in work.missing.items():
        print(f"{name}: {reason}", file=sys.stderr)
    if not work.servers:
        print("benchmarks: nothing to measure", file=sys.stderr)
        return 1
    bench = Bench(
        work,
        say=functools.partial(print, flush=True),
        save=lambda results: write(results_file, json.dumps(results, indent=1) + "\n"),
    )
    if not bench.cpus.apart:
        print("benchmarks: one CPU only, so the client shares the server's", file=sys.stderr)
    # TERM ends the run as Ctrl-C does: the server of the moment must not outlive it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        results = bench.run()
    except KeyboardInterrupt:
        print(f"interrupted; what was measured is in {os.path.relpath(results_file)}", file=sys.stderr)
        return 130
    print(f"wrote {os.path.relpath(results_file)}")
    save_pages(results, options.docs or (DOCS if published else PARTIAL))
    measured = {sample["server"] for sample in results["samples"]} | set(results["start"]) | set(results["idle"])
    if any(SERVERS[name].is_reference and name not in measured for name in options.servers):
        print(f"benchmarks: {REFERENCE} itself was not measured", file=sys.stderr)
        return 1
    return 0


def main(arguments=None) -> int:
    options = parser().parse_args(arguments)
    if options.action == "list":
        for name, item in [*SERVERS.items(), *CASES.items()]:
            print(f"{name:18} {item.title}{'' if item.default else '  (on request)'}")
        return 0
    if options.action == "render":
        source = options.results or LATEST
        try:
            results = json.loads(source.read_text(encoding="utf-8"))
        except FileNotFoundError:
            print(f"benchmarks: {os.path.relpath(source)} is not there: run `python -m benchmarks`", file=sys.stderr)
            return 1
        save_pages(results, options.docs or DOCS)
        return 0
    return measure(options)


if __name__ == "__main__":
    sys.exit(main())
