"""Scripts by which shells complete the command line, from the parser."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator
from typing import NamedTuple

SHELLS = ("bash", "zsh", "fish")
#: What stands for the value in help, and is a path.
FILES = {"FILE", "FILES", "CONFIG"}
DIRECTORIES = {"DIR", "PATH"}


class Option(NamedTuple):
    flags: list[str]
    text: str
    takes_value: bool
    #: Words to choose from.
    choices: list[str]
    #: "file", "directory" or "".
    path: str


def options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    from monoceros.settings import rows

    texts = {row.name: row.text for row in rows()}
    choices = {row.name: row.choices or [] for row in rows()}
    choices["worker_class"] = ["sync", "gthread"]
    choices["loglevel"] = ["debug", "info", "warning", "error", "critical"]
    for action in parser._actions:
        if not action.option_strings:
            continue
        metavar = str(action.metavar or "")
        path = "file" if metavar in FILES else "directory" if metavar in DIRECTORIES else ""
        words = list(action.choices or choices.get(action.dest, []))
        # The first sentence.
        text = texts.get(action.dest, action.help or "").split(". ")[0].rstrip(".")
        yield Option(list(action.option_strings), text, action.nargs != 0, words, path)


def script(shell: str, program: str, parser: argparse.ArgumentParser) -> str:
    """The completion script for a shell, ended by a newline."""
    return {"bash": bash, "zsh": zsh, "fish": fish}[shell](program, list(options(parser)))


def bash(program: str, known: list[Option]) -> str:
    cases = []
    for option in known:
        if not option.takes_value:
            continue
        reply = 'COMPREPLY=($(compgen -f -- "$word"))' if not option.path or option.path == "file" else ""
        if option.choices:
            reply = f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(option.choices))} -- "$word"))'
        elif option.path == "directory":
            reply = 'COMPREPLY=($(compgen -d -- "$word"))'
        elif not option.path:
            reply = "COMPREPLY=()"
        cases.append(f"        {'|'.join(option.flags)}) {reply}; return ;;")
    flags = " ".join(flag for option in known for flag in option.flags)
    return "\n".join(
        [
            f"# Completion of {program} in bash: source <({program} --completion bash)",
            f"_{program}() {{",
            '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
            # `--flag=value` is three words.
            '    [[ "$word" == = ]] && word=""',
            '    [[ "$before" == = ]] && before="${COMP_WORDS[COMP_CWORD-2]}"',
            '    case "$before" in',
            *cases,
            "    esac",
            f'    [[ "$word" == -* ]] && COMPREPLY=($(compgen -W {shlex.quote(flags)} -- "$word"))',
            "}",
            f"complete -o filenames -F _{program} {program}",
            "",
        ]
    )


def zsh(program: str, known: list[Option]) -> str:
    lines = []
    for option in known:
        text = option.text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
        value = ""
        if option.takes_value:
            what = (
                f"({' '.join(option.choices)})"
                if option.choices
                else {"file": "_files", "directory": "_files -/"}.get(option.path, "")
            )
            value = f":value:{what}"
        for flag in option.flags:
            # `--flag=value` and `--flag value`.
            joined = "=" if value and flag.startswith("--") else ""
            lines.append(f"    {shlex.quote(f'*{flag}{joined}[{text}]{value}')} \\")
    return "\n".join([f"#compdef {program}", "_arguments -s \\", *lines, "    '*:application:'", ""])


def fish(program: str, known: list[Option]) -> str:
    lines = [f"complete -c {program} -f"]
    for option in known:
        words = [f"complete -c {program}"]
        words += [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
        if option.takes_value:
            # -x: a value that is no file.
            words.append("-r -F" if option.path == "file" else "-x")
            if option.choices:
                words.append(f"-a {shlex.quote(' '.join(option.choices))}")
            elif option.path == "directory":
                words.append("-a '(__fish_complete_directories)'")
        quoted = option.text.replace("\\", "\\\\").replace("'", "\\'")
        words.append(f"-d '{quoted}'")
        lines.append(" ".join(words))
    return "\n".join([*lines, ""])
