"""What is generated from the settings table: documentation, manual page, completion scripts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monoceros import completion
from monoceros.config import Config
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


def script(shell):
    return completion.script(shell, "monoceros", Config(prog="monoceros", environ={}).parser())


def completed(line):
    """What bash offers at the end of the line."""
    words = line.split(" ")
    program = (
        script("bash")
        + f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
        + '_monoceros; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=30, check=True, cwd=ROOT)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("monoceros --graceful", ["--graceful-timeout"]),
        ("monoceros --access-log", ["--access-logfile", "--access-logformat", "--access-log-json"]),
        ("monoceros -k ", ["sync", "gthread"]),
        ("monoceros --header-map d", ["drop", "dangerous"]),
        ("monoceros --completion f", ["fish"]),
        ("monoceros --chdir do", ["docs"]),
        ("monoceros -c README", ["README.md"]),
        ("monoceros --workers ", []),
        ("monoceros app", []),
    ],
)
def test_completion_in_bash(line, offered):
    assert completed(line) == offered


def test_every_flag_can_be_completed():
    offered = set(completed("monoceros -"))
    assert offered >= {flag for row in rows() for flag in row.flags} | {"-h", "--help", "-v", "--version"}
    for shell in ("zsh", "fish"):
        text = script(shell)
        for row in rows():
            for flag in row.flags:
                option = flag if shell == "zsh" else f"-l {flag[2:]} " if flag.startswith("--") else f"-s {flag[1]} "
                assert option in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_well_formed(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    path = tmp_path / "script"
    path.write_text(script(shell))
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
