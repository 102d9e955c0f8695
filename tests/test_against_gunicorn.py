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
    from support.mutations import PROXY_HEADERS, mutants
    from support.reference import Reference

#: Mutants of each configuration: of the usual run, and of the one with --slow.
FEW = 4000
MANY = int(os.environ.get("MONOCEROS_TEST_MUTANTS", "50000"))

#: gunicorn's settings, and what else Monoceros is told.
CONFIGURATIONS: dict[str, tuple[dict[str, object], list[str]]] = {
    "default": ({}, []),
    "limits": ({"limit_request_line": 40, "limit_request_fields": 4, "limit_request_field_size": 50}, []),
    "lenient": (
        {
            "permit_obsolete_folding": True,
            "strip_header_spaces": True,
            "permit_unconventional_http_method": True,
            "permit_unconventional_http_version": True,
            "casefold_http_method": True,
            "header_map": "dangerous",
        },
        ["--permit-missing-host"],
    ),
    "refusing": ({"header_map": "refuse"}, ["--permit-missing-host"]),
    "proxied": ({"proxy_protocol": "auto"}, ["--permit-missing-host"]),
}


def flags(settings: dict[str, object]) -> list[str]:
    """The command line that sets the same for Monoceros."""
    found = []
    for name, value in settings.items():
        flag = "--limit-request-field_size" if name == "limit_request_field_size" else f"--{name.replace('_', '-')}"
        found += [flag] if value is True else [flag, str(value)]
    return found


def serve_and_compare(serve, path: str, configuration: str, count: int) -> Counter[str]:
    settings, others = CONFIGURATIONS[configuration]
    server = serve("mirror:app", *flags(settings), *others, binds=(f"unix:{path}",))
    used = compare(server.address, count, settings)
    # They are not all refused for being nonsense, and not all served either.
    assert min(used["served by both"], used["refused by both"]) > count / 20, used
    return used


def compare(address, count: int, settings: dict[str, object]) -> Counter[str]:
    """How often each rule explains a difference. Fails with what none explains."""
    reference = Reference(settings)
    used: Counter[str] = Counter()
    unexplained = []
    for number, raw in enumerate(mutants(count, PROXY_HEADERS if "proxy_protocol" in settings else ())):
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


#: The rules that explained something so far.
rules_in_use: set[str] = set()


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_mutants(serve, short_path, configuration: str) -> None:
    rules_in_use.update(serve_and_compare(serve, short_path, configuration, FEW))


def test_no_rule_is_stale() -> None:
    """A rule that explains nothing any more has no place in the list."""
    if not rules_in_use:
        pytest.skip("needs the run of the mutants before it")
    assert {rule.name for rule in RULES} - rules_in_use == set()


@pytest.mark.slow
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_many_mutants(serve, short_path, configuration: str) -> None:
    print(configuration, MANY, dict(serve_and_compare(serve, short_path, configuration, MANY)))
