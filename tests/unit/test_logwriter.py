"""Lines on their way to logs that take them, that take none for a while, and that never do."""

from __future__ import annotations

import errno
import fcntl
import io
import logging
import os
import socket
import sys
import weakref

import pytest

from monoceros import logwriter
from monoceros.loghandlers import FileHandler, StreamHandler
from monoceros.logwriter import CAPACITY, DescriptorTarget, LineWriter, OwnTarget


class Reports:
    """What was said about lost lines."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int, int | None]] = []

    def __call__(self, name: str, count: int, failure: OSError | None) -> None:
        self.entries.append((name, count, failure.errno if failure else None))


class Script:
    """A log that answers each attempt as it is told: a number of bytes taken, or an error. After that it takes all."""

    name = "script"

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.taken = b""

    def send(self, data: bytes) -> int:
        answer = self.answers.pop(0) if self.answers else len(data)
        if answer < 0:
            raise OSError(-answer, os.strerror(-answer))
        count = min(answer, len(data))
        self.taken += data[:count]
        return count

    def fileno(self) -> int:
        return -1


def writer(*answers: int) -> tuple[LineWriter, Script, Reports]:
    script, reports = Script(*answers), Reports()
    return LineWriter(script, reports), script, reports


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def fill(descriptor: int) -> int:
    """Fills a pipe without changing it for others; returns how many bytes it took."""
    own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
    count = 0
    try:
        while True:
            count += os.write(own, b"x" * 4096)
    except BlockingIOError:
        return count
    finally:
        os.close(own)


def test_a_line_is_one_call():
    lines, script, reports = writer()
    lines.write(b"first\n")
    lines.write(b"second\n")
    assert script.taken == b"first\nsecond\n"
    assert (lines.waiting, lines.lost, reports.entries) == (0, 0, [])


def test_what_is_taken_in_part_goes_on_where_it_stopped():
    lines, script, _ = writer(3, -errno.EAGAIN)
    lines.write(b"first\n")
    assert (script.taken, lines.waiting) == (b"fir", 3)
    lines.write(b"second\n")
    assert (script.taken, lines.waiting) == (b"first\nsecond\n", 0)


@pytest.mark.parametrize("failure", [errno.EAGAIN, errno.ENOSPC, errno.EPIPE, errno.EIO, errno.EBADF])
def test_lines_wait_up_to_the_capacity_and_then_are_counted(failure):
    lines, script, reports = writer(*[-failure] * 1000)
    line = b"x" * 1023 + b"\n"
    for _ in range(100):
        lines.write(line)
    assert lines.waiting == CAPACITY
    assert lines.lost == 100 - CAPACITY // 1024
    assert reports.entries == []

    script.answers.clear()
    assert lines.flush()
    assert script.taken == line * (CAPACITY // 1024)
    assert reports.entries == [("script", 36, failure)]
    lines.write(b"later\n")
    assert len(reports.entries) == 1, "the same loss was reported twice"


def test_a_loss_is_reported_with_the_next_line_that_gets_through():
    lines, script, reports = writer(*[-errno.ENOSPC] * 200)
    for _ in range(80):
        lines.write(b"x" * 1024)
    script.answers.clear()
    lines.write(b"next\n")
    assert script.taken.endswith(b"xnext\n")
    assert reports.entries == [("script", 16, errno.ENOSPC)]


def test_one_line_that_is_larger_than_the_capacity_is_kept():
    lines, script, _ = writer(-errno.EAGAIN)
    lines.write(b"x" * (CAPACITY + 1))
    assert lines.waiting == CAPACITY + 1
    lines.write(b"next\n")
    assert len(script.taken) == CAPACITY + 6


def test_a_line_of_a_signal_handler_in_the_middle_follows_whole():
    class Interrupted(Script):
        def send(self, data: bytes) -> int:
            if not self.taken:
                lines.write(b"handler\n")
            return super().send(data)

    script = Interrupted()
    lines = LineWriter(script, Reports())
    lines.write(b"first\n")
    assert script.taken == b"first\nhandler\n"


def test_a_closed_writer_forgets_what_waits_and_writes_nothing():
    lines, script, _ = writer(-errno.EAGAIN, -errno.EAGAIN)
    lines.write(b"first\n")
    lines.close()
    script.answers.clear()
    lines.write(b"second\n")
    assert (script.taken, lines.waiting, lines.lost) == (b"", 0, 1)


def test_a_full_pipe_neither_blocks_nor_becomes_nonblocking_for_others(pipe):
    reading, writing = pipe
    filled = fill(writing)
    reports = Reports()
    lines = LineWriter(DescriptorTarget(writing, "pipe"), reports)
    for number in range(3000):
        lines.write(b"%06d %s\n" % (number, b"x" * 40))
    assert 0 < lines.waiting <= CAPACITY and lines.lost > 0
    assert not fcntl.fcntl(writing, fcntl.F_GETFL) & os.O_NONBLOCK

    lost, got = lines.lost, b""
    assert len(os.read(reading, filled)) == filled
    while not lines.flush():
        got += os.read(reading, 65536)
    os.set_blocking(reading, False)
    got += os.read(reading, 1 << 20)
    numbers = [int(line[:6]) for line in got.splitlines()]
    assert numbers == list(range(3000 - lost)), "the oldest lines are kept, whole and in order"
    assert reports.entries == [("pipe", lost, errno.EAGAIN)]


def test_a_pipe_is_prepared_for_others_that_write(pipe):
    reading, writing = pipe
    own = DescriptorTarget(writing, "pipe").prepare()
    assert own != writing and not os.get_inheritable(own)
    assert fcntl.fcntl(own, fcntl.F_GETFL) & os.O_NONBLOCK
    os.write(own, b"same pipe")
    assert os.read(reading, 100) == b"same pipe"
    os.close(own)


def test_a_pipe_that_cannot_be_opened_again_is_asked_first(pipe, monkeypatch):
    def refuse(path: str, *arguments: object, **options: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    reading, writing = pipe
    monkeypatch.setattr(logwriter.os, "open", refuse)
    lines = LineWriter(DescriptorTarget(writing, "pipe"), Reports())
    for _ in range(40):
        lines.write(b"x" * 4095 + b"\n")
    assert lines.lost > 0
    os.read(reading, 8192)
    before = lines.waiting
    lines.flush()
    assert 0 < lines.waiting < before


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_full_socket_does_not_block(kind):
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        lines = LineWriter(DescriptorTarget(ours.fileno(), "socket"), Reports())
        for _ in range(2000):
            lines.write(b"x" * 1023 + b"\n")
        assert lines.lost > 0
        assert theirs.recv(1024) == b"x" * 1023 + b"\n"
        assert not fcntl.fcntl(ours.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
        lines.close()


def test_a_replaced_descriptor_is_followed(tmp_path, pipe):
    reading, writing = pipe
    target = DescriptorTarget(os.dup(writing), "both")
    lines = LineWriter(target, Reports())
    lines.write(b"to the pipe\n")
    with open(tmp_path / "file", "wb") as file:
        os.dup2(file.fileno(), target._shared)
    lines.write(b"to the file\n")
    assert os.read(reading, 100) == b"to the pipe\n"
    assert (tmp_path / "file").read_bytes() == b"to the file\n"
    os.close(target._shared)


def test_a_full_disk_is_survived_and_said():
    with open("/dev/full", "wb") as full:
        reports = Reports()
        lines = LineWriter(OwnTarget(full.fileno(), "/dev/full"), reports)
        for _ in range(100):
            lines.write(b"x" * 1024)
        assert lines.lost == 36
        assert not lines.flush()
        assert reports.entries == []
        lines.close()


def test_what_was_lost_is_said_at_the_end(monkeypatch):
    reports = Reports()
    monkeypatch.setattr(logwriter, "say_lost", reports)
    monkeypatch.setattr(logwriter, "_writers", weakref.WeakSet())
    with open("/dev/full", "wb") as full:
        lines = LineWriter(OwnTarget(full.fileno(), "/dev/full"), reports)
        for _ in range(100):
            lines.write(b"x" * 1024)
        logwriter._say_farewell()
        assert reports.entries == [("/dev/full", 100, errno.ENOSPC)]
        logwriter._say_farewell()
        assert len(reports.entries) == 1


def test_the_child_of_a_fork_does_not_repeat_what_waits(pipe):
    reading, writing = pipe
    lines, _, _ = writer(-errno.EAGAIN, -errno.EAGAIN)
    lines.write(b"the parent's\n")
    pid = os.fork()
    if pid == 0:
        os.write(writing, b"%d %d" % (lines.waiting, lines.lost))
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100) == b"0 0"
    assert lines.waiting == 13


def test_the_child_of_a_fork_starts_no_thread_until_it_may(pipe, monkeypatch):
    monkeypatch.setattr(logwriter, "_threads_are_allowed", True)
    reading, writing = pipe
    pid = os.fork()
    if pid == 0:
        lines, _, _ = writer(-errno.EAGAIN, -errno.EAGAIN)
        lines.write(b"waits\n")
        os.write(writing, b"%d" % lines._is_retrying)
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 100) == b"0"


def test_a_worker_waits_for_the_log_in_a_thread(pipe, monkeypatch):
    monkeypatch.setattr(logwriter, "_threads_are_allowed", True)
    reading, writing = pipe
    fill(writing)
    lines = LineWriter(DescriptorTarget(writing, "pipe"), Reports())
    lines.write(b"once there is room\n")
    assert lines.waiting > 0
    got = b""
    while not got.endswith(b"once there is room\n"):
        got += os.read(reading, 65536)
    assert got.lstrip(b"x") == b"once there is room\n"


def test_only_the_process_own_streams_have_writers(monkeypatch, tmp_path):
    assert logwriter.writer_for(io.StringIO()) is None
    assert logwriter.writer_for(io.TextIOWrapper(io.BytesIO())) is None
    with open(tmp_path / "file", "w") as file:
        assert logwriter.writer_for(file) is None
    with open(2, "w", closefd=False) as stderr:
        found = logwriter.writer_for(stderr)
        assert found is not None and found is logwriter.writer_for(stderr)


def record(text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 1, text, arguments, None)


def test_a_handler_writes_line_and_end_together():
    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            calls.append(text)
            return super().write(text)

    calls: list[str] = []
    StreamHandler(Stream()).handle(record("a %s", "line"))
    assert calls == ["a line\n"]


def test_a_file_is_reopened_under_the_same_descriptor(tmp_path):
    path = tmp_path / "a.log"
    handler = FileHandler(str(path))
    handler.handle(record("before"))
    number = handler.stream.fileno()
    path.rename(tmp_path / "a.log.1")
    handler.reopen()
    handler.handle(record("after \ud800"))
    assert handler.stream.fileno() == number
    assert not os.get_inheritable(number)
    handler.close()
    assert (tmp_path / "a.log.1").read_text() == "before\n"
    assert path.read_text() == "after \\ud800\n"


def test_a_file_that_cannot_be_reopened_stays_in_use(tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    handler = FileHandler(str(directory / "a.log"))
    directory.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        handler.reopen()
    handler.handle(record("still here"))
    handler.close()
    assert (tmp_path / "moved" / "a.log").read_text() == "still here\n"


def test_a_fifo_without_a_reader_is_an_error_and_not_a_wait(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="No such device or address"):
        FileHandler(str(tmp_path / "fifo"))


def test_a_record_that_cannot_be_formatted_is_reported_in_one_write(monkeypatch):
    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            calls.append(text)
            return super().write(text)

    calls: list[str] = []
    monkeypatch.setattr(sys, "stderr", Stream())
    StreamHandler(io.StringIO()).handle(record("%d", "text"))
    assert len(calls) == 1
    assert "TypeError" in calls[0] and "Message: '%d'" in calls[0]
