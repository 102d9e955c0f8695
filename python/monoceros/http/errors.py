"""gunicorn's exceptions of its HTTP parser, by name, for code that catches them.

The parser is in the Swift core, and answers by itself what it refuses: Monoceros raises none of these.
"""

from __future__ import annotations

from monoceros.hints import Any


class ParseException(Exception):
    """The request cannot be read. Each subclass keeps what it is about under the name that gunicorn gives it."""

    #: The attribute that holds what it is about.
    field = ""
    #: The text around it.
    text = "{}"
    code = 400

    def __init__(self, *about: Any, **named: Any):
        super().__init__(*about)
        if self.field:
            setattr(self, self.field, named.get(self.field, about[0] if about else None))

    def __str__(self) -> str:
        return self.text.format(getattr(self, self.field)) if self.field else super().__str__()


class NoMoreData(OSError):
    def __init__(self, buf: bytes | None = None):
        super().__init__(buf)
        self.buf = buf

    def __str__(self) -> str:
        return f"No more data after: {self.buf!r}"


class ConfigurationProblem(ParseException):
    field, text, code = "info", "Configuration problem: {}", 500


class InvalidRequestLine(ParseException):
    field, text = "req", "Invalid HTTP request line: {!r}"


class InvalidRequestMethod(ParseException):
    field, text = "method", "Invalid HTTP method: {!r}"


class ExpectationFailed(ParseException):
    field, text, code = "expect", "Unable to comply with expectation: {!r}", 417


class InvalidHTTPVersion(ParseException):
    field, text = "version", "Invalid HTTP Version: {!r}"


class InvalidHeader(ParseException):
    field, text = "hdr", "Invalid HTTP Header: {!r}"

    def __init__(self, hdr: Any, req: Any = None):
        super().__init__(hdr)
        self.req = req


class ObsoleteFolding(ParseException):
    field, text = "hdr", "Obsolete line folding is unacceptable: {!r}"


class InvalidHeaderName(ParseException):
    field, text = "hdr", "Invalid HTTP header name: {!r}"


class InvalidResponseHeader(InvalidHeader):
    text, code = "Invalid response header from the application: {}", 500


class InvalidResponseHeaderName(InvalidHeaderName):
    text, code = "Invalid response header name from the application: {}", 500


class UnsupportedTransferCoding(ParseException):
    field, text, code = "hdr", "Unsupported transfer coding: {!r}", 501


class InvalidChunkSize(ParseException):
    field, text = "data", "Invalid chunk size: {!r}"


class ChunkMissingTerminator(ParseException):
    field, text = "term", "Invalid chunk terminator is not '\\r\\n': {!r}"


class InvalidChunkExtension(ParseException):
    field, text = "reason", "Invalid chunk extension: {}"


class LimitRequestLine(ParseException):
    field, text, code = "size", "{}", 414

    def __init__(self, size: Any, max_size: int | None = None):
        super().__init__(size)
        self.max_size = max_size

    def __str__(self) -> str:
        return str(self.size) if self.max_size is None else f"Request Line is too large ({self.size} > {self.max_size})"


class LimitRequestHeaders(ParseException):
    field, code = "msg", 431


class InvalidProxyLine(ParseException):
    field, text = "line", "Invalid PROXY line: {!r}"


class InvalidProxyHeader(ParseException):
    field, text = "msg", "Invalid PROXY header: {}"


class ForbiddenProxyRequest(ParseException):
    field, text, code = "host", "Proxy request from {!r} not allowed", 403


class InvalidSchemeHeaders(ParseException):
    def __str__(self) -> str:
        return "Contradictory scheme headers"


class InvalidH2CPreface(ParseException):
    field, text = "data", "Expected HTTP/2 connection preface, got {!r}"
