"""What a start imports. Each module is in the memory of every process, and every start waits for it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Serve
from support.client import fetch
from support.server import MODULE, clean_environment

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="it is about what Monoceros imports")

#: What an ordinary server has no use for: settings, faults and commands that are there in few of them have.
RARE = {
    *("argparse", "ast", "asyncio", "base64", "bz2", "concurrent", "configparser", "csv", "ctypes", "dataclasses"),
    *("datetime", "decimal", "difflib", "dis", "email", "fractions", "getpass", "gettext", "glob", "grp"),
    *("gzip", "hashlib", "hmac", "html", "http", "inspect", "ipaddress", "json", "locale", "lzma", "multiprocessing"),
    *("optparse", "pathlib", "pickle", "pkgutil", "platform", "pprint", "queue", "random", "resource", "secrets"),
    *("shlex", "shutil", "socketserver", "ssl", "statistics", "subprocess", "tarfile", "tempfile", "typing", "urllib"),
    *("uuid", "xml", "zipfile", "zlib"),
    *("importlib.metadata", "importlib.resources", "logging.config", "logging.handlers"),
    *("monoceros.admin", "monoceros.checking", "monoceros.commandline", "monoceros.completion", "monoceros.daemon"),
    *("monoceros.gunicorn_compat", "monoceros.http", "monoceros.instrument", "monoceros.observer"),
    *("monoceros.reloader", "monoceros.syslog", "monoceros.util", "monoceros.workers.gthread"),
}

#: What a server is made of. In some versions of Python these bring what others do not.
NEEDED = "faulthandler, logging, runpy, signal, socket, struct, threading, traceback"


def packages(names: set[str]) -> set[str]:
    """The modules, and the packages that they are in."""
    return {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2)}


@pytest.fixture(scope="module")
def unavoidable() -> set[str]:
    """What the interpreter, what is installed beside it, and the modules in `NEEDED` import by themselves."""
    program = f"import {NEEDED}, sys; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], env=clean_environment(), capture_output=True, text=True, check=True
    )
    return packages(set(result.stdout.split()))


@pytest.mark.parametrize(
    "arguments",
    [(), ("-w", "2", "--preload"), ("--workers=1", "--access-logfile", "-", "--log-level", "debug")],
    ids=["plain", "preload", "logged"],
)
def test_a_server_imports_nothing_that_it_does_not_need(
    serve: Serve, unavoidable: set[str], arguments: tuple[str, ...]
) -> None:
    # By `import` statements in the master and in the workers, until the last of them has left.
    server = serve(*arguments, "modules:app", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    in_worker = set(fetch(server.address, "/").body.decode().split())
    server.stop()
    ever = set(re.findall(r"^import time:[ \d]+\|[ \d]+\| +(\S+)$", server.log(), re.MULTILINE))
    assert {"monoceros.arbiter", "logging"} <= ever and {"monoceros.host", "modules"} <= in_worker
    assert packages(in_worker | ever) & RARE - unavoidable == set()


def test_what_a_worker_needs_for_hooks_is_there_before_the_fork(serve: Serve, tmp_path: Path) -> None:
    """A worker of another user may not be able to read what Python and its packages are in."""
    settings = tmp_path / "settings.py"
    settings.write_text(
        "import sys\n"
        "def pre_request(worker, request):\n    pass\n"
        "def post_fork(server, worker):\n    worker.log.info('There: %s', 'monoceros.observer' in sys.modules)\n"
    )
    server = serve("-c", str(settings), "modules:app")
    fetch(server.address, "/")
    server.stop()
    assert "There: True" in server.log()


def test_every_module_of_the_list_could_be_imported() -> None:
    """A name that nothing has any more would guard nothing."""
    program = "import importlib.util, sys; print(*[n for n in sys.argv[1:] if importlib.util.find_spec(n) is None])"
    result = subprocess.run(
        [sys.executable, "-c", program, *RARE], env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []
