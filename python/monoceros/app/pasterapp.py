"""PasteDeploy: applications of ini files (`--paste`), and the server of `pserve` (`use = egg:monoceros#main`)."""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable, Mapping

from monoceros.app.wsgiapp import WSGIApplication
from monoceros.application import AppImportError
from monoceros.config import get_default_config_file
from monoceros.hints import Any, NoReturn


def get_wsgi_app(config_uri: str, name: str | None = None, defaults: Mapping[str, str] | None = None) -> Any:
    """The application of `FILE.ini` or `FILE.ini#NAME`; `defaults` are variables for the file."""
    try:
        from paste.deploy import loadapp
    except ImportError:
        raise AppImportError(
            "PasteDeploy is not installed: `pip install PasteDeploy` gives --paste what it needs."
        ) from None
    if ":" not in config_uri:
        config_uri = f"config:{config_uri}"
    return loadapp(config_uri, name=name, relative_to=os.getcwd(), global_conf=defaults)


def has_logging_config(path: str) -> bool:
    """Whether an ini file says how to log."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read([path])
    return parser.has_section("loggers")


class PasterServerApplication(WSGIApplication):
    """Serves an application that PasteDeploy has made, with the settings of the file's server section."""

    def __init__(self, app: Callable[..., Any], global_conf: Mapping[str, str], local_conf: Mapping[str, Any]):
        self._application = app
        self._file = global_conf.get("__file__", "")
        self._given = dict(local_conf)
        super().__init__(prog="monoceros")

    def load_config(self) -> None:
        given = dict(self._given)
        host, port = given.pop("host", ""), given.pop("port", "")
        if host and port:
            given["bind"] = f"{host}:{port}"
        elif host:
            given["bind"] = [part.strip() for part in host.split(",")]
        location = given.pop("config", None) or get_default_config_file()
        if self._file:
            self.cfg.set("default_proc_name", self._file)
            self.app_uri = self.cfg.app_uri = self._file
            if has_logging_config(self._file):
                self.cfg.set("logconfig", self._file, f"the section loggers of {self._file}")
        if location:
            self.load_config_from_file(location)
        for name, value in given.items():
            if value is not None:
                self.cfg.set(name.lower(), value, f"the server section of {self._file}")
        self.chdir()

    def load(self) -> Callable[..., Any]:
        return self._application


def serve(app: Callable[..., Any], global_conf: Mapping[str, str], **local_conf: Any) -> NoReturn:
    """The server runner that PasteDeploy finds as `egg:monoceros#main`.

    [server:main]
    use = egg:monoceros#main
    host = 127.0.0.1
    port = 6543
    workers = 2
    """
    PasterServerApplication(app, global_conf, local_conf).run()
