"""What a server that runs `mirror:app` makes of the bytes of one connection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from support.client import Address, Connection

_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """One response: the request that the application was given, or a refusal."""

    status: int
    #: The identifier on an error page.
    fault: str | None
    #: `Connection: close` was announced.
    closes: bool
    environ: dict[str, str] | None
    body: str | None

    @property
    def is_accepted(self) -> bool:
        return self.environ is not None


def answers(received: bytes) -> list[Answer]:
    """Take the responses of one connection apart. Nothing may be left over."""
    found = []
    rest = received
    while rest := rest.removeprefix(_INTERIM):
        head, end, rest = rest.partition(b"\r\n\r\n")
        assert end, f"half a response: {head!r}"
        status_line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(fields["content-length"])
        # The answer to a HEAD that is refused may do without its page, and is the last one.
        page, rest = rest[:length].decode(), rest[length:]
        mirrored: dict[str, Any] = json.loads(fields["x-mirror"]) if "x-mirror" in fields else {}
        fault = re.search(r'<p>([a-z0-9-]+)</p>|"id": "([a-z0-9-]+)"', page)
        found.append(
            Answer(
                status=int(re.fullmatch(r"HTTP/1\.[01] (\d{3}) .+", status_line)[1]),
                fault=fault and (fault[1] or fault[2]),
                closes=fields.get("connection", "").lower() == "close",
                environ=mirrored.get("environ"),
                body=mirrored.get("body"),
            )
        )
    return found


def converse(address: Address, pieces: Iterable[bytes], half_close: bool = True) -> list[Answer]:
    """Send the pieces and then the end, and return everything that is answered up to the server's end.

    Without `half_close`, the server must end by itself.
    """
    with Connection(address) as connection:
        try:
            for piece in pieces:
                connection.socket.sendall(piece)
            if half_close:
                connection.half_close()
        except (BrokenPipeError, ConnectionResetError):
            pass
        return answers(connection.read_to_end())
