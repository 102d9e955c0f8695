"""Which of several workers that fail together says why: the first, and the others stay until it has."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from collections.abc import Iterator


def pipe() -> tuple[int, int]:
    """A pipe that is none of standard input, output and error, where the server was started without one of them.

    A daemon puts others in their places.
    """
    ends = os.pipe()
    reading, writing = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends)
    for end in ends:
        os.close(end)
    return reading, writing


class FirstWord:
    """One for each server, made before the first fork: two pipes that master and workers share."""

    #: Seconds that a worker stays for another's word. That one may have been killed in the middle of it.
    PATIENCE = 2.0

    def __init__(self) -> None:
        # A byte for the first to take, and a byte of its own for when it is done.
        self._chance = pipe()
        self._done = pipe()
        for end in (*self._chance, *self._done):
            os.set_blocking(end, False)
        self.renew()

    def renew(self) -> None:
        """In the master, before workers are forked: one of those that fail from now on may speak."""
        for reading, _ in (self._chance, self._done):
            with contextlib.suppress(OSError):
                os.read(reading, 64)
        with contextlib.suppress(OSError):
            os.write(self._chance[1], b"!")

    @contextlib.contextmanager
    def take(self) -> Iterator[bool]:
        """In a worker that failed to boot. Yields whether it is to say why.

        The master ends all workers as soon as one has ended so: who has nothing to say must not be quicker than the one
        that has.
        """
        try:
            is_first = os.read(self._chance[0], 1) != b""
        except BlockingIOError:
            is_first = False
        except OSError:
            # The application has closed what it does not know. Better said twice than never.
            is_first = True
        if not is_first:
            self._stay()
        try:
            yield is_first
        finally:
            if is_first:
                with contextlib.suppress(OSError):
                    os.write(self._done[1], b"!")

    def _stay(self) -> None:
        poll = select.poll()
        poll.register(self._done[0], select.POLLIN)
        poll.poll(self.PATIENCE * 1000)
