"""The scripts behind `make`: what the layering check finds, and what a build says when it cannot begin."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name, directory="scripts"):
    spec = importlib.util.spec_from_file_location(name, ROOT / directory / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_columns = load("check_columns")
check_layers = load("check_layers")
build_native = load("build_native")
foreign_corpus = load("foreign_corpus")
unpack = load("unpack", "Tests/Corpus")


def complaints(tmp_path, module, text):
    directory = tmp_path / module
    directory.mkdir()
    (directory / "File.swift").write_text(text)
    return list(check_layers.complaints(tmp_path))


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("Transport", "import WSGI\n", "WSGI is not below Transport"),
        ("Transport", "// why\n\ninternal import Worker\n", "File.swift:3: import Worker"),
        ("Worker", "import Arbiter\n", "Arbiter is not below Worker"),
        ("Settings", "import Platform\n", "Settings is pure"),
        ("HTTPWire", "@preconcurrency import Dispatch\n", "HTTPWire is pure"),
        ("HTTPWire", "import ProxyWire\n", "ProxyWire is not below HTTPWire"),
        ("HTTPWire", "import HTTPServer\n", "HTTPServer is not below HTTPWire"),
        ("HTTPServer", "import Platform\n", "HTTPServer is pure"),
        ("ProxyWire", "import Settings\n", "Settings is not below ProxyWire"),
        ("WSGI", "public import CPython\n", "only PythonBridge imports CPython"),
        ("Transport", "import CSystem\n", "only Platform imports CSystem"),
        ("Worker", "#if os(Linux)\n  import Glibc\n#endif\n", "only Platform imports Glibc"),
        ("Worker", "import func Glibc.read\n", "only Platform imports Glibc"),
        ("Platform", "import Foundation\n", "Foundation is neither"),
        ("Monoceros", "@_implementationOnly import FoundationEssentials\n", "FoundationEssentials is neither"),
        ("Novelty", "import Settings\n", "Novelty stands in no layer"),
    ],
)
def test_an_import_that_does_not_point_down_is_found(tmp_path, module, text, complaint):
    found = complaints(tmp_path, module, text)
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("Transport", "public import HTTPWire\ninternal import Platform\nimport Synchronization\n"),
        ("PythonBridge", "public import CPython\n"),
        ("HTTPServer", "public import HTTPWire\n"),
        ("Transport", "public import HTTPServer\n"),
        ("Settings", "public import HTTPWire\npublic import ProxyWire\n"),
        ("Platform", "internal import CSystem\ninternal import Glibc\n"),
        ("Settings", "// import Foundation\n/* import\nimport Glibc */\nlet text = 1\n"),
        ("Monoceros", "import Arbiter\nimport Worker\nimport Settings\n"),
    ],
)
def test_an_import_that_points_down_is_fine(tmp_path, module, text):
    assert complaints(tmp_path, module, text) == []


def test_the_check_fails_as_a_command(tmp_path):
    file = tmp_path / "Sources" / "Settings" / "File.swift"
    file.parent.mkdir(parents=True)
    command = [sys.executable, ROOT / "scripts" / "check_layers.py", tmp_path]
    file.write_text("import Foundation\n")
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 1
    file.write_text("let text = 1\n")
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0


LONG = "x" * 110


@pytest.mark.parametrize(
    "line",
    [
        f"/// {LONG} 121 columns",
        f"    // {LONG} more",
        f"let text = 1  // {LONG}",
        "// " + "é" * 118,
    ],
)
@pytest.mark.parametrize("file", ["Package.swift", "Sources/Settings/File.swift", "Tests/SettingsTests/File.swift"])
def test_a_comment_past_120_columns_is_found(tmp_path, file, line):
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"let one = 1\n{line}\n")
    assert list(check_columns.complaints(tmp_path)) == [f"{file}:2: {len(line)} columns, 120 at most"]
    command = [sys.executable, ROOT / "scripts" / "check_columns.py", tmp_path]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 1


def test_other_lines_may_be_long_where_they_cannot_be_broken(tmp_path):
    path = tmp_path / "Sources" / "Settings" / "File.swift"
    path.parent.mkdir(parents=True)
    path.write_text(f'/// {"é" * 116}\n// {LONG}\nlet text = "https://example.org/{LONG}"\n')
    assert list(check_columns.complaints(tmp_path)) == []
    command = [sys.executable, ROOT / "scripts" / "check_columns.py", tmp_path]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("Apple Swift version 6.1.2 (swiftlang-6.1.2)", "Swift 6.1 is too old"),
        ("Swift version 5.10 (swift-5.10-RELEASE)", "Swift 5.10 is too old"),
        ("something else", "does not name a version"),
    ],
)
def test_a_swift_that_will_not_do_is_told(tmp_path, monkeypatch, output, message):
    swift = tmp_path / "swift"
    swift.write_text(f"#!/bin/sh\necho '{output}'\n")
    swift.chmod(0o755)
    monkeypatch.setenv("MONOCEROS_SWIFT", str(swift))
    with pytest.raises(build_native.BuildError, match=message):
        build_native.swift_command()


@pytest.mark.parametrize("version", ["6.2", "6.2.1", "6.10", "7.0-dev"])
def test_a_swift_that_will_do_is_taken(tmp_path, monkeypatch, version):
    swift = tmp_path / "swift"
    swift.write_text(f"#!/bin/sh\necho 'Swift version {version} (swift-{version}-RELEASE)'\n")
    swift.chmod(0o755)
    monkeypatch.setenv("MONOCEROS_SWIFT", str(swift))
    assert build_native.swift_command() == str(swift)


def test_missing_headers_are_told(monkeypatch):
    monkeypatch.setattr(build_native.sysconfig, "get_path", lambda name: "/no/such/include")
    with pytest.raises(build_native.BuildError, match=r"/no/such/include/Python\.h is missing.*python3-dev"):
        build_native.include_flags()


def test_a_missing_swift_is_one_line():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_native.py"],
        env={**os.environ, "MONOCEROS_SWIFT": "no-such-swift"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("build_native: `no-such-swift` was not found. Install Swift 6.2 or later")
    assert done.stderr.count("\n") == 1


def test_foreign_cases_are_written_as_our_own():
    raw = foreign_corpus.decode(b"GET / HTTP/1.1\\r\\n\nX:\\t\\0\\x7f\\r\\n\n\\n")
    assert raw == b"GET / HTTP/1.1\r\nX:\t\0\x7f\r\n\n"
    assert unpack.unescape(foreign_corpus.encode(raw + b"\\")) == raw.decode() + "\\"


def test_without_a_network_there_are_no_foreign_cases_and_no_error(tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "foreign_corpus.py", tmp_path / "foreign"],
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0
    assert "skipped" in result.stderr and "pip could not download gunicorn-27.0.1" in result.stderr
    assert not (tmp_path / "foreign" / "cases").exists()


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [('ends = "more"', "no reason"), ('why = "because"', "no difference")],
)
def test_a_foreign_case_differs_in_something_and_for_a_reason(tmp_path, entry, complaint):
    table = tmp_path / "gunicorn.toml"
    table.write_text(f'[case."valid/001"]\n{entry}\n')
    with pytest.raises(AssertionError, match=complaint):
        foreign_corpus.differences(table)
