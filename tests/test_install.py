"""The wheel, as a user gets it: one file for every CPython from 3.11 on, and no Swift needed where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.client import fetch
from support.interpreters import interpreter
from support.server import REPOSITORY
from support.waiting import until

VERSIONS = ("3.11", "3.12", "3.13")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("swift") is None:
        pytest.skip("there is no Swift to build with")
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(directory), str(REPOSITORY)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert result.returncode == 0, result.stderr[-4000:]
    (found,) = directory.glob("*.whl")
    return found


def test_the_name_says_where_it_fits(wheel: Path) -> None:
    assert re.fullmatch(r"monoceros-[\w.]+-cp311-abi3-(many)?linux_\w+\.whl", wheel.name), wheel.name


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"monoceros"}
    data = [name.split("/", 1)[1] for name in names if name.split("/")[0].endswith(".data")]
    assert data == ["data/share/man/man1/monoceros.1"]
    assert any(re.fullmatch(r"monoceros/_native\.abi3\.so", name) for name in names), names
    assert not [name for name in names if "__pycache__" in name or name.endswith((".swift", ".o"))]


def test_it_needs_no_swift(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        library = archive.extract("monoceros/_native.abi3.so", tmp_path)
    result = subprocess.run(["ldd", library], capture_output=True, text=True, timeout=30, check=True)
    assert "swift" not in result.stdout.lower() and "not found" not in result.stdout, result.stdout
    # The interpreter that loads it brings its own libpython, or has it built in.
    assert "libpython" not in result.stdout, result.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_it_installs_and_serves(wheel: Path, tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version}")
    subprocess.run([python, "-m", "venv", str(tmp_path / "venv")], timeout=120, check=True)
    binaries = tmp_path / "venv" / "bin"
    environment = {"PATH": f"{binaries}:/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    assert shutil.which("swift", path=environment["PATH"]) is None
    install = [binaries / "python", "-m", "pip", "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(install, env=environment, capture_output=True, timeout=120, check=True)

    assert (tmp_path / "venv" / "share" / "man" / "man1" / "monoceros.1").is_file()
    log = tmp_path / "log"
    with open(log, "wb") as stderr:
        process = subprocess.Popen(
            [binaries / "monoceros", "-b", "127.0.0.1:0", "examples.hello:app"],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:

        def port() -> int | None:
            assert process.poll() is None, log.read_text()
            found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+) ", log.read_text())
            return int(found[1]) if found else None

        assert fetch(("127.0.0.1", until(port, "the server to listen") or 0)).body == b"Hello, world!\n"
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(30)
