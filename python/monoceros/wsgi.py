"""What the WSGI environ holds that is written in Python (PEP 3333)."""

import io
import sys
import threading
from collections.abc import Iterable


class ErrorsStream(io.TextIOBase):
    """`wsgi.errors`: text to the server's stderr, every write flushed, whole writes from several threads in order.

    stderr is looked up at each write, so that whoever replaces `sys.stderr` is heard.
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
            stream = sys.stderr
            try:
                stream.write(text)
            except UnicodeEncodeError:
                # A replaced stderr may be strict; an error report must not be lost over one character.
                stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
            stream.flush()
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:
        with self._lock:
            for line in lines:
                self.write(line)

    def flush(self) -> None:
        with self._lock:
            sys.stderr.flush()

    def close(self) -> None:
        """Does nothing: the stream outlives the request, and an application that closes it would silence the next."""
