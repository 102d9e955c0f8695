"""What `--reload` watches, and how a worker tells the arbiter."""

import os
import py_compile
import select
import sys
import types
import zipfile

import pytest

from monoceros import reloader
from monoceros.reloader import Reporter, expand, files_of, missing_files, module_files, packed, source_file


def module(file):
    made = types.ModuleType("made")
    if file is not None:
        made.__file__ = str(file)
    return made


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue


def read_all(reader):
    blocks = []
    while True:
        try:
            block = os.read(reader, 65536)
        except BlockingIOError:
            break
        if not block:
            break
        blocks.append(block)
    return b"".join(blocks).decode().split("\0")[:-1]


# Files of modules


def test_a_module_comes_from_its_file(tmp_path):
    source = tmp_path / "a.py"
    source.touch()
    assert module_files({"a": module(source)}) == {str(source)}


def test_the_running_interpreter_tells_its_files():
    files = module_files()
    assert os.path.abspath(__file__) in files and reloader.__file__ in files
    assert all(os.path.isabs(path) for path in files)


def test_what_has_no_file_is_left_out(tmp_path):
    namespace = tmp_path / "space"
    namespace.mkdir()
    odd = module(None)
    odd.__file__ = 42
    modules = {"sys": sys, "none": None, "namespace": module(None), "odd": odd, "nul": module("/tmp/a\0b.py")}
    assert module_files(modules) == set()


def test_a_compiled_module_means_its_source(tmp_path):
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    cached = py_compile.compile(str(source))
    beside = py_compile.compile(str(source), cfile=str(tmp_path / "a.pyc"))
    assert source_file(cached) == str(source)
    assert source_file(beside) == str(source)
    # Without a source it is the code itself that changes.
    source.unlink()
    assert source_file(beside) == beside
    # Both gone: the source is what will come back.
    os.unlink(beside)
    assert source_file(beside) == str(source)


def test_a_module_in_an_archive_is_left_out(tmp_path, monkeypatch):
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped_for_reload.py", "x = 1\n")
    monkeypatch.syspath_prepend(str(archive))
    import zipped_for_reload

    assert zipped_for_reload.__file__.startswith(str(archive))
    assert module_files({"zipped": zipped_for_reload}) == set()


def test_a_file_that_an_editor_is_replacing_is_still_watched(tmp_path):
    assert source_file(str(tmp_path / "gone.py")) == str(tmp_path / "gone.py")
    assert source_file(str(tmp_path / "none" / "gone.py")) is None


# Files of a failure


def test_a_syntax_error_names_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    outer, inner = tmp_path / "outer_for_reload.py", tmp_path / "inner_for_reload.py"
    outer.write_text("import inner_for_reload\n")
    inner.write_text("x = (\n")
    with pytest.raises(SyntaxError) as caught:
        import outer_for_reload  # noqa: F401
    assert {str(outer), str(inner)} <= files_of(caught.value)
    assert not any("<" in path for path in files_of(caught.value))


def test_causes_are_followed_and_a_circle_ends(tmp_path):
    first, second = ValueError("first"), SyntaxError("second")
    first.__cause__, second.__context__ = second, first
    second.filename = str(tmp_path / "second.py")
    assert files_of(first) == {str(tmp_path / "second.py")}


# The pipe


def test_reports_each_file_once(pipe, tmp_path, monkeypatch):
    reader, writer = pipe
    loaded = {"a": module(tmp_path / "a.py")}
    monkeypatch.setattr(sys, "modules", loaded)
    reporter = Reporter(writer)
    assert reporter.report()
    assert read_all(reader) == [str(tmp_path / "a.py")]
    assert reporter.report()
    loaded["b"] = module(tmp_path / "b.py")
    assert reporter.report()
    assert read_all(reader) == [str(tmp_path / "b.py")]


def test_blocks_hold_whole_records_and_fit_into_the_kernels_unit():
    records = [bytes([65 + number % 26]) * (number * 37 % 4000) + b"\0" for number in range(300)]
    blocks = list(packed(records))
    assert b"".join(blocks) == b"".join(records)
    assert all(0 < len(block) <= select.PIPE_BUF and block.endswith(b"\0") for block in blocks)
    assert list(packed([])) == []


def test_a_full_pipe_is_tried_again(pipe, tmp_path, monkeypatch):
    reader, writer = pipe
    names = [str(tmp_path / f"{number:05}.py") for number in range(20_000)]
    monkeypatch.setattr(sys, "modules", {name: module(name) for name in names})
    reporter = Reporter(writer)
    found, calls = [], 1
    while not reporter.report():
        found += read_all(reader)
        calls += 1
    found += read_all(reader)
    assert calls > 1 and found == names


def test_an_overlong_path_is_left_out(pipe, monkeypatch):
    reader, writer = pipe
    monkeypatch.setattr(reloader, "module_files", lambda: {"/" + "x" * 4094, "/" + "y" * 4095, "/z"})
    assert Reporter(writer).report()
    assert read_all(reader) == ["/" + "x" * 4094, "/z"]


def test_an_arbiter_that_is_gone_is_no_error(pipe, monkeypatch):
    reader, writer = pipe
    os.close(reader)
    reporter = Reporter(writer)
    assert reporter.report()
    assert reporter.waiting == []


def test_a_failure_is_reported_with_what_was_loaded(pipe, tmp_path, monkeypatch):
    reader, writer = pipe
    monkeypatch.setattr(sys, "modules", {"a": module(tmp_path / "a.py")})
    error = SyntaxError("bad")
    error.filename = str(tmp_path / "b.py")
    Reporter(writer).report_failure(error)
    assert read_all(reader) == [str(tmp_path / "a.py"), str(tmp_path / "b.py")]


def test_a_failure_does_not_wait_for_ever(pipe, tmp_path):
    reader, writer = pipe
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"x" * select.PIPE_BUF)
    Reporter(writer).report_failure(ValueError("bad"), seconds=0)
    assert set(os.read(reader, 65536)) == {ord("x")}


def test_later_imports_are_reported_from_a_thread(pipe, tmp_path, monkeypatch):
    reader, writer = pipe

    def wait_for(path):
        found = []
        while path not in found:
            assert select.select([reader], [], [], 30)[0], f"nothing came, and {path} is missing"
            found += read_all(reader)

    monkeypatch.setattr(reloader, "INTERVAL", 0.001)
    reporter = Reporter(writer)
    reporter.start()
    wait_for(os.path.abspath(__file__))
    (tmp_path / "late_for_reload.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    import late_for_reload  # noqa: F401

    wait_for(str(tmp_path / "late_for_reload.py"))
    reporter.stop()
    assert not reporter.thread.is_alive()


# Patterns


@pytest.fixture
def tree(tmp_path):
    for name in (
        "a.txt",
        "b.txt",
        ".hidden.txt",
        "sub/c.txt",
        "sub/deep/d.txt",
        "sub/.git/e.txt",
        "other/f.md",
        "[x].txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("a.txt", ["a.txt"]),
        ("none.txt", ["none.txt"]),
        ("*.txt", ["a.txt", "b.txt", "[x].txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
        ("[!a].txt", ["b.txt"]),
        ("[[]x].txt", ["[x].txt"]),
        (".*.txt", [".hidden.txt"]),
        ("*/*.txt", ["sub/c.txt"]),
        ("s*/deep/d.txt", ["sub/deep/d.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "[x].txt", "sub/c.txt", "sub/deep/d.txt"]),
        ("sub/**", ["sub/c.txt", "sub/deep/d.txt"]),
        ("**/deep/*", ["sub/deep/d.txt"]),
        ("*/../a.txt", ["a.txt"]),
        ("none/*", []),
        ("*", ["a.txt", "b.txt", "[x].txt"]),
    ],
)
def test_patterns(tree, pattern, files):
    for form in (pattern, f"{tree}/{pattern}"):
        found = expand([form], str(tree))
        assert found.files == {os.path.normpath(tree / name) for name in files}
        assert not found.is_cut


def test_directories_in_which_a_pattern_could_find_more(tree):
    assert expand(["*.txt"], str(tree)).directories == {str(tree)}
    assert expand(["a.txt"], str(tree)).directories == set()
    assert expand(["sub/**/*.txt"], str(tree)).directories == {str(tree / "sub"), str(tree / "sub/deep")}


def test_a_new_file_is_found_where_it_was_looked_for(tree):
    before = expand(["**/*.md"], str(tree))
    assert str(tree / "sub" / "deep") in before.directories
    (tree / "sub" / "deep" / "new.md").touch()
    assert expand(["**/*.md"], str(tree)).files - before.files == {str(tree / "sub/deep/new.md")}


def test_a_start_directory_with_wildcards_in_its_name(tmp_path):
    start = tmp_path / "[odd]*"
    start.mkdir()
    (start / "a.txt").touch()
    assert expand(["*.txt"], str(start)).files == {str(start / "a.txt")}
    assert expand(["a.txt"], str(start)).files == {str(start / "a.txt")}


def test_links_to_directories_do_not_lead_in_circles(tree):
    (tree / "sub" / "loop").symlink_to(tree, target_is_directory=True)
    found = expand(["**/*.txt"], str(tree))
    assert not found.is_cut and str(tree / "sub" / "loop" / "a.txt") not in found.files


def test_what_a_pattern_finds_is_bounded(tree, monkeypatch):
    monkeypatch.setattr(reloader, "MOST_FOUND", 3)
    found = expand(["**/*.txt"], str(tree))
    assert found.is_cut and len(found.files) + len(found.directories) <= 4


def test_names_that_exist_nowhere(tree):
    assert missing_files(["a.txt", "none.txt", "*.none", "sub"], str(tree)) == ["none.txt", "sub"]
