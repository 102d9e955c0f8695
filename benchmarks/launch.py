"""Starts a server that is a library rather than a command: ``python -m benchmarks.launch SERVER MODULE:APP PORT``."""

import importlib
import sys

HOST = "127.0.0.1"


def run_bjoern(app, port):
    import bjoern

    bjoern.run(app, HOST, port)


def run_fastwsgi(app, port):
    import fastwsgi

    fastwsgi.server.backlog = 2048
    fastwsgi.run(app, HOST, port)


def run_fastpysgi(app, port):
    import fastpysgi

    fastpysgi.run(app, HOST, port)


RUNNERS = {"bjoern": run_bjoern, "fastwsgi": run_fastwsgi, "fastpysgi": run_fastpysgi}


def main(arguments):
    if len(arguments) != 3 or arguments[0] not in RUNNERS:
        raise SystemExit(f"usage: python -m benchmarks.launch {{{','.join(RUNNERS)}}} MODULE:APP PORT")
    server, target, port = arguments
    module, _, attribute = target.partition(":")
    RUNNERS[server](getattr(importlib.import_module(module), attribute), int(port))


if __name__ == "__main__":
    main(sys.argv[1:])
