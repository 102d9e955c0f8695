"""What applications do with `start_response`, right and wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from probe.routing import Environ, StartResponse, query, route

STATUSES: dict[str, object] = {
    "empty": "",
    "word": "abc",
    "two-digits": "20 OK",
    "four-digits": "2000 OK",
    "leading-space": " 200 OK",
    "bytes": b"200 OK",
    "integer": 200,
    "none": None,
    "crlf": "200 OK\r\nX-Injected: leaked",
    "lf": "200 OK\nX-Injected: leaked",
    "nul": "200 O\0K",
    "control": "200 O\x01K",
    "not-latin-1": "200 \N{EURO SIGN}",
}

HEADERS: dict[str, object] = {
    "name-crlf": [("X-A\r\nX-Injected", "leaked")],
    "name-lf": [("X-A\nX-Injected", "leaked")],
    "name-space": [("X A", "leaked")],
    "name-colon": [("X-A:", "leaked")],
    "name-empty": [("", "leaked")],
    "name-nul": [("X\0A", "leaked")],
    "name-not-ascii": [("X-\xe4", "leaked")],
    "name-bytes": [(b"X-A", "leaked")],
    "name-none": [(None, "leaked")],
    "value-crlf": [("X-A", "b\r\nX-Injected: leaked")],
    "value-cr": [("X-A", "b\rX-Injected: leaked")],
    "value-lf": [("X-A", "b\nX-Injected: leaked")],
    "value-body": [("X-A", "b\r\n\r\nleaked")],
    "value-trailing-lf": [("X-A", "leaked\n")],
    "value-nul": [("X-A", "leaked\0")],
    "value-control": [("X-A", "leaked\x07")],
    "value-del": [("X-A", "leaked\x7f")],
    "value-not-latin-1": [("X-A", "leaked\N{EURO SIGN}")],
    "value-bytes": [("X-A", b"leaked")],
    "value-integer": [("X-A", 5)],
    "value-none": [("X-A", None)],
    "second-bad": [("X-Good", "leaked"), ("X-A", "b\r\nc")],
    "one-tuple": [("X-A",)],
    "three-tuple": [("X-A", "leaked", "c")],
    "item-none": [None],
    "list-none": None,
    "list-integer": 7,
    "length-word": [("Content-Length", "abc")],
    "length-negative": [("Content-Length", "-5")],
    "length-plus": [("Content-Length", "+5")],
    "length-list": [("Content-Length", "5, 5")],
    "length-space": [("Content-Length", "5 5")],
    "length-empty": [("Content-Length", "")],
    "length-hex": [("Content-Length", "0x5")],
    "length-underscore": [("Content-Length", "1_0")],
    "length-huge": [("Content-Length", "9" * 40)],
    "length-unicode-digits": [("Content-Length", "\xb2")],
    "length-two": [("Content-Length", "5"), ("Content-Length", "5")],
    "length-two-different": [("Content-Length", "5"), ("content-length", "6")],
}


class Text(str):
    pass


@route("/bad-status")
def bad_status(environ: Environ, start_response: StartResponse) -> object:
    start_response(STATUSES[query(environ)["case"]], [("Content-Length", "5"), ("X-Good", "leaked")])
    return [b"hello"]


@route("/bad-headers")
def bad_headers(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", HEADERS[query(environ)["case"]])
    return [b"hello"]


@route("/bad-headers-caught")
def bad_headers_caught(environ: Environ, start_response: StartResponse) -> object:
    """The refusal is an exception that the application can catch, and then do better."""
    try:
        start_response("200 OK", HEADERS[query(environ)["case"]])
    except Exception as error:
        start_response("200 OK", [("X-Caught", type(error).__name__)], sys.exc_info())
    return [b"recovered"]


@route("/good-headers")
def good_headers(environ: Environ, start_response: StartResponse) -> object:
    """Everything that is allowed, in its unusual forms."""
    start_response(
        Text("299 Fine by \xfcs"),
        [
            ("X-Empty", ""),
            ("X-Tab", "a\tb"),
            ("X-Latin", "\xe4\xff"),
            (Text("X-Subclass"), Text("yes")),
            ("x-!#$%&'*+.^_`|~9", "token"),
            ("X-Spaces", "  padded  "),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
        ],
    )
    return [b"fine"]


@route("/no-reason")
def no_reason(environ: Environ, start_response: StartResponse) -> object:
    start_response("200", [("X-A", "b")])
    return [b"no reason"]


@route("/twice")
def twice(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])
    start_response("200 OK", [])
    return [b"never"]


@route("/twice-caught")
def twice_caught(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [("X-First", "yes")])
    try:
        start_response("404 Not Found", [("X-Second", "yes")])
    except AssertionError:
        return [b"AssertionError"]
    return [b"nothing raised"]


def broken() -> tuple[type[BaseException], BaseException, object]:
    """What `sys.exc_info()` gives inside a handler."""
    try:
        raise LookupError("the reason of the second start")
    except LookupError:
        return sys.exc_info()  # type: ignore[return-value]


@route("/replaced")
def replaced(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [("X-First", "yes"), ("Content-Length", "5000")])
    start_response("503 Sorry", [("X-Second", "yes")], broken())
    return [b"sorry"]


@route("/replaced-after-empty-block")
def replaced_after_empty_block(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [("X-First", "yes")])
    yield b""
    start_response("503 Sorry", [("X-Second", "yes")], broken())
    yield b"sorry"


@route("/exc-info-only")
def exc_info_only(environ: Environ, start_response: StartResponse) -> object:
    """The first call of all may carry the exception too."""
    start_response("500 Broken", [("X-Only", "yes")], broken())
    return [b"broken"]


@route("/too-late")
def too_late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"first"
    start_response("500 Too late", [], broken())
    yield b"never"


@route("/never")
def never(environ: Environ, start_response: StartResponse) -> object:
    return [b"a body without a start"]


@route("/never-empty")
def never_empty(environ: Environ, start_response: StartResponse) -> object:
    return []


@route("/late")
def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """A generator starts the response when it is first asked for a block."""
    start_response("200 OK", [("X-Late", "yes")])
    yield b"late"


@route("/empty-then-start")
def empty_then_start(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    yield b""
    start_response("200 OK", [("X-Late", "yes")])
    yield b"after an empty block"


@route("/write")
def write(environ: Environ, start_response: StartResponse) -> object:
    put = start_response("200 OK", [])
    put(b"written ")
    put(b"")
    put(b"twice ")
    return [b"and ", b"returned"]


@route("/write-only")
def write_only(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [("Content-Length", "7")])(b"written")
    return []


@route("/write-text")
def write_text(environ: Environ, start_response: StartResponse) -> object:
    start_response("200 OK", [])("text")  # type: ignore[arg-type]
    return []


@route("/hop-by-hop")
def hop_by_hop(environ: Environ, start_response: StartResponse) -> object:
    start_response(
        "200 OK",
        [
            ("Connection", "X-Own"),
            ("Keep-Alive", "timeout=77"),
            ("Proxy-Authenticate", "Basic"),
            ("TE", "gzip"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("Server", "mine"),
            ("Date", "yesterday"),
            ("X-Own", "stays"),
            ("Content-Length", "4"),
        ],
    )
    return [b"hops"]
