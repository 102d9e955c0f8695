"""The logger: what its settings do to the error log, and configurations of `logging`."""

from __future__ import annotations

import io
import json
import logging
import os
import threading

import pytest
from support.loggers import LINE, captured, exchange, settings

from monoceros import glogging
from monoceros.glogging import Logger

pytestmark = pytest.mark.usefixtures("own_loggers")


def test_error_lines_have_gunicorns_format():
    with captured() as (out, err):
        Logger(settings()).info("Booting worker with pid: %d", 5)
    assert LINE.fullmatch(err.getvalue()).groups() == (str(os.getpid()), "INFO", "Booting worker with pid: 5")
    assert out.getvalue() == ""


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_the_level_keeps_lesser_messages_out(level):
    with captured() as (_, err):
        logger = Logger(settings(loglevel=level.upper()))
        for name in Logger.LOG_LEVELS:
            getattr(logger, name)("by its method")
            logger.log(name, "by its name")
            logger.log(Logger.LOG_LEVELS[name], "by its number")
    assert logger.loglevel == Logger.LOG_LEVELS[level]
    count = sum(number >= Logger.LOG_LEVELS[level] for number in Logger.LOG_LEVELS.values())
    assert err.getvalue().count("\n") == 3 * count


def test_an_unknown_level_is_info_and_said():
    with captured() as (_, err):
        assert Logger(settings(loglevel="chatty")).loglevel == logging.INFO
    assert "Unknown loglevel 'chatty'" in err.getvalue()


def test_setting_up_again_replaces_what_was_there(tmp_path):
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    logger = Logger(settings(errorlog=str(first)))
    logger.info("one")
    logger.setup(settings(errorlog=str(second), loglevel="debug"))
    logger.debug("two")
    assert first.read_text().count("\n") == 1 and second.read_text().count("\n") == 1
    assert len(logger.error_log.handlers) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"errorlog": "/none/error.log"},
        {"accesslog": "/none/access.log"},
        {"syslog": True, "syslog_facility": "weather"},
        {"logconfig_dict": {"handlers": {"console": {"class": "no.such"}}}},
    ],
)
def test_a_setup_that_fails_leaves_the_log_as_it_was(tmp_path, changes):
    path = tmp_path / "error.log"
    first = settings(errorlog=str(path), loglevel="warning")
    logger = Logger(first)
    logger.warning("one")
    with pytest.raises(RuntimeError):
        logger.setup(settings(**({"errorlog": str(tmp_path / "other.log"), "loglevel": "debug"} | changes)))
    logger.warning("two")
    logger.info("not this")
    assert [LINE.fullmatch(line)[3] for line in path.read_text().splitlines(keepends=True)] == ["one", "two"]
    assert logger.cfg is first


def test_an_exception_has_its_traceback(tmp_path):
    path = tmp_path / "error.log"
    logger = Logger(settings(errorlog=str(path)))
    try:
        raise KeyError("missing")
    except KeyError:
        logger.exception("It failed")
    first, *rest = path.read_text().splitlines(keepends=True)
    assert LINE.fullmatch(first)[2] == "ERROR"
    assert rest[0] == "Traceback (most recent call last):\n" and rest[-1] == "KeyError: 'missing'\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(
        RuntimeError, match=f"^Invalid value for errorlog: '{tmp_path}/none/error.log': it isn't writable: No such file"
    ):
        Logger(settings(errorlog=str(tmp_path / "none" / "error.log")))


def test_the_root_logger_does_not_repeat_a_line(tmp_path):
    root = io.StringIO()
    logging.root.addHandler(logging.StreamHandler(root))
    Logger(settings(errorlog=str(tmp_path / "error.log"))).error("once")
    assert root.getvalue() == ""


def test_every_file_of_every_logger_is_reopened(tmp_path):
    paths = [tmp_path / name for name in ("error.log", "access.log", "application.log", "root.log")]
    logger = Logger(settings(errorlog=str(paths[0]), accesslog=str(paths[1])))
    mine = logging.getLogger("test_glogging.application")
    mine.addHandler(logging.FileHandler(paths[2]))
    logging.root.addHandler(logging.FileHandler(paths[3]))
    for path in paths:
        path.rename(f"{path}.1")
    try:
        logger.reopen_files()
        logger.error("after")
        logger.access(*exchange())
        mine.error("after")
        logging.root.error("after")
    finally:
        for handler in mine.handlers[:]:
            mine.removeHandler(handler)
            handler.close()
    # What `mine` logs goes on to the root.
    assert [path.read_text().count("after" if path != paths[1] else "GET") for path in paths] == [1, 1, 1, 2]
    assert all((tmp_path / f"{path.name}.1").read_text() == "" for path in paths)


def test_a_file_that_cannot_be_reopened_is_said_and_goes_on(tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    logger = Logger(settings(errorlog=str(directory / "error.log")))
    directory.rename(tmp_path / "moved")
    logger.reopen_files()
    logger.info("still here")
    text = (tmp_path / "moved" / "error.log").read_text()
    assert "cannot be opened again (No such file or directory)" in text and "still here" in text


def test_many_threads_write_whole_lines(tmp_path):
    logger = Logger(settings(errorlog=str(tmp_path / "error.log")))

    def work(letter: str) -> None:
        for _ in range(100):
            logger.info(letter * 50)

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "error.log").read_text().splitlines(keepends=True)
    texts = [LINE.fullmatch(line)[3] for line in lines]
    assert len(texts) == 400 and all(text == text[0] * 50 for text in texts)


# Configurations of `logging`


def dictionary(path: object, text: str) -> dict[str, object]:
    return {
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(path), "formatter": "mine"}},
        "formatters": {"mine": {"format": text}},
        "root": {"level": "WARNING", "handlers": []},
        "loggers": {name: {"handlers": ["file"], "propagate": False} for name in ("gunicorn.error", "gunicorn.access")},
    }


def test_a_dictionary_is_followed_before_a_file(tmp_path):
    chosen, other = tmp_path / "chosen.log", tmp_path / "other.log"
    (tmp_path / "log.json").write_text(json.dumps(dictionary(other, "%(message)s")))
    logger = Logger(
        settings(logconfig_dict=dictionary(chosen, "[mine] %(message)s"), logconfig_json=str(tmp_path / "log.json"))
    )
    logger.error("hello")
    logger.access(*exchange())
    assert chosen.read_text().startswith("[mine] hello\n[mine] 192.0.2.7 - brk0v [")
    assert not other.exists()


def test_json_is_followed(tmp_path):
    (tmp_path / "log.json").write_text(json.dumps(dictionary(tmp_path / "a.log", "%(levelname)s %(message)s")))
    Logger(settings(logconfig_json=str(tmp_path / "log.json"))).error("hello")
    assert (tmp_path / "a.log").read_text() == "ERROR hello\n"


def test_an_ini_file_is_followed_and_knows_where_it_is(tmp_path):
    (tmp_path / "log.ini").write_text(
        "[loggers]\nkeys=root,error\n[handlers]\nkeys=file\n[formatters]\nkeys=mine\n"
        "[logger_root]\nhandlers=\n[logger_error]\nqualname=gunicorn.error\nhandlers=file\npropagate=0\n"
        "[handler_file]\nclass=FileHandler\nargs=('%(here)s/a.log',)\nformatter=mine\n"
        "[formatter_mine]\nformat=%(levelname)s %(message)s\n"
    )
    Logger(settings(logconfig=str(tmp_path / "log.ini"))).error("hello")
    assert (tmp_path / "a.log").read_text() == "ERROR hello\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"logconfig": "/none.ini"}, "logconfig: '/none.ini': there is no such file"),
        ({"logconfig_json": "/none.json"}, "logconfig_json: '/none.json': the file cannot be read: No such file"),
        ({"logconfig_json": __file__}, "logconfig_json: '.*': the file is not JSON"),
        (
            {"logconfig_dict": {"handlers": {"console": {"class": "no.such"}}}},
            "^Invalid value for logconfig_dict: Unable to configure handler",
        ),
        ({"syslog": True, "syslog_facility": "weather"}, "syslog_facility: 'weather': choose from kern, user"),
        ({"syslog": True, "syslog_addr": "localhost:514"}, "syslog_addr: 'localhost:514': it must be unix://PATH"),
        ({"syslog": True, "syslog_addr": "udp://localhost:99999"}, "syslog_addr: .*'99999' is not a valid port number"),
    ],
)
def test_what_cannot_be_followed_is_said(changes, message):
    with pytest.raises(RuntimeError, match=message):
        Logger(settings(**changes))


def test_the_defaults_of_a_dictionary_never_wait():
    for handler in glogging.CONFIG_DEFAULTS["handlers"].values():
        assert handler["class"] == "monoceros.loghandlers.StreamHandler"
