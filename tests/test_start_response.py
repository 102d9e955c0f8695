"""`start_response`: what it accepts, what it refuses, and that nothing of a refused response reaches the client."""

from __future__ import annotations

import pytest
from probe.starts import HEADERS, STATUSES
from support.client import Closed, Connection, Response, Truncated, encode, fetch
from support.server import Server


def assert_clean_error(response: Response) -> None:
    assert response.status == 500
    text = repr(response)
    assert "leaked" not in text and "X-Injected" not in text and "X-Good" not in text, text
    assert "Traceback" not in text


def assert_healthy(server: Server) -> None:
    assert fetch(server.address, "/body?case=one").body == b"hello"


@pytest.mark.parametrize("case", STATUSES)
def test_a_bad_status_is_a_500(server: Server, case: str) -> None:
    assert_clean_error(fetch(server.address, f"/bad-status?case={case}"))
    assert_healthy(server)


@pytest.mark.parametrize("case", HEADERS)
def test_bad_headers_are_a_500(server: Server, case: str) -> None:
    assert_clean_error(fetch(server.address, f"/bad-headers?case={case}"))
    assert_healthy(server)


@pytest.mark.parametrize("case", ["value-crlf", "name-space", "value-integer", "length-word", "list-none"])
def test_the_refusal_can_be_caught(server: Server, case: str) -> None:
    response = fetch(server.address, f"/bad-headers-caught?case={case}")
    assert response.status == 200 and response.body == b"recovered"
    assert response.header("X-Caught") not in (None, "AssertionError")
    assert "leaked" not in repr(response)


def test_unusual_but_allowed(server: Server) -> None:
    response = fetch(server.address, "/good-headers")
    assert (response.status, response.reason) == (299, "Fine by \xfcs")
    assert response.header("X-Empty") == ""
    assert response.header("X-Tab") == "a\tb"
    assert response.header("X-Latin") == "\xe4\xff"
    assert response.header("X-Subclass") == "yes"
    assert response.header("x-!#$%&'*+.^_`|~9") == "token"
    assert response.header("X-Spaces") == "padded"
    assert response.all("Set-Cookie") == ["a=1", "b=2"]
    assert response.body == b"fine"


def test_a_status_without_a_reason(server: Server) -> None:
    response = fetch(server.address, "/no-reason")
    assert (response.status, response.reason) == (200, "")
    assert response.header("X-A") == "b"


def test_a_second_call_is_an_assertion_error(server: Server) -> None:
    response = fetch(server.address, "/twice-caught")
    assert response.status == 200 and response.body == b"AssertionError"
    assert response.header("X-First") == "yes" and response.header("X-Second") is None


def test_a_second_call_that_is_not_caught_is_a_500(server: Server) -> None:
    assert fetch(server.address, "/twice").status == 500
    assert_healthy(server)


@pytest.mark.parametrize("path", ["/replaced", "/replaced-after-empty-block"])
def test_exc_info_replaces_status_and_headers_before_the_first_byte(server: Server, path: str) -> None:
    response = fetch(server.address, path)
    assert (response.status, response.reason) == (503, "Sorry")
    assert response.header("X-Second") == "yes"
    assert response.header("X-First") is None
    assert response.body == b"sorry"


def test_exc_info_in_the_first_call(server: Server) -> None:
    response = fetch(server.address, "/exc-info-only")
    assert response.status == 500 and response.header("X-Only") == "yes" and response.body == b"broken"


def test_exc_info_after_the_first_byte_is_raised_again(server: Server) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/too-late") + encode("GET", "/body?case=one"))
        with pytest.raises(Truncated) as caught:
            connection.read_response()
    assert caught.value.response is not None
    assert caught.value.response.status == 200
    assert b"never" not in caught.value.received and b"hello" not in caught.value.received
    server.wait_for_log("the reason of the second start")
    assert_healthy(server)


@pytest.mark.parametrize("path", ["/never", "/never-empty"])
def test_no_start_at_all_is_a_500(server: Server, path: str) -> None:
    response = fetch(server.address, path)
    assert response.status == 500
    assert b"without a start" not in response.body
    assert_healthy(server)


def test_a_generator_may_start_when_first_asked(server: Server) -> None:
    response = fetch(server.address, "/late")
    assert response.status == 200 and response.header("X-Late") == "yes" and response.body == b"late"


def test_an_empty_block_may_come_before_the_start(server: Server) -> None:
    response = fetch(server.address, "/empty-then-start")
    assert response.status == 200 and response.header("X-Late") == "yes"
    assert response.body == b"after an empty block"


def test_write(server: Server) -> None:
    assert fetch(server.address, "/write").body == b"written twice and returned"
    assert fetch(server.address, "/write", version="HTTP/1.0").body == b"written twice and returned"


def test_write_without_a_body_to_return(server: Server) -> None:
    response = fetch(server.address, "/write-only")
    assert response.body == b"written" and response.framing == "length"


def test_write_takes_bytes_only(server: Server) -> None:
    try:
        assert fetch(server.address, "/write-text").status == 500
    except (Closed, Truncated):
        pytest.fail("nothing was sent yet, so there must be a response")
    assert_healthy(server)


def test_fields_of_the_connection_belong_to_the_server(server: Server) -> None:
    with Connection(server.address) as connection:
        for _ in range(2):
            connection.send(encode("GET", "/hop-by-hop"))
            response = connection.read_response()
            assert response.body == b"hops" and response.framing == "length"
            for name in ("Keep-Alive", "Proxy-Authenticate", "TE", "Transfer-Encoding", "Upgrade"):
                assert response.header(name) is None, name
            assert response.header("Connection") in (None, "keep-alive")
            assert response.header("Server") not in (None, "mine")
            assert response.header("Date") not in (None, "yesterday")
            assert response.header("X-Own") == "stays"
