"""The command line, from the settings table, as `argparse` has it. A plain one is read without (arguments.py)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from monoceros import __version__, completion
from monoceros.arguments import NUMBERS, PROGRAM, USAGE
from monoceros.hints import TYPE_CHECKING, Any, NoReturn
from monoceros.settings import SettingRow, rows

if TYPE_CHECKING:
    from monoceros.config import Config

# An exit status of 1 says that a setting cannot be used, 2 that the command line cannot be read, as in gunicorn.
USAGE_ERROR = 2

EXAMPLES = """\
examples:
  %(prog)s app:app                            the name app in app.py, on 127.0.0.1:8000
  %(prog)s -b 0.0.0.0:8000 -w 4 app:app       on every address, with four worker processes
  %(prog)s --threads 8 mysite.wsgi            the name application in mysite/wsgi.py, on eight threads
  %(prog)s "app:create_app('production')"     what a function returns
  %(prog)s -c prod.py app:app                 with settings from a file
  %(prog)s --chdir /srv/site app:app          with modules of another directory

Every option can stand in gunicorn.conf.py, in monoceros.conf.py, or in a file that -c names, as NAME = VALUE.
"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, without the usage text that pushes it off the screen."""
        # The program may be followed by where the arguments came from.
        program = self.prog.partition(":")[0]
        self.exit(USAGE_ERROR, f"{self.prog}: error: {message} (`{program} --help` lists what there is)\n")

    def _get_option_tuples(self, option_string: str) -> list[Any]:
        """What an abbreviation may stand for. One that is clear among gunicorn's flags stays so beside our own."""
        found = super()._get_option_tuples(option_string)
        theirs = [match for match in found if match[1] in self.known_flags]
        return theirs or found

    @property
    def known_flags(self) -> set[str]:
        return {"-v", "--version", "-h", "--help"} | {
            flag for row in rows() if row.origin == "gunicorn" for flag in row.flags
        }


class Completion(argparse.Action):
    """Prints a shell's completion script and ends."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> NoReturn:
        sys.stdout.write(completion.script(str(values), PROGRAM, parser))
        parser.exit()


def make_parser(configuration: Config) -> argparse.ArgumentParser:
    """The parser of a configuration's settings."""
    parser = Parser(
        prog=configuration.prog,
        usage=configuration.usage or USAGE,
        description="Serves a Python WSGI application.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-v",
        "--version",
        action="version",
        version=f"%(prog)s (version {__version__})",
        help="print the version and exit",
    )
    parser.add_argument(
        "--completion",
        action=Completion,
        choices=completion.SHELLS,
        default=argparse.SUPPRESS,
        metavar="SHELL",
        help=f"print what completes this command in a shell ({', '.join(completion.SHELLS)}) and exit",
    )
    parser.add_argument(
        "args",
        nargs="*",
        metavar="APP_MODULE",
        help="what to serve: module, module:name or 'module:factory(\"argument\")'",
    )
    settings = configuration.settings.values()
    for section in dict.fromkeys(setting.section for setting in settings):
        group = None
        for setting in settings:
            if setting.section == section and setting.cli:
                group = group or parser.add_argument_group(section)
                add_option(group, setting.row)
    return parser


def add_option(group: argparse._ArgumentGroup, row: SettingRow) -> None:
    options: dict[str, Any] = {"dest": row.name, "action": row.action, "default": None, "help": help_text(row)}
    if row.action in ("store", "append"):
        options["metavar"] = row.metavar or row.name.upper()
    if row.action == "store" and row.kind in NUMBERS:
        options["type"] = number_reader(row.kind)
    if row.bare is not None:
        options |= {"nargs": "?", "const": row.bare}
    group.add_argument(*row.flags, **options)


def number_reader(kind: str) -> Callable[[str], int]:
    """What reads the numbers of a kind of setting; it says what is wrong with a text that is none."""

    def read(text: str) -> int:
        try:
            return NUMBERS[kind](text)
        except ValueError:
            example = ", such as 022" if kind == "mode" else ""
            raise argparse.ArgumentTypeError(f"{text!r}: it must be a whole number{example}") from None

    return read


def help_text(row: SettingRow) -> str:
    text = row.text
    if row.choices:
        text += f" Choose from: {', '.join(row.choices)}."
    if (default := shown_default(row)) and row.action in ("store", "append") and row.consumer != "missing":
        text += f" [{default}]"
    if row.environment:
        text += f" [env: {row.environment}]"
    return text.replace("%", "%%")


def shown_default(row: SettingRow) -> str:
    """A default as the command line takes it; nothing where there is none."""
    default = row.default
    if isinstance(default, dict):
        default = [f"{name}={value}" for name, value in sorted(default.items())]
    if isinstance(default, list):
        return ",".join(default)
    if row.kind == "mode" and default:
        return f"0{default:o}"
    return "" if default is None else str(default)
