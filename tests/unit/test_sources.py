"""Where settings come from, which source counts more, and what is said about mistakes in them."""

import os
import sys
import traceback

import pytest

from monoceros import config
from monoceros.config import ConfigError


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """An empty directory to start in. What a configuration does to the process is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PWD", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    # Tests that compare with gunicorn's own parser have it in this process.
    for name in [name for name in sys.modules if name.partition(".")[0] == "gunicorn"]:
        monkeypatch.delitem(sys.modules, name)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(*argv, **environ):
    return config.load(argv, environ)


def test_each_source_counts_more_than_those_before_it(directory):
    values = []
    environ = {"WEB_CONCURRENCY": "2"}
    values.append(load().workers)
    values.append(load(**environ).workers)
    (directory / "gunicorn.conf.py").write_text("workers = 3\n")
    values.append(load(**environ).workers)
    environ["GUNICORN_CMD_ARGS"] = "--workers 4"
    values.append(load(**environ).workers)
    environ["MONOCEROS_CMD_ARGS"] = "--workers=5"
    values.append(load(**environ).workers)
    values.append(load("-w", "6", **environ).workers)
    assert values == [1, 2, 3, 4, 5, 6]


def test_lists_are_replaced_and_not_added_to(directory):
    (directory / "gunicorn.conf.py").write_text("raw_env = ['A=1', 'B=2']\n")
    assert load().env == {"A": "1", "B": "2"}
    assert load("-e", "C=3", "-e", "D=4", GUNICORN_CMD_ARGS="-e E=5").env == {"C": "3", "D": "4"}


def test_flags_that_are_not_typed_leave_the_file_alone(directory):
    (directory / "gunicorn.conf.py").write_text("reload = True\ndaemon = 'false'\n")
    assert load().reload is True
    assert load().daemon is False


def test_the_file_that_is_named_is_the_only_one(directory):
    (directory / "gunicorn.conf.py").write_text("workers = 2\nthreads = 2\n")
    (directory / "other.py").write_text("workers = 3\n")
    (directory / "third.py").write_text("workers = 4\n")
    (directory / "as_module.py").write_text("workers = 5\n")
    for arguments, environ, expected in [
        (["-c", "other.py"], {}, (3, 1)),
        (["--config=file:other.py"], {}, (3, 1)),
        (["-c", "python:as_module"], {}, (5, 1)),
        # As though it were not there: `-c "$FILE"` where there is no FILE.
        (["-c", ""], {}, (2, 2)),
        (["-c", ""], {"GUNICORN_CMD_ARGS": "-c other.py"}, (3, 1)),
        ([], {"GUNICORN_CMD_ARGS": "-c ''"}, (2, 2)),
        ([], {"GUNICORN_CMD_ARGS": "-c other.py"}, (3, 1)),
        ([], {"GUNICORN_CMD_ARGS": "-c other.py", "MONOCEROS_CMD_ARGS": "-c third.py"}, (4, 1)),
        (["-c", str(directory / "other.py")], {"MONOCEROS_CMD_ARGS": "-c third.py"}, (3, 1)),
    ]:
        cfg = load(*arguments, **environ)
        assert (cfg.workers, cfg.threads) == expected


def test_monoceros_own_file_comes_before_gunicorns(directory):
    (directory / "gunicorn.conf.py").write_text("workers = 2\nthreads = 2\n")
    assert load().notices == []
    (directory / "monoceros.conf.py").write_text("workers = 3\n")
    cfg = load()
    assert (cfg.workers, cfg.threads) == (3, 1)
    assert cfg.notices == ["monoceros.conf.py is read, and gunicorn.conf.py beside it is not."]


def test_a_file_may_have_any_name(directory):
    (directory / "settings").write_text("workers = 2\n")
    assert load("-c", "settings").workers == 2


def test_hooks_of_a_file_are_kept(directory):
    (directory / "gunicorn.conf.py").write_text(
        "state = []\ndef when_ready(server):\n    state.append(server)\n    return state\n"
    )
    cfg = load()
    assert cfg.hook("when_ready")(1) == [1]
    assert cfg.notices == []
    assert sys.modules["__config__"].state == [1]


def test_the_application(directory):
    (directory / "gunicorn.conf.py").write_text("wsgi_app = 'filed:app'\n")
    cfg = load()
    assert (cfg.app_uri, cfg.proc_name) == ("filed:app", "gunicorn")
    cfg = load("typed:app")
    assert (cfg.app_uri, cfg.proc_name, cfg.wsgi_app) == ("typed:app", "typed:app", "filed:app")


def test_the_directory(directory):
    (directory / "site").mkdir()
    (directory / "gunicorn.conf.py").write_text("chdir = 'site'\n")
    cfg = load()
    assert os.getcwd() == cfg.chdir == str(directory / "site")
    assert sys.path[0] == str(directory / "site")
    assert str(directory) in sys.path
    # The file of the directory where the server was started is read again.
    (directory / "gunicorn.conf.py").write_text("chdir = 'site'\nworkers = 2\n")
    assert config.reload(cfg).workers == 2
    assert os.getcwd() == str(directory / "site")


def test_a_reload_that_fails_leaves_things_as_they_were(directory):
    (directory / "site").mkdir()
    (directory / "gunicorn.conf.py").write_text("chdir = 'site'\nworkers = 2\n")
    cfg = load()
    module = sys.modules["__config__"]
    for text in ("workers = -1\n", "1 / 0\n", "def f(:\n", "certfile = 'x'\n"):
        (directory / "gunicorn.conf.py").write_text(text)
        with pytest.raises(ConfigError):
            config.reload(cfg)
        assert os.getcwd() == str(directory / "site")
        assert cfg.workers == 2
    assert "__config__" in sys.modules and module.workers == 2
    (directory / "gunicorn.conf.py").write_text("workers = 3\n")
    assert config.reload(cfg).workers == 3
    assert os.getcwd() == str(directory)


def test_a_module_is_read_again(directory):
    (directory / "as_module.py").write_text("workers = 2\n")
    cfg = load("-c", "python:as_module")
    (directory / "as_module.py").write_text("workers = 30 + 3\n")
    assert config.reload(cfg).workers == 33


def test_directories_of_modules(directory):
    (directory / "a").mkdir()
    load("--pythonpath", "a, b")
    assert sys.path[:2] == [str(directory / "b"), str(directory / "a")]


@pytest.mark.parametrize(
    ("argv", "environ", "file", "message"),
    [
        (["-w", "-1"], {}, "", "Invalid value for workers (-w/--workers): -1: it must be a whole number from 0 to"),
        ([], {"WEB_CONCURRENCY": "x"}, "", "Invalid value for workers (WEB_CONCURRENCY in the environment): 'x': it"),
        ([], {"GUNICORN_CMD_ARGS": "-w -1"}, "", "Invalid value for workers (-w/--workers in GUNICORN_CMD_ARGS): -1: "),
        ([], {}, "\n\nworkers = -1\n", "Invalid value for workers ({file}:3): -1: it must be a whole number from 0 to"),
        ([], {}, "if True:\n    workers = '1.5'\n", "Invalid value for workers ({file}:2): '1.5': it must be a whole"),
        ([], {}, "def on_exit(a, b): 0\n", "Invalid value for on_exit ({file}:1): on_exit(): it must be a function of"),
        (
            ["-k", "gevent"],
            {},
            "",
            "Invalid value for worker_class (-k/--worker-class): 'gevent': there are no workers",
        ),
        (
            ["--proxy-protocol", "v3"],
            {},
            "",
            "Invalid value for proxy_protocol (--proxy-protocol): 'v3': choose from off",
        ),
        (["--chdir", "/no/such"], {}, "", "Invalid value for chdir (--chdir): '/no/such': there is no such directory"),
        (["--certfile", "c.pem"], {}, "", "Invalid value for certfile (--certfile): 'c.pem': there is no TLS yet"),
        ([], {}, "http_protocols = 'h2,h1'\n", "Invalid value for http_protocols ({file}:1): ['h2', 'h1']: h1 is the"),
        (["-c", "nope.py"], {}, "", "'nope.py' does not exist: -c takes the path of a file, or python:MODULE"),
        (
            ["-c", "python:nope"],
            {},
            "",
            "Failed to read config file: python:nope: ModuleNotFoundError: No module named",
        ),
        (["--paste", "nope.ini"], {}, "", "Invalid value for paste: 'nope.ini': there is no file"),
        ([], {"GUNICORN_CMD_ARGS": "'"}, "", "GUNICORN_CMD_ARGS in the environment cannot be read: No closing quot"),
    ],
)
def test_one_line_says_where_and_what_is_wrong(directory, argv, environ, file, message):
    path = directory / "gunicorn.conf.py"
    if file:
        path.write_text(file)
    with pytest.raises(ConfigError) as caught:
        load(*argv, **environ)
    assert str(caught.value).startswith(message.replace("{file}", str(path)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "first", "others"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax", ["gunicorn.conf.py", "line 1", "def f(:"]),
        (
            "def f():\n    return 1 / 0\nf()\n",
            "ZeroDivisionError: division by zero",
            ["line 3", "line 2, in f", "1 / 0"],
        ),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'", ["line 1"]),
        (
            "from gunicorn.glogging import Logger\n",
            "ModuleNotFoundError: No module named 'gunicorn' (with --gunicorn-compat, Monoceros' modules are",
            ["line 1"],
        ),
    ],
)
def test_a_file_that_fails_shows_the_users_own_lines(directory, text, first, others):
    path = directory / "gunicorn.conf.py"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(f"Failed to read config file: {path}: {first}")
    for words in others:
        assert any(words in line for line in lines[1:])
    assert not any("sources.py" in line or "importlib" in line for line in lines)


def test_a_hook_that_fails_shows_its_lines_in_every_directory(directory):
    (directory / "elsewhere").mkdir()
    (directory / "gunicorn.conf.py").write_text("chdir = 'elsewhere'\ndef on_exit(server):\n    return 1 / 0\n")
    cfg = load("-c", "gunicorn.conf.py")
    with pytest.raises(ZeroDivisionError) as caught:
        cfg.on_exit(None)
    assert "return 1 / 0" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("argv", "environ", "words"),
    [
        (["-w", "x"], {}, ["error: argument -w/--workers: 'x': it must be a whole number"]),
        (["--umask", "8x"], {}, ["error: argument -m/--umask: '8x': it must be a whole number, such as 022"]),
        (["--bogus"], {}, ["unrecognized arguments: --bogus"]),
        (["app:app", "extra"], {}, ["unrecognized arguments: extra"]),
        ([], {"GUNICORN_CMD_ARGS": "--bogus"}, ["GUNICORN_CMD_ARGS", "unrecognized arguments: --bogus"]),
        ([], {"MONOCEROS_CMD_ARGS": "-w x"}, ["MONOCEROS_CMD_ARGS", "argument -w/--workers"]),
    ],
)
def test_a_command_line_that_cannot_be_read_is_a_2(directory, capsys, argv, environ, words):
    with pytest.raises(SystemExit) as caught:
        load(*argv, **environ)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for word in words:
        assert word in said


@pytest.mark.parametrize(("text", "expected"), [("022", 0o22), ("22", 22), ("0o22", 0o22), ("0x12", 0o22)])
def test_a_mode_may_be_octal(directory, text, expected):
    assert load("-m", text).umask == expected


def test_a_leading_zero_is_decimal_on_the_command_line(directory):
    assert load("--backlog", "007").backlog == 7


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("worker_clas", "worker_class"),
        ("WORKERS", "workers"),
        ("log_level", "loglevel"),
        ("access_log", "accesslog"),
        ("preload", "preload_app"),
        ("pre_frok", "pre_fork"),
        ("keep_alive", "keepalive"),
        ("max_request", "max_requests"),
        ("forwarded_allow_ip", "forwarded_allow_ips"),
    ],
)
def test_a_misspelt_name_is_pointed_out(directory, name, meant):
    path = directory / "gunicorn.conf.py"
    path.write_text(f"import os\n{name} = 1\n")
    assert load().notices == [f"{path}:2: there is no setting {name!r}; did you mean {meant!r}?"]


@pytest.mark.parametrize(
    "text",
    [
        "import multiprocessing\nworkers_count = 2\nworkers = workers_count\n",
        "from os import path as threads_\nhost = '0.0.0.0'\nuse_reload = False\n",
        "workers = 2\nworker = 3\n",
        "def worker_hello(server): pass\n",
        "_workers = 2\n__author__ = 'x'\n",
    ],
)
def test_helpers_of_a_file_are_its_own_business(directory, text):
    (directory / "gunicorn.conf.py").write_text(text)
    assert load().notices == []
