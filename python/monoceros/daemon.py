"""Leaves the terminal and the process that started the server."""

import os
from collections.abc import Iterable


def detach(unwanted: Iterable[int] = (0, 1, 2)) -> None:
    """Goes on in a process of its own session that has no terminal and can get none.

    `unwanted` are those of standard input, output and error that lead nowhere from then on. Called before there is a
    second thread.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    # The leader of a session that opens a terminal would get it for its own; its child cannot.
    if os.fork():
        os._exit(0)
    os.umask(0o22)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in unwanted:
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
