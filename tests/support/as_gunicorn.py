"""A pytest plugin for gunicorn's own tests: they import gunicorn, and get Monoceros' modules.

It runs in a pytest of its own (tests/test_gunicorns_tests.py), and writes what became of each test to `OUTCOMES`.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

import pytest

import monoceros.gunicorn_compat

assert monoceros.gunicorn_compat.is_serving, "gunicorn itself is installed; its tests would test that"
# Before any test: their directory has a gunicorn too, which must not come first.
gunicorn = importlib.import_module("gunicorn")
assert gunicorn.SERVER_SOFTWARE.startswith("monoceros/")


def absent(name: str):
    def stand_in(*arguments: object, **named: object) -> None:
        raise NotImplementedError(f"{name} is not in Monoceros")

    return stand_in


# Names that one test of a file needs and Monoceros does not have: the others of the file can be imported all the same.
for module, names in json.loads(os.environ["ABSENT"]).items():
    for name in names:
        found = importlib.import_module(module)
        assert not hasattr(found, name), f"{module}.{name} is there now; take it from the list"
        setattr(found, name, absent(f"{module}.{name}"))

outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = report.nodeid
    if report.outcome == "failed" or outcomes.get(name) == "failed":
        outcomes[name] = "failed"
    elif report.outcome == "skipped":
        outcomes[name] = "skipped"
    elif report.when == "call":
        outcomes[name] = "passed"


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.outcome == "failed":
        outcomes[report.nodeid] = f"cannot be imported: {str(report.longrepr).strip().splitlines()[-1]}"


def pytest_sessionfinish() -> None:
    Path(os.environ["OUTCOMES"]).write_text(json.dumps(outcomes))
