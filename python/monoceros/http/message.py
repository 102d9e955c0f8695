"""The request, as server hooks and loggers see it."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence

from monoceros.hints import Any
from monoceros.util import split_request_uri


class Request:
    """The `req` of `pre_request`, `post_request` and `Logger.access`. It carries whatever a hook puts on it.

    It is made from the environ; what costs time is made when it is asked for.
    """

    def __init__(
        self,
        environ: Mapping[str, Any],
        headers: Sequence[tuple[str, str]] | None = None,
        number: int = 1,
        keeps_alive: bool = False,
    ):
        """
        :param headers: the fields as they came, names in upper case; None takes those of the environ.
        :param number: which request of its connection it is, from 1.
        """
        self._environ = environ
        self._headers = headers
        self._keeps_alive = keeps_alive
        self.req_number = number
        self.method: str = environ.get("REQUEST_METHOD", "")
        #: The request target as it came.
        self.uri: str = environ.get("RAW_URI", "")
        self.scheme: str = environ.get("wsgi.url_scheme", "http")
        self.trailers: list[tuple[str, str]] = []
        self.body: Any = environ.get("wsgi.input")

    @property
    def _parts(self) -> urllib.parse.SplitResult:
        return split_request_uri(self.uri)

    @property
    def path(self) -> str:
        """The target's path, not decoded."""
        return self._parts.path

    @property
    def query(self) -> str:
        return self._parts.query

    @property
    def fragment(self) -> str:
        return self._parts.fragment

    @property
    def version(self) -> tuple[int, int]:
        major, _, minor = self._environ.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/").partition(".")
        # A request that was refused may say anything there.
        return (int(major), int(minor or 0)) if major.isdigit() and (minor or "0").isdigit() else (0, 0)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Pairs of an upper-case name and a value."""
        if self._headers is None:
            self._headers = list(fields_of(self._environ))
        elif not isinstance(self._headers, list):
            self._headers = list(self._headers)
        return self._headers

    @property
    def remote_addr(self) -> tuple[str, int] | str:
        """The client: address and port, or an empty text on a Unix socket."""
        address = self._environ.get("REMOTE_ADDR", "")
        port = self._environ.get("REMOTE_PORT")
        return (address, int(port)) if port else address

    @property
    def peer_addr(self) -> tuple[str, int] | str:
        return self.remote_addr

    @property
    def proxy_protocol_info(self) -> dict[str, Any] | None:
        """What the proxy announced (PROXY protocol), or None."""
        protocol = self._environ.get("PROXY_PROTOCOL")
        if protocol is None:
            return None
        entries = {
            "proxy_protocol": protocol,
            "client_addr": self._environ.get("REMOTE_ADDR"),
            "client_port": _number(self._environ.get("REMOTE_PORT")),
            "proxy_addr": self._environ.get("PROXY_ADDR"),
            "proxy_port": _number(self._environ.get("PROXY_PORT")),
        }
        return entries

    def should_close(self) -> bool:
        """Whether the connection ends with this request."""
        return not self._keeps_alive

    def force_close(self) -> None:
        """Asks for the end of the connection after this request."""
        self._keeps_alive = False


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def fields_of(environ: Mapping[str, Any]):
    """The header fields that an environ holds, under their names in upper case."""
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            yield name.replace("_", "-"), environ[name]
    for key, value in environ.items():
        if key.startswith("HTTP_") and isinstance(value, str):
            yield key[5:].replace("_", "-"), value
