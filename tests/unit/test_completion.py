"""Completion scripts: what bash, zsh and fish offer with them. Shells that are not installed are skipped."""

import os
import pty
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from monoceros import completion
from monoceros.config import Config
from monoceros.settings import rows

ROOT = Path(__file__).resolve().parents[2]


def script(shell):
    return completion.script(shell, "monoceros", Config(prog="monoceros", environ={}).parser())


def in_bash(line, directory):
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


def in_fish(line, directory):
    """What fish offers, without the descriptions."""
    (directory / "monoceros.fish").write_text(script("fish"))
    program = f"source {directory / 'monoceros.fish'}; complete --do-complete {shlex.quote(line)}"
    environment = {**os.environ, "HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    done = subprocess.run(
        ["fish", "--no-config", "-c", program],
        capture_output=True, text=True, timeout=60, check=True, cwd=ROOT, env=environment,
    )  # fmt: skip
    assert done.stderr == ""
    return [offer.partition("\t")[0] for offer in done.stdout.splitlines()]


#: Makes an interactive zsh write what is offered into a file, and a last line when it has asked for everything.
CAPTURE = r"""
PROMPT=
fpath=({directory} $fpath)
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' list-grouped false
compadd () {{
    local -a hits
    if [[ ${{@[1,(i)(-|--)]}} != *-(O|A|D)\ * ]]; then
        builtin compadd -A hits "$@"
        print -rl -- $hits >> {directory}/offered
    fi
    builtin compadd "$@"
}}
ending () {{ print -r -- THE-END >> {directory}/offered }}
comppostfuncs=(ending)
bindkey '^I' list-choices
print -r -- READY >> {directory}/ready
"""


def in_zsh(line, directory):
    """What an interactive zsh offers: completion needs its line editor, and that a terminal."""
    (directory / "_monoceros").write_text(script("zsh"))
    (directory / "offered").write_text("")
    (directory / ".zshrc").write_text(CAPTURE.format(directory=directory))
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execvpe("zsh", ["zsh", "-i"], {**os.environ, "ZDOTDIR": str(directory), "TERM": "dumb"})
    try:
        os.set_blocking(terminal, False)
        wait_for(directory / "ready", "READY", terminal)
        os.write(terminal, f"{line}\t".encode())
        wait_for(directory / "offered", "THE-END", terminal)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)
    return [each for each in (directory / "offered").read_text().splitlines() if each and each != "THE-END"]


def wait_for(path, text, terminal):
    end = time.monotonic() + 30
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < end, f"{path.name} has no {text}"
        try:
            os.read(terminal, 65536)
        except (BlockingIOError, OSError):
            time.sleep(0.01)


SHELLS = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}


def completed(shell, line, directory):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    return SHELLS[shell](line, directory)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("monoceros --graceful", {"--graceful-timeout"}),
        ("monoceros --access-log", {"--access-logfile", "--access-logformat", "--access-log-json"}),
        ("monoceros -k ", {"sync", "gthread"}),
        ("monoceros --header-map d", {"drop", "dangerous"}),
        ("monoceros --completion f", {"fish"}),
        ("monoceros --chdir do", {"docs"}),
        ("monoceros -c README", {"README.md"}),
        ("monoceros --workers ", set()),
        ("monoceros app", set()),
    ],
)
def test_what_is_offered(shell, line, offered, tmp_path):
    # fish and zsh say that a directory is one.
    assert {each.rstrip("/") for each in completed(shell, line, tmp_path)} == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_a_value_behind_an_equals_sign(shell, tmp_path):
    # bash takes the line for three words.
    line = "monoceros --log-level = d" if shell == "bash" else "monoceros --log-level=d"
    assert [each.removeprefix("--log-level=") for each in completed(shell, line, tmp_path)] == ["debug"]
    if shell == "bash":
        assert completed(shell, "monoceros --header-map =", tmp_path) == ["drop", "refuse", "dangerous"]


def test_every_flag_can_be_completed(tmp_path):
    offered = set(completed("bash", "monoceros -", tmp_path))
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
