"""The command: reads settings and app spec, sets up the log, and hands over to the Swift core."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from monoceros import __version__, config, log
from monoceros.application import prepare_import_path
from monoceros.host import Host

PROGRAM = "monoceros"
# An exit status of 1 says that a setting cannot be used, 2 that the command line cannot be read, as in gunicorn.
CONFIGURATION_ERROR = 1
USAGE_ERROR = 2


def run() -> NoReturn:
    """The entry point of the console script and of `python -m monoceros`."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Runs the server; returns the exit status. What is wrong with the settings is said in one line on stderr."""
    try:
        from monoceros import _native
    except ImportError as error:
        return fail(f"the compiled part of Monoceros cannot be loaded; install it again ({error})")

    table = [config.Setting(**row) for row in _native.settings()]
    given = vars(parser(table).parse_intermixed_args(arguments))
    spec = given.pop("app_module", None)
    if spec is not None:
        given["wsgi_app"] = spec
    try:
        settings = config.resolve(table, os.environ, given)
    except config.SettingError as error:
        return fail(str(error))
    spec = settings["wsgi_app"]
    if not spec:
        return fail("No application module specified.")

    log.configure(str(settings["loglevel"]))
    for source in unread_sources(os.environ):
        log.LOGGER.warning("%s is not read by this version: give its settings on the command line.", source)
    prepare_import_path(str(settings["chdir"]))
    host = Host(str(spec))
    # Applications look here to learn what serves them, outside of any request.
    os.environ["SERVER_SOFTWARE"] = host.server_software
    try:
        return _native.serve(settings, host)
    except ValueError as error:
        return fail(str(error))


def unread_sources(environ: Mapping[str, str]) -> list[str]:
    """Where gunicorn would find settings that we do not look for: whoever relies on them must not find out later."""
    unread = [name for name in ("GUNICORN_CMD_ARGS",) if environ.get(name, "").strip()]
    return (["gunicorn.conf.py"] if os.path.exists("gunicorn.conf.py") else []) + unread


def fail(line: str) -> int:
    print(f"Error: {line}", file=sys.stderr)
    return CONFIGURATION_ERROR


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, without the usage text that pushes it off the screen."""
        self.exit(USAGE_ERROR, f"{self.prog}: error: {message} (`{self.prog} --help` lists what there is)\n")


def parser(table: Sequence[config.Setting]) -> argparse.ArgumentParser:
    """The command line, from the settings table. What was not given is absent from the result."""
    parser = Parser(
        prog=PROGRAM,
        usage="%(prog)s [OPTIONS] [APP_MODULE]",
        description="Serves a Python WSGI application.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("-v", "--version", action="version", version=f"{PROGRAM} (version {__version__})")
    parser.add_argument(
        "app_module",
        nargs="?",
        metavar="APP_MODULE",
        help="what to serve: module, module:name or 'module:factory(\"argument\")'",
    )
    groups: dict[str, argparse._ArgumentGroup] = {}
    for setting in table:
        if not setting.flags:
            continue
        if setting.section not in groups:
            groups[setting.section] = parser.add_argument_group(setting.section)
        options: dict[str, object] = {"dest": setting.name, "action": setting.action, "help": help_text(setting)}
        if setting.action in ("store", "append"):
            options["metavar"] = setting.metavar
        if setting.bare is not None:
            options |= {"nargs": "?", "const": setting.bare}
        groups[setting.section].add_argument(*setting.flags, **options)
    return parser


def help_text(setting: config.Setting) -> str:
    default = setting.default
    if isinstance(default, dict):
        default = [f"{name}={value}" for name, value in sorted(default.items())]
    if isinstance(default, list):
        default = ",".join(default)
    text = setting.text
    if setting.choices:
        text += f" Choose from: {', '.join(setting.choices)}."
    if default not in (None, "") and setting.action in ("store", "append"):
        text += f" [{default}]"
    if setting.environment:
        text += f" [env: {setting.environment}]"
    return text.replace("%", "%%")
