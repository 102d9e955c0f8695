"""The environ: PEP 3333 and the keys that gunicorn's users expect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Serve
from support.client import Connection, Response, encode, fetch
from support.server import MODULE, Server


@pytest.fixture(scope="module")
def anywhere(serve_module: Serve) -> Server:
    """An application that answers on every path with its environ."""
    return serve_module("probe.environs:mounted")


def content(response: Response) -> Any:
    assert response.status == 200, response
    return json.loads(response.body)


def environ_of(server: Server, raw: bytes, method: str = "GET") -> dict[str, Any]:
    with Connection(server.address) as connection:
        connection.send(raw)
        return content(connection.read_response(method))


def test_every_key_of_a_plain_request(anywhere: Server) -> None:
    with Connection(anywhere.address) as connection:
        connection.send(encode("GET", "/a/b?c=d&e", [("Accept", "*/*")], host="example.org:8000"))
        environ = content(connection.read_response())
        host, port = connection.socket.getsockname()
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["SCRIPT_NAME"] == ""
    assert environ["PATH_INFO"] == "/a/b"
    assert environ["QUERY_STRING"] == "c=d&e"
    assert environ["RAW_URI"] == "/a/b?c=d&e"
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", str(anywhere.address[1]))
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == (host, str(port))
    assert environ["SERVER_SOFTWARE"].startswith(f"{MODULE}/")
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["HTTP_HOST"] == "example.org:8000"
    assert environ["HTTP_ACCEPT"] == "*/*"
    assert "CONTENT_TYPE" not in environ and "CONTENT_LENGTH" not in environ and "REQUEST_URI" not in environ
    for key in ("wsgi.version", "wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"):
        assert key in environ


def test_nothing_of_the_process_environment_is_in_it(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address))
    assert "PATH" not in environ and "HOME" not in environ and "TRACES" not in environ


def test_types(server: Server) -> None:
    types = content(fetch(server.address, "/types", headers=[("Cookie", "a=1"), ("X-Other", "\xe4")]))
    assert types["is_dict"] is True and types["environ"] == "dict"
    assert types["keys"] == ["str"]
    strings = {
        key: kind for key, kind in types["values"].items() if not key.startswith(("wsgi.", "gunicorn.", "monoceros."))
    }
    assert set(strings.values()) == {"str"}, strings
    assert types["values"]["wsgi.url_scheme"] == "str"
    assert types["version"] == "(1, 0)"
    assert types["input_terminated"] is True
    assert types["run_once"] is False
    assert types["multiprocess"] is False
    assert types["file_wrapper_is_class"] is True


def test_one_thread_is_not_multithread(server: Server) -> None:
    assert content(fetch(server.address, "/types"))["multithread"] is False


def test_several_workers_are_multiprocess(serve: Serve) -> None:
    server = serve("probe:app", "-w", "2")
    assert content(fetch(server.address, "/types"))["multiprocess"] is True


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/%41%7e", "/A~"),
        ("/%C3%A4", "/\xc3\xa4"),
        ("/%ff%FE", "/\xff\xfe"),
        ("/%00", "/\0"),
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb", "/a?b"),
        ("/a+b", "/a+b"),
        ("/100%", "/100%"),
        ("/%zz%4", "/%zz%4"),
        ("//double//", "//double//"),
        ("/a/../b/./c", "/a/../b/./c"),
        ("/;p=1;q", "/;p=1;q"),
        ("/a:b@c", "/a:b@c"),
    ],
)
def test_path_info_is_percent_decoded_to_latin_1(anywhere: Server, target: str, path: str) -> None:
    environ = content(fetch(anywhere.address, target))
    assert environ["PATH_INFO"] == path
    assert environ["RAW_URI"] == target


@pytest.mark.parametrize("query", ["", "a=b", "a=%20+%C3%A4", "?", "a=b?c=/d", "%zz", "a[]=1&b={}"])
def test_query_string_is_left_as_it_is(anywhere: Server, query: str) -> None:
    environ = content(fetch(anywhere.address, f"/path?{query}"))
    assert environ["QUERY_STRING"] == query
    assert environ["PATH_INFO"] == "/path"
    assert environ["RAW_URI"] == f"/path?{query}"


def test_absolute_form(anywhere: Server) -> None:
    raw = encode("GET", "http://name.example:81/p%20q?r=s", host="name.example:81")
    environ = environ_of(anywhere, raw)
    assert environ["PATH_INFO"] == "/p q"
    assert environ["QUERY_STRING"] == "r=s"
    assert environ["RAW_URI"] == "http://name.example:81/p%20q?r=s"


def test_the_authority_of_an_absolute_form_is_the_host(anywhere: Server) -> None:
    """RFC 9112, section 3.2.2: the Host field is to be ignored."""
    environ = environ_of(anywhere, encode("GET", "http://right.example/", host="wrong.example"))
    assert environ["HTTP_HOST"] == "right.example"


def test_asterisk_form(anywhere: Server) -> None:
    environ = environ_of(anywhere, encode("OPTIONS", "*"))
    assert environ["REQUEST_METHOD"] == "OPTIONS"
    assert environ["RAW_URI"] == "*"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MKCALENDAR"])
def test_methods(anywhere: Server, method: str) -> None:
    assert content(fetch(anywhere.address, "/", method))["REQUEST_METHOD"] == method


def test_repeated_fields_are_joined_with_commas(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address, headers=[("X-A", "1"), ("x-a", "2"), ("X-B", "b"), ("X-A", "3")]))
    assert environ["HTTP_X_A"] == "1,2,3"
    assert environ["HTTP_X_B"] == "b"


def test_repeated_cookies_are_joined_with_semicolons(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address, headers=[("Cookie", "a=1"), ("Cookie", "b=2; c=3"), ("cookie", "d=4")]))
    assert environ["HTTP_COOKIE"] == "a=1; b=2; c=3; d=4"


def test_content_fields_have_no_twins(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address, "/", "POST", [("Content-Type", "text/x; charset=y")], b"body"))
    assert environ["CONTENT_TYPE"] == "text/x; charset=y"
    assert environ["CONTENT_LENGTH"] == "4"
    assert "HTTP_CONTENT_TYPE" not in environ and "HTTP_CONTENT_LENGTH" not in environ


def test_values_are_trimmed_and_latin_1(anywhere: Server) -> None:
    raw = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: \t \xe4 b\t c \t\r\nX-Empty:\r\nX-Colon:a:b\r\n\r\n"
    environ = environ_of(anywhere, raw)
    assert environ["HTTP_X_A"] == "\xe4 b\t c"
    assert environ["HTTP_X_EMPTY"] == ""
    assert environ["HTTP_X_COLON"] == "a:b"


def test_field_names_may_be_any_token(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address, headers=[("x-!#$%&'*+.^`|~9", "token")]))
    assert environ["HTTP_X_!#$%&'*+.^`|~9"] == "token"


def test_an_underscore_cannot_forge_a_field(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address, headers=[("X_Forwarded_User", "forged"), ("X-Real", "yes")]))
    assert "HTTP_X_FORWARDED_USER" not in environ
    assert environ["HTTP_X_REAL"] == "yes"


def test_the_proxy_field_does_not_become_a_variable_of_the_process(anywhere: Server) -> None:
    environ = content(fetch(anywhere.address, headers=[("Proxy", "http://evil.example"), ("Path", "/evil")]))
    assert environ["HTTP_PROXY"] == "http://evil.example" and environ["HTTP_PATH"] == "/evil"
    assert "PROXY" not in environ and "PATH" not in environ


def test_every_request_has_an_environ_of_its_own(serve: Serve) -> None:
    server = serve("probe:app")
    with Connection(server.address) as connection:
        answers = []
        for number in range(3):
            connection.send(encode("GET", f"/keep?{number}", [("X-Number", str(number)), (f"X-Only-{number}", "1")]))
            answers.append(content(connection.read_response()))
    for number, answer in enumerate(answers):
        assert answer["seen"]["HTTP_X_NUMBER"] == str(number)
        assert answer["seen"]["QUERY_STRING"] == str(number)
        assert answer["seen"]["wsgi.version"] == ["tuple", "(1, 0)"]
        assert "SPOILED" not in answer["seen"]
        only = [key for key in answer["seen"] if key.startswith("HTTP_X_ONLY_")]
        assert only == [f"HTTP_X_ONLY_{number}"]
        assert len(answer["kept"]) == number
        for old, environ in enumerate(answer["kept"]):
            assert environ["QUERY_STRING"] == str(old)
            assert environ["HTTP_X_NUMBER"] == "spoiled" and environ["SPOILED"] == "1"


def test_version_1_0(anywhere: Server) -> None:
    environ = environ_of(anywhere, encode(version="HTTP/1.0", host=None))
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.0"
    assert "HTTP_HOST" not in environ


def test_ipv6(serve: Serve) -> None:
    server = serve("probe.environs:mounted", binds=("[::1]:0",))
    environ = content(fetch(server.address))
    assert environ["REMOTE_ADDR"] == "::1"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("::1", str(server.address[1]))


def test_unix_socket(short_path: str, serve: Serve) -> None:
    server = serve("probe.environs:mounted", binds=(f"unix:{short_path}",))
    environ = environ_of(server, encode(host="name.example:81"))
    assert environ["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in environ
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("name.example", "81")
    environ = environ_of(server, encode(host="name.example"))
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("name.example", "80")
    environ = environ_of(server, encode(version="HTTP/1.0", host=None))
    assert isinstance(environ["SERVER_NAME"], str) and isinstance(environ["SERVER_PORT"], str)


def test_script_name_from_the_environment(serve: Serve) -> None:
    server = serve("probe.environs:mounted", environment={"SCRIPT_NAME": "/mounted"})
    environ = content(fetch(server.address, "/mounted/a%20b?c"))
    assert environ["SCRIPT_NAME"] == "/mounted"
    assert environ["PATH_INFO"] == "/a b"
    assert environ["RAW_URI"] == "/mounted/a%20b?c"
    assert content(fetch(server.address, "/mounted"))["PATH_INFO"] == ""
    assert fetch(server.address, "/elsewhere").status >= 400
    assert content(fetch(server.address, "/mounted/still"))["PATH_INFO"] == "/still"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_the_checker_of_the_standard_library_has_no_complaint(server: Server, method: str) -> None:
    body = b"body" if method == "POST" else None
    response = fetch(server.address, "/checked", method, [("Content-Type", "text/plain")] if body else [], body)
    assert response.status == 200, server.log()
    assert response.body == {"GET": b"checked nothing", "POST": b"checked body", "HEAD": b""}[method]
