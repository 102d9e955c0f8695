"""The tables of servers and cases, the applications, and the command's arguments."""

import io
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import apps, environment
from benchmarks.cases import CASES
from benchmarks.servers import SERVERS, Place


@pytest.mark.parametrize(
    "case", [case for case in CASES.values() if case.app.startswith("benchmarks.apps:")], ids=lambda c: c.name
)
def test_applications_answer_what_the_check_expects(case):
    application = getattr(apps, case.app.partition(":")[2])
    for path in case.paths:
        statuses = []
        environ = {
            "PATH_INFO": path.path,
            "CONTENT_LENGTH": str(case.body_bytes),
            "wsgi.input": io.BytesIO(b"x" * case.body_bytes),
        }
        body = b"".join(application(environ, lambda status, headers, seen=statuses: seen.append(status)))
        assert statuses == ["200 OK"]
        assert len(body) == path.length


def test_every_server_gets_application_and_port():
    place = Place("package.module:app", 12345, Path("peers"), Path("own"), threads=4)
    for server in SERVERS.values():
        line = server.command(place)
        assert place.app in line
        assert any("12345" in word for word in line), server.name


def test_only_threaded_servers_take_part_where_threads_are_measured():
    sleeping = {name for name, server in SERVERS.items() if server.takes_part(CASES["sleep"])}
    assert sleeping == {"monoceros-threads", "gunicorn-gthread", "granian-threads", "uwsgi-threads", "waitress"}
    assert all(server.takes_part(CASES["hello"]) for server in SERVERS.values())


def test_server_and_client_get_different_cpus_if_there_are_two():
    two = environment.split_cpus({0, 3})
    assert (two.server, two.client, two.apart) == (frozenset({3}), frozenset({0}), True)
    assert not environment.split_cpus({2}).apart


def test_pins_are_read_without_comments():
    pins = environment.requirements("# all\nuWSGI==2.0.31  # C\n\nzope.x_y==1\n")
    assert pins == {"uwsgi": "2.0.31", "zope-x-y": "1"}


def test_every_server_but_ours_is_pinned():
    pins = environment.requirements(environment.REQUIREMENTS.read_text())
    assert all(pins.values())
    assert {environment.normal(server.package) for server in SERVERS.values() if not server.is_reference} <= pins.keys()


def test_messages_lose_their_directories():
    text = environment.neutral("can't open '/home/somebody/project/app.py': no, see /usr/lib/x.so:12")
    assert text == "can't open 'app.py': no, see x.so:12"


def test_unknown_names_are_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        command.main(["--cases", "hello,nonsense"])
    message = capsys.readouterr().err
    assert "nonsense" in message and "browser" in message


def test_rendering_without_results_says_what_to_do(tmp_path, capsys):
    assert command.main(["render", "--results", str(tmp_path / "none.json"), "--docs", str(tmp_path)]) == 1
    assert "run `python -m benchmarks`" in capsys.readouterr().err
