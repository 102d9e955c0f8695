"""What the threads of this worker are doing, for an operator who asks (`monoceros stacks`), and for the log of the
master, before it kills a worker that hangs.

There are two ways, since whoever is asked may be stuck (Sources/Platform/StackPort.swift has the layout of the file):
a thread here takes the interpreter's lock for a moment and writes what every thread does, which is safe at any time.
Where the lock is not to be had, `faulthandler` writes from a signal handler in C.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import select
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Iterator
from types import FrameType

from monoceros import threads

#: The signal for `faulthandler`: a real-time one, of which nothing else makes use.
NUMBER = signal.SIGRTMAX - 5
NAME = "monoceros-stacks"

ANSWER = 4 << 20
COUNT = 6 << 20
LISTENER = 7 << 20
LIMIT = 1 << 20
PACKAGE = os.path.dirname(__file__)


class Witness:
    """Answers in one worker."""

    def __init__(self, bell: int, file: int):
        """
        :param bell: an eventfd that the asking process writes to; -1 where only the master asks, by the signal.
        :param file: where the answer goes.
        """
        self.bell = bell
        self.file = file
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def arm(self) -> None:
        """From now on the signal is answered. Called in the main thread."""
        faulthandler.register(NUMBER, file=self.file, all_threads=True, chain=False)
        # A system call of the application goes on where the signal interrupted it.
        signal.siginterrupt(NUMBER, False)
        os.pwrite(self.file, struct.pack("<II", os.getpid(), NUMBER), LISTENER)

    def start(self) -> None:
        """From now on the bell is answered, too, by a thread that keeps nobody from leaving."""
        if self.bell >= 0:
            self._thread = threads.start(NAME, self.run, daemon=True)

    def stop(self) -> None:
        """Ends that thread, and the answers to the signal."""
        faulthandler.unregister(NUMBER)
        self._is_stopping = True
        if self._thread is not None:
            os.eventfd_write(self.bell, 1)
            self._thread.join(1)

    def run(self) -> None:
        while True:
            select.select([self.bell], [], [])
            try:
                os.eventfd_read(self.bell)
            except BlockingIOError:
                continue
            if self._is_stopping:
                return
            text = "\n\n".join(describe()).encode("utf-8", "backslashreplace")[:LIMIT]
            os.pwrite(self.file, text, ANSWER)
            # Last: it says that the rest is there.
            os.pwrite(self.file, struct.pack("<Q", len(text) + 1), COUNT)


def describe() -> Iterator[str]:
    """One paragraph for each thread of Python's, but for the one that writes them."""
    threads = {thread.ident: thread for thread in threading.enumerate()}
    own = threading.get_ident()
    for identity, frame in sorted(sys._current_frames().items()):
        if identity == own:
            continue
        thread = threads.get(identity)
        name = f'{number(thread)} "{thread.name}"' if thread is not None else f"{identity:#x}"
        yield f"Thread {name} (most recent call last):\n{shown(frame)}"


def number(thread: threading.Thread) -> int | None:
    """The kernel's number. Of the main thread Python may still know that of the process which was forked."""
    return os.getpid() if thread is threading.main_thread() else thread.native_id


def shown(frame: FrameType) -> str:
    """Where a thread is, most recent call last, as people get to see it: their own code, where there is some."""
    return "".join(traceback.format_list(own_frames_left_out(traceback.extract_stack(frame)))).rstrip()


def own_frames_left_out(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Without the frames through which this package came to call the application, and importlib for it, and without
    those of this package that the application called, or that a signal interrupted it with.

    Where there is nothing else, the last one says what this package does.
    """
    end = len(frames)
    while end and is_own(frames[end - 1]):
        end -= 1
    begin = next((place + 1 for place in range(end - 1, -1, -1) if is_own(frames[place])), 0)
    if begin == 0 and end < len(frames) and not begins_thread(frames[:end]):
        # What started this package.
        return frames[-1:]
    while begin < end and is_importlib(frames[begin]):
        begin += 1
    return [frame for frame in frames[begin:end] if not frame.filename.startswith("<frozen importlib")]


def begins_thread(frames: list[traceback.FrameSummary]) -> bool:
    """Whether these are the frames of a thread that runs something of the application's."""
    return bool(frames) and frames[0].filename == threading.__file__ != frames[-1].filename


def is_own(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(PACKAGE + os.sep)


def is_importlib(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith("<frozen importlib") or frame.filename == importlib.__file__
