"""The command: reads the configuration and runs the server."""

import os
import sys
from collections.abc import Sequence

from monoceros.hints import NoReturn

#: Commands for a server that runs already; see `monoceros.admin`.
OPERATORS_COMMANDS = ("status", "top", "stacks", "ctl")


def run() -> NoReturn:
    """The entry point of the console script and of `python -m monoceros`."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs the server; returns the exit status. What is wrong with the settings is said in one line on stderr."""
    if is_operators(arguments):
        from monoceros.admin import commands

        return commands.main(arguments)
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


def is_operators(arguments: Sequence[str]) -> bool:
    """Whether a command line asks a server that runs, and does not start one.

    A bare name is an app spec too: `monoceros status` serves status.py where there is one in the working directory.
    `python -m monoceros.admin status` is the command in any case, and `monoceros status:application` the module.
    """
    if not arguments or arguments[0] not in OPERATORS_COMMANDS:
        return False
    name = arguments[0]
    return not (os.path.isfile(f"{name}.py") or os.path.isdir(name))
