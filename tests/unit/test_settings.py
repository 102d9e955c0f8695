"""What a value that a user writes stands for."""

import os

import pytest

from monoceros import _native, hooks, settings
from monoceros.settings import KINDS, SettingRow, rows

ROWS = {row.name: row for row in rows()}


def taken(name, value):
    return KINDS[ROWS[name].kind](value, ROWS[name])


def test_the_rows_have_the_fields_of_the_table():
    """Swift and Python name them once each; a row that lacks one, or has one more, cannot be made."""
    for row in _native.settings():
        assert set(row) == set(SettingRow._fields)


def test_every_kind_can_be_read_and_is_used():
    assert {row.kind for row in rows()} == set(KINDS)


def test_every_hook_has_a_function_that_stands_for_it():
    assert set(hooks.DEFAULTS) == {row.name for row in rows() if row.kind == "callable"}
    for name, function in hooks.DEFAULTS.items():
        assert settings.arity(function) == ROWS[name].maximum
        assert function.__name__ == name


@pytest.mark.parametrize(("value", "expected"), [(5, 5), (True, 1), ("5", 5), (" 5 ", 5), ("0x10", 16), ("0o17", 15)])
def test_whole_numbers(value, expected):
    assert taken("workers", value) == expected


@pytest.mark.parametrize("value", ["007", "five", "", "1.5", 1.5, None, [1]])
def test_what_is_no_whole_number_stays(value):
    assert taken("workers", value) == value


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), (None, None), ("True", True), (" FALSE ", False)]
)
def test_true_and_false(value, expected):
    assert taken("daemon", value) is expected


@pytest.mark.parametrize("value", ["yes", "1", 1, 0, []])
def test_what_is_neither_true_nor_false_stays(value):
    assert taken("daemon", value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [("one", ["one"]), ([" a ", "b"], ["a", "b"]), (("a",), ["a"]), (None, []), ("", []), ([1], [1]), (5, 5)],
)
def test_lists(value, expected):
    assert taken("bind", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a,b", ["a", "b"]),
        (" a , b,, ", ["a", "b"]),
        (["a", " b "], ["a", "b"]),
        ("", []),
        (None, []),
        (("a",), ["a"]),
        (5, 5),
    ],
)
def test_lists_with_commas(value, expected):
    assert taken("forwarded_allow_ips", value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A=b,C=d=e", {"A": "b", "C": "d=e"}),
        (" A = b ,", {"A": "b"}),
        ({"A": "b"}, {"A": "b"}),
        ("", {}),
        (None, None),
        (["A=b"], ["A=b"]),
    ],
)
def test_mappings(value, expected):
    assert taken("secure_scheme_headers", value) == expected


@pytest.mark.parametrize("value", ["A", "A=b,C"])
def test_what_is_no_mapping(value):
    with pytest.raises(LookupError, match="NAME=VALUE"):
        taken("secure_scheme_headers", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("v1", "v1"), (" V2 ", "v2"), ("AUTO", "auto"), (True, "auto"), ("1", "auto"), (False, "off"), (None, "off")],
)
def test_choices_have_synonyms_and_any_case(value, expected):
    assert taken("proxy_protocol", value) == expected


def test_users_and_groups_are_numbers_in_the_end():
    assert taken("user", None) == os.geteuid()
    assert taken("group", None) == os.getegid()
    assert taken("user", "root") == taken("user", "0") == taken("user", 0) == 0
    assert taken("group", "root") == 0
    with pytest.raises(LookupError, match="no such user"):
        taken("user", "nobody-has-this-name")
    with pytest.raises(LookupError, match="no such group"):
        taken("group", "nobody-has-this-name")


@pytest.mark.parametrize(
    ("value", "expected", "crossing"),
    [
        ("localhost", ("localhost", 8125), "localhost:8125"),
        ("LOCALHOST:9", ("localhost", 9), "localhost:9"),
        ("unix:///run/s", "/run/s", "unix:///run/s"),
        ("unix:8125", ("unix", 8125), "unix:8125"),
        (None, None, None),
    ],
)
def test_the_address_of_a_statsd_server(value, expected, crossing):
    assert taken("statsd_host", value) == expected
    assert settings.crossing(expected, ROWS["statsd_host"]) == crossing


@pytest.mark.parametrize("value", ["localhost:x", "fd://3"])
def test_what_is_no_address(value):
    with pytest.raises(LookupError, match="HOST:PORT"):
        taken("statsd_host", value)


def test_functions_by_name():
    assert taken("on_exit", "os.path.join") is os.path.join
    assert taken("on_exit", os.path.join) is os.path.join
    for value, message in [("join", "module.function"), ("os.nope", "has no 'nope'"), ("no_such.x", "cannot be imp")]:
        with pytest.raises(LookupError, match=message):
            taken("on_exit", value)


@pytest.mark.parametrize(
    ("function", "expected"),
    [(lambda: 0, 0), (lambda a, b=1: 0, 2), (lambda *a, **k: 0, 0), (lambda a, *, b=1: 0, 1), (int, -1)],
)
def test_how_many_arguments_a_function_takes(function, expected):
    assert settings.arity(function) == expected


def test_classes():
    class Own:
        pass

    assert taken("logger_class", Own) is Own
    assert taken("logger_class", " a.B ") == "a.B"
    assert taken("logger_class", lambda: Own) is Own
    assert settings.crossing(Own, ROWS["logger_class"]).endswith(".Own")


def test_directories(tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PWD", raising=False)
    assert taken("chdir", "inner/../inner") == str(tmp_path / "inner")
    assert taken("chdir", None) == str(tmp_path)
    assert taken("tmp_upload_dir", None) is None
    assert taken("tmp_upload_dir", " ") is None
    for value in ("file", "nowhere"):
        with pytest.raises(LookupError, match="no such directory"):
            taken("chdir", value)


def test_extra_files_are_there_or_are_patterns(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    assert taken("reload_extra_files", ["file", "*.html"]) == ["file", "*.html"]
    with pytest.raises(LookupError, match="'nope'"):
        taken("reload_extra_files", "nope")


def test_the_current_directory_keeps_the_name_of_a_symbolic_link(tmp_path, monkeypatch):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "link")
    monkeypatch.setenv("PWD", str(tmp_path / "link"))
    assert settings.current_directory() == str(tmp_path / "link")
    monkeypatch.setenv("PWD", "/")
    assert settings.current_directory() == os.getcwd() == str(tmp_path / "real")
