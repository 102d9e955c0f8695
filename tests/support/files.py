"""Files that a server may be reading while a test writes them."""

from __future__ import annotations

from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Write a file as editors do: under another name, and then over the old one. Nobody ever reads half of it."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text)
    temporary.rename(path)
