"""Leaves the terminal and the process that started the server."""

import os


def detach(keeps_streams: bool) -> None:
    """Goes on in a process of its own session that has no terminal and can get none.

    Without `keeps_streams` standard input, output and error lead nowhere. Called before there is a second thread.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    # The leader of a session that opens a terminal would get it for its own; its child cannot.
    if os.fork():
        os._exit(0)
    os.umask(0o22)
    if keeps_streams:
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
