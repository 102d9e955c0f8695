"""The PROXY protocol: whose address an application sees behind a proxy that speaks it."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.server import Server

APPLICATION = "probe.environs:mounted"

V1 = b"PROXY TCP4 192.0.2.1 198.51.100.2 5000 80\r\n"


def v2(command: int, kind: int, payload: bytes = b"") -> bytes:
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", command, kind, len(payload)) + payload


def addresses(family: socket.AddressFamily, source: str, destination: str) -> bytes:
    return socket.inet_pton(family, source) + socket.inet_pton(family, destination) + struct.pack(">HH", 5000, 80)


FOUR = addresses(socket.AF_INET, "192.0.2.1", "198.51.100.2")
SIX = addresses(socket.AF_INET6, "2001:db8::1", "2001:db8::2")

#: What the application sees, in the order of `seen`.
ANNOUNCED = ("192.0.2.1", "5000", "TCP4", "198.51.100.2", "80")
ANNOUNCED_V6 = ("2001:db8::1", "5000", "TCP6", "2001:db8::2", "80")


def seen(environ: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(
        environ.get(key) for key in ("REMOTE_ADDR", "REMOTE_PORT", "PROXY_PROTOCOL", "PROXY_ADDR", "PROXY_PORT")
    )


def status_and_environ(connection: Connection) -> tuple[int, dict[str, Any]]:
    response = connection.read_response()
    return response.status, json.loads(response.body) if response.status == 200 else {}


@pytest.fixture(scope="module")
def auto(serve_module: Serve) -> Server:
    return serve_module(APPLICATION, "--proxy-protocol")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (V1, ANNOUNCED),
        (b"PROXY TCP6 2001:DB8::1 2001:db8:0::2 5000 80\r\n", ANNOUNCED_V6),
        (v2(0x21, 0x11, FOUR), ANNOUNCED),
        (v2(0x21, 0x21, SIX), ANNOUNCED_V6),
        (v2(0x21, 0x11, FOUR + b"\x04\0\x03abc" + b"\x05\x0b\xb8" + bytes(3000)), ANNOUNCED),
        (v2(0x21, 0x31, b"/client".ljust(108, b"\0") * 2), ("", None, "UNIX", None, None)),
    ],
    ids=["v1", "v1-ipv6", "v2", "v2-ipv6", "v2-extensions", "v2-unix"],
)
def test_the_client_is_the_announced_one(auto: Server, header: bytes, expected: tuple[str | None, ...]) -> None:
    for sizes in (None, [len(header)], [1] * len(header[:40]), [len(header) + 5]):
        with Connection(auto.address) as connection:
            connection.send(header + encode("GET", "/one") + encode("GET", "/two"), sizes)
            for path in ("/one", "/two"):
                status, environ = status_and_environ(connection)
                assert (status, seen(environ)) == (200, expected)
                assert environ["PATH_INFO"] == path
                assert environ["SERVER_PORT"] == str(auto.address[1])
            # It holds for the whole connection, and the body of a request comes as ever.
            connection.send(encode("POST", "/three", body=b"body"))
            assert seen(status_and_environ(connection)[1]) == expected


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"", None),
        (b"PROXY UNKNOWN\r\n", "UNKNOWN"),
        (b"PROXY UNKNOWN ::1 ::2 3 4\r\n", "UNKNOWN"),
        (v2(0x20, 0x00), "LOCAL"),
        (v2(0x20, 0x11, FOUR), "LOCAL"),
        (v2(0x21, 0x00), "UNSPEC"),
    ],
    ids=["none", "unknown", "unknown-with-more", "local", "local-with-addresses", "unspecified"],
)
def test_the_peer_stands_where_none_is_announced(auto: Server, header: bytes, name: str | None) -> None:
    with Connection(auto.address) as connection:
        connection.send(header + encode())
        status, environ = status_and_environ(connection)
        host, port = connection.socket.getsockname()
    assert status == 200
    assert seen(environ) == (host, str(port), name, None, None)


BAD = {
    "address": b"PROXY TCP4 192.0.2 198.51.100.2 5000 80\r\n",
    "port": b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 80\r\n",
    "signed-port": b"PROXY TCP4 192.0.2.1 198.51.100.2 +1 80\r\n",
    "kind": b"PROXY UDP4 192.0.2.1 198.51.100.2 5000 80\r\n",
    "bare-line-feed": b"PROXY UNKNOWN\n",
    "endless": b"PROXY " + b"x" * 200,
    "version": v2(0x31, 0x11, FOUR),
    "command": v2(0x22, 0x11, FOUR),
    "datagram": v2(0x21, 0x12, FOUR),
    "short": v2(0x21, 0x11, FOUR[:-1]),
    "huge": v2(0x21, 0x11, FOUR + bytes(5000)),
    "twice": V1 + V1,
}


@pytest.mark.parametrize("header", BAD.values(), ids=BAD)
def test_a_malformed_header_is_a_bad_request(auto: Server, header: bytes) -> None:
    worker, before = auto.worker(), len(auto.log())
    with Connection(auto.address) as connection:
        connection.send(header + encode())
        assert connection.read_response().status == 400
        connection.assert_closed()
    assert "Traceback" not in auto.log()[before:]
    assert auto.worker() == worker


def test_strangers_may_not_announce(serve: Serve) -> None:
    server = serve(APPLICATION, "--proxy-protocol", "--proxy-allow-from", "10.0.0.0/8,::1")
    for header in (V1, v2(0x21, 0x11, FOUR), b"PROXY UNKNOWN\r\n"):
        with Connection(server.address) as connection:
            connection.send(header + encode())
            assert connection.read_response().status == 403
            connection.assert_closed()
    server.wait_for_log(r"Invalid request from ip=127\.0\.0\.1: forbidden-proxy\.", count=3)
    assert fetch(server.address).status == 200, "without a header, a stranger is a client as any other"


@pytest.mark.parametrize(("mode", "own", "other"), [("v1", V1, v2(0x21, 0x11, FOUR)), ("V2", v2(0x21, 0x11, FOUR), V1)])
def test_a_fixed_version_is_demanded(serve: Serve, mode: str, own: bytes, other: bytes) -> None:
    server = serve(APPLICATION, "--proxy-protocol", mode)
    with Connection(server.address) as connection:
        connection.send(own + encode())
        assert seen(status_and_environ(connection)[1]) == ANNOUNCED
    for header in (b"", other):
        with Connection(server.address) as connection:
            connection.send(header + encode())
            assert connection.read_response().status == 400
            connection.assert_closed()
    server.wait_for_log(r"Invalid request from ip=127\.0\.0\.1: missing-proxy-header\.", count=2)


def test_it_is_off_by_default(serve: Serve) -> None:
    server = serve(APPLICATION)
    for header in (V1, v2(0x21, 0x11, FOUR)):
        with Connection(server.address) as connection:
            connection.send(header + encode())
            assert connection.read_response().status == 400


def test_behind_a_unix_socket(serve: Serve, short_path: str) -> None:
    server = serve(APPLICATION, "--proxy-protocol", "--proxy-allow-from", "", binds=(f"unix:{short_path}",))
    with Connection(server.address) as connection:
        connection.send(V1 + encode())
        assert seen(status_and_environ(connection)[1]) == ANNOUNCED
    with Connection(server.address) as connection:
        connection.send(b"PROXY UNKNOWN\r\n" + encode())
        assert seen(status_and_environ(connection)[1]) == ("", None, "UNKNOWN", None, None)


def test_whose_fields_count_is_up_to_the_socket(serve: Serve) -> None:
    """As in gunicorn: the peer that sends the bytes is trusted with them, whomever it announces."""
    server = serve(APPLICATION, "--proxy-protocol")
    with Connection(server.address) as connection:
        connection.send(V1 + encode(headers=[("X-Forwarded-Proto", "https")]))
        assert status_and_environ(connection)[1]["wsgi.url_scheme"] == "https"
    other = serve(APPLICATION, "--proxy-protocol", "--forwarded-allow-ips", "192.0.2.1")
    with Connection(other.address) as connection:
        connection.send(V1 + encode(headers=[("X-Forwarded-Proto", "https")]))
        assert status_and_environ(connection)[1]["wsgi.url_scheme"] == "http"


def test_a_header_that_stops_half_way_is_timed_out(serve: Serve) -> None:
    server = serve(APPLICATION, "--proxy-protocol", "--request-head-timeout", "1")
    with Connection(server.address) as connection:
        connection.send(V1[:10])
        assert connection.read_response().status == 408
        connection.assert_closed()
    with Connection(server.address) as connection:
        connection.send(V1)
        connection.assert_closed()
