"""The command: reads the configuration, sets up the log, and hands over to the Swift core."""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from monoceros import config, log
from monoceros.application import load_configured
from monoceros.commandline import PROGRAM
from monoceros.host import Host

CONFIGURATION_ERROR = 1

NO_APPLICATION = f"""\
No application module specified.
usage: {PROGRAM} [OPTIONS] [APP_MODULE]
For `app = Flask(__name__)` in hello.py: {PROGRAM} hello:app"""


def run() -> NoReturn:
    """The entry point of the console script and of `python -m monoceros`."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs the server; returns the exit status. What is wrong with the settings is said in one line on stderr."""
    try:
        from monoceros import _native
    except ImportError as error:
        return fail(f"the compiled part of Monoceros cannot be loaded; install it again ({error})")

    try:
        configuration = config.load(arguments, os.environ)
    except config.ConfigError as error:
        return fail(str(error))
    if not configuration.app_uri:
        return fail(NO_APPLICATION)
    if configuration.print_config:
        print(configuration, flush=True)
    if configuration.print_config or configuration.check_config:
        return check(configuration)

    log.configure(str(configuration.loglevel))
    for line in configuration.notices + configuration.without_effect():
        log.LOGGER.warning("%s", line)
    host = Host(configuration.app_uri)
    # Applications look here to learn what serves them, outside of any request.
    os.environ["SERVER_SOFTWARE"] = host.server_software
    try:
        return _native.serve(configuration.native(), host)
    except ValueError as error:
        return fail(str(error))


def check(configuration: config.Config) -> int:
    """Loads the application, as a worker would; returns the exit status."""
    for line in configuration.notices + configuration.without_effect():
        print(f"Warning: {line}", file=sys.stderr)
    try:
        load_configured(configuration)
    except Exception:
        print("\nError while loading the application:\n", file=sys.stderr)
        traceback.print_exc()
        return CONFIGURATION_ERROR
    return 0


def fail(text: str) -> int:
    print(f"Error: {text}", file=sys.stderr)
    return CONFIGURATION_ERROR
