"""What a client is told when something fails: status and identifier, in a form that it can use, and nothing more."""

from __future__ import annotations

import email.utils
import json
import re

import pytest
from support.client import Connection, Response, encode, fetch
from support.server import Server

JSON = "application/json, text/plain, */*"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

#: Requests that are refused, each with its identifier; `{}` is where the field stands that says what the client takes.
FAULTS = {
    "missing-host": "GET / HTTP/1.1\r\n{}\r\n",
    "unsupported-version": "GET / HTTP/3.0\r\nHost: a\r\n{}\r\n",
    "missing-colon": "GET / HTTP/1.1\r\nHost: a\r\nsecret\r\n{}\r\n",
    "invalid-content-length": "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: secret\r\n{}\r\n",
    "invalid-chunk-size": "GET / HTTP/1.1\r\nHost: a\r\n{}Transfer-Encoding: chunked\r\n\r\nsecret\r\n",
    "request-line-too-long": "GET /" + "secret" * 1000 + " HTTP/1.1\r\nHost: a\r\n{}\r\n",
}


def refused(server: Server, raw: str, method: str = "GET") -> Response:
    with Connection(server.address) as connection:
        connection.send(raw.replace("GET", method, 1).encode())
        response = connection.read_response(method)
        connection.assert_closed()
        return response


def check(response: Response, id: str, kind: str) -> None:
    assert 400 <= response.status < 600
    assert response.header("Server") and response.header("Connection") == "close"
    assert email.utils.parsedate_to_datetime(response.header("Date") or "")
    text = response.body.decode("ascii")
    if kind == "application/json":
        assert response.header("Content-Type") == kind
        assert json.loads(text) == {"status": response.status, "reason": response.reason, "id": id}
    else:
        assert (response.header("Content-Type") or "").startswith("text/html")
        title = re.search(r"<h1>(.*)</h1><p>(.*)</p>", text)
        assert title and title[1] == f"{response.status} {response.reason}" and title[2] == id
    assert "secret" not in repr(response) and len(text) < 500


@pytest.mark.parametrize("id", FAULTS)
def test_a_refusal_is_html(server: Server, id: str) -> None:
    check(refused(server, FAULTS[id].format("")), id, "text/html")
    check(refused(server, FAULTS[id].format(f"Accept: {BROWSER}\r\n")), id, "text/html")


@pytest.mark.parametrize("id", FAULTS)
def test_a_refusal_is_json_for_who_prefers_that(server: Server, id: str) -> None:
    check(refused(server, FAULTS[id].format(f"Accept: {JSON}\r\n")), id, "application/json")


@pytest.mark.parametrize("id", FAULTS)
def test_a_refused_head_gets_no_body(server: Server, id: str) -> None:
    response = refused(server, FAULTS[id].format(f"Accept: {JSON}\r\n"), "HEAD")
    assert response.status >= 400 and response.body == b""
    assert int(response.header("Content-Length") or 0) > 0


def test_what_is_no_request_gets_html(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(b"\x16\x03\x01\x00\xf0\r\n\r\n")
        check(connection.read_response(), "invalid-method", "text/html")


@pytest.mark.parametrize(("accept", "kind"), [(JSON, "application/json"), (BROWSER, "text/html"), (None, "text/html")])
@pytest.mark.parametrize("path", ["/raise-before", "/raise-after-start", "/return-none", "/never", "/exit"])
def test_a_failure_of_the_application(server: Server, path: str, accept: str | None, kind: str) -> None:
    headers = [("Accept", accept)] if accept else []
    response = fetch(server.address, path, headers=headers)
    assert response.status == 500
    check(response, "application-error", kind)
    head = fetch(server.address, path, "HEAD", headers)
    assert head.status == 500 and head.body == b"" and head.header("Content-Type") == response.header("Content-Type")
    assert head.header("Content-Length") == response.header("Content-Length")


def test_a_failure_of_the_application_after_a_large_body(server: Server) -> None:
    """The head was kept apart while the body arrived."""
    raw = encode("POST", "/raise-before", [("Accept", JSON), ("Connection", "close")], b"x" * 300_000)
    with Connection(server.address) as connection:
        connection.send(raw)
        check(connection.read_response(), "application-error", "application/json")
