"""The command lines of `monoceros status`, `top`, `stacks` and `ctl`."""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from monoceros.admin import report
from monoceros.admin.client import Client, NotReachable
from monoceros.admin.finding import VARIABLE, find

#: Seconds that a change of the number of workers may take to be seen.
PATIENCE = 5


def main(arguments: Sequence[str]) -> int:
    """Runs a command; returns the exit status: 1 when the server does not answer or refuses."""
    parsed = make_parser().parse_args(list(arguments))
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path that the locale has no letters for is no reason to say nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return parsed.function(find(parsed.admin, parsed.pid_file, parsed.config), parsed)
    except NotReachable as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `monoceros status | head`: nobody reads the rest.
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="monoceros", description="Asks a running server that has an admin_bind.")
    # They may stand behind any of the words: what a later one does not say leaves what an earlier one said.
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--admin", metavar="ADDRESS", help=f"the server's admin_bind: unix:PATH or HOST:PORT [env: {VARIABLE}]"
    )
    common.add_argument("--pid-file", metavar="FILE", help="the server's pid file; leads to its Unix socket")
    common.add_argument("-c", "--config", metavar="FILE", help="the server's configuration file")
    commands = parser.add_subparsers(dest="command", required=True)

    status = commands.add_parser("status", parents=[common], help="what the server is and does, right now")
    status.add_argument("--json", action="store_true", help="as JSON, with the schema of docs/operations.md")
    status.set_defaults(function=show_status)

    top = commands.add_parser("top", parents=[common], help="the same, live")
    top.add_argument("--interval", type=float, default=1.0, metavar="SECONDS", help="between two looks [1]")
    top.set_defaults(function=show_top)

    stacks = commands.add_parser("stacks", parents=[common], help="what every thread of a worker is doing in Python")
    stacks.add_argument("pid", nargs="?", type=int, help="a worker's process id; all workers by default")
    stacks.set_defaults(function=show_stacks)

    add_control(commands.add_parser("ctl", parents=[common], help="tell the server what to do"), common)
    parser.set_defaults(admin=None, pid_file=None, config=None)
    return parser


def add_control(parser: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    orders = parser.add_subparsers(dest="order", required=True)
    show = orders.add_parser("show", parents=[common], help="show workers, or all there is")
    show.add_argument("what", choices=("all", "workers", "config", "stats", "listeners"))
    show.set_defaults(function=show_part)
    simple = {"reload": "read the configuration again and replace the workers", "reopen": "open the logs anew"}
    for order, text in simple.items():
        orders.add_parser(order, parents=[common], help=text).set_defaults(function=tell, target=f"/ctl/{order}")
    for name in ("quit", "shutdown"):
        ending = orders.add_parser(name, parents=[common], help="end the server, after the requests under way")
        ending.add_argument("how", nargs="?", choices=("graceful", "quick"), default="graceful")
        ending.set_defaults(function=end)
    worker = orders.add_parser("worker", help="add, remove or kill a worker").add_subparsers(required=True)
    for name in ("add", "remove"):
        change = worker.add_parser(name, parents=[common], help=f"{name} workers")
        change.add_argument("count", nargs="?", type=positive, default=1, metavar="N")
        change.set_defaults(function=change_workers, direction=name)
    kill = worker.add_parser("kill", parents=[common], help="end a worker, which is replaced")
    kill.add_argument("pid", type=int)
    kill.set_defaults(function=end_worker)


def positive(text: str) -> int:
    """A number of workers, of at least one."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers")
    return int(text)


def show_status(client: Client, arguments: argparse.Namespace) -> int:
    document = client.status()
    print(json.dumps(document, indent=2) if arguments.json else report.whole(document))
    return 0


def show_top(client: Client, arguments: argparse.Namespace) -> int:
    from monoceros.admin.top import run

    return run(client, max(0.1, arguments.interval))


def show_stacks(client: Client, arguments: argparse.Namespace) -> int:
    pids = [arguments.pid] if arguments.pid else [each["pid"] for each in client.status()["workers"] if each["pid"]]
    failed = False
    for place, pid in enumerate(pids):
        status, text = client.ask(f"/stacks?pid={pid}")
        if len(pids) > 1:
            print(f"{'' if place == 0 else chr(10)}worker {pid}:")
        if status == 200:
            print(text.rstrip("\n"))
        else:
            failed = True
            print(f"Error: {text.strip()}", file=sys.stderr)
    return 1 if failed else 0


def show_part(client: Client, arguments: argparse.Namespace) -> int:
    document = client.status()
    parts: dict[str, Any] = {
        "workers": lambda: report.workers(document["workers"]),
        "config": lambda: [f"{name} = {value}" for name, value in document["settings"].items()],
        "stats": lambda: report.summary(document),
        "listeners": lambda: report.listeners(document),
        "all": lambda: [report.whole(document)],
    }
    print("\n".join(parts[arguments.what]()))
    return 0


def post(client: Client, target: str) -> bool:
    status, text = client.ask(target, "POST")
    if status == 202:
        return True
    print(f"Error: {text.strip()}", file=sys.stderr)
    return False


def tell(client: Client, arguments: argparse.Namespace) -> int:
    return 0 if post(client, arguments.target) else 1


def end(client: Client, arguments: argparse.Namespace) -> int:
    return 0 if post(client, "/ctl/quit" + ("?now=1" if arguments.how == "quick" else "")) else 1


def end_worker(client: Client, arguments: argparse.Namespace) -> int:
    return 0 if post(client, f"/ctl/workers/end?pid={arguments.pid}") else 1


def change_workers(client: Client, arguments: argparse.Namespace) -> int:
    """One after the other: of several equal signals at once, the master would see one."""
    step = 1 if arguments.direction == "add" else -1
    for _ in range(arguments.count):
        wanted = client.status()["server"]["workers_wanted"] + step
        if wanted < 1:
            print("Error: the last worker stays (monoceros ctl quit ends the server)", file=sys.stderr)
            return 1
        if not post(client, f"/ctl/workers/{arguments.direction}"):
            return 1
        deadline = time.monotonic() + PATIENCE
        while client.status()["server"]["workers_wanted"] != wanted:
            if time.monotonic() > deadline:
                print("Error: the master has not changed the number of workers", file=sys.stderr)
                return 1
            time.sleep(0.02)
    print(f"{client.status()['server']['workers_wanted']} workers wanted")
    return 0
