"""gunicorn 27.0.1's own tests of what programs import from it, put to Monoceros' modules under gunicorn's names.

tests/gunicorns_tests.toml lists those that do not pass, with the reason. A test of the list that passes is a failure
too.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.foreign import MISSING, SOURCES
from support.server import TESTS, clean_environment

FILES = ("test_config.py", "test_util.py", "test_logger.py", "test_statsd.py", "test_reload.py")
#: What they import or read beside gunicorn.
BESIDE = ("conftest.py", "support.py", "config")

TABLE = tomllib.loads((TESTS / "gunicorns_tests.toml").read_text())


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each test, by its name as pytest prints it."""
    if not SOURCES.is_dir():
        pytest.skip(MISSING)
    directory = tmp_path_factory.mktemp("gunicorn") / "tests"
    directory.mkdir()
    for name in (*FILES, *BESIDE):
        source = SOURCES / "tests" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, directory / name)
    result = directory.parent / "outcomes.json"
    environment = clean_environment(
        PYTHONPATH=os.pathsep.join([str(TESTS / "support"), str(directory)]),
        OUTCOMES=str(result),
        ABSENT=json.dumps(TABLE["absent"]),
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "as_gunicorn",
            "-p",
            "no:cacheprovider",
            "--continue-on-collection-errors",
            "-c",
            os.devnull,
        ]
        + [f"--rootdir={directory}", *FILES],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.exists(), done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads(result.read_text())
    print(done.stdout[-20000:])
    return found


def failures(outcomes: dict[str, str]) -> dict[str, str]:
    return {name: outcome for name, outcome in outcomes.items() if outcome != "passed"}


def is_listed(name: str) -> bool:
    # A whole test, or all of its parameters.
    return name in TABLE["test"] or name.partition("[")[0] in TABLE["test"]


def test_every_test_that_can_pass_passes(outcomes: dict[str, str]) -> None:
    unexpected = {name: outcome for name, outcome in failures(outcomes).items() if not is_listed(name)}
    assert not unexpected
    assert sum(outcome == "passed" for outcome in outcomes.values()) >= TABLE["passes"]["at_least"]


def test_every_listed_test_fails_still(outcomes: dict[str, str]) -> None:
    failed = failures(outcomes)
    stale = [name for name in TABLE["test"] if not any(name in (each, each.partition("[")[0]) for each in failed)]
    assert not stale, "these pass, or are not there; take them from tests/gunicorns_tests.toml"


def test_every_reason_is_given() -> None:
    assert all(isinstance(reason, str) and len(reason) > 10 for reason in TABLE["test"].values())


def test_the_files_are_all_there_is_of_their_kind() -> None:
    if not SOURCES.is_dir():
        pytest.skip(MISSING)
    assert all(Path(SOURCES / "tests" / name).is_file() for name in FILES)
