"""What the WSGI environ holds that is written in Python (PEP 3333)."""

import io
import logging
import sys
import threading
from collections.abc import Iterable, Iterator

from monoceros.glogging import ERROR_LOG
from monoceros.hints import TextIO
from monoceros.logwriter import encode, writer_for


class ErrorsStream(io.TextIOBase):
    """`wsgi.errors`: text to where the error log goes, every write at once, whole writes from several threads in order.

    Where the error log goes to stderr, stderr is looked up at each write, so that whoever replaces `sys.stderr` is
    heard.
    """

    def __init__(self) -> None:
        super().__init__()
        # Reentrant: a signal handler may write while the thread that it interrupts is writing.
        self._lock = threading.RLock()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return sys.stderr.fileno()

    def isatty(self) -> bool:
        return sys.stderr.isatty()

    @property
    def encoding(self) -> str:
        return getattr(sys.stderr, "encoding", None) or "utf-8"

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"wsgi.errors takes str, not {type(text).__name__}")
        with self._lock:
            for stream, writer in self._places():
                if writer is not None:
                    # It may be full, and the request must not wait for it.
                    writer.write(encode(text, stream))
                else:
                    self._write_to_stream(stream, text)
        return len(text)

    def _places(self) -> Iterator[tuple[TextIO, object]]:
        """The streams that the error log has, each with its writer; stderr when it has none."""
        found = False
        for handler in logging.getLogger(ERROR_LOG).handlers:
            stream = getattr(handler, "stream", None)
            if stream is None:
                continue
            found = True
            if isinstance(handler, logging.FileHandler):
                yield stream, getattr(handler, "_line_writer", None)
            elif getattr(handler, "_gunicorn", False):
                yield sys.stderr, writer_for(sys.stderr)
            else:
                yield stream, writer_for(stream)
        if not found:
            yield sys.stderr, writer_for(sys.stderr)

    def _write_to_stream(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            # A replaced stderr may be strict; an error report must not be lost over one character.
            encoding = getattr(stream, "encoding", None) or "utf-8"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()

    def writelines(self, lines: Iterable[str], /) -> None:
        with self._lock:
            for line in lines:
                self.write(line)

    def flush(self) -> None:
        with self._lock:
            sys.stderr.flush()

    def close(self) -> None:
        """Does nothing: the stream outlives the request, and an application that closes it would silence the next."""
