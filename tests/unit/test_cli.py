"""The command itself, as a user runs it, up to where a server would start."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monoceros import __version__, _native, cli, config

PARSER = cli.parser([config.Setting(**row) for row in _native.settings()])


def parse(*arguments):
    return vars(PARSER.parse_intermixed_args(arguments))


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "monoceros", *arguments], capture_output=True, text=True, timeout=60, **options
    )


def test_what_is_not_typed_is_absent():
    assert parse() == {}
    assert parse("module:app") == {"app_module": "module:app"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("-w", "4", "-b", ":80", "-b", "unix:/a", "module:app"),
        ("module:app", "-w4", "-b:80", "--bind=unix:/a"),
        ("--workers", "4", "module:app", "--bind", ":80", "--bind", "unix:/a"),
        ("-w=4", "-b", ":80", "module:app", "--bin", "unix:/a"),
    ],
)
def test_options_and_application_stand_in_any_order(arguments):
    assert parse(*arguments) == {"workers": "4", "bind": [":80", "unix:/a"], "app_module": "module:app"}


def test_an_option_may_be_abbreviated():
    assert parse("--log-lev", "debug", "--no-send") == {"loglevel": "debug", "sendfile": False}


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [(("--proxy-protocol",), "auto"), (("--proxy-protocol", "v2"), "v2"), (("--proxy-protocol=off",), "off")],
)
def test_the_proxy_protocols_mode_may_be_left_out(arguments, mode):
    assert parse("module:app", *arguments) == {"app_module": "module:app", "proxy_protocol": mode}


def test_a_factory_call_is_one_argument():
    assert parse('module:create_app("x", k=1)') == {"app_module": 'module:create_app("x", k=1)'}


def test_help_lists_every_flag():
    text = " ".join(PARSER.format_help().split())
    for row in _native.settings():
        for flag in row["flags"]:
            assert flag in text


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_version(flag):
    done = command(flag)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"monoceros (version {__version__})\n", "")


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        ((), 1, "Error: No application module specified."),
        (("--bogus", "module:app"), 2, "monoceros: error: unrecognized arguments: --bogus"),
        (("module:app", "extra"), 2, "monoceros: error: unrecognized arguments: extra"),
        (("-w",), 2, "monoceros: error: argument -w/--workers: expected one argument"),
        (("--work", "1", "m:a"), 2, "monoceros: error: ambiguous option: --work could match --workers"),
        (("-w", "-1", "module:app"), 1, "Error: Invalid value for workers (-w/--workers): -1: "),
        (("-w", "x", "module:app"), 1, "Error: Invalid value for workers (-w/--workers): 'x': "),
        (("-k", "gevent", "module:app"), 1, "Error: Invalid value for worker_class (-k/--worker-class): 'gevent': "),
        (("--chdir", "/no/such", "module:app"), 1, "Error: Invalid value for chdir (--chdir): '/no/such': "),
        (
            ("--forwarded-allow-ips", "10.0.0.1/8", "json:loads"),
            1,
            "Error: Invalid value for forwarded_allow_ips (--forwarded-allow-ips, or FORWARDED_ALLOW_IPS in the",
        ),
        (("--root-path", "app", "json:loads"), 1, "Error: Invalid value for root_path (--root-path, or SCRIPT_NAME in"),
        (("-b", "127.0.0.1:x", "json:loads"), 1, "Error: Invalid value for bind (-b/--bind, or PORT in the"),
    ],
)
def test_one_line_says_what_is_wrong(arguments, status, line):
    done = command(*arguments)
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_a_core_that_cannot_be_loaded_is_one_line(tmp_path):
    """Nothing but the Python files: what a source tree looks like before `make build`."""
    package = tmp_path / "monoceros"
    package.mkdir()
    for source in Path(cli.__file__).parent.glob("*.py"):
        shutil.copy(source, package)
    done = command("module:app", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the compiled part of Monoceros cannot be loaded")
    assert done.stderr.count("\n") == 1


def test_sources_that_are_not_read_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.unread_sources({"GUNICORN_CMD_ARGS": " ", "PATH": "/bin"}) == []
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2\n")
    assert cli.unread_sources({"GUNICORN_CMD_ARGS": "-w 2"}) == ["gunicorn.conf.py", "GUNICORN_CMD_ARGS"]
