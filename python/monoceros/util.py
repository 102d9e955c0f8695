"""Small functions that configuration files, hooks and packages import from `gunicorn.util`."""

from __future__ import annotations

import fcntl
import inspect
import io
import os
import pwd
import random
import re
import socket
import sys
import time
import urllib.parse
from collections.abc import Callable

from monoceros.application import AppModuleNotFoundError, load_application
from monoceros.classes import load_class, load_entry_point  # noqa: F401 - they are of gunicorn.util
from monoceros.hints import Any
from monoceros.workers import SUPPORTED_WORKERS  # noqa: F401 - so is this

#: Fields of a response that are the server's business and not the application's.
hop_headers = frozenset(
    ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding"]
    + ["upgrade", "server", "date"]
)

GLOB_CHARACTERS = frozenset("*?[")
_UNIX = re.compile(r"unix:(?://)?")


# Applications and classes


def import_app(module: str) -> Callable[..., Any]:
    """The application that an app spec names: `module`, `module:name` or `module:factory("argument")`.

    Raises ImportError when there is no such module, and `errors.AppImportError` for any other fault of the spec.
    """
    try:
        return load_application(module)
    except AppModuleNotFoundError as error:
        raise ImportError(str(error)) from None


def get_arity(f: Callable[..., Any]) -> int:
    """How many positional parameters a function declares."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in inspect.signature(f).parameters.values())


def make_fail_app(msg: str | bytes) -> Callable[..., list[bytes]]:
    """An application that answers everything with a 500 and this text."""
    body = to_bytestring(msg)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
        start_response("500 Internal Server Error", headers)
        return [body]

    return app


# Addresses


def is_ipv6(addr: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6, addr)
    except (OSError, ValueError):
        return False
    return True


def parse_address(netloc: str, default_port: str = "8000") -> tuple[str, int] | str | int:
    """A bind address: a path for `unix:`, a descriptor for `fd://`, else host and port. Raises RuntimeError."""
    if found := _UNIX.match(netloc):
        return netloc[found.end() :]
    if netloc.startswith("fd://"):
        number = netloc.removeprefix("fd://")
        if not number.isdigit():
            raise RuntimeError(f"{number!r} is not a valid file descriptor.")
        return int(number)
    netloc = netloc.removeprefix("tcp://")
    if netloc.startswith("[") and "]" in netloc:
        host, _, rest = netloc[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = netloc.partition(":")
        host = host if netloc else "0.0.0.0"
    try:
        return host.lower(), int(port or default_port)
    except ValueError:
        raise RuntimeError(f"{port!r} is not a valid port number.") from None


def split_request_uri(uri: str) -> urllib.parse.SplitResult:
    """The parts of a request target. A path that begins with two slashes is a path, not a host (RFC 9112 §3.2.1)."""
    if not uri.startswith("//"):
        return urllib.parse.urlsplit(uri)
    parts = urllib.parse.urlsplit(f"http://host{uri}")
    return parts._replace(scheme="", netloc="")


# Text and bytes


def to_bytestring(value: str | bytes, encoding: str = "utf8") -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value.encode(encoding)


def bytes_to_str(b: str | bytes) -> str:
    return b if isinstance(b, str) else b.decode("latin-1")


def unquote_to_wsgi_str(string: str) -> str:
    """Percent-decoded, each byte a character, as PEP 3333 has it."""
    return urllib.parse.unquote_to_bytes(string).decode("latin-1")


def http_date(timestamp: float | None = None) -> str:
    """A time, or now, as HTTP writes it (RFC 9110 §5.6.7)."""
    import email.utils

    return email.utils.formatdate(time.time() if timestamp is None else timestamp, usegmt=True)


def is_hoppish(header: str) -> bool:
    return header.strip().lower() in hop_headers


def is_glob_pattern(value: str) -> bool:
    return not GLOB_CHARACTERS.isdisjoint(value)


# Files, descriptors and processes


def getcwd() -> str:
    """The current directory, by the name the shell uses for it when it goes through a symbolic link."""
    real = os.getcwd()
    named = os.environ.get("PWD", "")
    try:
        return named if named and os.path.samefile(named, real) else real
    except OSError:
        return real


def check_is_writable(path: str) -> None:
    """Raises RuntimeError unless the file can be written, or made."""
    try:
        with open(path, "a"):
            pass
    except OSError as error:
        raise RuntimeError(f"'{path}' isn't writable: {error.strerror}") from None


def unlink(filename: str) -> None:
    """Removes the file, if it is there."""
    try:
        os.unlink(filename)
    except (FileNotFoundError, NotADirectoryError):
        return


def close_on_exec(fd: int) -> None:
    fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.fcntl(fd, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


def set_non_blocking(fd: int) -> None:
    fcntl.fcntl(fd, fcntl.F_SETFL, fcntl.fcntl(fd, fcntl.F_GETFL) | os.O_NONBLOCK)


def close(sock: Any) -> None:
    """Closes a socket or a file whose loss no longer matters."""
    try:
        sock.close()
    except OSError:
        return


def has_fileno(obj: Any) -> bool:
    """Whether there is a descriptor behind the object. `io.BytesIO` has the method and no descriptor."""
    try:
        obj.fileno()
    except (AttributeError, OSError, io.UnsupportedOperation):
        return False
    return True


def get_username(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name


def seed() -> None:
    """Seeds `random` from the system."""
    random.seed(os.urandom(64))


def warn(msg: str) -> None:
    """Writes a warning to stderr that stands out."""
    lines = "\n".join(f"!!! {line}" for line in f"WARNING: {msg}".splitlines())
    print(f"!!!\n{lines}\n!!!\n", file=sys.stderr, flush=True)


def reraise(tp: type[BaseException], value: BaseException | None, tb: Any = None) -> None:
    raise (tp() if value is None else value).with_traceback(tb)
