"""Servers as objects, with the interface of gunicorn's `app.base`.

A subclass configures one in `load_config`, names what it serves in `load`, and somebody runs it by `run`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence

from monoceros import sources
from monoceros.application import prepare_import_path
from monoceros.arbiter import Arbiter
from monoceros.config import Config
from monoceros.hints import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import argparse

CONFIGURATION_ERROR = 1


class BaseApplication:
    """A server whose settings come from the program that runs it. `load_config` and `load` are for subclasses."""

    def __init__(self, usage: str | None = None, prog: str | None = None):
        """Ends the process with status 1, and one line on stderr, when the configuration cannot be used."""
        self.usage = usage
        self.prog = prog
        self.cfg: Any = None
        #: What is served, once it is loaded.
        self.callable: Callable[..., Any] | None = None
        self.logger: Any = None
        self.do_load_config()

    def do_load_config(self) -> None:
        try:
            self._load_whole_config()
        except Exception as error:
            fail(error)

    def _load_whole_config(self) -> None:
        self.load_default_config()
        self.load_config()
        self.cfg.validate()

    def load_default_config(self) -> None:
        """Starts from the defaults, and what the environment says."""
        self.cfg = Config(self.usage, prog=self.prog)

    def load_config(self) -> None:
        """Sets what this server needs, by `self.cfg.set`."""
        raise NotImplementedError

    def init(self, parser: argparse.ArgumentParser, opts: argparse.Namespace, args: Sequence[str]) -> Any:
        """Given the command line; returns settings that count less than all other sources, or None."""
        raise NotImplementedError

    def load(self) -> Callable[..., Any]:
        """Returns the WSGI application. Called in each worker."""
        raise NotImplementedError

    def wsgi(self) -> Callable[..., Any]:
        """The WSGI application, loaded at the first call."""
        if self.callable is None:
            self.callable = self.load()
        return self.callable

    def reload(self) -> None:
        """Reads the configuration again. Raises what is wrong with it, and then keeps the old one."""
        before = self.cfg
        try:
            self._load_whole_config()
        except BaseException:
            self.cfg = before
            raise

    def run(self) -> NoReturn:
        """Serves until told to stop, and ends the process."""
        try:
            Arbiter(self).run()
        except RuntimeError as error:
            fail(error)


class Application(BaseApplication):
    """A server that takes its settings from where the command takes them."""

    def load_config(self) -> None:
        self.cfg.argv = sys.argv[1:]
        parser = self.cfg.parser()
        typed = parser.parse_intermixed_args(self.cfg.argv)
        for name, value in (self.init(parser, typed, typed.args) or {}).items():
            self.cfg.set(name.lower(), value, "from the application")
        sources.apply(self.cfg, parser, takes_more_arguments=True)

    def chdir(self) -> None:
        """Changes to the directory of the setting, and lets modules be imported from it."""
        prepare_import_path(self.cfg.chdir)

    def get_config_from_filename(self, filename: str) -> Mapping[str, Any]:
        return vars(sources.execute(filename))

    def get_config_from_module_name(self, module_name: str) -> Mapping[str, Any]:
        return vars(sources.import_settings(module_name))

    def load_config_from_module_name_or_filename(self, location: str) -> Mapping[str, Any]:
        """Sets what `PATH`, `file:PATH` or `python:MODULE` says; returns all of its names."""
        return sources.apply_file(self.cfg, location)

    def load_config_from_file(self, filename: str) -> Mapping[str, Any]:
        return self.load_config_from_module_name_or_filename(filename)

    def run(self) -> NoReturn:
        """Does what the settings ask for: shows or checks the configuration, or serves. Ends the process."""
        if self.cfg.print_config or self.cfg.check_config:
            from monoceros.checking import check

            sys.exit(check(self))
        super().run()


def fail(error: object) -> NoReturn:
    print(f"Error: {error}", file=sys.stderr, flush=True)
    sys.exit(CONFIGURATION_ERROR)
