"""Plain command lines are read without `argparse`, to the same result."""

from __future__ import annotations

import itertools
import random

import pytest

from monoceros.arguments import Arguments, read_plain
from monoceros.config import Config
from monoceros.settings import rows

PARSER = Config(prog="monoceros", environ={}).parser()
WITH_FLAGS = [row for row in rows() if row.flags]


def by_argparse(words):
    """What `argparse` finds; None where it refuses the words."""
    try:
        return Arguments.from_namespace(PARSER.parse_intermixed_args(words))
    except SystemExit:
        return None


def same(one, other):
    return (one.given, one.positional) == (other.given, other.positional)


def value(row):
    """A text that the flag of a row takes."""
    return {"int": "7", "mode": "022"}.get(row.kind, "some/thing:x")


def typed(row, flag, joined=False):
    if row.action in ("store_true", "store_false"):
        return [flag]
    return [f"{flag}={value(row)}"] if joined else [flag, value(row)]


@pytest.mark.parametrize("row", WITH_FLAGS, ids=lambda row: row.name)
def test_every_flag_is_read_as_argparse_reads_it(row):
    for flag in row.flags:
        for joined in (False, True) if flag.startswith("--") else (False,):
            for words in (typed(row, flag, joined), [*typed(row, flag, joined), "app:app"]):
                found, right = read_plain(words), by_argparse(words)
                # One whose value may be left out is plain in one word alone.
                if found is None:
                    assert row.bare is not None and not joined
                else:
                    assert same(found, right), words


def test_command_lines_are_read_as_argparse_reads_them_or_not_at_all():
    chance = random.Random(1)
    odd = ["--", "-", "-1", "", "-w", "--bind", "-b", "--workers=x", "--workers=", "-w4", "--threads=-1", "--bi", "-hx"]
    odd += ["--daemon=1", "-Dq", "--nothing", "--reload-engine", "a b", "-x y", "--umask", "0x1f", "--bind=", "7"]
    plain = [typed(row, flag, joined) for row in WITH_FLAGS for flag in row.flags for joined in (False, True)]
    read = 0
    for _ in range(4000):
        pieces = [chance.choice(plain) for _ in range(chance.randrange(4))]
        pieces += [["app:app"]] * chance.randrange(2) + [[chance.choice(odd)]] * chance.choice((0, 0, 1, 2))
        chance.shuffle(pieces)
        words = list(itertools.chain(*pieces))
        found = read_plain(words)
        if found is not None:
            right = by_argparse(words)
            assert right is not None and same(found, right), words
            read += 1
    # So that it is no test of nothing.
    assert read > 1000


@pytest.mark.parametrize(
    "words",
    [
        ["-b", "127.0.0.1:80", "-w", "4", "app:app"],
        ["app:app", "--workers=4", "--bind", ":80", "--bind", "unix:/a", "--daemon"],
        ["-c", "", "app:app"],
        ["--access-logfile", "-", "--error-logfile=-", "app:app"],
        ["app:create('x', key=1)", "--umask", "022"],
        [],
    ],
)
def test_usual_command_lines_need_no_argparse(words):
    assert same(read_plain(words), by_argparse(words))


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["-w4"], ["--work", "4"], ["-w"], ["-w", "x"], ["a:a", "b:b"], ["--"], ["-b", "-1"]],
)
def test_what_is_not_plain_is_left_to_argparse(words):
    assert read_plain(words) is None


def test_names_come_in_the_order_of_the_table():
    found = read_plain(["--threads", "2", "-w", "3", "-b", ":80"])
    assert list(found.given) == [row.name for row in rows() if row.name in found.given]
