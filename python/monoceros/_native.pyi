"""The Swift core. Built by scripts/build_native.py; its sources are in Sources/Monoceros."""

from typing import TypedDict

from monoceros.host import Host

class SettingRow(TypedDict):
    """One row of the table in Sources/Settings, which declares every setting once."""

    name: str
    section: str
    flags: list[str]
    kind: str  # "str", "int", "bool", "list", "choice", "commas" or "mapping"
    action: str  # argparse's: "store", "store_true", "store_false" or "append"
    default: str | int | bool | list[str] | dict[str, str] | None
    choices: list[str] | None
    bare: str | None  # what the flag means without a value
    synonyms: dict[str, str]  # other words for choices
    minimum: int | None
    maximum: int | None
    metavar: str | None
    text: str
    environment: str | None
    environment_format: str | None
    environment_may_be_empty: bool

def settings() -> list[SettingRow]:
    """The settings table, in the order in which `--help` lists it."""

def serve(settings: dict[str, object], host: Host) -> int:
    """Runs the server until it is told to stop; returns the exit status of the process.

    Returns in the arbiter alone: a worker ends inside. Raises ValueError, before anything is bound or forked, with one
    line for the user when a setting cannot be used.
    """
