"""The objects that hooks and loggers get."""

from __future__ import annotations

from support.loggers import ENVIRON, exchange

from monoceros.http.message import Request


def test_a_request_has_gunicorns_attributes():
    _, request, _, _ = exchange()
    assert (request.method, request.uri, request.path, request.query) == ("GET", "/a%20b?q=1", "/a%20b", "q=1")
    assert (request.version, request.scheme, request.trailers, request.fragment) == ((1, 1), "http", [], "")
    assert request.remote_addr == request.peer_addr == ("192.0.2.7", 4711)
    assert request.proxy_protocol_info is None and request.req_number == 1
    assert request.should_close()
    request.started = 5.0
    assert request.started == 5.0


def test_a_request_makes_its_fields_from_the_environ_when_it_has_no_others():
    request = Request(ENVIRON | {"CONTENT_TYPE": "text/plain", "REMOTE_PORT": ""})
    assert request.headers == [
        ("CONTENT-TYPE", "text/plain"),
        ("USER-AGENT", 'curl "quoted"'),
        ("X-TWICE", "one,two"),
        ("AUTHORIZATION", "Basic YnJrMHY6c2VjcmV0"),
    ]
    assert request.remote_addr == "192.0.2.7"


def test_a_response_has_gunicorns_attributes():
    response, request, _, _ = exchange()
    assert (response.status, response.status_code, response.sent) == ("200 OK", 200, 1234)
    assert response.headers == [("Content-Type", "text/plain"), ("X-Id", "7")]
    assert response.headers_sent and not response.chunked and response.req is request
