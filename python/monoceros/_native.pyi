"""The Swift core. Built by scripts/build_native.py; its sources are in Sources/Monoceros."""

from collections.abc import Callable
from typing import Any

from monoceros.host import Host

def settings() -> list[dict[str, Any]]:
    """The settings table, in the order of the documentation: rows with the fields of `settings.SettingRow`."""

def check(name: str, value: object, source: str) -> None:
    """Raises ValueError, with one line for the user, when the setting cannot take the value.

    Values come as `monoceros.settings.crossing` describes them. `source` says where the value was given.
    """

def configure(settings: dict[str, tuple[object, str]]) -> None:
    """Raises ValueError when `serve` would, for the same reason."""

def check_access_log_format(format: str) -> None:
    """Raises ValueError, which says what is wrong and where, for a format that the core cannot write lines by."""

def immortalize(
    objects: list[object],
    modules: list[object],
    namespaces: list[object],
    plain: tuple[type, ...],
    owners: tuple[type, ...],
    tools: tuple[type, type, Callable[[object], int], object, bool],
) -> int | None:
    """Makes immortal whatever nobody could see ending.

    Returns how many objects, or None where there are no immortal ones.

    `objects` are those that the collector knows. Of instances of `plain` types
    nothing is asked, those of `owners` are memory alone. The tools are a class written in Python, the type of code
    objects, `weakref.getweakrefcount`, an object that is immortal wherever there are such, and whether instances of
    classes written in Python are memory alone.
    """

def fill_holes(pools: bool) -> None:
    """Takes free memory that stands between what is used, so that a forked process does not copy pages for it.

    What was taken the last time is free again before. `pools` says whether Python's own allocator is in use.
    """

def serve(settings: dict[str, tuple[object, str]], host: Host) -> int:
    """Runs the server until it is told to stop; returns the exit status of the process.

    `settings` holds, by name, each value that was given and where. Returns in the arbiter alone: a worker ends inside.
    Raises ValueError, before anything is bound or forked, with one line for the user when a setting cannot be used.
    """
