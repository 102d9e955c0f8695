"""`--print-config` and `--check-config`."""

from __future__ import annotations

import sys
import traceback

from monoceros.application import AppImportError
from monoceros.errors import remedy
from monoceros.hints import Any
from monoceros.loading import trim


def check(app: Any) -> int:
    """Shows the configuration if asked to, and loads the application as a worker would; returns the exit status."""
    configuration = app.cfg
    if configuration.print_config:
        print(configuration, flush=True)
    for line in configuration.notices + configuration.without_effect():
        print(f"Warning: {line}", file=sys.stderr)
    try:
        app.load()
    except AppImportError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        print("\nError while loading the application:\n", file=sys.stderr)
        traceback.print_exception(trim(error))
        if remedy(error):
            print(f"Error: {error}{remedy(error)}", file=sys.stderr)
        return 1
    return 0
