"""Serves Monoceros' modules under gunicorn's names, for packages that import gunicorn to look into it.

`import monoceros.gunicorn_compat` (in a configuration file, say) is all: from then on `import gunicorn.glogging` finds
what `monoceros.glogging` has: the same classes and functions. Where gunicorn itself is installed, its own modules are
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
from monoceros.hints import Any

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


class Alias(ModuleType):
    """A module that has all from another one, and passes on what is set in it.

    It has a name of its own because agents that watch imports go by the name of the module that was loaded.
    """

    def __init__(self, name: str, target: ModuleType):
        super().__init__(name, target.__doc__)
        super().__setattr__("_target", target)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [each for each in vars(self._target) if not each.startswith("_")]
        return getattr(self._target, name)

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system's own notes, and the submodules, which are aliases too, stay here.
        if (name.startswith("__") and name.endswith("__")) or isinstance(value, Alias):
            super().__setattr__(name, value)
        else:
            setattr(self._target, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._target, name)

    def __dir__(self) -> list[str]:
        return dir(self._target)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds gunicorn where nobody else finds it, and what is below that gunicorn before anybody else does.

    Before: `gunicorn.app` is `monoceros.app`, so Python's own finder would look for its submodules in the same
    directory, and load each of them a second time.
    """

    def __init__(self) -> None:
        #: The module `gunicorn`, once it was imported from here.
        self._root: ModuleType | None = None

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
        # Not by its loader, which agents that watch imports replace by theirs.
        return self._root is not None and sys.modules.get(NAME) is self._root

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        _, _, rest = spec.name.partition(".")
        return Alias(spec.name, importlib.import_module(f"monoceros.{rest}")) if rest else None

    def exec_module(self, module: ModuleType) -> None:
        if isinstance(module, Alias):
            return
        self._root = module
        module.__doc__ = f"{NAME}, as far as Monoceros {monoceros.__version__} has it."
        module.version_info = VERSION
        module.__version__ = ".".join(map(str, VERSION))
        module.SERVER = monoceros.SERVER
        module.SERVER_SOFTWARE = monoceros.SERVER_SOFTWARE


_finder = Finder()


def install() -> bool:
    """Returns whether the names lead here; False when gunicorn itself is installed, and has them."""
    if _finder not in sys.meta_path:
        # Before the finder of Python's own that looks into directories, and behind those of agents that watch imports.
        place = next((i for i, each in enumerate(sys.meta_path) if each is importlib.machinery.PathFinder), 0)
        sys.meta_path.insert(place, _finder)
    importlib.import_module(NAME)
    if not _finder._serves():
        return False
    # What agents wait for: some wrap the application where gunicorn hands it to its workers.
    importlib.import_module(f"{NAME}.app.base")
    return True


def uninstall() -> None:
    """As before. Modules that were imported stay what they are."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


#: Whether `gunicorn` is ours.
is_serving = install()
