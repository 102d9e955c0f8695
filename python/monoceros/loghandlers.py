"""Handlers for `logging` that never wait for their log (logwriter.py), in place of the standard library's."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback

from monoceros.hints import IO
from monoceros.logcomplaints import complaints
from monoceros.logwriter import LineWriter, OwnTarget, encode, say_lost, writer_for

#: How a line is written whose formatter fails.
PLAIN = logging.Formatter("%(asctime)s [%(process)d] [%(levelname)s] %(message)s", "[%Y-%m-%d %H:%M:%S %z]")


class Unhindered(logging.Handler):
    """What all of them have in common."""

    def format(self, record: logging.LogRecord) -> str:
        """What the formatter makes of a record. Where it fails, which is said once, the line is written plainly."""
        try:
            return super().format(record)
        except Exception as error:
            try:
                text = PLAIN.format(record)
            except Exception:
                # It is the record that is at fault.
                raise error from None
            complaints.hear_of_formatter(self.formatter, error)
            return text

    def handleError(self, record: logging.LogRecord) -> None:
        """Says on stderr what is wrong with a record, as the standard library does, but in one write and at once.

        What is wrong again in the same place is counted, and said once a minute.
        """
        error = sys.exc_info()[1]
        place = (type(error).__name__, record.pathname, record.lineno)
        text = f"--- Logging error ---\n{traceback.format_exc()}Message: {record.msg!r}\nArguments: {record.args!r}\n"
        complaints.hear(place, text, f"{record.pathname}:{record.lineno}: {type(error).__name__}: {error}")


class StreamHandler(Unhindered, logging.StreamHandler):
    """Writes each record to a stream: with its line end, in one write."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record) + self.terminator
            writer = self._writer()
            if writer is not None:
                writer.write(encode(text, self.stream))
            elif self.stream is not None:
                self.stream.write(text)
                self.flush()
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)

    def _writer(self) -> LineWriter | None:
        return writer_for(self.stream)

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            super().flush()


class FileHandler(StreamHandler, logging.FileHandler):
    """Writes to a file of its own. A FIFO without a reader is an error when it is opened, not a wait."""

    def __init__(self, filename: str, mode: str = "a", encoding: str | None = None, delay: bool = False, errors=None):
        self._line_writer: LineWriter | None = None
        logging.FileHandler.__init__(self, filename, mode, encoding or "utf-8", delay, errors or "backslashreplace")

    def _open(self) -> IO[str]:
        stream = self._builtin_open(
            self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_open_without_blocking
        )
        self._line_writer = LineWriter(OwnTarget(stream.fileno(), self.baseFilename), say_lost)
        return stream

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is None:
            if self.mode != "w" or not self._closed:
                self.stream = self._open()
            else:
                return
        StreamHandler.emit(self, record)

    def _writer(self) -> LineWriter | None:
        return self._line_writer

    def close(self) -> None:
        with self.lock or contextlib.nullcontext():
            if self._line_writer is not None:
                self._line_writer.close()
                self._line_writer = None
            logging.FileHandler.close(self)

    def reopen(self) -> None:
        """Goes on in the file that has the name now, after a rotation. The number of the descriptor stays.

        Raises OSError when there can be no such file; the old one is then written on.
        """
        self.acquire()
        try:
            if self.stream is None:
                self.stream = self._open()
                return
            writer = self._line_writer
            if writer is not None:
                writer.flush()
            descriptor = os.open(
                self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o666
            )
            try:
                # In one step: whoever writes by this number, from whichever thread, always meets an open file.
                os.dup2(descriptor, self.stream.fileno(), inheritable=False)
            finally:
                os.close(descriptor)
        finally:
            self.release()


def _open_without_blocking(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
