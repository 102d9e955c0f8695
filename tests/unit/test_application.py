"""The app spec: what it may say, and what is told when it is wrong."""

import sys

import pytest

from monoceros.application import (
    AppImportError,
    AppModuleNotFoundError,
    load_application,
    parse_expression,
    prepare_import_path,
)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module with the given text and returns its name; it is gone from sys.modules afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(text, name="spec_target"):
        path = tmp_path / name.replace(".", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)
        return name

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


APPLICATIONS = """
def application(environ, start_response):
    return [b"default"]

def other(environ, start_response):
    return [b"other"]

def make(*args, **kwargs):
    def made(environ, start_response):
        return [repr((args, kwargs)).encode()]
    return made

nothing = None
number = 5
class Holder:
    app = application
"""


def served(spec):
    return b"".join(load_application(spec)({}, None))


def test_takes_application_when_no_name_is_given(module):
    assert served(module(APPLICATIONS)) == b"default"


def test_takes_the_named_attribute(module):
    assert served(module(APPLICATIONS) + ":other") == b"other"


def test_takes_a_module_inside_a_package(module):
    assert served(module(APPLICATIONS, "spec_package.inner") + ":other") == b"other"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("make()", ((), {})),
        ("make('a', 1, [2, (3,)], None)", (("a", 1, [2, (3,)], None), {})),
        ('make("x", k=1, flag=True, data={"a": -1.5})', (("x",), {"k": 1, "flag": True, "data": {"a": -1.5}})),
        ('make("with:colon")', (("with:colon",), {})),
    ],
)
def test_calls_a_factory_with_literals(module, call, expected):
    assert served(f"{module(APPLICATIONS)}:{call}") == repr(expected).encode()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("missing", "Failed to find attribute 'missing' in 'spec_target'."),
        ("Holder.app", "Failed to parse 'Holder.app' as an attribute name or function call."),
        ("", "Failed to parse '' as an attribute name or function call."),
        ("a b", "Failed to parse 'a b' as an attribute name or function call."),
        ("make(", "Failed to parse 'make(' as an attribute name or function call."),
        ("1", "Failed to parse '1' as an attribute name or function call."),
        ("make; other", "Failed to parse 'make; other' as an attribute name or function call."),
        ("Holder.app()", "Function reference must be a simple name: 'Holder.app()'."),
        ("make()()", "Function reference must be a simple name: 'make()()'."),
        ("make(other)", "Failed to parse arguments as literal values: 'make(other)'."),
        ("make(k=other())", "Failed to parse arguments as literal values: 'make(k=other())'."),
        ("make(**{'a': 1})", "Failed to parse arguments as literal values: \"make(**{'a': 1})\"."),
        ("make(*[1])", "Failed to parse arguments as literal values: 'make(*[1])'."),
        ("nothing", "Failed to find application object: 'nothing' is None."),
        ("number", "Application object must be callable: 'number' is of type int."),
        ("other('x')", "Failed to call 'other': TypeError: other() missing 1 required positional argument"),
        ("number()", "Failed to call 'number': TypeError: 'int' object is not callable"),
    ],
)
def test_says_what_is_wrong_with_the_spec(module, expression, message):
    with pytest.raises(AppImportError) as caught:
        load_application(f"{module(APPLICATIONS)}:{expression}")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_bad_expression_is_found_before_the_module_runs(module):
    name = module("raise RuntimeError('imported')")
    with pytest.raises(AppImportError, match="Failed to parse"):
        load_application(f"{name}:a.b")


def test_tells_a_missing_module_from_a_missing_import_inside_it(module):
    with pytest.raises(AppModuleNotFoundError, match="No module named 'no_such_module'"):
        load_application("no_such_module:app")
    with pytest.raises(AppModuleNotFoundError, match=r"No module named 'no_such_package'"):
        load_application("no_such_package.inner:app")
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        load_application(module("import no_such_dependency"))


def test_suggests_the_module_for_a_file_name(module):
    module(APPLICATIONS)
    with pytest.raises(AppModuleNotFoundError, match=r"did you mean 'spec_target:other'\?"):
        load_application("spec_target.py:other")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def app(environ, start_response): pass\n", "It has app: try spec_target:app."),
        ("def create_app(config=None): pass\n", "It has create_app(): try spec_target:create_app()."),
        (
            "class Site:\n    def __call__(self, e, s): pass\nsite = Site()\nimport os\nfrom os.path import join\n"
            "def other(environ, start_response): pass\ndef helper(one): pass\n_hidden = site\ndef app(e, s): pass\n",
            "It has app, other, site: try spec_target:app.",
        ),
    ],
)
def test_suggests_what_the_module_has(module, text, words):
    with pytest.raises(AppImportError) as caught:
        load_application(module(text))
    assert str(caught.value) == f"Failed to find attribute 'application' in 'spec_target'. {words}"


def test_suggests_nothing_where_there_is_nothing(module):
    with pytest.raises(AppImportError) as caught:
        load_application(module("number = 5\nfrom os import *\n") + ":app")
    assert str(caught.value) == "Failed to find attribute 'app' in 'spec_target'."


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("{here}/spec_target.py:app", "--chdir {here} spec_target:app."),
        ("{here}/spec_target:app", "--chdir {here} spec_target:app."),
        ("{here}/sub/inner.py", "--chdir {here}/sub inner:application."),
        ("./spec_target.py:app", "spec_target:app."),
        ("sub/inner.py:app", "sub.inner:app, or --chdir sub inner:app."),
        ("../{name}/spec_target.py:app", "--chdir ../{name} spec_target:app."),
    ],
)
def test_suggests_what_to_type_for_a_path(module, tmp_path, path, hint):
    module(APPLICATIONS)
    module(APPLICATIONS, "sub.inner")
    words = {"here": tmp_path, "name": tmp_path.name}
    with pytest.raises(AppModuleNotFoundError) as caught:
        load_application(path.format(**words))
    assert str(caught.value).endswith(f" is a path, and a module is needed: {hint.format(**words)}")


def test_suggests_what_to_type_for_a_path_where_nothing_is():
    with pytest.raises(AppModuleNotFoundError) as caught:
        load_application("/srv/nothing/ok.py:app")
    assert str(caught.value) == (
        "Failed to find application: '/srv/nothing/ok.py' is a path, and a module is needed:"
        " --chdir /srv/nothing ok:app. There is no such file."
    )


@pytest.mark.parametrize("spec", ["", ":app", ".relative:app"])
def test_wants_the_full_name_of_a_module(spec):
    with pytest.raises(AppImportError, match="not the full name of a module"):
        load_application(spec)


@pytest.mark.parametrize("text", ["raise KeyError('x')", "import sys; sys.exit(7)", "def f(:"])
def test_lets_the_users_own_errors_through(module, text):
    with pytest.raises((KeyError, SystemExit, SyntaxError)):
        load_application(module(text))


def test_a_type_error_inside_the_factory_is_the_users_own(module):
    name = module("def make():\n    return 1 + 'a'\n")
    with pytest.raises(TypeError, match="unsupported operand"):
        load_application(f"{name}:make()")


def test_parses_names_and_calls():
    assert parse_expression("app") == ("app", None)
    assert parse_expression("make(1, key='x')") == ("make", ([1], {"key": "x"}))


def test_changes_directory_and_imports_from_it(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "path", ["/elsewhere"])
    prepare_import_path(str(tmp_path))
    prepare_import_path(str(tmp_path))
    assert sys.path == [str(tmp_path), "/elsewhere"]
