"""What Monoceros means to do differently than gunicorn with the bytes of a connection.

A rule is as narrow as it can be: it looks at the request itself, and does not believe Monoceros' word for it.
docs/differences-from-gunicorn.md tells users of each of them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from mirror import CLIENT_KEYS

from support.conversation import Answer
from support.disagreements import Disagreement
from support.reference import Served


@dataclass(frozen=True)
class Rule:
    name: str
    why: str
    explains: Callable[[Disagreement], bool]
    #: Bytes that disagree for this reason, under the configuration of that name in test_against_gunicorn.py.
    example: bytes
    configuration: str = "default"


_HOST_PORT = re.compile(
    r"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
    r"|\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+)])(?::(\d*))?"
)


def _valid(authority: str) -> bool:
    """Whether it is `host[:port]`, RFC 3986 §3.2.2. Python judges the IPv6 addresses."""
    match = _HOST_PORT.fullmatch(authority)
    if match is None or int(match[1] or 0) > 65535:
        return False
    literal = re.match(r"\[([^vV].*)]", authority)
    if literal:
        try:
            ipaddress.IPv6Address(literal[1])
        except ValueError:
            return False
    return True


def _absolute(target: str) -> str | None:
    """The authority of an absolute-form target that names an HTTP resource."""
    match = re.match(r"https?://([^/?#]*)", target, re.IGNORECASE)
    return match and match[1]


def _authority(served: Served) -> str | None:
    target = served.environ["RAW_URI"]
    return target if served.environ["REQUEST_METHOD"] == "CONNECT" else _absolute(target)


def _refused(fault: str, condition: Callable[[Served], bool], status: int = 400) -> Callable[[Disagreement], bool]:
    def explains(it: Disagreement) -> bool:
        if it.kind != "refused" or it.ours.status != status:
            return False
        # The refusal of a HEAD has no page that names the fault.
        is_nameless = it.ours.fault is None and it.theirs.environ["REQUEST_METHOD"] == "HEAD"
        return (it.ours.fault == fault or is_nameless) and condition(it.theirs)

    return explains


def _differs(key: str, condition: Callable[[Served, Answer], bool]) -> Callable[[Disagreement], bool]:
    return lambda it: it.kind == "environ" and it.key == key and condition(it.theirs, it.ours)


def _wrong_form(served: Served) -> bool:
    target = served.environ["RAW_URI"]
    if served.environ["REQUEST_METHOD"] == "CONNECT":
        return not (_valid(target) and re.search(r":0*[1-9]\d*$", target))
    return not target.startswith("/") and _absolute(target) is None


def _options(served: Served) -> set[str]:
    return {option.strip(" \t").lower() for value in served.all("CONNECTION") for option in value.split(",")}


def _first_connection_is_no_single_word(it: Disagreement) -> bool:
    """gunicorn looks at the first Connection field only, and only if it is one word."""
    if it.kind != "connection" or not it.theirs.all("CONNECTION"):
        return False
    options = _options(it.theirs)
    keeps = "close" not in options and (it.theirs.version >= (1, 1) or "keep-alive" in options)
    return keeps != it.ours.closes and options != {it.theirs.all("CONNECTION")[0].lower()}


def _cut_at_the_end_of_chunks(it: Disagreement) -> bool:
    """gunicorn names the bytes that it found instead of CRLF: none, or the half of it."""
    if it.kind != "ending" or it.ours or it.verdict.ending != "ChunkMissingTerminator":
        return False
    return it.verdict.detail.endswith(("b''", r"b'\r'") if it.raw.endswith(b"\r") else "b''")


def _path_before_body(it: Disagreement) -> bool:
    return it.kind == "ending" and it.verdict.ending == "ConfigurationProblem" and it.ours is None


_FOLDED_FRAMING = re.compile(
    rb"\n(?:host|connection|content-type|content-length|transfer-encoding|expect|script_name)[ \t]*:[^\n]*\n[ \t]",
    re.IGNORECASE,
)
_UNDERSCORE = re.compile(rb"\n[^:\n]*_[^:\n]*:")
_SIZE_LINE = re.compile(rb"\n[0-9A-Fa-f]+[ \t]*;[^\n]*\n")


def _dropped_fields_are_too_many(it: Disagreement) -> bool:
    if it.kind != "refused" or it.ours.fault != "too-many-fields":
        return False
    return len(it.theirs.fields) + len(_UNDERSCORE.findall(it.raw)) >= it.verdict.settings["limit_request_fields"]


def _size_line_is_too_long(it: Disagreement) -> bool:
    if it.kind != "refused" or it.ours.fault != "invalid-chunk-size":
        return False
    limit = it.verdict.settings["limit_request_field_size"]
    return any(len(line) - 1 > limit for line in _SIZE_LINE.findall(it.raw))


def _differs_in_the_space_of_folds(it: Disagreement) -> bool:
    if it.kind != "environ" or not re.search(rb"\r\n[ \t]", it.raw):
        return False
    theirs, ours = (re.sub("[ \t]", "", environ.get(it.key) or "") for environ in (it.theirs.environ, it.ours.environ))
    return it.verdict.settings.get("permit_obsolete_folding", False) and theirs == ours


_BLOCK_START = b"\r\n\r\n\0\r\nQUIT\n"


def _nobody_is_announced(it: Disagreement) -> bool:
    """LOCAL and UNSPEC: the client is the peer, here a Unix socket."""
    if it.kind != "environ" or it.key not in CLIENT_KEYS or it.verdict.served[0].environ["REMOTE_ADDR"] is not None:
        return False
    return it.ours.environ.get(it.key) == ("" if it.key == "REMOTE_ADDR" else None)


def _same_address(it: Disagreement) -> bool:
    if it.kind != "environ" or it.key not in ("REMOTE_ADDR", "PROXY_ADDR"):
        return False
    theirs = it.verdict.served[0].environ.get(it.key) or ""
    ours = it.ours.environ.get(it.key) or ""
    return ":" in theirs and ":" in ours and ipaddress.IPv6Address(theirs) == ipaddress.IPv6Address(ours)


def _announced_as_the_protocol_has_it(it: Disagreement) -> bool:
    """What gunicorn refuses and the protocol allows: UNKNOWN, Unix sockets, and no family with no protocol."""
    if it.kind not in ("served", "ending") or it.verdict.served:
        return False
    if it.verdict.ending == "InvalidProxyLine":
        return it.raw.startswith((b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN "))
    start = len(_BLOCK_START)
    return it.verdict.ending == "InvalidProxyHeader" and it.raw[start : start + 2] in (b"\x21\x31", b"\x21\x00")


def _port_is_no_plain_number(it: Disagreement) -> bool:
    words = it.raw.partition(b"\r\n")[0].split(b" ")
    if it.kind != "refused" or it.theirs is not it.verdict.served[0] or words[0] != b"PROXY":
        return False
    return not all(re.fullmatch(rb"0|[1-9][0-9]*", port) for port in words[4:])


def _framing_is_folded(it: Disagreement) -> bool:
    return it.kind == "refused" and it.ours.fault == "obsolete-folding" and bool(_FOLDED_FRAMING.search(it.raw))


RULES = [
    Rule(
        "missing-host",
        "HTTP/1.1 needs a Host, RFC 9112 §3.2",
        _refused("missing-host", lambda served: served.version >= (1, 1) and not served.all("HOST")),
        b"GET / HTTP/1.1\r\n\r\n",
    ),
    Rule(
        "invalid-host",
        "Host is host[:port], RFC 9110 §7.2",
        _refused("invalid-host", lambda served: not all(map(_valid, served.all("HOST")))),
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    ),
    Rule(
        "invalid-authority",
        "so is the authority of a target; user information disguises it, RFC 9110 §4.2.4",
        _refused("invalid-authority", lambda served: not _valid(_absolute(served.environ["RAW_URI"]) or "")),
        b"GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    Rule(
        "target-form",
        "only http and https name what a server has, and CONNECT a host and a port, RFC 9110 §4.2, §9.3.6",
        _refused("invalid-target-form", _wrong_form),
        b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    Rule(
        "version",
        "1.0 and 1.1 are served, RFC 9110 §15.6.6",
        _refused("unsupported-version", lambda served: served.version not in ((1, 0), (1, 1)), status=505),
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    ),
    Rule(
        "dropped-fields-count",
        "a field that is dropped for its underscore still counts towards the limit",
        _dropped_fields_are_too_many,
        b"GET / HTTP/1.1\r\nHost: a\r\nA_B: c\r\nA: b\r\nC: d\r\nE: f\r\n\r\n",
        "limits",
    ),
    Rule(
        "size-line-limit",
        "the line of a chunk's size is not too long just as long as it is not complete",
        _size_line_is_too_long,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"a" * 60 + b"\r\nx\r\n0\r\n\r\n",
        "limits",
    ),
    Rule(
        "folded-framing",
        "what says where a message ends and whom it is for must not be folded, even where folding is permitted",
        _framing_is_folded,
        b"GET / HTTP/1.1\r\nConnection:\r\n close\r\n\r\n",
        "lenient",
    ),
    Rule(
        "folding-leaves-no-trace",
        "an empty line of a folded field adds nothing: a value has no white space at its ends, RFC 9110 §5.5",
        _differs_in_the_space_of_folds,
        b"GET / HTTP/1.1\r\nX:\r\n y\r\n\r\n",
        "lenient",
    ),
    Rule(
        "rules-of-1.1",
        "SERVER_PROTOCOL names the version by whose rules the request is served",
        _differs(
            "SERVER_PROTOCOL",
            lambda theirs, ours: (
                theirs.version not in ((1, 0), (1, 1))
                and ours.environ["SERVER_PROTOCOL"] == ("HTTP/1.1" if theirs.version > (1, 1) else "HTTP/1.0")
            ),
        ),
        b"GET / HTTP/1.2\r\n\r\n",
        "lenient",
    ),
    Rule(
        "mount-point",
        "/app is no prefix of /apple",
        lambda it: (
            it.kind == "refused"
            and it.ours.status == 500
            and not it.theirs.environ["PATH_INFO"].startswith("/")
            and it.theirs.environ["PATH_INFO"] != ""
        ),
        b"GET /apple HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /app\r\n\r\n",
    ),
    Rule(
        "authority-is-host",
        "the authority of the target takes the place of Host, RFC 9112 §3.2.2",
        _differs("HTTP_HOST", lambda theirs, ours: ours.environ["HTTP_HOST"] == _authority(theirs)),
        b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
    ),
    Rule(
        "connect-has-no-path",
        "the target of CONNECT is an authority, RFC 9112 §3.2.3",
        _differs(
            "PATH_INFO",
            lambda theirs, ours: theirs.environ["REQUEST_METHOD"] == "CONNECT" and ours.environ["PATH_INFO"] == "",
        ),
        b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    ),
    Rule(
        "length-of-chunks",
        "the whole of a chunked body is there when the application runs, so its length is known",
        _differs(
            "CONTENT_LENGTH",
            lambda theirs, ours: (
                bool(theirs.all("TRANSFER-ENCODING")) and ours.environ["CONTENT_LENGTH"] == str(len(theirs.body))
            ),
        ),
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    Rule(
        "cookies",
        "several Cookie fields are joined as cookies are, RFC 6265 §5.4",
        _differs(
            "HTTP_COOKIE",
            lambda theirs, ours: ours.environ["HTTP_COOKIE"] == "; ".join(map(str.strip, theirs.all("COOKIE"))),
        ),
        b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
    ),
    Rule(
        "announced-as-specified",
        "PROXY headers that the protocol allows are not refused for what they say of the client",
        _announced_as_the_protocol_has_it,
        b"PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n",
        "proxied",
    ),
    Rule(
        "nobody-is-announced",
        "the environ holds text, and who is not announced is not in it",
        _nobody_is_announced,
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET / HTTP/1.1\r\n\r\n",
        "proxied",
    ),
    Rule(
        "canonical-address",
        "applications compare addresses, so each has one form",
        _same_address,
        b"PROXY TCP6 0:0::1 ::2 1 2\r\nGET / HTTP/1.1\r\n\r\n",
        "proxied",
    ),
    Rule(
        "plain-ports",
        "ports in PROXY lines are decimal, without sign and leading zeros",
        _port_is_no_plain_number,
        b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\nGET / HTTP/1.1\r\n\r\n",
        "proxied",
    ),
    Rule(
        "proxied-connection",
        "a PROXY header is about the connection, so about each of its requests",
        lambda it: (
            it.kind == "environ"
            and it.key in CLIENT_KEYS
            and it.theirs is not it.verdict.served[0]
            and it.ours.environ.get(it.key) == it.verdict.served[0].environ.get(it.key)
        ),
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        "proxied",
    ),
    Rule(
        "last-script-name",
        "of several SCRIPT_NAME fields the last one counts, and HTTP_SCRIPT_NAME does not say otherwise",
        _differs(
            "HTTP_SCRIPT_NAME", lambda theirs, ours: ours.environ["HTTP_SCRIPT_NAME"] == theirs.environ["SCRIPT_NAME"]
        ),
        b"GET /ab HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /a\r\nSCRIPT_NAME: /ab\r\n\r\n",
    ),
    Rule(
        "connection-options",
        "Connection is a list, over all of its fields, RFC 9110 §7.6.1",
        _first_connection_is_no_single_word,
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, te\r\n\r\n",
    ),
    Rule(
        "cut-chunks",
        "the end of the connection inside a body is answered with the end of the connection",
        _cut_at_the_end_of_chunks,
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ),
    Rule(
        "path-before-body",
        "what is wrong with the path is looked at when the request is complete",
        _path_before_body,
        b"POST / HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /a\r\nContent-Length: 1\r\n\r\n",
    ),
]


def explanation(disagreement: Disagreement) -> Rule | None:
    """The rule for it, if it is meant."""
    return next((rule for rule in RULES if rule.explains(disagreement)), None)
