"""The command itself, as a user runs it, up to where a server would start."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monoceros import __version__, cli
from monoceros.config import Config
from monoceros.settings import rows

PARSER = Config(prog="monoceros", environ={}).parser()


def parse(*arguments):
    return {
        name: value for name, value in vars(PARSER.parse_intermixed_args(arguments)).items() if value not in (None, [])
    }


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "monoceros", *arguments], capture_output=True, text=True, timeout=60, **options
    )


def test_what_is_not_typed_is_absent():
    assert parse() == {}
    assert parse("module:app") == {"args": ["module:app"]}


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
    assert parse(*arguments) == {"workers": 4, "bind": [":80", "unix:/a"], "args": ["module:app"]}


def test_an_option_may_be_abbreviated():
    assert parse("--log-lev", "debug", "--no-send") == {"loglevel": "debug", "sendfile": False}


@pytest.mark.parametrize(
    ("arguments", "mode"),
    [(("--proxy-protocol",), "auto"), (("--proxy-protocol", "v2"), "v2"), (("--proxy-protocol=off",), "off")],
)
def test_the_proxy_protocols_mode_may_be_left_out(arguments, mode):
    assert parse("module:app", *arguments) == {"args": ["module:app"], "proxy_protocol": mode}


def test_a_factory_call_is_one_argument():
    assert parse('module:create_app("x", k=1)') == {"args": ['module:create_app("x", k=1)']}


def test_an_abbreviation_that_is_clear_in_gunicorn_is_clear_here():
    """Our own flags may not make it ambiguous. Ours are `--request-timeout`, `--response-buffer` and so on."""
    theirs = {
        flag: row.name for row in rows() if row.origin == "gunicorn" for flag in row.flags if flag.startswith("--")
    }
    tried = 0
    for flag, name in theirs.items():
        for length in range(3, len(flag)):
            prefix = flag[:length]
            meant = {theirs[other] for other in theirs if other.startswith(prefix)}
            if prefix in theirs or len([other for other in theirs if other.startswith(prefix)]) > 1:
                continue
            if any(own.startswith(prefix) for own in ("--version", "--help")):
                continue
            found = PARSER._get_option_tuples(prefix)
            assert {match[0].dest for match in found} == meant == {name}, prefix
            tried += 1
    assert tried > 500


def test_help_lists_every_flag_under_its_section():
    text = " ".join(PARSER.format_help().split())
    for row in rows():
        for flag in row.flags:
            assert flag in text
        if row.flags:
            assert f" {row.section}: " in text
    assert "examples: monoceros app:app" in text


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_version(flag):
    done = command(flag)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"monoceros (version {__version__})\n", "")


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("--bogus", "module:app"), 2, "monoceros: error: unrecognized arguments: --bogus"),
        (("module:app", "extra"), 2, "monoceros: error: unrecognized arguments: extra"),
        (("-w",), 2, "monoceros: error: argument -w/--workers: expected one argument"),
        (("-w", "x", "module:app"), 2, "monoceros: error: argument -w/--workers: 'x': it must be a whole number"),
        (("--work", "1", "m:a"), 2, "monoceros: error: ambiguous option: --work could match --workers"),
        (("-w", "-1", "module:app"), 1, "Error: Invalid value for workers (-w/--workers): -1: "),
        (("-k", "gevent", "module:app"), 1, "Error: Invalid value for worker_class (-k/--worker-class): 'gevent': "),
        (("--chdir", "/no/such", "module:app"), 1, "Error: Invalid value for chdir (--chdir): '/no/such': "),
        (
            ("--forwarded-allow-ips", "10.0.0.1/8", "json:loads"),
            1,
            "Error: Invalid value for forwarded_allow_ips (--forwarded-allow-ips): '10.0.0.1/8': the address is not",
        ),
        (("--root-path", "app", "json:loads"), 1, "Error: Invalid value for root_path (--root-path): 'app': give a"),
        (("-b", "127.0.0.1:x", "json:loads"), 1, "Error: Invalid value for bind (-b/--bind): '127.0.0.1:x': the port"),
        (("--certfile", "c", "json:loads"), 1, "Error: Invalid value for certfile (--certfile): 'c': there is no TLS"),
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


def test_no_application_at_all_is_told_with_an_example():
    done = command()
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Error: No application module specified.",
        "usage: monoceros [OPTIONS] [APP_MODULE]",
        "For `app = Flask(__name__)` in hello.py: monoceros hello:app",
    ]


@pytest.fixture
def hello(tmp_path):
    (tmp_path / "hello.py").write_text("def app(environ, start_response):\n    return []\n")
    (tmp_path / "broken.py").write_text("raise RuntimeError('broken on purpose')\n")
    return tmp_path


def test_checking_a_configuration_that_is_right(hello):
    done = command("--check-config", "hello:app", cwd=hello)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["hello:nope"], "Failed to find attribute 'nope'"),
        (["nowhere:app"], "Failed to import 'nowhere'"),
        (["broken:app"], "RuntimeError: broken on purpose"),
        (["-w", "-1", "hello:app"], "Invalid value for workers"),
        ([], "No application module specified."),
    ],
)
def test_checking_one_that_is_wrong(hello, arguments, words):
    done = command("--check-config", *arguments, cwd=hello)
    assert done.returncode == 1
    assert done.stdout == ""
    assert words in done.stderr
    # Of what went wrong only the user's part is shown.
    assert "/monoceros/" not in done.stderr and "importlib" not in done.stderr
    assert ("Traceback" in done.stderr) == (arguments == ["broken:app"])


def test_printing_a_configuration(hello):
    (hello / "gunicorn.conf.py").write_text("threads = 3\ndef on_exit(server): pass\n")
    done = command("--print-config", "-w", "2", "hello:app", cwd=hello)
    assert (done.returncode, done.stderr) == (0, "")
    printed = dict(line.split(" = ") for line in done.stdout.splitlines())
    printed = {name.strip(): value for name, value in printed.items()}
    assert (printed["workers"], printed["threads"], printed["on_exit"]) == ("2", "3", "<on_exit()>")
    assert command("--print-config", "broken:app", cwd=hello).returncode == 1


def test_what_has_no_effect_is_said_when_checking(hello):
    done = command("--check-config", "--worker-tmp-dir", "/dev/shm", "hello:app", cwd=hello)
    assert done.returncode == 0
    assert done.stderr == (
        "Warning: worker_tmp_dir (--worker-tmp-dir) has no effect: workers show that they are alive without a file.\n"
    )
