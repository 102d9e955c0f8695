"""`python -m monoceros` is the same as the `monoceros` command."""

from monoceros.cli import run

run()
