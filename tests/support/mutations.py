"""Requests with something wrong in them: deterministic mutations of the cases of two corpora, and assembled ones."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence

from support import foreign

Mutation = Callable[[random.Random, bytes], bytes]

#: Longer cases are about limits; a mutation of one costs time and says nothing new.
LONGEST_SEED = 1500

_INSERTED = [b"\r\n", b"\r", b"\n", b"\0", b" ", b"\t", b":", b",", b";", b"=", b'"', b"\\", b"\x0b", b"\x7f", b"\xa0"]
_INSERTED += [
    b"\r\n\r\n",
    b"\r\n ",
    b"\r\n\t",
    b"0",
    b"-",
    b"+",
    b"_",
    b"#",
    b"?",
    b"/",
    b"[",
    b"]",
    b"@",
    b"%",
    b"\xff",
]
_LINES = [
    b"Host: a\r\n",
    b"Host:\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 0\r\n",
    b"content-length : 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer_Encoding: chunked\r\n",
    b"Content_Length: 9\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: close, te\r\n",
    b"Expect: 100-continue\r\n",
    b"Cookie: a=b\r\n",
    b"Cookie: a=b\r\nCookie: c=d\r\n",
    b"Content-Type: a/b\r\n",
    b"X-Forwarded-Proto: https\r\n",
    b"SCRIPT_NAME: /first\r\n",
    b"SCRIPT_NAME: /f\r\n",
    b"SCRIPT_NAME: /f\r\nSCRIPT_NAME: /first\r\n",
    b"X: y\r\n z\r\n",
    b"Trailer: x\r\n",
]
_NUMBERS = [
    b"0",
    b"1",
    b"3",
    b"00",
    b"10",
    b"-1",
    b"+1",
    b"1_0",
    b"0x1",
    b"ff",
    b"9" * 20,
    b"18446744073709551616",
    b"",
]


#: What says where a body ends, in forms that some server or other took for something else.
_FRAMINGS = [
    b"Content-Length: %d\r\n",
    b"Content-Length:%d\r\n",
    b"content-length: \t%d \t\r\n",
    b"Content-Length: 0%d\r\n",
    b"Content-Length: +%d\r\n",
    b"Content-Length: %d,%d\r\n",
    b"Content-Length: %d\r\nContent-Length: %d\r\n",
    b"Content-Length: %d;\r\n",
    b"Content-Length: \x0b%d\r\n",
    b"Content-Length: %d\xa0\r\n",
    b"Content_Length: %d\r\n",
    b"Content-Length : %d\r\n",
    b"Content-Length: %d\r\n x\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: Chunked\r\n",
    b"Transfer-Encoding:\tchunked\t\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: identity, chunked\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: ,chunked\r\n",
    b"Transfer-Encoding: chunked,\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked;q=1\r\n",
    b"Transfer-Encoding: chunked\rX",
    b'Transfer-Encoding: "chunked"\r\n',
    b"Transfer-Encoding: chunked\x0b\r\n",
    b"Transfer-Encoding: chunked\xa0\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding:\r\n chunked\r\n",
    b"X: y\r\n Transfer-Encoding: chunked\r\n",
    b"Transfer_Encoding: chunked\r\n",
    b"X: y\rTransfer-Encoding: chunked\r\n",
    b"X: y\nTransfer-Encoding: chunked\r\n",
    b"Trailer: content-length\r\n",
]
_CHUNKS = [
    b"5\r\nhello\r\n",
    b"05\r\nhello\r\n",
    b"5;a=b\r\nhello\r\n",
    b'5 ; a = "b\\";c" ;d\r\nhello\r\n',
    b"5;\r\nhello\r\n",
    b"5;" + b"a" * 60 + b"\r\nhello\r\n",
    b"5 \r\nhello\r\n",
    b"5\r\nhello",
    b"5\r\nhello\n",
    b"5\r\nhello\rX",
    b"5\r\nhelloX\n",
    b"5\rXhello\r\n",
    b"5\nhello\r\n",
    b"5;a\nb\r\nhello\r\n",
    b"5;a=\x0b\r\nhello\r\n",
    b"A\r\n0\r\n\r\nGET /\r\n",
    b"0x5\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"5\r\nhello!\r\n",
    b"ffffffffffffffff5\r\nhello\r\n",
    b"100000000000000005\r\nhello\r\n",
]
_ENDS = [
    b"0\r\n\r\n",
    b"000\r\n\r\n",
    b"0;a\r\n\r\n",
    b"0\r\nX: y\r\n\r\n",
    b"0\r\nX: y\r\n z\r\n\r\n",
    b"0\r\nContent-Length: 5\r\n\r\n",
    b"0\r\nX : y\r\n\r\n",
    b"0\r\nX_Y: z\r\n\r\n",
    b"0\r\n\n",
    b"0\r\n\rX",
    b"0\rX\r\n",
    b"0\r\nX: y\rZ\r\n",
    b"0\r\nX: y\n\r\n",
    b"0\n\r\n",
    b"0\r\n",
    b"\r\n",
    b"",
]
_STARTS = [b"GET /first HTTP/1.1\r\n", b"POST /first HTTP/1.0\r\n", b"HEAD /first HTTP/1.1\r\n"]
_STARTS += [b"CONNECT first:443 HTTP/1.1\r\n", b"POST /first HTTP/1.2\r\n"]
_BEHIND = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"


def _assemble(generator: random.Random) -> bytes:
    """A request put together from parts, few of which are doubtful, and another one behind it."""

    def part(good: bytes, others: list[bytes]) -> bytes:
        return good if generator.random() < 0.7 else generator.choice(others)

    if generator.random() < 0.6:
        framing = part(b"Transfer-Encoding: chunked\r\n", _FRAMINGS)
        body = b"".join(part(_CHUNKS[0], _CHUNKS) for _ in range(generator.randint(0, 3))) + part(_ENDS[0], _ENDS)
    else:
        framing = part(b"Content-Length: %d\r\n", _FRAMINGS)
        body = b"hello"
    lines = [framing, b"Host: a\r\n"]
    if generator.random() < 0.2:
        lines.append(generator.choice(_FRAMINGS))
    if generator.random() < 0.2:
        lines.append(generator.choice(_LINES))
    generator.shuffle(lines)
    length = len(body) if generator.random() < 0.7 else generator.choice([0, 1, len(body) + 1, len(body + _BEHIND)])
    head = part(b"POST /first HTTP/1.1\r\n", _STARTS) + b"".join(lines).replace(b"%d", b"%d" % length)
    return head + b"\r\n" + body + _BEHIND


def seeds(kind: str) -> list[bytes]:
    """The valid or invalid cases of this repository and gunicorn's, each once."""
    directories = [foreign.OWN_CASES, foreign.DIRECTORY / "cases"]
    found = {foreign.raw(path): None for root in directories for path in sorted(root.glob(f"{kind}/*.http"))}
    return [raw for raw in found if 0 < len(raw) <= LONGEST_SEED]


def _block(command: int, kind: int, data: bytes) -> bytes:
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, kind]) + len(data).to_bytes(2, "big") + data


#: PROXY headers, by which a proxy says who the client is.
PROXY_HEADERS = [
    b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 0 65535\r\n",
    b"PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
    b"PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 56324 443\r\n",
    b"PROXY TCP6 2001:DB8:0:0::1 :: 1 2\r\n",
    b"PROXY UNKNOWN\r\n",
    b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
    b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
    _block(0x21, 0x11, bytes([192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 3, 4])),
    _block(0x21, 0x11, bytes([192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 3, 4]) + b"\x03\0\x04abcd"),
    _block(0x21, 0x11, bytes([192, 0, 2, 1, 192, 0, 2, 2, 1, 2, 3])),
    _block(0x21, 0x21, bytes(range(36))),
    _block(0x21, 0x21, bytes(range(40))),
    _block(0x21, 0x12, bytes(12)),
    _block(0x21, 0x31, bytes(216)),
    _block(0x21, 0x00, b""),
    _block(0x21, 0x01, b"abc"),
    _block(0x20, 0x00, b""),
    _block(0x20, 0x11, bytes(12)),
    _block(0x22, 0x11, bytes(12)),
    _block(0x11, 0x11, bytes(12)),
]


def _flip(generator: random.Random, raw: bytes) -> bytes:
    place = generator.randrange(len(raw))
    byte = generator.choice([raw[place] ^ 1 << generator.randrange(8), generator.randrange(256)])
    return raw[:place] + bytes([byte]) + raw[place + 1 :]


def _insert(generator: random.Random, raw: bytes) -> bytes:
    place = generator.choice([generator.randint(0, len(raw)), *_boundaries(raw)])
    return raw[:place] + generator.choice(_INSERTED) + raw[place:]


def _insert_line(generator: random.Random, raw: bytes) -> bytes:
    ends = [match.end() for match in re.finditer(rb"\r\n", raw)] or [len(raw)]
    # In front of the empty line of the head more often than not: elsewhere it is mostly a part of a body.
    head = raw.find(b"\r\n\r\n") + 2
    place = head if head > 1 and generator.random() < 0.6 else generator.choice(ends)
    return raw[:place] + generator.choice(_LINES) + raw[place:]


def _delete(generator: random.Random, raw: bytes) -> bytes:
    place = generator.randrange(len(raw))
    return raw[:place] + raw[place + generator.choice([1, 1, 1, 2, generator.randint(1, 20)]) :]


def _lines(change: Callable[[random.Random, list[bytes]], None]) -> Mutation:
    def mutate(generator: random.Random, raw: bytes) -> bytes:
        lines = re.split(rb"(?<=\n)", raw)
        change(generator, lines)
        return b"".join(lines)

    return mutate


def _duplicate(generator: random.Random, lines: list[bytes]) -> None:
    lines.insert(generator.randint(0, len(lines)), generator.choice(lines))


def _swap(generator: random.Random, lines: list[bytes]) -> None:
    first, second = generator.randrange(len(lines)), generator.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]


def _drop(generator: random.Random, lines: list[bytes]) -> None:
    del lines[generator.randrange(len(lines))]


def _truncate(generator: random.Random, raw: bytes) -> bytes:
    return raw[: generator.randint(1, len(raw))]


def _number(generator: random.Random, raw: bytes) -> bytes:
    numbers = list(re.finditer(rb"(?<![A-Za-z])[0-9a-fA-F]+(?![G-Zg-z])", raw))
    if not numbers:
        return raw
    number = generator.choice(numbers)
    value = generator.choice(_NUMBERS)
    if number[0].isdigit() and generator.random() < 0.5:
        value = b"%d" % (int(number[0]) + generator.choice([-1, 1, 2, 16]))
    return raw[: number.start()] + value + raw[number.end() :]


def _change_case(generator: random.Random, raw: bytes) -> bytes:
    start = generator.randrange(len(raw))
    end = start + generator.randint(1, 16)
    return raw[:start] + raw[start:end].swapcase() + raw[end:]


def _boundaries(raw: bytes) -> list[int]:
    """Places where a byte more matters most: at the ends of lines, at colons, behind the numbers of chunks."""
    return [match.start() for match in re.finditer(rb"\r\n|:|(?<=\n)|(?<=: )|;|,| ", raw)]


_MUTATIONS: list[Mutation] = [
    *(_flip, _insert, _insert, _insert_line, _insert_line, _delete, _truncate, _number, _number, _change_case),
    *(_lines(_duplicate), _lines(_swap), _lines(_drop)),
]


def mutants(count: int, preambles: Sequence[bytes] = (), seed: int = 1) -> Iterator[bytes]:
    """As many mutants as asked for; the same ones each time. Many start with one of the preambles, if there are any."""
    generator = random.Random(seed)
    valid, invalid = seeds("valid"), seeds("invalid")
    for _ in range(count):
        if generator.random() < 0.3:
            raw = _assemble(generator)
            if generator.random() < 0.7 and not preambles:
                yield raw
                continue
        else:
            # What is wrong in two places is mostly refused for the first; a valid case leaves room for what is new.
            raw = generator.choice(valid if generator.random() < 0.8 else invalid)
        if generator.random() < 0.25:
            raw = _splice(generator, raw, generator.choice(valid))
        # Many foreign cases have no Host, and would all be refused for the same reason.
        if generator.random() < 0.5 and b"\nhost:" not in raw.lower():
            raw = raw.replace(b"\r\n", b"\r\nHost: h\r\n", 1)
        if preambles and generator.random() < 0.7:
            raw = generator.choice(preambles) + raw
        for _ in range(generator.choice([1, 1, 1, 2, 3])):
            raw = generator.choice(_MUTATIONS)(generator, raw) or raw
        yield raw


def _splice(generator: random.Random, first: bytes, second: bytes) -> bytes:
    """One after the other, or the start of one and the end of the other."""
    if generator.random() < 0.5:
        return first + second
    start = first[: generator.choice(_boundaries(first) or [0])]
    return start + second[generator.choice(_boundaries(second) or [0]) :] or first
