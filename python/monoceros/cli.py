"""The command: reads the configuration and runs the server."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def run() -> NoReturn:
    """The entry point of the console script and of `python -m monoceros`."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs the server; returns the exit status. What is wrong with the settings is said in one line on stderr."""
    from monoceros import admin

    if admin.is_command(arguments):
        return admin.run(arguments)
    try:
        from monoceros import _native  # noqa: F401
    except ImportError as error:
        print(
            f"Error: the compiled part of Monoceros cannot be loaded; install it again ({error})",
            file=sys.stderr,
            flush=True,
        )
        return 1

    from monoceros.app.base import fail
    from monoceros.app.wsgiapp import Command
    from monoceros.errors import ConfigError

    try:
        app = Command(arguments, os.environ)
    except ConfigError as error:
        fail(error)
    app.run()
