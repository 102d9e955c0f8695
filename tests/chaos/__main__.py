"""Puts a server through every fault, for each kind of worker, and tells what it cost.

    cd tests && ../.venv/bin/python -m chaos --seconds 2 --fault kill --fault stop

The exit status is 1 when a fault cost more than it may, or the server did not recover.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from support.waiting import until

from chaos.faults import FAULTS, Fault, Scene, Skip
from chaos.load import CAUSES, Tally
from chaos.server import options

COLUMNS = (
    "fault",
    "workers",
    "times",
    "answered",
    "failed",
    "by cause",
    "idle ended",
    "longest gap",
    "a worker ran",
    "as expected",
)

CREWS = {"sync": ["-k", "sync"], "gthread": ["-k", "gthread", "--threads", "4"]}


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description="Faults under load, and what they cost.")
    parser.add_argument("--seconds", type=float, default=12.0, help="how long each fault lasts (default: %(default)g)")
    parser.add_argument("--fault", action="append", choices=[fault.name for fault in FAULTS], help="only this one")
    parser.add_argument("--crew", action="append", choices=list(CREWS), help="only this kind of worker")
    parser.add_argument("--seed", type=int, default=1, help="decides whom it hits (default: %(default)d)")
    arguments = parser.parse_args()

    known, failed = options(), False
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS), flush=True)
    for fault in FAULTS:
        if arguments.fault and fault.name not in arguments.fault:
            continue
        for crew in arguments.crew or CREWS:
            if fault.needs and fault.needs not in known:
                print(row(fault, crew, skipped=f"the server has no {fault.needs}"), flush=True)
                continue
            scene, tally, reason = put_through(fault, crew, arguments.seconds, arguments.seed)
            failed = failed or bool(scene.complaints)
            print(row(fault, crew, scene, tally, reason), flush=True)
    print("\nCauses: " + "; ".join(f"*{name}*: {text}" for name, text in CAUSES.items()) + ".")
    return 1 if failed else 0


def put_through(fault: Fault, crew: str, seconds: float, seed: int) -> tuple[Scene, Tally | None, str]:
    """One fault for one kind of worker. Returns what it cost, or why it was left out."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        scene = Scene(Path(directory), CREWS[crew], seconds, random.Random(f"{seed} {fault.name} {crew}"))
        tally, reason = None, ""
        try:
            tally = fault.run(scene)
        except Skip as skip:
            reason = str(skip)
        finally:
            if scene.server is not None:
                status = scene.server.stop()
                if status != 0:
                    scene.complaints.append(f"exit status {status}")
                until(lambda: not scene.server.members(), "the end of every process")
        if scene.complaints and scene.server is not None:
            print(f"--- {fault.name} {crew}: the end of the log\n{scene.server.log()[-3000:]}", file=sys.stderr)
        return scene, tally, reason


def row(fault: Fault, crew: str, scene: Scene | None = None, tally: Tally | None = None, skipped: str = "") -> str:
    cells = ["", "", "", f"not run: {skipped}", "", "", "", ""]
    if scene is not None and tally is not None:
        cells = [
            str(scene.done),
            f"{tally.answered:,}",
            str(tally.failed),
            ", ".join(f"{count} {cause}" for cause, count in tally.failures.most_common()) or "–",
            str(tally.idle),
            f"{tally.longest_gap * 1000:.0f} ms",
            f"{scene.unexplained * 1000:.0f} ms of it" if scene.unexplained is not None else "",
            "; ".join(scene.complaints) or "yes",
        ]
    return "| " + " | ".join((fault.name, crew, *cells)) + " |"


if __name__ == "__main__":
    began = time.monotonic()
    status = main()
    print(f"\n{time.monotonic() - began:.0f} s", file=sys.stderr)
    sys.exit(status)
