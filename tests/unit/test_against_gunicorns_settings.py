"""The table of settings against gunicorn 27.0.1's own: names, sections, flags, types, defaults, and what is refused.

docs/settings-differences.toml lists what differs on purpose.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from monoceros.settings import rows

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(os.environ.get("MONOCEROS_FOREIGN", ROOT / ".venv" / ".foreign")) / "gunicorn-27.0.1"
PROBE = ROOT / "tests" / "support" / "settings_probe.py"
DIFFERENCES = tomllib.loads((ROOT / "docs" / "settings-differences.toml").read_text())["difference"]

pytestmark = pytest.mark.skipif(
    not SOURCES.is_dir(), reason="gunicorn's sources are not here; scripts/foreign_corpus.py fetches them"
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """What each of the two makes of every setting, in the same place and environment."""
    directory = tmp_path_factory.mktemp("probe")
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory)}

    def probe(module, **more):
        done = subprocess.run(
            [sys.executable, PROBE, module],
            cwd=directory,
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return probe("gunicorn.config", PYTHONPATH=str(SOURCES)), probe("monoceros.config")


def listed(aspect):
    return {name for difference in DIFFERENCES if difference["aspect"] == aspect for name in difference["settings"]}


def test_every_setting_is_there(tables):
    theirs, ours = tables
    assert len(theirs) == 120
    assert set(theirs) <= set(ours)
    assert set(ours) - set(theirs) == {row.name for row in rows() if row.origin == "own"}


def test_sections(tables):
    theirs, ours = tables
    assert {name: ours[name]["section"] for name in theirs} == {name: theirs[name]["section"] for name in theirs}


@pytest.mark.parametrize("aspect", ["default", "flags"])
def test_defaults_and_flags(tables, aspect):
    theirs, ours = tables
    assert {name for name in theirs if ours[name][aspect] != theirs[name][aspect]} == listed(aspect)


def test_no_flag_of_gunicorns_means_something_else(tables):
    theirs, ours = tables
    meaning = {flag: name for name, setting in ours.items() for flag in setting["flags"]}
    for name, setting in theirs.items():
        assert all(meaning[flag] == name for flag in setting["flags"])


def test_what_values_become(tables):
    """A few dozen values are put to every setting: numbers, texts, lists, dictionaries, classes and functions."""
    theirs, ours = tables
    found = {}
    for name in theirs:
        pairs = {label: (theirs[name]["takes"][label], taken) for label, taken in ours[name]["takes"].items()}
        if differing := {label: pair for label, pair in pairs.items() if pair[0] != pair[1]}:
            found[name] = differing
    assert set(found) == listed("values"), {name: found[name] for name in set(found) - listed("values")}


def test_the_list_is_complete():
    for difference in DIFFERENCES:
        assert set(difference) - {"back"} == {"settings", "aspect", "ours", "gunicorn", "why"}
        assert difference["aspect"] in ("default", "flags", "values")
