"""Settings from the table, the environment and the command line."""

import os

import pytest

from monoceros import _native, config

TABLE = [config.Setting(**row) for row in _native.settings()]


def resolve(command_line=None, environ=None):
    return config.resolve(TABLE, environ or {}, command_line or {})


def test_every_setting_has_a_value():
    values = resolve()
    assert list(values) == [setting.name for setting in TABLE]
    assert values["bind"] == ["127.0.0.1:8000"]
    assert values["workers"] == 1
    assert values["sendfile"] is True
    assert values["wsgi_app"] is None


def test_the_environment_replaces_defaults():
    values = resolve(environ={"PORT": "9000", "WEB_CONCURRENCY": " 3 "})
    assert values["bind"] == ["0.0.0.0:9000"]
    assert values["workers"] == 3


def test_an_empty_variable_counts_as_unset():
    values = resolve(environ={"PORT": "", "WEB_CONCURRENCY": " ", "SENDFILE": ""})
    assert values["bind"] == ["127.0.0.1:8000"]
    assert values["workers"] == 1
    assert values["sendfile"] is True


def test_an_empty_variable_may_mean_that_nobody_is_trusted():
    assert resolve()["forwarded_allow_ips"] == ["127.0.0.1", "::1"]
    assert resolve(environ={"FORWARDED_ALLOW_IPS": " "})["forwarded_allow_ips"] == []
    assert resolve(environ={"FORWARDED_ALLOW_IPS": "10.0.0.0/8, ::1"})["forwarded_allow_ips"] == ["10.0.0.0/8", "::1"]


def test_the_command_line_replaces_the_environment():
    values = resolve({"bind": ["unix:/a", "[::1]:1"], "workers": "2"}, {"PORT": "9000", "WEB_CONCURRENCY": "3"})
    assert values["bind"] == ["unix:/a", "[::1]:1"]
    assert values["workers"] == 2


@pytest.mark.parametrize(
    ("text", "expected"), [("y", True), ("1", True), ("YES", True), ("true", True), ("0", False), ("no", False)]
)
def test_sendfile_in_the_environment(text, expected):
    assert resolve(environ={"SENDFILE": text})["sendfile"] is expected


@pytest.mark.parametrize(("value", "expected"), [(5, 5), (True, 1), ("5", 5), (" 5 ", 5), ("0x10", 16), ("0o17", 15)])
def test_whole_numbers(value, expected):
    assert config.as_int(value) == expected


@pytest.mark.parametrize("value", ["007", "five", "", "1.5", 1.5, None, [1]])
def test_what_is_no_whole_number(value):
    with pytest.raises((TypeError, ValueError), match="whole number"):
        config.as_int(value)


def test_a_leading_zero_is_decimal_on_the_command_line():
    assert resolve({"backlog": "007"})["backlog"] == 7


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), (None, None), ("True", True), (" FALSE ", False)]
)
def test_true_and_false(value, expected):
    assert config.as_bool(value) is expected


@pytest.mark.parametrize("value", ["yes", "1", 1, 0, []])
def test_what_is_neither_true_nor_false(value):
    with pytest.raises(ValueError, match="true or false"):
        config.as_bool(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("one", ["one"]), ([" a ", "b"], ["a", "b"]), (("a",), ["a"]), (None, []), ("", [])]
)
def test_lists(value, expected):
    assert config.as_list(value) == expected


@pytest.mark.parametrize("value", [[1], 5, {"a": 1}])
def test_what_is_no_list_of_texts(value):
    with pytest.raises(TypeError, match="list of texts"):
        config.as_list(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a,b", ["a", "b"]), (" a , b,, ", ["a", "b"]), (["a", " b "], ["a", "b"]), ("", []), (None, []), (("a",), ["a"])],
)
def test_lists_with_commas(value, expected):
    assert config.as_commas(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A=b,C=d=e", {"A": "b", "C": "d=e"}),
        (" A = b ,", {"A": "b"}),
        ({"A": "b"}, {"A": "b"}),
        ("", {}),
        ({}, {}),
        (None, {}),
    ],
)
def test_mappings(value, expected):
    assert config.as_mapping(value) == expected


@pytest.mark.parametrize("value", ["A", "A=b,C", {"A": 1}, {1: "a"}, ["A=b"], 5])
def test_what_is_no_mapping(value):
    with pytest.raises((TypeError, ValueError), match="NAME=VALUE|dictionary of texts"):
        config.as_mapping(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("v1", "v1"), (" V2 ", "v2"), ("AUTO", "auto"), (True, "auto"), ("1", "auto"), (False, "off"), (None, "off")],
)
def test_choices_have_synonyms_and_any_case(value, expected):
    assert resolve({"proxy_protocol": value})["proxy_protocol"] == expected


@pytest.mark.parametrize(
    ("command_line", "environ", "message"),
    [
        ({"workers": "-1"}, {}, "Invalid value for workers (-w/--workers): -1: it must be a whole number from 0 to"),
        ({"workers": "many"}, {}, "Invalid value for workers (-w/--workers): 'many': it must be a whole number"),
        ({}, {"WEB_CONCURRENCY": "x"}, "Invalid value for workers (WEB_CONCURRENCY in the environment): 'x': it must"),
        ({"worker_connections": "0"}, {}, "Invalid value for worker_connections (--worker-connections): 0: it must"),
        ({"keepalive": "9" * 30}, {}, "Invalid value for keepalive (--keep-alive): 9999"),
        ({"worker_class": "gevent"}, {}, "Invalid value for worker_class (-k/--worker-class): 'gevent': choose from"),
        (
            {"proxy_protocol": "v3"},
            {},
            "Invalid value for proxy_protocol (--proxy-protocol): 'v3': choose from off, v1",
        ),
        ({"header_map": None}, {}, "Invalid value for header_map (--header-map): None: choose from drop, refuse"),
        ({"secure_scheme_headers": "X"}, {}, "Invalid value for secure_scheme_headers (--secure-scheme-headers): 'X'"),
        ({"chdir": "/no/such"}, {}, "Invalid value for chdir (--chdir): '/no/such': there is no such directory"),
        ({"tmp_upload_dir": "/no/such"}, {}, "Invalid value for tmp_upload_dir (--tmp-upload-dir): '/no/such'"),
    ],
)
def test_errors_name_setting_source_value_and_remedy_in_one_line(command_line, environ, message):
    with pytest.raises(config.SettingError) as caught:
        resolve(command_line, environ)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_chdir_is_made_absolute(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PWD", raising=False)
    assert resolve({"chdir": "inner/../inner"})["chdir"] == str(tmp_path / "inner")
    assert resolve()["chdir"] == str(tmp_path)


def test_chdir_refuses_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(config.SettingError, match="no such directory"):
        resolve({"chdir": str(tmp_path / "file")})


def test_the_current_directory_keeps_the_name_of_a_symbolic_link(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "link")
    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    assert config.current_directory() == str(tmp_path / "link")
    monkeypatch.setenv("PWD", "/")
    assert config.current_directory() == os.getcwd() == str(tmp_path / "real")
