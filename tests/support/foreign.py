"""gunicorn's request corpus, as scripts/foreign_corpus.py leaves it: its cases, and where its sources are."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from support.server import REPOSITORY

DIRECTORY = Path(os.environ.get("MONOCEROS_FOREIGN", REPOSITORY / ".venv" / ".foreign"))
SOURCES = DIRECTORY / "gunicorn-27.0.1"
MISSING = "gunicorn's sources are not here; scripts/foreign_corpus.py fetches them"
OWN_CASES = REPOSITORY / "Tests" / "Corpus"


def _load_unpack():
    spec = importlib.util.spec_from_file_location("unpack", OWN_CASES / "unpack.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


unescape = _load_unpack().unescape

#: The policy of a `.expect` file → the command line.
FLAGS = {
    "permit-missing-host": ["--permit-missing-host"],
    "limit-request-line": ["--limit-request-line"],
    "limit-request-fields": ["--limit-request-fields"],
    "limit-request-field-size": ["--limit-request-field_size"],
    "permit-obsolete-folding": ["--permit-obsolete-folding"],
    "strip-header-spaces": ["--strip-header-spaces"],
    "permit-unconventional-method": ["--permit-unconventional-http-method"],
    "permit-unconventional-version": ["--permit-unconventional-http-version"],
    "casefold-method": ["--casefold-http-method"],
    "header-map": ["--header-map"],
    "proxy-protocol": ["--proxy-protocol"],
}


@dataclass
class Expected:
    """One request, by the words of a `.expect` file."""

    words: dict[str, str] = field(default_factory=dict)
    fields: list[tuple[str, str]] = field(default_factory=list)

    def environ(self) -> dict[str, str]:
        """What an application is to be told of it."""
        environ = {
            "REQUEST_METHOD": self.words["method"],
            "RAW_URI": self.words["target"],
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(self.words["path"], "latin-1"),
            "QUERY_STRING": self.words["query"],
            "SERVER_PROTOCOL": f"HTTP/{self.words['version']}",
            "wsgi.url_scheme": "http",
        }
        chunked = False
        for name, value in self.fields:
            key = name.replace("-", "_")
            if name not in ("CONTENT-TYPE", "CONTENT-LENGTH"):
                key = f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
            chunked = chunked or name == "TRANSFER-ENCODING"
        # docs/differences-from-gunicorn.md: the whole of a chunked body is there, so it has a length.
        if chunked:
            environ["CONTENT_LENGTH"] = str(len(self.words["body"]))
        return environ


@dataclass
class Case:
    name: str
    raw: bytes
    #: The command line that the case asks for.
    arguments: tuple[str, ...] = ()
    requests: list[Expected] = field(default_factory=list)
    #: A word and its argument: `refused 400`, `fault invalid-authority 400`, `more`.
    ending: tuple[str, str] | None = None


def cases(expectations: str = "expect") -> Iterator[Case]:
    """The cases that have a file of this extension; `theirs` is what gunicorn makes of those that differ."""
    for path in sorted((DIRECTORY / "cases").glob(f"*/*.{expectations}")):
        name = f"{path.parent.name}/{path.stem}"
        case = Case(name, raw(path.with_suffix(".http")))
        _read(case, path.read_text(encoding="ascii"))
        yield case


def raw(path: Path) -> bytes:
    """The bytes of a `.http` file."""
    return unescape(path.read_text(encoding="ascii").replace("\n", "")).encode("latin-1")


def _read(case: Case, text: str) -> None:
    for paragraph in text.split("\n\n"):
        request = Expected()
        for line in paragraph.splitlines():
            word, _, argument = line.partition(" ")
            argument = unescape(argument)
            if word in ("#", "trusted"):
                continue
            if word == "policy":
                policy, _, value = argument.partition(" ")
                case.arguments += (*FLAGS[policy], *([value] if value else []))
            elif word in ("refused", "fault", "more"):
                case.ending = word, argument
            elif word == "field":
                request.fields.append(tuple(argument.split(": ", 1)))
            else:
                request.words[word] = argument
        if request.words:
            case.requests.append(request)
