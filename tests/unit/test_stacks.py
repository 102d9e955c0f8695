"""What people get to see of a stack."""

from __future__ import annotations

import os
import threading
from traceback import FrameSummary

import pytest

import monoceros
from monoceros.stacks import own_frames_left_out

OWN = os.path.dirname(monoceros.__file__)
FILES = {
    "launcher": "/venv/bin/monoceros",
    "arbiter": f"{OWN}/arbiter.py",
    "base": f"{OWN}/workers/base.py",
    "import_module": __import__("importlib").__file__,
    "frozen": "<frozen importlib._bootstrap>",
    "thread": threading.__file__,
    "app": "/srv/app.py",
    "library": "/srv/lib/library.py",
}


@pytest.mark.parametrize(
    ("stack", "seen"),
    [
        ("launcher arbiter app library", "app library"),
        # A signal's handler, in the application and while the application is imported.
        ("launcher arbiter app base arbiter", "app"),
        ("launcher arbiter import_module frozen frozen app base", "app"),
        ("launcher arbiter import_module frozen app frozen library", "app library"),
        # Nothing of the application's: what this package does is all there is to tell.
        ("launcher arbiter", "arbiter"),
        ("launcher base arbiter", "arbiter"),
        ("thread thread arbiter", "arbiter"),
        # Threads of the application's.
        ("thread thread app", "thread thread app"),
        ("thread app base", "thread app"),
        ("app library", "app library"),
    ],
)
def test_the_applications_frames_are_shown(stack: str, seen: str) -> None:
    frames = [FrameSummary(FILES[name], 1, name, line="x") for name in stack.split()]
    assert [frame.name for frame in own_frames_left_out(frames)] == seen.split()
