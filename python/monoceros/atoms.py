"""The atoms of an access log line, made one by one when somebody asks for them.

gunicorn makes all of them for every line: twenty, and one for every header and every entry of the environ. A line asks
for ten. So these dictionaries know how to make an atom that they do not hold yet, and hold them all as soon as somebody
looks at them as a whole (`items()`, `dict(atoms)`, `json.dumps(atoms)`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from monoceros.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import timedelta

MISSING = "-"


class LazyDict(dict):
    """A dictionary of which every entry is made at its first use. What it holds from the start is `first`."""

    def __init__(self, first: Mapping[str, Any]):
        super().__init__(first)
        self._is_full = False

    def make(self, key: str) -> Any:
        """Returns the entry, or raises KeyError."""
        raise NotImplementedError

    def make_rest(self) -> Iterable[tuple[str, Any]]:
        """Every entry that there can be."""
        raise NotImplementedError

    def __missing__(self, key: str) -> Any:
        value = self.make(key)
        self[key] = value
        return value

    def _fill(self) -> None:
        if self._is_full:
            return
        self._is_full = True
        for key, value in self.make_rest():
            if not dict.__contains__(self, key):
                self[key] = value

    # `logging` asks whether its argument is empty; that must not fill it.
    def __bool__(self) -> bool:
        return True

    def __contains__(self, key: object) -> bool:
        self._fill()
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._fill()
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def keys(self):
        self._fill()
        return super().keys()

    def values(self):
        self._fill()
        return super().values()

    def items(self):
        self._fill()
        return super().items()

    def copy(self) -> dict[str, Any]:
        return dict(self.items())

    __copy__ = copy

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    __hash__ = None

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return self.copy() | other

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return dict(other) | self.copy()

    def __repr__(self) -> str:
        return repr(self.copy())

    def __reduce__(self):
        # Another process gets a plain dictionary: the request is not there.
        return dict, (self.copy(),)

    def pop(self, key: str, *default: Any) -> Any:
        self._fill()
        return super().pop(key, *default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self._fill()
        return super().setdefault(key, default)


def pairs(fields: Any) -> Iterable[tuple[str, str]]:
    """The fields of a request or response, whether they are a list of pairs or a dictionary."""
    return fields.items() if hasattr(fields, "items") else fields


class Atoms(LazyDict):
    """The atoms of one request, under gunicorn's names and with gunicorn's values, not yet escaped."""

    def __init__(self, logger: Any, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta):
        # One entry from the start: Python's own JSON encoder takes a dictionary that holds nothing for an empty one.
        super().__init__({"l": MISSING})
        self._logger = logger
        self._resp = resp
        self._req = req
        self._environ = environ
        self._time = request_time

    def make(self, key: str) -> Any:
        if (maker := PLAIN.get(key)) is not None:
            return maker(self)
        source = key[-1:]
        if not key.startswith("{") or key[-2:-1] != "}" or source not in "ioe":
            raise KeyError(key)
        name = key[1:-2]
        fields = {"i": self._request_fields, "o": self._response_fields, "e": self._environ_entries}[source]()
        # As in a dictionary that is made of them, the last of several counts.
        found = [value for other, value in fields if other.lower() == name]
        if not found:
            raise KeyError(key)
        return found[-1]

    def make_rest(self) -> Iterable[tuple[str, Any]]:
        for name, maker in PLAIN.items():
            yield name, maker(self)
        for letter, fields in (
            ("i", self._request_fields()),
            ("o", self._response_fields()),
            ("e", self._environ_entries()),
        ):
            yield from {f"{{{name.lower()}}}{letter}": value for name, value in fields}.items()

    def _request_fields(self) -> Iterable[tuple[str, str]]:
        return pairs(self._req.headers if hasattr(self._req, "headers") else self._req)

    def _response_fields(self) -> Iterable[tuple[str, str]]:
        return pairs(self._resp.headers)

    def _environ_entries(self) -> Iterable[tuple[str, Any]]:
        return list(self._environ.items())

    def _request_line(self) -> str:
        parts = [self._environ[key] for key in ("REQUEST_METHOD", "RAW_URI", "SERVER_PROTOCOL")]
        return " ".join(parts) if parts[:2] != [MISSING, MISSING] else MISSING

    def _status(self) -> Any:
        status = self._resp.status
        return status.split(None, 1)[0] if isinstance(status, str) else status

    def _sent(self) -> Any:
        return getattr(self._resp, "sent", None)

    def _microseconds(self) -> int:
        # `timedelta` has whole numbers; a float of seconds would round.
        return (self._time.days * 86400 + self._time.seconds) * 1_000_000 + self._time.microseconds


#: How each atom with a name of its own is made.
PLAIN: dict[str, Callable[[Atoms], Any]] = {
    "h": lambda atoms: atoms._environ.get("REMOTE_ADDR", MISSING),
    "l": lambda atoms: MISSING,
    "u": lambda atoms: atoms._logger._get_user(atoms._environ) or MISSING,
    "t": lambda atoms: atoms._logger.now(),
    "r": lambda atoms: atoms._request_line(),
    "s": lambda atoms: atoms._status(),
    "m": lambda atoms: atoms._environ.get("REQUEST_METHOD"),
    "U": lambda atoms: atoms._environ.get("PATH_INFO"),
    "q": lambda atoms: atoms._environ.get("QUERY_STRING"),
    "H": lambda atoms: atoms._environ.get("SERVER_PROTOCOL"),
    "b": lambda atoms: MISSING if atoms._sent() is None else str(atoms._sent()),
    "B": lambda atoms: atoms._sent(),
    "f": lambda atoms: atoms._environ.get("HTTP_REFERER", MISSING),
    "a": lambda atoms: atoms._environ.get("HTTP_USER_AGENT", MISSING),
    "T": lambda atoms: atoms._microseconds() // 1_000_000,
    "D": lambda atoms: atoms._microseconds(),
    "M": lambda atoms: atoms._microseconds() // 1_000,
    "L": lambda atoms: f"{atoms._microseconds() // 1_000_000}.{atoms._microseconds() % 1_000_000:06d}",
    "p": lambda atoms: f"<{os.getpid()}>",
}

#: What may end a line, or a quoted part of one, for some reader of the log, or does worse on a terminal.
UNSAFE = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]')
SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(value: Any) -> Any:
    """A text that can neither end a line nor a quoted part of one, as the core writes it. Anything else is as it was.

    A quote and a backslash have a backslash in front; control characters are `\\n`, `\\r`, `\\t` or `\\xhh`, and the
    line ends that only Unicode knows are `\\u2028` and `\\u2029`.
    """
    if not isinstance(value, str) or UNSAFE.search(value) is None:
        return value
    return UNSAFE.sub(_escape_character, value)


def _escape_character(match: re.Match[str]) -> str:
    code = ord(match[0])
    return SHORT.get(match[0]) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


class SafeAtoms(LazyDict):
    """Atoms as a format takes them: escaped, header names in any case, and `-` for what is not there."""

    def __init__(self, atoms: Mapping[str, Any]):
        self._atoms = atoms
        if isinstance(atoms, Atoms):
            super().__init__({"l": MISSING})
        else:
            super().__init__({key: escape(value) for key, value in atoms.items()})
            self._is_full = True

    def make(self, key: str) -> Any:
        return escape(self._atoms[key])

    def make_rest(self) -> Iterable[tuple[str, Any]]:
        return [(key, escape(value)) for key, value in self._atoms.items()]

    def __getitem__(self, key: str) -> Any:
        if key.startswith("{"):
            key = key.lower()
        try:
            return super().__getitem__(key)
        except KeyError:
            return MISSING

    def __missing__(self, key: str) -> Any:
        if self._is_full:
            raise KeyError(key)
        return super().__missing__(key)


def basic_user(environ: Mapping[str, Any]) -> str | None:
    """The user of HTTP's Basic scheme (RFC 7617), if the request has one. Raises ValueError when it is malformed."""
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic" or not credentials:
        return None
    import base64
    import binascii

    try:
        decoded = base64.b64decode(credentials.strip().encode())
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    return decoded.partition(b":")[0].decode("utf-8")
