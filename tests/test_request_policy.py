"""The switches of request policy: which requests are served, and whose word counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.server import Server

APPLICATION = "probe.environs:mounted"


def answer(server: Server, raw: bytes) -> tuple[int, dict[str, Any]]:
    """The status of the response to these bytes, and the environ that the application saw."""
    with Connection(server.address) as connection:
        connection.send(raw)
        response = connection.read_response()
        return response.status, json.loads(response.body) if response.status == 200 else {}


def raw(*fields: str, line: str = "GET / HTTP/1.1", host: str = "Host: a") -> bytes:
    return "\r\n".join([line, *([host] if host else []), *fields, "", ""]).encode("latin-1")


# Who is believed

HTTPS = raw("X-Forwarded-Proto: https")


@pytest.mark.parametrize(
    ("arguments", "environment", "scheme"),
    [
        ((), {}, "https"),
        (("--forwarded-allow-ips", "127.0.0.1"), {}, "https"),
        (("--forwarded-allow-ips", "10.0.0.1,127.0.0.0/8"), {}, "https"),
        (("--forwarded-allow-ips", "*"), {}, "https"),
        (("--forwarded-allow-ips", "10.0.0.0/8,::1"), {}, "http"),
        (("--forwarded-allow-ips", ""), {}, "http"),
        ((), {"FORWARDED_ALLOW_IPS": "10.0.0.0/8"}, "http"),
        ((), {"FORWARDED_ALLOW_IPS": ""}, "http"),
        (("--forwarded-allow-ips", "127.0.0.1"), {"FORWARDED_ALLOW_IPS": "10.0.0.0/8"}, "https"),
    ],
)
def test_whose_scheme_counts(
    serve: Serve, arguments: tuple[str, ...], environment: dict[str, str], scheme: str
) -> None:
    server = serve(APPLICATION, *arguments, environment=environment)
    status, environ = answer(server, HTTPS)
    assert (status, environ["wsgi.url_scheme"]) == (200, scheme)
    assert "FORWARDED_ALLOW_IPS" not in server.log()


def test_peers_of_a_unix_socket_are_believed(serve: Serve, short_path: str) -> None:
    server = serve(APPLICATION, "--forwarded-allow-ips", "", binds=(f"unix:{short_path}",))
    assert answer(server, HTTPS)[1]["wsgi.url_scheme"] == "https"


def test_an_ipv6_peer_is_believed(serve: Serve) -> None:
    server = serve(APPLICATION, "--forwarded-allow-ips", "::/64", binds=("[::1]:0",))
    assert answer(server, HTTPS)[1]["wsgi.url_scheme"] == "https"


@pytest.mark.parametrize(
    ("fields", "status", "scheme"),
    [
        (("X-Forwarded-Ssl: on", "X-Forwarded-Proto: https"), 200, "https"),
        (("X-Forwarded-Ssl: off", "X-Forwarded-Proto: https"), 400, None),
        (("X-Forwarded-Proto: http",), 200, "http"),
        (("X-Forwarded-Proto: HTTPS",), 200, "http"),
    ],
)
def test_what_trusted_fields_say_of_the_scheme(
    anywhere: Server, fields: tuple[str, ...], status: int, scheme: str | None
) -> None:
    got, environ = answer(anywhere, raw(*fields))
    assert (got, environ.get("wsgi.url_scheme")) == (status, scheme)


def test_own_fields_for_the_scheme(serve: Serve) -> None:
    server = serve(APPLICATION, "--secure-scheme-headers", "front-end-https=on,X-Scheme=tls")
    for field, scheme in [
        ("Front-End-Https: on", "https"),
        ("x-scheme: tls", "https"),
        ("x-scheme: ssl", "http"),
        ("X-Forwarded-Proto: https", "http"),
    ]:
        assert answer(server, raw(field))[1]["wsgi.url_scheme"] == scheme


# Names with an underscore

UNDERSCORES = raw("X_Real_IP: forged", "X-Real-IP: true", "Remote_User: eve")


def test_names_with_an_underscore_are_dropped(anywhere: Server) -> None:
    status, environ = answer(anywhere, UNDERSCORES)
    assert status == 200
    assert environ["HTTP_X_REAL_IP"] == "true"
    assert "HTTP_REMOTE_USER" not in environ


def test_names_with_an_underscore_can_be_refused(serve: Serve) -> None:
    server = serve(APPLICATION, "--header-map", "refuse")
    assert answer(server, UNDERSCORES)[0] == 400
    assert answer(server, raw("X-Real-IP: true"))[0] == 200
    assert answer(server, raw("SCRIPT_NAME: "))[0] == 200, "forwarder_headers goes before header_map"


def test_names_with_an_underscore_can_be_passed_on(serve: Serve) -> None:
    server = serve(APPLICATION, "--header-map", "DANGEROUS")
    status, environ = answer(server, UNDERSCORES)
    assert (status, environ["HTTP_X_REAL_IP"], environ["HTTP_REMOTE_USER"]) == (200, "forged,true", "eve")


@pytest.mark.parametrize("names", [("X_A", "X-A"), ("X-A", "X_A"), ("x_a", "X_A"), ("Accept", "Accept")])
def test_names_that_an_application_cannot_tell_apart_are_joined(serve: Serve, names: tuple[str, str]) -> None:
    server = serve(APPLICATION, "--header-map", "dangerous")
    environ = answer(server, raw(f"{names[0]}: 1", "User_Agent: x", f"{names[1]}: 2", "User-Agent: y"))[1]
    key = "HTTP_" + names[0].upper().replace("-", "_")
    assert (environ[key], environ["HTTP_USER_AGENT"]) == ("1,2", "x,y")


def test_an_underscore_never_reaches_the_content_fields(serve: Serve) -> None:
    server = serve(APPLICATION, "--header-map", "dangerous")
    environ = answer(server, raw("Content_Length: 99", "Content_Type: text/evil"))[1]
    assert "CONTENT_LENGTH" not in environ and "CONTENT_TYPE" not in environ
    assert (environ["HTTP_CONTENT_LENGTH"], environ["HTTP_CONTENT_TYPE"]) == ("99", "text/evil")


def test_of_several_mount_points_the_last_counts(anywhere: Server) -> None:
    status, environ = answer(anywhere, raw("SCRIPT_NAME: /evil", "SCRIPT_NAME: /a", line="GET /a/b HTTP/1.1"))
    assert (status, environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (200, "/a", "/b")


@pytest.mark.parametrize(
    ("names", "kept"), [("REMOTE_USER", {"REMOTE_USER"}), ("*", {"REMOTE_USER", "X_REAL_IP"}), ("", set())]
)
def test_names_that_a_trusted_proxy_may_send(serve: Serve, names: str, kept: set[str]) -> None:
    server = serve(APPLICATION, "--forwarder-headers", names)
    environ = answer(server, raw("X_Real_IP: 1", "Remote_User: eve"))[1]
    assert {name for name in ("REMOTE_USER", "X_REAL_IP") if f"HTTP_{name}" in environ} == kept


def test_other_peers_may_not_send_them(serve: Serve) -> None:
    server = serve(APPLICATION, "--forwarder-headers", "*", "--forwarded-allow-ips", "10.0.0.0/8")
    environ = answer(server, raw("Remote_User: eve", "SCRIPT_NAME: /app"))[1]
    assert "HTTP_REMOTE_USER" not in environ and environ["SCRIPT_NAME"] == ""


# The mount point

MOUNTED = raw(line="GET /app/a%20b HTTP/1.1")


@pytest.mark.parametrize("setting", ["/app", "/app/"])
def test_root_path(serve: Serve, setting: str) -> None:
    server = serve(APPLICATION, "--root-path", setting)
    environ = answer(server, MOUNTED)[1]
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"], environ["RAW_URI"]) == ("/app", "/a b", "/app/a%20b")


def test_a_path_outside_of_the_mount_point(serve: Serve) -> None:
    """Server and proxy disagree: that is no error of the application."""
    server = serve(APPLICATION, "--root-path", "/app")
    for number, fields in enumerate([[], [("SCRIPT_NAME", "/field")]]):
        response = fetch(server.address, "/apple", headers=[*fields, ("Accept", "application/json")])
        assert response.status == 500 and json.loads(response.body)["id"] == "outside-mount-point"
        assert fetch(server.address, "/apple", "HEAD", headers=fields).body == b""
        lines = server.wait_for_log(r"\[WARNING\] (.*)\n", 2 * number + 2)
        assert len(lines) == 2 * number + 2 and "GET /apple" in lines[-2][1] and "--root-path" in lines[-2][1]
    assert "Traceback" not in server.log() and "[ERROR]" not in server.log()


def test_a_root_path_of_just_a_slash_is_none(serve: Serve) -> None:
    environ = answer(serve(APPLICATION, "--root-path", "/"), MOUNTED)[1]
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("", "/app/a b")


def test_whose_mount_point_counts(serve: Serve) -> None:
    """A trusted proxy's field goes before the command line, and that before the variable."""
    server = serve(APPLICATION, "--root-path", "/app", environment={"SCRIPT_NAME": "/variable"})
    assert answer(server, MOUNTED)[1]["SCRIPT_NAME"] == "/app"
    environ = answer(server, raw("SCRIPT_NAME: /field", line="GET /field/x HTTP/1.1"))[1]
    assert (environ["SCRIPT_NAME"], environ["HTTP_SCRIPT_NAME"], environ["PATH_INFO"]) == ("/field", "/field", "/x")


# What is permitted

STRICT = [
    ("--permit-missing-host", raw(host=""), ("HTTP_ACCEPT", None)),
    ("--permit-missing-host", raw(host="Host: "), ("HTTP_HOST", "")),
    ("--permit-obsolete-folding", raw("X-A: one", " \t two"), ("HTTP_X_A", "one two")),
    ("--permit-obsolete-folding", raw("Cookie: a=1", "Cookie: b=2;", " c=3"), ("HTTP_COOKIE", "a=1; b=2; c=3")),
    ("--permit-obsolete-folding", raw("X-A: 1", "X-A: 2", " 3"), ("HTTP_X_A", "1,2 3")),
    ("--strip-header-spaces", raw("X-A \t: one"), ("HTTP_X_A", "one")),
    ("--permit-unconventional-http-method", raw(line="get / HTTP/1.1"), ("REQUEST_METHOD", "get")),
    ("--permit-unconventional-http-method", raw(line="GO#N / HTTP/1.1"), ("REQUEST_METHOD", "GO#N")),
    ("--permit-unconventional-http-method", raw(line="GO / HTTP/1.1"), ("REQUEST_METHOD", "GO")),
    ("--permit-unconventional-http-version", raw(line="GET / HTTP/1.7"), ("SERVER_PROTOCOL", "HTTP/1.1")),
    ("--permit-unconventional-http-version", raw(line="GET / HTTP/0.9"), ("SERVER_PROTOCOL", "HTTP/1.0")),
]


@pytest.mark.parametrize(
    ("flag", "request_", "seen"), STRICT, ids=[f"{flag[2:]}-{n}" for n, (flag, *_) in enumerate(STRICT)]
)
def test_what_has_to_be_permitted(
    anywhere: Server, serve: Serve, flag: str, request_: bytes, seen: tuple[str, str | None]
) -> None:
    assert answer(anywhere, request_)[0] in (400, 505)
    status, environ = answer(serve(APPLICATION, flag), request_)
    assert (status, environ.get(seen[0])) == (200, seen[1])


def test_methods_in_upper_case(serve: Serve) -> None:
    server = serve(APPLICATION, "--casefold-http-method", "--permit-unconventional-http-method")
    for method in ["get", "Get", "GET"]:
        assert answer(server, raw(line=f"{method} / HTTP/1.1"))[1]["REQUEST_METHOD"] == "GET"
    assert answer(server, raw(line="mkCol / HTTP/1.1"))[1]["REQUEST_METHOD"] == "MKCOL"


def test_casefolding_alone_permits_nothing(serve: Serve) -> None:
    assert answer(serve(APPLICATION, "--casefold-http-method"), raw(line="get / HTTP/1.1"))[0] == 400


def test_a_folded_head_of_a_body_is_refused_even_so(serve: Serve) -> None:
    server = serve(APPLICATION, "--permit-obsolete-folding")
    assert answer(server, raw("Content-Length:", " 5", line="POST / HTTP/1.1") + b"hello")[0] == 400


@pytest.fixture(scope="module")
def anywhere(serve_module: Serve) -> Server:
    """An application that answers on every path with its environ, under the strict rules."""
    return serve_module(APPLICATION)


def test_the_limits_are_those_of_the_command_line(serve: Serve) -> None:
    server = serve(
        APPLICATION,
        *("--limit-request-line", "30", "--limit-request-fields", "3", "--limit-request-field_size", "20"),
        *("--limit-request-body", "5"),
    )
    for request_, status in [
        (raw(line=f"GET /{'x' * 16} HTTP/1.1"), 200),
        (raw(line=f"GET /{'x' * 17} HTTP/1.1"), 414),
        (raw("A: 1", "B: 2"), 200),
        (raw("A: 1", "B: 2", "C: 3"), 431),
        (raw(f"A: {'x' * 15}"), 200),
        (raw(f"A: {'x' * 16}"), 431),
        (encode("POST", "/", body=b"12345"), 200),
        (encode("POST", "/", body=b"123456"), 413),
        (raw("Transfer-Encoding: chunked", line="POST / HTTP/1.1").replace(b"chunked", b"gzip"), 431),
    ]:
        assert answer(server, request_)[0] == status, request_
    assert fetch(server.address).status == 200
