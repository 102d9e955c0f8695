"""Thousands of broken requests, given to gunicorn's own parser and to a running server, must come to the same.

Above all, nothing may be served that gunicorn refuses, and no body may end somewhere else: so requests are smuggled.
What Monoceros means to do differently is a rule in support/rules.py; anything else is a failure.
"""

from __future__ import annotations

import functools
import os
import tempfile
from collections import Counter
from collections.abc import Callable

import pytest
from support import foreign
from support.conversation import converse
from support.disagreements import Disagreement, disagreements
from support.mutations import PROXY_HEADERS, mutants
from support.reference import Reference
from support.rules import RULES, Rule, explanation
from support.server import MODULE, Server

pytestmark = [
    pytest.mark.skipif(not foreign.SOURCES.is_dir(), reason=foreign.MISSING),
    pytest.mark.skipif(MODULE != "monoceros", reason="it would be compared with itself"),
]

#: Mutants of each configuration: of the usual run, and of the one with --slow.
FEW = 3000
MANY = int(os.environ.get("MONOCEROS_TEST_MUTANTS", "50000"))

#: gunicorn's settings, and what else Monoceros is told.
CONFIGURATIONS: dict[str, tuple[dict[str, object], list[str]]] = {
    "default": ({}, []),
    "threads": ({}, ["--threads", "3"]),
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


class Comparison:
    """gunicorn's parser and a server of ours, with the same configuration."""

    def __init__(self, configuration: str, serve: Callable[..., Server], path: str) -> None:
        self.settings, others = CONFIGURATIONS[configuration]
        self.reference = Reference(self.settings)
        self.server = serve("mirror:app", *flags(self.settings), *others, binds=(f"unix:{path}",))
        self.counts: Counter[str] = Counter()

    def compare(self, raw: bytes, cut: int) -> list[Disagreement]:
        verdict = self.reference.judge(raw)
        answers = converse(self.server.address, [raw[:cut], raw[cut:]])
        self.counts["served by both"] += len(verdict.served)
        self.counts["refused by both"] += verdict.refuses and bool(answers) and not answers[-1].is_accepted
        return list(disagreements(raw, verdict, answers))

    def run(self, count: int) -> None:
        """Compare so many mutants. Fails with what no rule explains."""
        unexplained = []
        for number, raw in enumerate(mutants(count, PROXY_HEADERS if "proxy_protocol" in self.settings else ())):
            # Most come whole; a cut makes the parser wait, and the body cross a read.
            for disagreement in self.compare(raw, number % len(raw) if number % 3 == 0 else len(raw)):
                rule = explanation(disagreement)
                if rule:
                    self.counts[rule.name] += 1
                else:
                    unexplained.append(str(disagreement))
        assert not unexplained, f"{len(unexplained)} of {count}:\n" + "\n".join(unexplained[:5])
        # They are not all refused for being nonsense, and not all served either.
        assert min(self.counts["served by both"], self.counts["refused by both"]) > count / 20, self.counts


@pytest.fixture(scope="module")
def comparison(serve_module: Callable[..., Server]) -> Callable[[str], Comparison]:
    """The comparison under the configuration of that name; one server for each serves all tests."""
    with tempfile.TemporaryDirectory(prefix="mono-") as directory:
        yield functools.cache(lambda name: Comparison(name, serve_module, f"{directory}/{name}"))


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_mutants(comparison: Callable[[str], Comparison], configuration: str) -> None:
    comparison(configuration).run(FEW)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_rule_is_stale(comparison: Callable[[str], Comparison], rule: Rule) -> None:
    """A rule that explains nothing any more has no place in the list."""
    found = comparison(rule.configuration).compare(rule.example, len(rule.example))
    assert found and {explanation(each) for each in found} == {rule}


@pytest.mark.slow
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_many_mutants(comparison: Callable[[str], Comparison], configuration: str) -> None:
    it = comparison(configuration)
    it.run(MANY)
    print(configuration, MANY, dict(it.counts))
