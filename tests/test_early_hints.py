"""`wsgi.early_hints`: a 103 on the wire at once, and never where it could be taken for something else."""

from __future__ import annotations

import pytest
from conftest import Serve
from probe.clients import HINTS, LINK
from probe.starts import HEADERS
from support.client import Connection, Response, encode, fetch
from support.server import MODULE, Server

#: What a list of headers for 103 may not be either. Content-Length is dropped there, whatever it says.
BAD = [name for name in HEADERS if not name.startswith(("length", "name-bytes", "value-bytes"))]


@pytest.fixture(scope="module", params=["sync", "gthread"])
def server(request: pytest.FixtureRequest, serve_module: Serve) -> Server:
    """Each thread of a worker has callables of its own."""
    if MODULE != "monoceros" or request.param == "sync":
        return serve_module("probe:app")
    return serve_module("probe:app", "-k", "gthread", "--threads", "3")


def hinted(server: Server, target: str, version: str = "HTTP/1.1", method: str = "GET") -> Response:
    return fetch(server.address, target, method, version=version)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_103_comes_before_the_response(server: Server, method: str) -> None:
    response = hinted(server, "/hints?case=one", method=method)
    assert [(found.version, found.status, found.reason) for found in response.interim] == [
        ("HTTP/1.1", 103, "Early Hints")
    ]
    # The hints, and nothing that belongs to the response.
    assert response.interim[0].headers == [LINK]
    assert response.status == 200 and response.header("Link") is None
    assert response.body == (b"" if method == "HEAD" else b"hinted")


def test_what_it_may_carry(server: Server) -> None:
    def headers(case: str) -> list[tuple[str, str]]:
        (interim,) = hinted(server, f"/hints?case={case}").interim
        return interim.headers

    assert headers("several") == [*HINTS["several"]]  # type: ignore[misc]
    assert headers("none") == []
    assert headers("tuple") == [("X-Tuple", "yes")]
    assert headers("generator") == [LINK]
    assert headers("bytes") == [("X-Bytes", "caf\xe9")]
    assert headers("padded") == [("X-Padded", "value")]
    # What frames messages is not the application's to say.
    assert headers("connection") == [LINK]


def test_each_is_sent_at_once(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/hints-in-steps?name=steps"))
        for number in range(2):
            head = connection.read_head()
            assert head.status == 103 and head.headers == [("X-Number", str(number))]
            assert not connection.buffer
            server.release(f"steps.{number}")
        assert connection.read_response().body == b"hinted"


def test_they_may_come_between_start_and_response(server: Server) -> None:
    response = hinted(server, "/hints-between")
    assert len(response.interim) == 1 and response.body == b"hinted"


def test_nothing_for_1_0(server: Server) -> None:
    response = hinted(server, "/hints?case=one", version="HTTP/1.0")
    assert response.status == 200 and response.interim == [] and response.body == b"hinted"


def test_nothing_after_the_headers(server: Server) -> None:
    response = hinted(server, "/hints-too-late")
    assert response.interim == [] and response.body == b"first second"


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_sent_is_refused(server: Server, case: str) -> None:
    response = hinted(server, f"/hints-bad?case={case}")
    assert response.body == b"refused" and response.interim == []


def test_a_refusal_that_is_not_caught_is_a_500(server: Server) -> None:
    response = hinted(server, "/hints-uncaught")
    assert response.status == 500 and response.interim == []
    assert "leaked" not in repr(response)


def test_a_failure_after_hints_is_a_500(server: Server) -> None:
    response = hinted(server, "/hints-then-failure")
    assert len(response.interim) == 1 and response.status == 500


def test_misuse_is_a_type_error(server: Server) -> None:
    assert hinted(server, "/misused-callables").body == b"5"


def test_the_connection_goes_on(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/hints?case=several") * 3 + encode("GET", "/body?case=three"))
        for _ in range(3):
            response = connection.read_response()
            assert len(response.interim) == 1 and response.body == b"hinted"
        response = connection.read_response()
        assert response.interim == [] and response.body == b"abbccc"


def test_a_callable_that_was_kept_is_dead(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/keep-callables") + encode("GET", "/call-kept") * 2)
        assert connection.read_response().body == b"kept"
        for _ in range(2):
            response = connection.read_response()
            assert response.body == b"True True False"
            assert [interim.headers for interim in response.interim] == [[("X-Own", "yes")]]


def test_requests_share_callables_that_nobody_keeps(server: Server) -> None:
    """They stand in the environ of each request, and must not be made for each."""
    seen = {fetch(server.address, "/same-callables").body for _ in range(40)}
    assert len(seen) <= (3 if "gthread" in server.command else 1)


def test_hints_without_end_are_held_up_and_end_with_the_client(server: Server) -> None:
    with Connection(server.address, receive_buffer=4096) as connection:
        connection.send(encode("GET", "/hints-endless?name=endless"))
        connection.take(1000)
    server.wait_for_trace("endless", 4)
    assert fetch(server.address, "/body?case=one").body == b"hello"
