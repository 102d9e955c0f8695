"""Leaves the terminal and the process that started the server, which waits there until the server stands."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import sys
from collections.abc import Iterable
from types import TracebackType

from monoceros.hints import NoReturn

#: What the daemon says when it serves. Otherwise it says its exit status and, in the next line, why it ends.
STANDS = b"+"

#: What the error log says last in any case.
PARTING_WORDS = "Shutting down: "


class Herald(logging.Handler):
    """Tells the process that waits, once: that the server stands, or why it ends. It ends with that, as a context."""

    def __init__(self, descriptor: int):
        """:param descriptor: a pipe of which the other process has the other end, and no third one this."""
        super().__init__(logging.ERROR)
        self._descriptor: int | None = descriptor
        self._complaint = ""
        # Its end tells of the daemon's: nobody whom that forks may keep it open.
        os.register_at_fork(after_in_child=self._leave)
        # What the error log says last is why.
        logging.getLogger("gunicorn.error").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Exception):
            if record.getMessage().startswith(PARTING_WORDS):
                return
            error = record.exc_info[1] if record.exc_info else None
            self._complaint = record.getMessage() + (f": {type(error).__name__}: {error}" if error else "")

    def stands(self) -> None:
        """The server listens, and is about to start its workers."""
        self._say(STANDS)

    def __enter__(self) -> Herald:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        status, reason = 1, str(error)
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
            reason = self._complaint
        self._say(f"{status}\n{' '.join(reason.split())}".encode("utf-8", "backslashreplace"))

    def _say(self, message: bytes) -> None:
        if self._descriptor is not None:
            # Whoever started the server may have gone.
            with contextlib.suppress(OSError):
                os.write(self._descriptor, message[: select.PIPE_BUF])
            self._leave()

    def _leave(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            logging.getLogger("gunicorn.error").removeHandler(self)


def detach(unwanted: Iterable[int] = (0, 1, 2)) -> Herald:
    """Goes on in a process of its own session that has no terminal and can get none.

    The process that calls it ends when the server stands, with status 0, or with the server, which it says on stderr.

    `unwanted` are those of standard input, output and error that lead nowhere from then on. Called before there is a
    second thread.
    """
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        _wait(reader, child)
    os.close(reader)
    os.setsid()
    # The leader of a session that opens a terminal would get it for its own; its child cannot.
    if os.fork():
        os._exit(0)
    os.umask(0o22)
    if writer <= 2:
        # Where the server was started without a standard input, for one.
        writer = fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 3)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in unwanted:
        os.dup2(nowhere, number)
    if nowhere > 2:
        os.close(nowhere)
    return Herald(writer)


def _wait(reader: int, child: int) -> NoReturn:
    """Waits for the daemon's word, or its end, and ends this process accordingly."""
    status, text = 1, ""
    try:
        os.waitpid(child, 0)
        # One write is one message. The end of the pipe is not waited for: some child of the server may have it, too.
        message = os.read(reader, select.PIPE_BUF)
        if message == STANDS:
            os._exit(0)
        if message:
            number, _, said = message.partition(b"\n")
            # A server that was told to end does so with status 0, and did not come up either.
            status, text = int(number) or 1, said.decode("utf-8", "replace")
        print(f"Error: {text or 'the server ended while it started'}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)
