"""The command line: what can be asked for, and how it says no."""

from __future__ import annotations

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import Serve
from support.client import can_connect, fetch
from support.server import APPLICATIONS, MODULE, REPOSITORY, clean_environment, run


def assert_readable(stderr: str, *words: str) -> None:
    """An error of the user's is told in words, without a traceback through the server's own code."""
    assert "Traceback" not in stderr, stderr
    for word in words:
        assert word in stderr, stderr


@pytest.mark.parametrize(
    ("application", "body"),
    [
        ("factories:application", b"application."),
        ("factories", b"application."),
        ("factories:instance", b"instance"),
        ("factories:create_app()", b"default."),
        ('factories:create_app("Ada")', b"Ada."),
        ("factories:create_app('Ada', punctuation='!', count=2)", b"Ada!Ada!"),
    ],
)
def test_names_of_applications(serve: Serve, application: str, body: bytes) -> None:
    assert fetch(serve(application).address).body == body


@pytest.mark.parametrize(
    ("application", "words"),
    [
        ("factories:nowhere", ["nowhere"]),
        ("factories:not_callable", ["callable"]),
        ("factories:returning_nothing()", ["returning_nothing"]),
        ("factories:create_app(1 + 1)", ["create_app"]),
        ("factories:create_app(open('x'))", ["create_app"]),
        ("factories:create_app(name=)", ["create_app"]),
        ("factories:create_app(surprise=1)", ["create_app"]),
        ("factories:'text'", ["text"]),
        ("factories:create_app.__wrapped__", ["create_app.__wrapped__"]),
    ],
)
@pytest.mark.parametrize("workers", ["1", "4"])
def test_an_application_that_is_not_found_is_a_4(application: str, words: list[str], workers: str) -> None:
    result = run("-b", "127.0.0.1:0", "-w", workers, application)
    assert result.returncode == 4
    assert_readable(result.stderr, "App failed to load.", *words)
    assert result.stderr.count("App failed to load.") == 1


@pytest.mark.parametrize("application", ["nowhere_to_be_found:app", "probe.nowhere_to_be_found:app"])
@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_module_that_is_not_found(application: str, workers: str) -> None:
    result = run("-b", "127.0.0.1:0", "-w", workers, application)
    assert result.returncode in (3, 4)
    assert_readable(result.stderr, "nowhere_to_be_found")


def test_a_file_name_instead_of_a_module_gets_a_hint() -> None:
    result = run("-b", "127.0.0.1:0", "factories.py")
    assert result.returncode in (3, 4)
    assert_readable(result.stderr, "factories:application")


@pytest.mark.parametrize(
    ("application", "words"),
    [
        ("broken:app", ["RuntimeError: broken on purpose", "broken.py"]),
        ("broken_import:app", ["No module named 'a_module_that_is_not_there'", "broken_import.py"]),
        ("factories:failing()", ["RuntimeError: failing on purpose", "factories.py"]),
    ],
)
@pytest.mark.parametrize("workers", ["1", "4"])
def test_an_application_that_fails_to_boot_is_a_3(application: str, words: list[str], workers: str) -> None:
    result = run("-b", "127.0.0.1:0", "-w", workers, application)
    assert result.returncode == 3
    assert "Traceback" in result.stderr
    for word in [*words, "Worker failed to boot."]:
        assert word in result.stderr
    assert result.stderr.count("Worker failed to boot.") == 1
    # One traceback for each worker that came that far, at most, and none of the server's own.
    assert result.stderr.count("Traceback") <= int(workers)


def test_a_syntax_error_is_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "typo.py").write_text((APPLICATIONS / "broken_syntax.txt").read_text())
    result = run("-b", "127.0.0.1:0", "typo:app", cwd=tmp_path)
    assert result.returncode == 3
    assert "SyntaxError" in result.stderr and "typo.py" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no-such-flag", "probe:app"], ["--no-such-flag"]),
        (["-w", "many", "probe:app"], ["many"]),
        (["-w", "-3", "probe:app"], ["-3"]),
        (["--keep-alive", "soon", "probe:app"], ["soon"]),
        (["-b", "127.0.0.1:http", "probe:app"], ["http"]),
        (["-b", "127.0.0.1:99999", "probe:app"], ["99999"]),
        (["-b", "unix:/nowhere/to/be/found.sock", "probe:app"], ["/nowhere/to/be/found.sock"]),
        (["-w"], ["-w"]),
        ([], []),
    ],
)
def test_a_mistake_on_the_command_line(arguments: list[str], words: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode not in (0, 3, 4)
    assert result.returncode > 0
    assert result.stderr.strip()
    assert_readable(result.stderr, *words)


def test_version() -> None:
    for flag in ("-v", "--version"):
        result = run(flag)
        assert result.returncode == 0
        assert MODULE in result.stdout and any(character.isdigit() for character in result.stdout)
        assert len(result.stdout.splitlines()) == 1


def test_help() -> None:
    for flag in ("-h", "--help"):
        result = run(flag)
        assert result.returncode == 0 and result.stderr == ""
        for option in ("--bind", "--workers", "--keep-alive", "--version"):
            assert option in result.stdout


def test_the_console_script() -> None:
    script = Path(sysconfig.get_path("scripts"), MODULE)
    result = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=30, check=True)
    assert result.stdout == run("--version").stdout


OWN = pytest.mark.skipif(MODULE != "monoceros", reason="what Monoceros says about mistakes")


def test_a_configuration_file_and_the_environment(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(
        "bind = '127.0.0.1:1'\nwsgi_app = 'factories:create_app()'\nworkers = 3\n"
    )
    server = serve(
        cwd=tmp_path, environment={"PYTHONPATH": str(APPLICATIONS), "GUNICORN_CMD_ARGS": "-w 2 -b 127.0.0.1:2"}
    )
    server.expected_boots = 2
    assert fetch(server.address).body == b"default."
    assert len(server.wait_for_log(r"Booting worker with pid: (\d+)", 2)) == 2


@OWN
def test_doubts_about_a_configuration_are_in_the_log(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "gunicorn.conf.py"
    file.write_text("worker_clas = 'gthread'\nspew = True\n")
    log = serve("factories", "--pythonpath", str(APPLICATIONS), cwd=tmp_path).log()
    assert f"[WARNING] {file}:1: there is no setting 'worker_clas'; did you mean 'worker_class'?" in log
    assert f"[WARNING] spew ({file}:2) has no effect: no trace of every line is written" in log


@OWN
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 1, ["usage: monoceros", "monoceros hello:app"]),
        (("plain",), 4, ["It has app, file: try plain:app."]),
        ((str(APPLICATIONS / "plain.py:app"),), 3, [f"--chdir {APPLICATIONS} plain:app"]),
        (("--access-logfile", "-", "plain:nope"), 4, ["Failed to find attribute 'nope' in 'plain'"]),
        (("--access-logfile", "plain:app"), 1, ["--access-logfile has taken 'plain:app' for its value."]),
        (("--access-logfile", "file:0"), 1, ["No application module specified.\nusage: "]),
        (("--certfile", "c.pem", "plain:app"), 1, ["there is no TLS yet"]),
        (("-k", "uvicorn.workers.UvicornWorker", "plain:app"), 1, ["ASGI is not there yet"]),
    ],
)
def test_what_a_newcomer_is_told(arguments: tuple[str, ...], status: int, words: list[str]) -> None:
    result = run("-b", "127.0.0.1:0", *arguments)
    assert result.returncode == status
    assert_readable(result.stderr, *words)


@OWN
def test_a_mistake_in_the_environment_says_where_to_look() -> None:
    result = run("plain:app", GUNICORN_CMD_ARGS="--wrkers 2")
    assert result.returncode == 2
    assert result.stderr == (
        "monoceros: GUNICORN_CMD_ARGS: error: unrecognized arguments: --wrkers "
        "(`monoceros --help` lists what there is)\n"
    )


def test_a_dash_is_a_value(serve: Serve) -> None:
    """`--access-logfile - app:app`: neither of the two is taken for the other."""
    assert fetch(serve("--access-logfile", "-", "plain:app").address).body == b"hello"


def readme_commands() -> list[str]:
    """The blocks of shell commands of the examples' README."""
    blocks = (REPOSITORY / "examples" / "README.md").read_text().split("```")[1::2]
    return [block.removeprefix("sh\n").strip() for block in blocks if block.startswith("sh\n")]


@pytest.mark.parametrize("block", readme_commands())
def test_every_command_of_the_examples(serve: Serve, block: str, tmp_path: Path) -> None:
    """Each block is run as it stands, except for the port."""
    directory = REPOSITORY
    environment = {"DJANGO_DATABASE": str(tmp_path / "database")}
    served = False
    for line in block.splitlines():
        match shlex.split(line):
            case ["cd", where]:
                directory = directory / where
            case ["python", *arguments]:
                subprocess.run(
                    [sys.executable, *arguments],
                    cwd=directory,
                    env=clean_environment(**environment),
                    capture_output=True,
                    timeout=60,
                    check=True,
                )
            case ["monoceros", *arguments]:
                server = serve(*arguments, cwd=directory, environment=environment)
                response = fetch(server.address, "/", headers=[], host="localhost")
                assert response.status == 200 and response.body
                served = True
            case other:
                pytest.fail(f"what is this: {other}")
    assert served


def test_the_default_address(serve: Serve) -> None:
    """Without `-b` it is 127.0.0.1:8000. Somebody else may be there; then the refusal must name it."""
    if can_connect(("127.0.0.1", 8000)):
        result = run("probe:app")
        assert result.returncode == 1 and "127.0.0.1" in result.stderr and "8000" in result.stderr
    else:
        assert serve("probe:app", binds=()).address == ("127.0.0.1", 8000)
