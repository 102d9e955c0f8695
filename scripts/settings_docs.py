#!/usr/bin/env python3
"""Writes what the documentation says about settings: docs/settings.md, docs/monoceros.1, and the list in
docs/differences-from-gunicorn.md.

usage: settings_docs.py [--check]    # --check writes nothing, and fails when a file is not current

It is run in the environment that `make install` makes, since the settings are declared in the Swift core.
"""

from __future__ import annotations

import re
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

from monoceros.commandline import EXAMPLES, PROGRAM, shown_default
from monoceros.settings import SettingRow, rows

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
BEGIN = "<!-- begin: written by scripts/settings_docs.py from docs/settings-differences.toml -->"
END = "<!-- end -->"

INTRODUCTION = """\
# Settings

<!-- Written by scripts/settings_docs.py from the table in Sources/Settings; `make docs` writes it again. -->

Every setting has a name, which is what a configuration file calls it, and most have flags for the command line. All 120
settings of gunicorn 27.0.1 are here; those that gunicorn lacks say so. `monoceros --print-config APP` prints the value
of each.

## Where settings come from

A later source replaces the whole value of an earlier one, lists included:

1. the defaults below;
2. variables of the environment: `PORT`, `WEB_CONCURRENCY`, `FORWARDED_ALLOW_IPS`, `SENDFILE`, `SCRIPT_NAME`, each with
   the setting that it gives;
3. a configuration file: the one that `-c` names on the command line, in `MONOCEROS_CMD_ARGS` or in
   `GUNICORN_CMD_ARGS`, else `monoceros.conf.py`, else `gunicorn.conf.py` in the current directory. One file is read;
4. `GUNICORN_CMD_ARGS`, then `MONOCEROS_CMD_ARGS`: arguments as on the command line;
5. the command line. Flags may be abbreviated as long as it is clear which is meant.

A configuration file is a Python program. Each of its names that is a setting's gives that setting's value; other names
are its own business, but for those that are nearly a setting's: a warning names the line and what was probably meant.

```python
# gunicorn.conf.py
import multiprocessing

bind = "0.0.0.0:8000"
workers = multiprocessing.cpu_count()


def when_ready(server):
    server.log.info("at your service")
```

## Checking

`monoceros --check-config APP` reads all of this, loads the application and exits: with 0 when all is well, with 1 when
not. An error is one line that names the setting, where its value was given, the value, and what would be right. A
command line that cannot be read is exit status 2.

`monoceros --completion bash` (or `zsh`, `fish`) prints a script that completes the command's flags.

"""


def main() -> int:
    wanted = {
        DOCS / "settings.md": markdown(),
        DOCS / "monoceros.1": manual(),
        DOCS / "differences-from-gunicorn.md": with_differences((DOCS / "differences-from-gunicorn.md").read_text()),
    }
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not current: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.write_text(wanted[path])
        print(f"{path.relative_to(ROOT)} written")
    return 0


def sections() -> Iterator[tuple[str, list[SettingRow]]]:
    for section in dict.fromkeys(row.section for row in rows()):
        yield section, [row for row in rows() if row.section == section]


# docs/settings.md


def markdown() -> str:
    parts = [INTRODUCTION]
    for section, found in sections():
        parts.append(f"## {section}\n\n")
        parts.extend(entry(row) for row in found)
    return "".join(parts).rstrip("\n") + "\n"


def entry(row: SettingRow) -> str:
    lines = [f"### {row.name}\n"]
    if row.flags:
        lines.append(f"- On the command line: {usage(row)}")
    lines.append(f"- Default: {default(row)}")
    if row.environment:
        lines.append(f"- In the environment: `{row.environment}`")
    if values := range_of(row):
        lines.append(f"- Values: {values}")
    if row.origin == "own":
        lines.append("- Not in gunicorn")
    elif row.origin == "flag":
        lines.append("- The flag is not in gunicorn")
    return "\n".join([*lines, "", textwrap.fill(escape(row.text), 120, break_on_hyphens=False), "", ""])


def usage(row: SettingRow) -> str:
    if row.action not in ("store", "append"):
        return ", ".join(f"`{flag}`" for flag in row.flags)
    value = row.metavar or row.name.upper()
    return ", ".join(f"`{flag} [{value}]`" if row.bare else f"`{flag} {value}`" for flag in row.flags)


def default(row: SettingRow) -> str:
    if row.kind == "callable":
        return "a function that does nothing"
    if row.kind in ("user", "group"):
        return f"the {row.kind} that the server is started as"
    if row.kind == "directory":
        return "the current directory"
    if row.kind == "mode":
        return f"`0{row.default:o}`" if row.default else "`0`"
    return "none" if row.default is None else f"`{row.default!r}`"


def range_of(row: SettingRow) -> str:
    if row.choices:
        return ", ".join(f"`{word}`" for word in row.choices)
    if row.kind == "callable":
        counts = str(row.maximum) if row.minimum == row.maximum else f"{row.minimum} to {row.maximum}"
        return f"a function of {counts} argument{'s' if row.maximum != 1 else ''}, or the text `module.function`"
    if row.kind == "mode":
        return f"`0` to `0{row.maximum:o}`; in a file, Python's `0o22`"
    return f"{row.minimum} to {row.maximum}" if row.kind == "int" else ""


def escape(text: str) -> str:
    """Text in Markdown: what looks like a flag or a path of the system is shown as it is written."""
    return re.sub(r"(?<![\w`])(--[\w-]+|/tmp\b|%\(\w+\)s)", r"`\1`", text).replace("*", "\\*")


# docs/monoceros.1


def manual() -> str:
    lines = [
        '.\\" Written by scripts/settings_docs.py; `make docs` writes it again.',
        '.TH MONOCEROS 1 "" "Monoceros" "User Commands"',
        ".SH NAME",
        f"{PROGRAM} \\- serve a Python WSGI application",
        ".SH SYNOPSIS",
        f".B {PROGRAM}",
        "[\\fIOPTIONS\\fR] [\\fIAPP_MODULE\\fR]",
        ".SH DESCRIPTION",
        "Serves the application that",
        ".I APP_MODULE",
        "names: module, module:name or 'module:factory(\"argument\")'.",
        "Without a name it is the one called application.",
        ".PP",
        "Settings come from the environment, from monoceros.conf.py or gunicorn.conf.py in the current directory,",
        "from the variables GUNICORN_CMD_ARGS and MONOCEROS_CMD_ARGS, and from the command line.",
        "What comes later in this list replaces what came before.",
        ".SH OPTIONS",
        ".TP",
        "\\fB\\-h\\fR, \\fB\\-\\-help\\fR",
        "Print all options and exit.",
        ".TP",
        "\\fB\\-v\\fR, \\fB\\-\\-version\\fR",
        "Print the version and exit.",
        ".TP",
        "\\fB\\-\\-completion\\fR \\fISHELL\\fR",
        "Print what completes this command in a shell (bash, zsh, fish) and exit.",
    ]
    for section, found in sections():
        if any(row.flags for row in found):
            lines.append(f".SS {section}")
        for row in found:
            if row.flags:
                lines += [".TP", man_flags(row), roff(described(row))]
    lines += [
        ".SH SETTINGS OF CONFIGURATION FILES",
        "Each option has a name in configuration files: mostly its own, with underscores. These have no option:",
    ]
    for row in rows():
        if not row.flags:
            lines += [".TP", f"\\fB{roff(row.name)}\\fR", roff(row.text)]
    lines += [
        ".SH EXIT STATUS",
        *status("0", "The server was told to stop, and did."),
        *status("1", "A setting cannot be used, or an address cannot be listened on."),
        *status("2", "The command line cannot be read."),
        *status("3", "A worker failed to boot: the application raised while it was imported."),
        *status("4", "The application was not found in its module."),
        ".SH ENVIRONMENT",
    ]
    for row in rows():
        if row.environment:
            flag = row.flags[-1]
            lines += [".TP", f"\\fB{row.environment}\\fR", roff(f"Takes the place of the default of {flag}.")]
    for name in ("GUNICORN_CMD_ARGS", "MONOCEROS_CMD_ARGS"):
        lines += [".TP", f"\\fB{name}\\fR", "Arguments that count less than those of the command line."]
    lines += [".SH EXAMPLES"]
    for line in (EXAMPLES % {"prog": PROGRAM}).splitlines()[1:]:
        command, _, text = line.strip().partition("   ")
        if line.startswith("  "):
            lines += [".TP", f"\\fB{roff(command)}\\fR", roff(text.strip()[:1].upper() + text.strip()[1:] + ".")]
    return "\n".join(lines) + "\n"


def described(row: SettingRow) -> str:
    text = row.text
    if row.choices:
        text += f" Choose from: {', '.join(row.choices)}."
    if (shown := shown_default(row)) and row.action in ("store", "append") and row.consumer != "missing":
        text += f" The default is {shown}."
    return text


def man_flags(row: SettingRow) -> str:
    value = "" if row.action not in ("store", "append") else f" \\fI{roff(row.metavar or row.name.upper())}\\fR"
    return ", ".join(f"\\fB{roff(flag)}\\fR{value}" for flag in row.flags)


def status(number: str, text: str) -> list[str]:
    return [".TP", f".B {number}", text]


def roff(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


# docs/differences-from-gunicorn.md


def with_differences(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{differences()}\n{END}{after}"


def differences() -> str:
    listed = tomllib.loads((DOCS / "settings-differences.toml").read_text())["difference"]
    lines = ["| setting | | Monoceros | gunicorn | why | the old behavior |", "|---|---|---|---|---|---|"]
    for each in listed:
        names = ", ".join(f"`{name}`" for name in each["settings"])
        back = each.get("back", "–")
        lines.append(f"| {names} | {each['aspect']} | {each['ours']} | {each['gunicorn']} | {each['why']} | {back} |")
    lines += [
        "",
        "Refused at the start when they are set to anything but their default, since the feature is not there:",
        "",
        "| setting | what the message says |",
        "|---|---|",
    ]
    lines += [f"| `{row.name}` | {row.note} |" for row in rows() if row.consumer == "missing"]
    reasons: dict[str, list[str]] = {}
    for row in rows():
        if row.consumer == "nobody":
            reasons.setdefault(row.note or "", []).append(row.name)
    lines += ["", "Taken without effect; a line at the start says so:", "", "| settings | why |", "|---|---|"]
    lines += [f"| {', '.join(f'`{name}`' for name in names)} | {reason} |" for reason, names in reasons.items()]
    own = [f"`{row.name}`" for row in rows() if row.origin == "own"]
    lines += ["", f"Settings that gunicorn has not: {', '.join(own)}.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
