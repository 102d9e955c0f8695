"""The configuration object, as hooks, files and programs that embed the server use it."""

import os

import pytest

from monoceros import config, hooks
from monoceros.config import Config, ConfigError, SettingError
from monoceros.settings import rows


def make(**environ):
    return Config(environ=environ)


def test_every_setting_has_its_default():
    cfg = make()
    assert list(cfg.settings) == [row.name for row in rows()]
    assert cfg.bind == ["127.0.0.1:8000"]
    assert cfg.workers == 1
    assert cfg.sendfile is True
    assert cfg.wsgi_app is None
    assert cfg.native() == {}


def test_the_environment_replaces_defaults():
    cfg = make(PORT="9000", WEB_CONCURRENCY=" 3 ")
    assert cfg.bind == ["0.0.0.0:9000"]
    assert cfg.workers == 3
    assert cfg.native()["workers"] == (3, "WEB_CONCURRENCY in the environment")


def test_an_empty_variable_counts_as_unset():
    cfg = make(PORT="", WEB_CONCURRENCY=" ", SENDFILE="")
    assert cfg.bind == ["127.0.0.1:8000"]
    assert cfg.workers == 1
    assert cfg.sendfile is True


def test_an_empty_variable_may_mean_that_nobody_is_trusted():
    assert make().forwarded_allow_ips == ["127.0.0.1", "::1"]
    assert make(FORWARDED_ALLOW_IPS=" ").forwarded_allow_ips == []
    assert make(FORWARDED_ALLOW_IPS="10.0.0.0/8, ::1").forwarded_allow_ips == ["10.0.0.0/8", "::1"]


@pytest.mark.parametrize(
    ("text", "expected"), [("y", True), ("1", True), ("YES", True), ("true", True), ("0", False), ("no", False)]
)
def test_sendfile_in_the_environment(text, expected):
    assert make(SENDFILE=text).sendfile is expected


def test_get_and_set():
    cfg = make()
    cfg.set("workers", "0x4")
    assert cfg.workers == cfg.settings["workers"].get() == 4
    cfg.settings["workers"].set(5)
    assert cfg.workers == 5
    with pytest.raises(AttributeError, match="No configuration setting for: worker"):
        cfg.set("worker", 1)
    with pytest.raises(AttributeError, match="No configuration setting for: worker"):
        cfg.worker  # noqa: B018 - the look-up is what is tested
    with pytest.raises(AttributeError, match="Invalid access!"):
        cfg.workers = 3


def test_two_configurations_share_nothing():
    first = make()
    first.bind.append("x")
    first.secure_scheme_headers["X"] = "y"
    assert make().bind == ["127.0.0.1:8000"]
    assert "X" not in make().secure_scheme_headers


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("workers", -1, "-1: it must be a whole number from 0 to"),
        ("workers", "007", "'007': it must be a whole number"),
        ("workers", None, "None: it must be a whole number"),
        ("workers", 1.5, "1.5: it must be a whole number"),
        ("keepalive", 10**30, f"{10**30}: it must be a whole number"),
        ("daemon", "yes", "'yes': it must be true or false"),
        ("bind", [1], "[1]: it must be a text or a list of texts"),
        ("bind", ["127.0.0.1:1", "x:y"], "'x:y': the port must be a number"),
        ("proc_name", 5, "5: it must be text"),
        ("proxy_protocol", "v3", "'v3': choose from off, v1"),
        ("secure_scheme_headers", {"A": 1}, "{'A': 1}: it must be a dictionary of texts"),
        ("logconfig_dict", [], "[]: it must be a dictionary"),
        ("chdir", "/no/such", "'/no/such': there is no such directory"),
        ("tmp_upload_dir", "/no/such", "'/no/such': there is no such directory"),
        ("user", "no-such-user", "'no-such-user': there is no such user"),
        ("on_starting", lambda: 0, "it must be a function of 1 argument, or"),
        ("on_starting", lambda *args: 0, "it must be a function of 1 argument, or"),
        ("on_starting", 5, "5: it must be a function"),
        ("post_request", lambda a: 0, "it must be a function of 2 to 4 arguments"),
        ("raw_env", ["A"], "'A': write NAME=VALUE"),
        ("worker_class", "gevent", "'gevent': there are no workers of event loops"),
        ("bind", "a\nb", "'a\\x0ab': this is no host name"),
    ],
)
def test_errors_name_setting_source_value_and_remedy_in_one_line(name, value, message):
    with pytest.raises(SettingError) as caught:
        make().set(name, value, "app.conf.py:3")
    assert str(caught.value).startswith(f"Invalid value for {name} (app.conf.py:3): ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", [ConfigError, ValueError, TypeError])
def test_what_gunicorn_raises_for_a_wrong_value_catches_it(kind):
    with pytest.raises(kind):
        make().set("workers", "x")


def test_hooks():
    cfg = make()
    assert cfg.hook("pre_fork") is None
    assert cfg.pre_fork is hooks.DEFAULTS["pre_fork"]
    assert cfg.pre_fork("server", "worker") is None

    def pre_fork(server, worker):
        return server, worker

    cfg.set("pre_fork", pre_fork)
    assert cfg.hook("pre_fork") is cfg.pre_fork is pre_fork


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda worker, req: (worker, req), (1, 2)),
        (lambda worker, req, environ: (worker, req, environ), (1, 2, 3)),
        (lambda worker, req, environ, resp: (worker, req, environ, resp), (1, 2, 3, 4)),
    ],
)
def test_post_request_may_leave_out_the_last_arguments(function, expected):
    cfg = make()
    cfg.set("post_request", function)
    assert cfg.post_request(1, 2, 3, 4) == expected
    # It can be set again, as `settings[...].set(cfg....)` does.
    cfg.set("post_request", cfg.post_request)
    assert cfg.post_request(1, 2, 3, 4) == expected
    cfg.validate()


def test_what_is_computed():
    cfg = make()
    assert (cfg.uid, cfg.gid) == (os.geteuid(), os.getegid())
    assert cfg.proc_name == "gunicorn"
    cfg.set("default_proc_name", "app:app")
    assert cfg.proc_name == "app:app"
    cfg.set("proc_name", "site")
    assert cfg.proc_name == "site"
    assert cfg.env == {}
    cfg.set("raw_env", ["A=b", "C=d=e"])
    assert cfg.env == {"A": "b", "C": "d=e"}
    assert not cfg.is_ssl
    assert cfg.reuse_port is False
    cfg.set("bind", ["unix:/a", "[::1]:80", "fd://3"])
    assert cfg.address == ["/a", ("::1", 80), 3]
    cfg.set("raw_paste_global_conf", ["a=b", "c\\=d=e"])
    assert cfg.paste_global_conf == {"a": "b", "c=d": "e"}
    assert set(cfg.ssl_options) == {row.name for row in rows() if row.section == "SSL"}
    cfg.set("sendfile", False)
    assert cfg.sendfile is False


def test_the_class_of_workers():
    from monoceros.workers.gthread import ThreadWorker
    from monoceros.workers.sync import SyncWorker

    cfg = make()
    assert (cfg.worker_class, cfg.worker_class_str) == (SyncWorker, "sync")
    cfg.set("threads", 2)
    assert (cfg.worker_class, cfg.worker_class_str) == (ThreadWorker, "gthread")
    cfg.set("worker_class", "gunicorn.workers.sync.SyncWorker")
    assert (cfg.worker_class, cfg.worker_class_str) == (ThreadWorker, "gthread")
    cfg.set("worker_class", "egg:gunicorn#gthread")
    assert cfg.worker_class is ThreadWorker
    cfg.set("worker_class", ThreadWorker)
    assert (cfg.worker_class, cfg.worker_class_str) == (ThreadWorker, "ThreadWorker")
    assert cfg.native()["worker_class"][0] == "gthread"
    cfg.validate()

    class Own(SyncWorker):
        pass

    cfg.set("worker_class", Own)
    assert (cfg.worker_class, cfg.native()["worker_class"][0]) == (Own, "sync")
    with pytest.raises(SettingError, match="cannot be used: it is not one of Monoceros"):
        cfg.set("worker_class", dict)


def test_the_class_of_the_logger():
    from monoceros.glogging import Logger

    cfg = make()
    assert cfg.logger_class is Logger
    cfg.set("statsd_host", "localhost:8125")
    assert cfg.logger_class.__name__ == "Statsd"


def test_a_feature_that_is_not_there_is_refused_at_the_start_alone():
    cfg = make()
    cfg.set("certfile", "c.pem", "--certfile")
    with pytest.raises(ConfigError, match=r"Invalid value for certfile \(--certfile\): 'c.pem': there is no TLS yet"):
        cfg.validate()


def test_what_has_no_effect_is_said():
    cfg = make()
    cfg.set("worker_tmp_dir", "/dev/shm", "gunicorn.conf.py:2")
    cfg.set("http_parser", "auto", "--http-parser")
    assert cfg.without_effect() == [
        "worker_tmp_dir (gunicorn.conf.py:2) has no effect: workers show that they are alive without a file."
    ]


def test_the_text_of_a_configuration_is_gunicorns():
    lines = str(make()).splitlines()
    assert len(lines) == len(rows())
    assert lines == sorted(lines)
    assert "workers                            = 1" in lines
    assert "on_starting                        = <OnStarting.on_starting()>" in lines


def test_a_program_may_use_the_parser():
    cfg = make()
    args = cfg.parser().parse_args(["-w", "3", "-b", ":1", "app:app"])
    assert args.args == ["app:app"]
    assert (args.workers, args.bind, args.threads) == (3, [":1"], None)
    for name, value in vars(args).items():
        if name != "args" and value is not None:
            cfg.set(name.lower(), value)
    assert cfg.workers == 3


def test_arguments_in_the_environment():
    cfg = make(GUNICORN_CMD_ARGS="-w 2 --name 'a b'", MONOCEROS_CMD_ARGS="--threads=3")
    assert cfg.get_cmd_args_from_env() == ["-w", "2", "--name", "a b", "--threads=3"]
    assert cfg.env_orig["MONOCEROS_CMD_ARGS"] == "--threads=3"


def test_settings_may_be_left_out():
    assert "bind" not in config.make_settings(["bind"])


def test_a_setting_has_gunicorns_name_for_its_class():
    # How aiohttp finds it.
    assert config.AccessLogFormat.default.startswith("%(h)s %(l)s %(u)s %(t)s")
    assert config.Bind.name == "bind" and config.GracefulTimeout.cli == ["--graceful-timeout"]
    with pytest.raises(AttributeError):
        _ = config.NoSuchSetting
