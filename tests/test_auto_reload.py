"""`--reload`: the workers follow the files of the code, and the last good code goes on serving."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from conftest import Serve
from support.client import can_connect, fetch
from support.files import replace
from support.processes import is_stopped
from support.server import Server, run
from support.waiting import until

CODE = """
import os
import {helper}
def app(environ, start_response):
    if environ["PATH_INFO"] == "/late":
        import late_module
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [{helper}.WORD.encode() + b" %d" % os.getpid()]
"""

ENGINES = ("inotify", "poll")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "changing.py").write_text(CODE.format(helper="changing_helper"))
    write(tmp_path / "changing_helper.py", "first")
    (tmp_path / "late_module.py").write_text("WORD = 1\n")
    return tmp_path


def write(path: Path, word: str) -> None:
    replace(path, f"WORD = {word!r}\n")


def start(serve: Serve, directory: Path, *arguments: str, **options) -> Server:
    server = serve("--reload", *arguments, "changing:app", cwd=directory, **options)
    server.expected_boots = None
    return server


def answer(server: Server, path: str = "/") -> str:
    return fetch(server.address, path).body.split()[0].decode()


def wait_for(server: Server, word: str) -> None:
    until(lambda: answer(server) == word, f"the answer {word!r}")


def settle(server: Server) -> None:
    """Until a change is sure to be seen, and makes one reload: files are watched, and every worker has read them."""
    until(lambda: watched(server, "changing_helper.py", seconds=10), "the files to be watched")

    def is_done() -> bool:
        log = server.log()
        return log.rfind("in use by all workers") > log.rfind("Worker reloading")

    until(is_done, "the end of the reload")


def watched(server: Server, name: str, seconds: float = 2) -> bool:
    # A change of a file that is watched shows; that of one that is not does nothing. So it is touched until it does.
    before = server.log().count("Worker reloading")
    path = Path(os.readlink(f"/proc/{server.pid}/cwd")) / name
    os.utime(path)
    try:
        until(lambda: server.log().count("Worker reloading") > before, "a reload", seconds)
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("workers", ["1", "3"])
def test_changed_code_is_served(serve: Serve, code: Path, engine: str, workers: str) -> None:
    server = start(serve, code, "--reload-engine", engine, "-w", workers)
    assert answer(server) == "first"
    settle(server)
    write(code / "changing_helper.py", "second")
    wait_for(server, "second")
    assert re.search(r"\[INFO\] Worker reloading: \S*/changing_helper\.py modified", server.log())
    until(lambda: {answer(server) for _ in range(10)} == {"second"}, "the new code alone")


@pytest.mark.parametrize("broken", ["def f(:\n", "raise KeyError('broken')\n", "import no_such_module\n"])
def test_broken_code_leaves_the_last_good_one(serve: Serve, code: Path, broken: str) -> None:
    server = start(serve, code)
    assert answer(server) == "first"
    settle(server)
    replace(code / "changing_helper.py", broken)
    server.wait_for_log("The reload is given up")
    assert server.log().count("Traceback (most recent call last)") == 1
    assert "changing_helper.py" in server.log()
    assert answer(server) == "first"
    write(code / "changing_helper.py", "mended")
    wait_for(server, "mended")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_first_start_that_fails_waits_for_the_mended_code(serve: Serve, code: Path, workers: str) -> None:
    (code / "changing_helper.py").write_text("def f(:\n")
    server = start(serve, code, "-w", workers)
    server.wait_for_log("Listening, and waiting for a file to change")
    assert server.workers() == []
    assert can_connect(server.address)
    write(code / "changing_helper.py", "mended")
    wait_for(server, "mended")
    until(lambda: len(server.workers()) == int(workers), "all workers")


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax"),
        ("raise KeyError('broken')\n", "KeyError: 'broken'"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("import sys\nsys.exit(7)\n", "SystemExit: 7"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--preload",)])
def test_the_traceback_is_served_to_those_who_want_that(
    serve: Serve, code: Path, broken: str, told: str, more: tuple[str, ...]
) -> None:
    server = start(serve, code, "--reload-error-page", *more)
    assert answer(server) == "first"
    settle(server)
    replace(code / "changing_helper.py", broken)
    response = until(lambda: (r := fetch(server.address, "/any")).status == 500 and r, "the page")
    page = response.body.decode()
    assert told in page and "changing_helper.py" in page and str(code) in page
    assert page.startswith(("Traceback (most recent call last):", "  File ")), page
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    write(code / "changing_helper.py", "mended")
    until(lambda: (r := fetch(server.address, "/")).status == 200 and r.body.startswith(b"mended"), "the mended code")


def test_the_first_start_shows_the_traceback_too(serve: Serve, code: Path) -> None:
    text = (code / "changing.py").read_text()
    (code / "changing.py").unlink()
    server = start(serve, code, "--reload-error-page", "-w", "2")
    response = fetch(server.address, "/")
    assert response.status == 500 and b"changing" in response.body
    replace(code / "changing.py", text)
    until(lambda: fetch(server.address, "/").status == 200, "the mended code")


def test_without_reload_nobody_is_shown_a_traceback(code: Path) -> None:
    (code / "changing_helper.py").write_text("def f(:\n")
    result = run("--reload-error-page", "-b", "127.0.0.1:0", "changing:app", cwd=code, deadline=60)
    assert result.returncode == 3 and "SyntaxError" in result.stderr


def test_a_module_that_is_missing_is_waited_for(serve: Serve, code: Path) -> None:
    text = (code / "changing.py").read_text()
    (code / "changing.py").unlink()
    server = start(serve, code)
    server.wait_for_log("Listening, and waiting for a file to change")
    replace(code / "changing.py", text)
    wait_for(server, "first")


def test_modules_that_are_imported_late_are_watched(serve: Serve, code: Path) -> None:
    server = start(serve, code)
    answer(server, "/late")
    until(lambda: watched(server, "late_module.py"), "the late module to be watched")


def test_other_files_are_watched(serve: Serve, code: Path) -> None:
    (code / "templates").mkdir()
    server = start(serve, code, "--reload-extra-file", "templates/*.html", "--reload-extra-file", "late_module.py")
    answer(server)
    (code / "templates" / "new.html").write_text("<p>")
    server.wait_for_log(r"Worker reloading: \S*/templates/new\.html modified")
    (code / "late_module.py").write_text("WORD = 2\n")
    server.wait_for_log(r"Worker reloading: \S*/late_module\.py modified")


def test_many_files_make_one_reload(serve: Serve, code: Path) -> None:
    (code / "data").mkdir()
    server = start(serve, code, "--reload-extra-file", "data/*")
    answer(server)
    # However long that takes here: the server sees them all at once.
    server.signal(signal.SIGSTOP)
    until(lambda: is_stopped(server.pid), "the stop")
    for number in range(200):
        (code / "data" / f"{number}.txt").write_text("x")
    server.signal(signal.SIGCONT)
    server.wait_for_log(r"Worker reloading: \S*/0\.txt, \S*/1\.txt, \S*/10\.txt and 197 more modified")
    assert server.log().count("Worker reloading") == 1


def test_hup_switches_it_on_and_off(serve: Serve, code: Path) -> None:
    file = code / "settings.py"
    file.write_text("reload = False\n")
    server = serve("-c", str(file), "changing:app", cwd=code)
    server.expected_boots = None
    answer(server)
    old = server.workers()
    file.write_text("reload = True\n")
    server.signal(signal.SIGHUP)
    until(lambda: server.workers() and not set(old) & set(server.workers()), "new workers")
    settle(server)
    write(code / "changing_helper.py", "second")
    wait_for(server, "second")
    descriptors = f"/proc/{server.pid}/fd"
    until(lambda: any("inotify" in name for name in links(descriptors)), "inotify")
    file.write_text("reload = False\n")
    server.signal(signal.SIGHUP)
    until(lambda: not any("inotify" in name for name in links(descriptors)), "the end of inotify")


def links(directory: str) -> list[str]:
    found = []
    for name in os.listdir(directory):
        try:
            found.append(os.readlink(f"{directory}/{name}"))
        except FileNotFoundError:
            continue
    return found


def test_workers_have_no_part_in_the_watching(serve: Serve, code: Path) -> None:
    server = start(serve, code)
    answer(server)
    until(lambda: server.workers(), "a worker")
    assert not any("inotify" in name for name in links(f"/proc/{server.workers()[0]}/fd"))
