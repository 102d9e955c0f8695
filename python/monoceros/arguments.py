"""The words of a command line, as what they say of the settings.

Most command lines are plain: flags as they are listed, each with its value, and one application. Those are read here.
`argparse` knows all the rest (abbreviations, `-w4`, `--help`, and how to say what is wrong), but it and a parser for
some hundred and fifty options are a fifth of a start, and then in memory in every process. So it comes only where a
command line is not plain, and a test holds the two to the same results.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monoceros.hints import TYPE_CHECKING, Any
from monoceros.settings import rows

if TYPE_CHECKING:
    import argparse

PROGRAM = "monoceros"
USAGE = "%(prog)s [OPTIONS] [APP_MODULE]"


class Arguments:
    """What was typed."""

    def __init__(self, given: dict[str, Any], positional: list[str]):
        """
        :param given: by name of the setting, in the order of the table; what was not typed is not in it.
        :param positional: the app spec, and what follows it.
        """
        self.given = given
        self.positional = positional

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace) -> Arguments:
        """What the parser of `monoceros.commandline` found."""
        typed = {name: value for name, value in vars(namespace).items() if value is not None}
        return cls(typed, typed.pop("args"))


def mode(text: str) -> int:
    """A number of which a leading zero says that it is octal, as in `umask 022`. Raises ValueError."""
    return int(re.sub(r"^0(?=\d)", "0o", text), 0)


#: How the command line reads numbers, by kind of setting. `007` is seven where no mode is meant.
NUMBERS = {"int": int, "mode": mode}


def read_plain(words: Sequence[str]) -> Arguments | None:
    """What a plain command line says; None for one that is not, be it wrong or only not plain."""
    flags = {flag: row for row in rows() for flag in row.flags} if words else {}
    given: dict[str, Any] = {}
    positional: list[str] = []
    left = iter(words)
    for word in left:
        if not word.startswith("-"):
            positional.append(word)
            continue
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        row = flags.get(flag)
        if row is None:
            return None
        if row.action in ("store_true", "store_false"):
            if equals:
                return None
            given[row.name] = row.action == "store_true"
            continue
        if equals:
            if not value:
                return None
        else:
            # Whether what follows is its value would be the question where it may have none.
            value = "--" if row.bare is not None else next(left, "--")
            if value.startswith("-") and value != "-":
                return None
        try:
            taken = NUMBERS.get(row.kind, str)(value)
        except ValueError:
            return None
        given[row.name] = [*given.get(row.name, ()), taken] if row.action == "append" else taken
    if len(positional) > 1:
        return None
    return Arguments({row.name: given[row.name] for row in rows() if row.name in given}, positional)
