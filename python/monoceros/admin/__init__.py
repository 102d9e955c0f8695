"""What an operator asks of a running server: `monoceros status`, `top`, `stacks` and `ctl`.

They are clients of the server's `admin_bind`, and need nothing of the compiled part but to read a configuration.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

#: The commands, which may stand where the command line names an application.
COMMANDS = ("status", "top", "stacks", "ctl")


def is_command(arguments: Sequence[str]) -> bool:
    """Whether a command line is for this package, and not for a server.

    A bare name is an app spec too: `monoceros status` serves status.py where there is one in the working directory.
    `python -m monoceros.admin status` is the command in any case, and `monoceros status:application` the module.
    """
    if not arguments or arguments[0] not in COMMANDS:
        return False
    name = arguments[0]
    return not (os.path.isfile(f"{name}.py") or os.path.isdir(name))


def run(arguments: Sequence[str]) -> int:
    """Runs a command; returns the exit status."""
    from monoceros.admin.commands import main

    return main(arguments)
