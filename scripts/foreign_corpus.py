"""Fetch gunicorn's request corpus and write it in the notation of Tests/Corpus, for the tests that replay it.

usage: foreign_corpus.py [DIRECTORY]    # .venv/.foreign

The source distribution is pinned by its hash and unpacked, never installed; its parser is also what the differential
test compares with. Without a network nothing is written, and the tests that need it are skipped and say so.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import types
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = "27.0.1"
SHA256 = "b1514965361c8b7e8107a80aa2a92636878df1ccfac6dd204a676426e04d9e3e"
NAME = f"gunicorn-{VERSION}"

#: What a case's configuration is called in a `.expect` file. `{}` is the value; without it the setting is a switch.
POLICIES = {
    "limit_request_line": "limit-request-line {}",
    "limit_request_fields": "limit-request-fields {}",
    "limit_request_field_size": "limit-request-field-size {}",
    "permit_obsolete_folding": "permit-obsolete-folding",
    "strip_header_spaces": "strip-header-spaces",
    "permit_unconventional_http_method": "permit-unconventional-method",
    "permit_unconventional_http_version": "permit-unconventional-version",
    "casefold_http_method": "casefold-method",
    "header_map": "header-map {}",
    "proxy_protocol": "proxy-protocol {}",
}
#: The tests' peer is trusted without it.
IGNORED_SETTINGS = {"forwarded_allow_ips"}

#: gunicorn's exception → the status that its worker answers with; the others are 400. None: it just closes.
STATUSES = {
    "LimitRequestLine": 414,
    "LimitRequestHeaders": 431,
    "ExpectationFailed": 417,
    "UnsupportedTransferCoding": 501,
    "ForbiddenProxyRequest": 403,
    "NoMoreData": None,
}


class Unavailable(Exception):
    """The source distribution cannot be had now."""


# The source distribution


def fetch(directory: pathlib.Path) -> pathlib.Path:
    """The unpacked source distribution, downloaded unless it is there."""
    unpacked = directory / NAME
    if unpacked.is_dir():
        return unpacked
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        archive = _download(pathlib.Path(scratch))
        if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
            raise Unavailable(f"{archive.name} is not the one that is pinned in {pathlib.Path(__file__).name}")
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        # One rename, so that what has the name is complete.
        (pathlib.Path(scratch) / NAME).rename(unpacked)
    return unpacked


def _download(scratch: pathlib.Path) -> pathlib.Path:
    pins = scratch / "pins.txt"
    pins.write_text(f"gunicorn=={VERSION} --hash=sha256:{SHA256}\n")
    result = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        + ["--retries", "1", "--timeout", "15", "--no-deps", "--no-binary", "gunicorn", "--require-hashes"]
        + ["--dest", str(scratch), "--requirement", str(pins)],
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Unavailable(f"pip could not download {NAME}: {last}")
    return next(scratch.glob("*.tar.gz"))


# The cases


def decode(text: bytes) -> bytes:
    """The bytes that a `.http` file of gunicorn's stands for."""
    for escape, byte in ((b"\n", b""), (b"\\r\\n", b"\r\n"), (b"\\0", b"\0"), (b"\\n", b"\n"), (b"\\t", b"\t")):
        text = text.replace(escape, byte)
    text = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), text)
    assert b"\\" not in text, text
    return text


def encode(data: bytes | str) -> str:
    """The same in the notation of Tests/Corpus."""
    if isinstance(data, str):
        data = data.encode("latin-1")
    return "".join(chr(byte) if 0x21 <= byte <= 0x7E and byte != 0x5C else f"\\x{byte:02x}" for byte in data)


def load(path: pathlib.Path, support: types.ModuleType) -> tuple[Any, Any]:
    """What a case expects, and its configuration."""
    config = importlib.import_module("gunicorn.config")
    module = types.ModuleType("case")
    vars(module).update(uri=support.uri, cfg=config.Config())
    importlib.machinery.SourceFileLoader("case", str(path)).exec_module(module)
    return module.request, module.cfg


def changes(configuration: Any) -> dict[str, Any]:
    """The settings that are not what they are by default."""
    defaults = type(configuration)().settings
    values = {name: setting.get() for name, setting in configuration.settings.items()}
    return {name: value for name, value in values.items() if value != defaults[name].get()}


def persistence(raw: bytes, configuration: Any) -> list[str]:
    """Whether gunicorn keeps the connection after each request. Its cases do not say that themselves."""
    parser = importlib.import_module("gunicorn.http.parser").RequestParser
    configuration.set("http_parser", "python")
    return ["no" if request.should_close() else "yes" for request in parser(configuration, iter([raw]), None)]


def policies(settings: dict[str, Any]) -> list[str]:
    # gunicorn asks nobody for a Host, and most of its cases have none. What is invalid must be so for its own fault.
    lines = ["trusted", "policy permit-missing-host"]
    for name, value in settings.items():
        if name not in IGNORED_SETTINGS:
            lines.append("policy " + POLICIES[name].format(value))
    return lines


def paragraph(request: dict[str, Any]) -> dict[str, list[str]]:
    """The words of one request that gunicorn accepts."""
    major, minor = request["version"]
    fields = [f"{encode(name)}: {encode(value)}" for name, value in request["headers"]]
    return {
        "method": [encode(request["method"])],
        "target": [encode(request["uri"]["raw"])],
        "path": [encode(request["uri"]["path"])],
        "query": [encode(request["uri"]["query"])],
        "version": [f"{major}.{minor}"],
        **({"field": fields} if fields else {"fields": ["none"]}),
        "body": [encode(request["body"])],
    }


def refusal(exception: type[Exception]) -> str:
    status = STATUSES.get(exception.__name__, 400)
    return "more" if status is None else f"refused {status}"


def render(comment: str, head: list[str], requests: list[dict[str, list[str]]], ending: str | None) -> str:
    paragraphs = [[f"# {comment}", *head]]
    paragraphs += [[f"{word} {value}" for word, values in request.items() for value in values] for request in requests]
    if ending:
        paragraphs.append([ending])
    return "\n\n".join("\n".join(lines) for lines in paragraphs) + "\n"


def differences(path: pathlib.Path) -> dict[str, dict[str, Any]]:
    """The cases that Monoceros answers differently, by name."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))["case"]
    for name, entry in table.items():
        assert entry.get("why"), f"{name}: no reason"
        assert entry.keys() & {"ends", "words"}, f"{name}: no difference"
    return table


def convert(source: pathlib.Path, target: pathlib.Path, table: dict[str, dict[str, Any]]) -> int:
    """Write every case as NAME.http and NAME.expect, what Monoceros makes of it.

    Where that is not what gunicorn makes of it, NAME.theirs says the latter, so that a difference that is none any more
    is noticed.
    """
    sys.path[:0] = [str(source), str(source / "tests")]
    support = importlib.import_module("treq")
    shutil.rmtree(target, ignore_errors=True)
    rest = dict(table)
    count = 0
    for path in sorted((source / "tests" / "requests").glob("*/*.http")):
        name = f"{path.parent.name}/{path.stem}"
        raw = decode(path.read_bytes())
        expected, configuration = load(path.with_suffix(".py"), support)
        head = policies(changes(configuration))
        if path.parent.name == "valid":
            comment = "gunicorn accepts it."
            requests = [paragraph(request) for request in (expected if isinstance(expected, list) else [expected])]
            for request, persistent in zip(requests, persistence(raw, configuration), strict=True):
                request["persistent"] = [persistent]
            ending = None
        else:
            comment = f"gunicorn: {expected.__name__}"
            requests = []
            ending = refusal(expected)
        stem = target / path.parent.name / path.stem
        stem.parent.mkdir(parents=True, exist_ok=True)
        stem.with_suffix(".http").write_text(encode(raw))
        theirs = render(comment, head, requests, ending)
        entry = rest.pop(name, {})
        if "ends" in entry:
            stem.with_suffix(".theirs").write_text(theirs)
            requests, ending = [], entry["ends"]
        if "words" in entry:
            stem.with_suffix(".theirs").write_text(theirs)
            requests = [request | {word: [value] for word, value in entry["words"].items()} for request in requests]
        stem.with_suffix(".expect").write_text(render(comment, head, requests, ending))
        count += 1
    assert not rest, f"no such cases: {', '.join(rest)}"
    return count


def main() -> int:
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".venv" / ".foreign"
    try:
        source = fetch(directory)
    except Unavailable as reason:
        print(f"foreign_corpus: {reason}; what replays {NAME}'s cases is skipped", file=sys.stderr)
        return 0
    count = convert(source, directory / "cases", differences(ROOT / "Tests" / "Corpus" / "gunicorn.toml"))
    print(f"foreign_corpus: {count} cases of {NAME} in {directory / 'cases'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
