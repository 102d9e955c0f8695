"""Serves Monoceros' modules under gunicorn's names, for packages that import gunicorn to look into it.

`import monoceros.gunicorn_compat` (in a configuration file, say) is all: from then on `import gunicorn.glogging` finds
`monoceros.glogging`, the same module with the same classes. Where gunicorn itself is installed its own modules are
found.

`gunicorn` itself tells the version whose interface this is. A module that Monoceros has no counterpart of does not
exist.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

import monoceros

NAME = "gunicorn"

#: The version of gunicorn that these modules follow.
VERSION = (27, 0, 1)

#: Below `gunicorn`, and below `monoceros`.
MODULES = frozenset(
    {
        "app",
        "app.base",
        "app.pasterapp",
        "app.wsgiapp",
        "arbiter",
        "config",
        "errors",
        "glogging",
        "http",
        "http.errors",
        "http.message",
        "http.wsgi",
        "instrument",
        "instrument.statsd",
        "util",
        "workers",
        "workers.base",
        "workers.gthread",
        "workers.sync",
    }
)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds gunicorn where nobody else finds it, and what is below that gunicorn before anybody else does.

    Before: `gunicorn.app` is `monoceros.app`, so Python's own finder would look for its submodules in the same
    directory, and load each of them a second time.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, rest = fullname.partition(".")
        if package != NAME:
            return None
        if not rest:
            if self._is_installed():
                return None
        elif not self._serves():
            return None
        elif rest not in MODULES:
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: Monoceros has no counterpart of it", name=fullname
            )
        # Every one is a package as far as the import system is concerned: each submodule is looked for here again.
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def _is_installed(self) -> bool:
        others = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        return any(finder.find_spec(NAME, None, None) is not None for finder in others)

    def _serves(self) -> bool:
        spec = getattr(sys.modules.get(NAME), "__spec__", None)
        return spec is not None and spec.loader is self

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        _, _, rest = spec.name.partition(".")
        if not rest:
            return None
        module = importlib.import_module(f"monoceros.{rest}")
        # The import system is about to write its own there; `exec_module` puts this back.
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.loader_state is not None:
            module.__spec__ = spec.loader_state
            return
        module.__doc__ = f"{NAME}, as far as Monoceros {monoceros.__version__} has it."
        module.version_info = VERSION
        module.__version__ = ".".join(map(str, VERSION))
        module.SERVER = monoceros.SERVER
        module.SERVER_SOFTWARE = monoceros.SERVER_SOFTWARE


_finder = Finder()


def install() -> bool:
    """Returns whether the names lead here; False when gunicorn itself is installed, and has them."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    spec = importlib.util.find_spec(NAME)
    return spec is not None and spec.loader is _finder


def uninstall() -> None:
    """As before. Modules that were imported stay what they are."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


is_serving = install()
