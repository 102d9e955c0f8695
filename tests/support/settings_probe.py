"""Prints what a Config makes of each setting as JSON: run with gunicorn's modules in the path, or with Monoceros'.

usage: settings_probe.py MODULE    # gunicorn.config or monoceros.config
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


class Own:
    """A class of the user's."""


def one(a):
    return a


def two(a, b):
    return b


def three(a, b, c):
    return c


def four(a, b, c, d):
    return d


def any_number(*arguments):
    return arguments


#: What is put to every setting.
PROBES: dict[str, Any] = {
    "0": 0,
    "3": 3,
    "-1": -1,
    "True": True,
    "None": None,
    "1.5": 1.5,
    "'3'": "3",
    "'0x10'": "0x10",
    "'007'": "007",
    "''": "",
    "' word '": " word ",
    "'TRUE'": "TRUE",
    "'AUTO'": "AUTO",
    "'::1, 10.0.0.0/8'": "::1, 10.0.0.0/8",
    "'10.0.0.1/8'": "10.0.0.1/8",
    "[]": [],
    "['a']": ["a"],
    "('A=b',)": ("A=b",),
    "[1]": [1],
    "{}": {},
    "{'A': 'b'}": {"A": "b"},
    "a class": Own,
    "one(a)": one,
    "two(a, b)": two,
    "three(a, b, c)": three,
    "four(a, b, c, d)": four,
    "any_number(*a)": any_number,
    "'os.path.join'": "os.path.join",
    "'os.getpid'": "os.getpid",
}


def shown(value: Any) -> Any:
    """The value in JSON: functions and classes by their names, tuples as lists."""
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {str(key): shown(item) for key, item in sorted(value.items())}
    if callable(value):
        return "a class" if isinstance(value, type) else "a function"
    return repr(value)


def outcome(setting: Any, value: Any) -> Any:
    """`{"value": ...}`, or `"refused"`."""
    try:
        setting.set(value)
    except Exception:
        return "refused"
    return {"value": shown(setting.get())}


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    os.environ.pop("PWD", None)
    found = {}
    for name, setting in module.Config(prog="probe").settings.items():
        found[name] = {
            "section": setting.section,
            "flags": list(setting.cli or []),
            "default": shown(setting.get()),
            "takes": {
                label: outcome(module.Config(prog="probe").settings[name], probe) for label, probe in PROBES.items()
            },
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
