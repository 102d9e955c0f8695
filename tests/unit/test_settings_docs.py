"""What is generated from the settings table: documentation, manual page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monoceros.settings import rows

ROOT = Path(__file__).resolve().parents[2]


def test_the_documentation_is_current():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "settings_docs.py", "--check"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["settings.md", "monoceros.1"])
def test_every_setting_is_in_it(name):
    text = (ROOT / "docs" / name).read_text().replace("\\-", "-")
    for row in rows():
        assert all(flag in text for flag in row.flags)
        assert row.flags or row.name in text


def test_the_settings_that_differ_are_shown():
    text = (ROOT / "docs" / "differences-from-gunicorn.md").read_text()
    shown = text.partition("<!-- begin:")[2].partition("<!-- end -->")[0]
    for row in rows():
        assert (f"`{row.name}`" in shown) >= (row.origin != "gunicorn" or row.consumer in ("nobody", "missing"))
    assert "| `keepalive` | default | 75 s | 2 s |" in shown


def test_the_manual_page_is_well_formed():
    if shutil.which("groff") is None:
        pytest.skip("there is no groff")
    page = ROOT / "docs" / "monoceros.1"
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", page], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    plain = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
    for heading in ("NAME", "OPTIONS", "EXIT STATUS", "EXAMPLES"):
        assert re.search(f"^{heading}$", plain, re.MULTILINE)
