"""The response, as server hooks and loggers see it."""

from __future__ import annotations

from collections.abc import Sequence


class Response:
    """The `resp` of `post_request` and `Logger.access`: what became of a request. It carries what a hook puts on it."""

    def __init__(
        self,
        req: object,
        status: str,
        headers: Sequence[tuple[str, str]],
        sent: int | None,
        length: int | None = None,
        chunked: bool = False,
        should_close: bool = False,
        headers_sent: bool = True,
    ):
        """
        :param status: code and reason phrase, such as `200 OK`; `-` where the client left before there was one.
        :param headers: those of the application.
        :param sent: bytes of the body that were sent.
        :param length: the body's length, where the response said one.
        """
        self.req = req
        self.status = status
        self.headers = headers
        self.sent = sent
        self.response_length = length
        self.chunked = chunked
        self.headers_sent = headers_sent
        self.must_close = should_close
        self.upgrade = False
        #: The connection is the core's.
        self.sock = None

    @property
    def status_code(self) -> int:
        code = self.status.partition(" ")[0]
        return int(code) if code.isdigit() else 0

    def should_close(self) -> bool:
        return self.must_close
