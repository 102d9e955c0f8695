"""What a configuration decides about the process, so that two can be at hand while one takes the place of the other."""

from __future__ import annotations

import os
import sys

from monoceros.hints import Any


class Snapshot:
    """The state that a configuration has brought about: the application object, directory, import path, environment."""

    def __init__(self, app: Any):
        self._app = app
        self._attributes = dict(vars(app))
        self._directory = os.getcwd()
        self._path = list(sys.path)
        self._environment = dict(os.environ)
        self._config_module = sys.modules.get("__config__")

    @property
    def cfg(self) -> Any:
        return self._attributes["cfg"]

    def restore(self) -> None:
        vars(self._app).clear()
        vars(self._app).update(self._attributes)
        os.chdir(self._directory)
        sys.path[:] = self._path
        set_environment(self._environment)
        if self._config_module is not None:
            sys.modules["__config__"] = self._config_module


def set_environment(wanted: dict[str, str]) -> None:
    """Makes the environment this one, touching only what differs."""
    for name in [name for name in os.environ if name not in wanted]:
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def apply_environment(cfg: Any) -> None:
    """Sets the variables of `raw_env`."""
    os.environ.update(cfg.env)


def withdraw_environment(cfg: Any) -> None:
    """Gives the variables of `raw_env` the values that they had before."""
    for name in cfg.env:
        if name in cfg.env_orig:
            os.environ[name] = cfg.env_orig[name]
        else:
            os.environ.pop(name, None)
