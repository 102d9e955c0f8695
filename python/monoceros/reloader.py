"""What `--reload` watches: the files that a worker's code comes from, and what the user names besides.

The arbiter watches (`FileWatcher`, in Swift); a worker only tells which files it has loaded, and tells it again when it
has imported more. Files go over one pipe for all workers: absolute paths, each ended by a NUL byte. A write holds whole
paths and at most PIPE_BUF bytes, so that those of several workers do not mix (pipe(7)).
"""

import contextlib
import fnmatch
import importlib.util
import os
import re
import select
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType, TracebackType
from typing import NamedTuple

#: The longest path that is reported, with its NUL: what is longer, no system call takes (PATH_MAX).
LONGEST_RECORD = 4096
#: How many files and directories patterns may lead to: `**` has no other bound.
MOST_FOUND = 20_000
#: Seconds between two looks for modules that were imported late.
INTERVAL = 1.0

WILDCARD = re.compile(r"[*?[]")


# What a worker has loaded


def module_files(modules: Mapping[str, ModuleType | None] | None = None) -> set[str]:
    """The files that these modules come from (those of `sys.modules` by default), as absolute paths.

    Modules without a file have none: built-in and frozen ones, namespace packages, and those in a zip archive.
    """
    # A copy: another thread may import something meanwhile. dict.copy() runs no Python code, so it is one step.
    loaded = (sys.modules if modules is None else modules).copy()
    # `__file__` is whatever the module made of it.
    paths = (getattr(module, "__file__", None) for module in loaded.values())
    return {path for name in paths if isinstance(name, str) and (path := source_file(name))}


def source_file(name: str) -> str | None:
    """The file to watch for a module that was loaded from this one; None for a file in an archive, or in nothing."""
    path = os.path.abspath(name)
    if "\0" in path:
        return None
    if path.endswith(".pyc"):
        try:
            source = importlib.util.source_from_cache(path)
        except ValueError:
            # A .pyc beside its source, or in place of it.
            source = path[:-1]
        if os.path.exists(source) or not os.path.exists(path):
            path = source
    # The file may be missing for a moment, while an editor replaces it. In an archive its directory is none either.
    return path if os.path.isdir(os.path.dirname(path)) else None


def files_of(error: BaseException) -> set[str]:
    """The files that an exception came through, and the one that a SyntaxError is in.

    A module that failed to import has left `sys.modules` again, and its file is the one that will be mended.
    """
    names: set[str] = set()
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        if isinstance(link, SyntaxError) and link.filename:
            names.add(link.filename)
        names.update(frame_files(link.__traceback__))
        pending += (link.__cause__, link.__context__)
    # `<string>` and `<frozen importlib._bootstrap>` are no files.
    return {path for name in names if not name.startswith("<") and (path := source_file(name))}


def expected_files(spec: str) -> set[str]:
    """Where the module of an app spec, and the packages that it is in, would be below the current directory.

    For one that is missing: it may be about to be written, or to be named as the command line says.
    """
    parts = spec.partition(":")[0].split(".")
    if not all(part.isidentifier() for part in parts):
        return set()
    names = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    candidates = (source_file(f"{name}{suffix}") for name in names for suffix in (".py", "/__init__.py"))
    return {path for path in candidates if path}


def frame_files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next


# Telling the arbiter


class Reporter:
    """A worker's end of the pipe to the arbiter."""

    def __init__(self, descriptor: int):
        #: The writing end of the pipe; not blocking.
        self.descriptor = descriptor
        self.reported: set[str] = set()
        self.waiting: list[bytes] = []
        self.count = 0
        # The thread of `start` and whoever reports a failure may come together.
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread: threading.Thread | None = None

    def report(self) -> bool:
        """Tells of files that are new since the last call. Returns False when the pipe did not take all: call again."""
        with self.lock:
            # As good as always the number tells that there are others, and it costs nothing to ask.
            if len(sys.modules) != self.count:
                self.count = len(sys.modules)
                self._add(module_files())
            return self._flush()

    def report_failure(self, error: BaseException, others: Iterable[str] = (), seconds: float = 1.0) -> None:
        """Tells of all that was loaded before the application failed to load, and of the files in which it failed.

        The worker ends after this, so a pipe that is full is waited for, up to this long.

        :param others: files that may come to be, as absolute paths.
        """
        with self.lock:
            self._add(module_files() | files_of(error) | set(others))
            while not self._flush():
                if not select.select([], [self.descriptor], [], seconds)[1]:
                    return

    def start(self) -> None:
        """Goes on reporting, from a thread of its own, what the application imports later."""

        def run() -> None:
            self.report()
            while not self.stopping.wait(INTERVAL):
                self.report()

        self.thread = threading.Thread(target=run, name="monoceros-reload", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Ends that thread, before the process forks or the pipe is closed."""
        self.stopping.set()
        if self.thread is not None:
            self.thread.join()

    def _add(self, files: set[str]) -> None:
        new = files - self.reported
        self.reported |= new
        records = (os.fsencode(path) + b"\0" for path in sorted(new))
        self.waiting += packed(record for record in records if len(record) <= LONGEST_RECORD)

    def _flush(self) -> bool:
        while self.waiting:
            try:
                # All of it or nothing: at most PIPE_BUF bytes.
                os.write(self.descriptor, self.waiting[0])
            except BlockingIOError:
                return False
            except OSError:
                # The arbiter is gone, or the application closed what it did not open: nobody to tell any more.
                self.waiting.clear()
                return True
            del self.waiting[0]
        return True


def packed(records: Iterable[bytes]) -> Iterator[bytes]:
    """The records joined to blocks of at most PIPE_BUF bytes, which the kernel never cuts."""
    block = b""
    for record in records:
        if block and len(block) + len(record) > select.PIPE_BUF:
            yield block
            block = b""
        block += record
    if block:
        yield block


# What the user names besides


class Found(NamedTuple):
    """What patterns lead to, as absolute paths."""

    files: set[str]
    #: Where a new file could be one that the patterns mean.
    directories: set[str]
    #: Whether there was more than MOST_FOUND, and the rest is left out.
    is_cut: bool


def missing_files(patterns: Iterable[str], start: str) -> list[str]:
    """Which of the names that are no patterns are no files: a mistake to be told, before one waits for a reload."""
    return [
        pattern
        for pattern in patterns
        if not WILDCARD.search(pattern) and not os.path.isfile(os.path.join(start, pattern))
    ]


def expand(patterns: Iterable[str], start: str) -> Found:
    """The files that these paths and patterns name, relative to `start`, the directory where the server was started.

    `*`, `?` and `[...]` mean what they mean in a shell, `**` any number of directories. As in a shell, a wildcard does
    not stand for the dot at the beginning of a name. Symbolic links to directories are not followed by `**`.
    """
    files: set[str] = set()
    directories: set[str] = set()
    for pattern in patterns:
        path = os.path.normpath(os.path.join(start, pattern))
        if not WILDCARD.search(pattern):
            files.add(path)
            continue
        # What `start` itself is called is no pattern.
        base = start if not os.path.isabs(pattern) else "/"
        parts = [part for part in os.path.normpath(pattern).split("/") if part]
        for found in walk(os.path.abspath(base), parts, directories):
            if len(files) + len(directories) >= MOST_FOUND:
                return Found(files, directories, True)
            files.add(found)
    return Found(files, directories, False)


def walk(directory: str, parts: list[str], visited: set[str]) -> Iterator[str]:
    """The files below `directory` that the parts of a pattern name; adds every directory that was listed."""
    if len(visited) >= MOST_FOUND:
        return
    part, rest = parts[0], parts[1:]
    if part != "**" and not WILDCARD.search(part):
        path = os.path.normpath(os.path.join(directory, part))
        if rest:
            yield from walk(path, rest, visited)
        elif os.path.isfile(path):
            yield path
        return
    visited.add(directory)
    entries: list[os.DirEntry[str]] = []
    with contextlib.suppress(OSError), os.scandir(directory) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    if part == "**":
        # No directory at all, and then each one below.
        yield from walk(directory, rest or ["*"], visited)
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path, parts, visited)
        return
    for entry in entries:
        hidden = entry.name.startswith(".") and not part.startswith(".")
        if hidden or not fnmatch.fnmatchcase(entry.name, part):
            continue
        if rest:
            if entry.is_dir():
                yield from walk(entry.path, rest, visited)
        elif entry.is_file():
            yield entry.path
