"""PasteDeploy: applications of ini files, and the server that pserve and others run as `egg:monoceros#main`."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import APPLICATIONS, run

pytestmark = pytest.mark.skipif("MONOCEROS_TEST_SERVER" in os.environ, reason="names Monoceros' entry point")

INI = """
    [app:main]
    paste.app_factory = pasted:make
    which = main

    [app:other]
    paste.app_factory = pasted:make
    which = other

    [server:main]
    use = egg:monoceros#main
    host = 127.0.0.1
    port = 0
    workers = 2
    keepalive = 3
    """

LOGGING = """
    [loggers]
    keys = root, gunicorn.error

    [logger_root]
    handlers = console

    [logger_gunicorn.error]
    level = INFO
    handlers = console
    propagate = 0
    qualname = gunicorn.error

    [handlers]
    keys = console

    [handler_console]
    class = StreamHandler
    args = (sys.stderr,)
    formatter = marked

    [formatters]
    keys = marked

    [formatter_marked]
    format = MARKED %(message)s
    """


def write(directory: Path, text: str) -> Path:
    path = directory / "site.ini"
    path.write_text(textwrap.dedent(text))
    return path


@pytest.mark.parametrize(
    ("suffix", "arguments", "body"),
    [
        ("", (), b"which=main"),
        ("#other", (), b"which=other"),
        ("", ("--paste-global", "color=red", "--paste-global", "a\\=b=c"), b"a=b=c,color=red,which=main"),
    ],
)
def test_an_application_of_a_file(
    serve: Serve, tmp_path: Path, suffix: str, arguments: tuple[str, ...], body: bytes
) -> None:
    server = serve("--paste", f"{write(tmp_path, INI)}{suffix}", *arguments)
    assert fetch(server.address).body == body


def test_a_configuration_file_may_name_it(serve: Serve, tmp_path: Path) -> None:
    write(tmp_path, INI)
    (tmp_path / "gunicorn.conf.py").write_text("paste = 'site.ini'\nraw_paste_global_conf = ['color=blue']\n")
    server = serve(cwd=tmp_path, environment={"PYTHONPATH": str(APPLICATIONS)})
    assert fetch(server.address).body == b"color=blue,which=main"


def test_the_files_own_logging_is_used(serve: Serve, tmp_path: Path) -> None:
    server = serve("--paste", str(write(tmp_path, INI + LOGGING)))
    assert re.search(r"^MARKED Listening at: ", server.log(), re.MULTILINE)


def test_the_server_runner(serve: Serve, tmp_path: Path) -> None:
    """What pserve does: it loads the application and the server of the file, and gives one to the other."""
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(
            """
            import sys
            from paste.deploy import loadapp, loadserver
            uri = f"config:{sys.argv[1]}"
            loadserver(uri)(loadapp(uri))
            """
        )
    )
    server = serve(program=(str(program), str(write(tmp_path, INI))), environment={"PYTHONPATH": str(APPLICATIONS)})
    server.expected_boots = 2
    assert fetch(server.address).body == b"which=main"
    assert len(server.wait_for_log(r"Booting worker with pid: (\d+)", 2)) == 2


@pytest.mark.parametrize(
    ("text", "arguments", "status", "words"),
    [
        (INI, ["--paste", "nowhere.ini"], 1, "there is no file"),
        ("[app:main]\nuse = egg:no-such-thing-anywhere\n", ["--paste", "site.ini"], 3, "no-such-thing-anywhere"),
        (INI, ["--paste", "site.ini#third"], 3, "third"),
    ],
)
def test_what_is_not_found_is_said(tmp_path: Path, text: str, arguments: list[str], status: int, words: str) -> None:
    write(tmp_path, text)
    result = run("-b", "127.0.0.1:0", *arguments, cwd=tmp_path)
    assert result.returncode == status
    assert words in result.stderr
