"""The server that the command runs: it serves what an app spec names.

`python -m monoceros.app.wsgiapp` is the command too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monoceros import config
from monoceros.app.base import Application
from monoceros.application import load_application
from monoceros.arguments import PROGRAM, USAGE
from monoceros.errors import ConfigError
from monoceros.hints import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import argparse

NO_APPLICATION = f"""\
No application module specified.
usage: {PROGRAM} [OPTIONS] [APP_MODULE]
For `app = Flask(__name__)` in hello.py: {PROGRAM} hello:app"""


class WSGIApplication(Application):
    """Serves what the command line or `wsgi_app` names, or the file of `paste`."""

    #: What is served: `module:name`, or the path of a PasteDeploy file.
    app_uri: str | None = None

    def init(self, parser: argparse.ArgumentParser, opts: argparse.Namespace, args: Sequence[str]) -> None:
        return None

    def load_config(self) -> None:
        super().load_config()
        self.app_uri = self.cfg.app_uri
        if not self.app_uri:
            raise ConfigError(NO_APPLICATION)

    def load_wsgiapp(self) -> Callable[..., Any]:
        return load_application(self.app_uri or "")

    def load_pasteapp(self) -> Callable[..., Any]:
        from monoceros.app.pasterapp import get_wsgi_app

        return get_wsgi_app(self.app_uri, defaults=self.cfg.paste_global_conf)

    def load(self) -> Callable[..., Any]:
        return self.load_wsgiapp() if self.cfg.paste is None else self.load_pasteapp()


class Command(WSGIApplication):
    """The command's own: its arguments are given, and what is wrong with them is raised."""

    def __init__(self, arguments: Sequence[str], environ: Any):
        """Raises ConfigError, whose text is for the user; SystemExit for `--help` and `--version`."""
        self.usage = USAGE
        self.prog = PROGRAM
        self.callable = None
        self.logger = None
        self._arguments = list(arguments)
        self._take(config.load(self._arguments, environ))

    def _take(self, configuration: config.Config) -> None:
        if not configuration.app_uri:
            raise ConfigError(NO_APPLICATION)
        self.cfg = configuration
        self.app_uri = configuration.app_uri

    def reload(self) -> None:
        """Reads the configuration again, from the same places. Raises ConfigError, and then keeps the old one."""
        self._take(config.reload(self.cfg))


def run(prog: str | None = None) -> NoReturn:
    """Serves what the command line says, and ends the process."""
    WSGIApplication(USAGE, prog=prog).run()


if __name__ == "__main__":
    run()
