"""Thousands of broken requests, given to gunicorn's own parser and to a running server, must come to the same.

Above all, nothing may be served that gunicorn refuses, and no body may end somewhere else: so requests are smuggled.
What Monoceros means to do differently is a rule in support/disagreements.py; anything else is a failure.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from support import foreign
from support.conversation import converse
from support.server import MODULE

pytestmark = [
    pytest.mark.skipif(not foreign.SOURCES.is_dir(), reason=foreign.MISSING),
    pytest.mark.skipif(MODULE != "monoceros", reason="it would be compared with itself"),
]

if foreign.SOURCES.is_dir():
    from support.disagreements import RULES, disagreements, explanation
    from support.mutations import mutants
    from support.reference import Reference

#: Mutants of the test that runs with --slow.
MANY = int(os.environ.get("MONOCEROS_TEST_MUTANTS", "200000"))


def compare(address, count: int, settings: dict[str, object]) -> Counter[str]:
    """How often each rule explains a difference. Fails with what none explains."""
    reference = Reference(settings)
    used: Counter[str] = Counter()
    unexplained = []
    for number, raw in enumerate(mutants(count)):
        verdict = reference.judge(raw)
        # Most come whole; a cut makes the parser wait, and the body cross a read.
        cut = number % len(raw) if number % 3 == 0 else len(raw)
        answers = converse(address, [raw[:cut], raw[cut:]])
        used["served by both"] += len(verdict.served)
        used["refused by both"] += verdict.refuses and bool(answers) and not answers[-1].is_accepted
        for disagreement in disagreements(raw, verdict, answers):
            rule = explanation(disagreement)
            if rule:
                used[rule.name] += 1
            else:
                unexplained.append(str(disagreement))
    assert not unexplained, f"{len(unexplained)} of {count}:\n" + "\n".join(unexplained[:5])
    return used


def test_mutants(serve, short_path) -> None:
    server = serve("mirror:app", binds=(f"unix:{short_path}",))
    used = compare(server.address, 4000, {})
    # They are not all refused for being nonsense.
    assert used["served by both"] > 400 and used["refused by both"] > 400, used
    # A rule that explains nothing any more has no place in the list.
    assert {rule.name for rule in RULES} - used.keys() == set()


@pytest.mark.slow
def test_many_mutants(serve, short_path) -> None:
    server = serve("mirror:app", binds=(f"unix:{short_path}",))
    used = compare(server.address, MANY, {})
    print(f"{MANY} mutants:", dict(used))
