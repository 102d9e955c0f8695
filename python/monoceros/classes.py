"""Finds the classes that settings name: of workers, of loggers, and what other packages offer under a name."""

from __future__ import annotations

import importlib

from monoceros.hints import Any
from monoceros.workers import SUPPORTED_WORKERS


def load_class(uri: Any, default: str = "monoceros.workers.sync.SyncWorker", section: str = "gunicorn.workers") -> Any:
    """The class that `uri` is or names: `sync`, `package.module.Class` or `egg:distribution#entry-point`."""
    if isinstance(uri, type):
        return uri
    try:
        if uri.startswith("egg:"):
            distribution, _, name = uri.removeprefix("egg:").partition("#")
            return load_entry_point(distribution, section, name or default)
        name = uri.lstrip("#")
        module, _, attribute = SUPPORTED_WORKERS.get(name, name).rpartition(".")
        if not module:
            return load_entry_point("gunicorn", section, name)
        return getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise RuntimeError(f"class uri {uri!r} invalid or not found: {type(error).__name__}: {error}") from error


def load_entry_point(distribution: str, group: str, name: str) -> Any:
    """What an installed distribution offers under this name. Raises ImportError when there is none."""
    # What is rarely needed is imported then: every process has it in memory, and a start waits for it.
    import importlib.metadata

    for entry in importlib.metadata.distribution(distribution).entry_points:
        if entry.group == group and entry.name == name:
            return entry.load()
    raise ImportError(f"Entry point {(group, name)!r} not found")
