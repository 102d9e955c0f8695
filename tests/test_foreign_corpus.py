"""gunicorn's own request corpus, over a socket: what a real server with the case's configuration makes of each case.

Tests/HTTPWireTests replays the same cases through the parser alone. Where Monoceros means to differ,
Tests/Corpus/gunicorn.toml says so, and a case that does not differ any more fails.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from mirror import CLIENT_KEYS
from support import foreign
from support.client import Address
from support.conversation import Answer, converse
from support.foreign import Case
from support.server import MODULE

pytestmark = [
    pytest.mark.skipif(not foreign.SOURCES.is_dir(), reason=foreign.MISSING),
    pytest.mark.skipif(MODULE != "monoceros", reason="gunicorn runs them itself"),
]

CASES = list(foreign.cases())
THEIRS = list(foreign.cases("theirs"))


def whole(raw: bytes) -> list[bytes]:
    return [raw]


def byte_by_byte(raw: bytes) -> list[bytes]:
    # Long cases in steps: it is the same few places over and over.
    size = max(1, len(raw) // 1500)
    return [raw[start : start + size] for start in range(0, len(raw), size)]


def line_by_line(raw: bytes) -> list[bytes]:
    return [line for line in re.split(rb"(?<=\n)", raw) if line]


def at_random(raw: bytes) -> list[bytes]:
    generator = random.Random(len(raw))
    cuts = sorted(generator.randrange(len(raw)) for _ in range(generator.randint(1, 8)))
    return [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]


SPLITS = [whole, byte_by_byte, line_by_line, at_random]


@pytest.fixture(scope="module")
def address_of(serve_module) -> Callable[[Case], Address]:
    """Where a server with the configuration of a case listens; one serves all cases of that configuration."""
    servers = {}

    def address(case: Case) -> Address:
        if case.arguments not in servers:
            servers[case.arguments] = serve_module("mirror:app", *case.arguments)
        return servers[case.arguments].address

    return address


def mismatches(case: Case, answers: list[Answer]) -> list[str]:
    """Where the answers are not what the case expects."""
    accepted = [answer for answer in answers if answer.is_accepted]
    if len(accepted) != len(case.requests):
        return [f"{len(accepted)} requests were served: {answers}"]
    found = []
    for answer, request in zip(accepted, case.requests, strict=True):
        if answer.status != 200:
            found.append(f"the status is {answer.status}")
        expected = request.environ()
        # The cases do not say what becomes of a PROXY header; test_against_gunicorn.py compares that.
        for key in (expected.keys() | answer.environ.keys()) - CLIENT_KEYS:
            if answer.environ.get(key) != expected.get(key):
                found.append(f"{key} is {answer.environ.get(key)!r}, not {expected.get(key)!r}")
        if answer.body != request.words["body"]:
            found.append(f"the body is {answer.body!r}")
    endings = [f"{answer.fault} {answer.status}" for answer in answers if not answer.is_accepted]
    match case.ending:
        case ("fault", fault):
            right = endings == [fault]
        case ("refused", status):
            right = len(endings) == 1 and endings[0].endswith(f" {status}")
        case _:
            right = not endings
    if not right:
        found.append(f"it ends with {endings}, not {case.ending}")
    if case.requests and answers[-1].closes != (case.requests[-1].words["persistent"] == "no"):
        found.append(f"Connection: close is {'' if answers[-1].closes else 'not '}said")
    return found


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case(case: Case, split: Callable[[bytes], list[bytes]], address_of: Callable[[Case], Address]) -> None:
    pieces = split(case.raw)
    assert b"".join(pieces) == case.raw
    answers = converse(address_of(case), pieces)
    assert mismatches(case, answers) == []
    # Nothing is served behind a refusal.
    assert all(answer.is_accepted for answer in answers[:-1])


@pytest.mark.parametrize("case", [case for case in CASES if case.requests], ids=lambda case: case.name)
def test_who_ends_the_connection(case: Case, address_of: Callable[[Case], Address]) -> None:
    """Where gunicorn closes, the server does too, without being asked."""
    if case.requests[-1].words["persistent"] == "no":
        assert mismatches(case, converse(address_of(case), [case.raw], half_close=False)) == []
    else:
        # The connection takes another request.
        answers = converse(address_of(case), [case.raw, b"GET /again HTTP/1.1\r\nHost: a\r\n\r\n"])
        assert [answer.environ["PATH_INFO"] for answer in answers][len(case.requests) :] == ["/again"]


@pytest.mark.parametrize("case", THEIRS, ids=lambda case: case.name)
def test_a_case_that_is_named_differs(case: Case, address_of: Callable[[Case], Address]) -> None:
    assert mismatches(case, converse(address_of(case), [case.raw])) != []


def test_all_cases_are_there() -> None:
    assert sum(case.name.startswith("valid/") for case in CASES) == 62
    assert sum(case.name.startswith("invalid/") for case in CASES) == 81
