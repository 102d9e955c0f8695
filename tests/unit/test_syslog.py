"""The logger and syslog: over UDP, TCP and Unix sockets, with servers that are there, leave, or never read."""

from __future__ import annotations

import os
import socket

import pytest
from support.loggers import exchange, settings
from support.waiting import until

from monoceros.glogging import Logger, parse_syslog_address

pytestmark = pytest.mark.usefixtures("own_loggers")


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("unix:///dev/log", None, "/dev/log"),
        ("unix:///dev/log#dgram", socket.SOCK_DGRAM, "/dev/log"),
        ("unix:///dev/log#stream", socket.SOCK_STREAM, "/dev/log"),
        ("udp://", socket.SOCK_DGRAM, ("localhost", 514)),
        ("udp://Example.org", socket.SOCK_DGRAM, ("example.org", 514)),
        ("udp://example.org:99", socket.SOCK_DGRAM, ("example.org", 99)),
        ("tcp://[::1]:99", socket.SOCK_STREAM, ("::1", 99)),
        ("tcp://[::1]", socket.SOCK_STREAM, ("::1", 514)),
    ],
)
def test_syslog_addresses(text, kind, address):
    assert parse_syslog_address(text) == (kind, address)


def test_a_syslog_port_is_a_number():
    with pytest.raises(RuntimeError, match="'http' is not a valid port number"):
        parse_syslog_address("udp://localhost:http")


def expected_syslog(name: str, text: str, level: int = 6, facility: int = 16) -> str:
    return f"<{facility * 8 + level}>gunicorn.shop.{name}: [{os.getpid()}] {text}\0"


SYSLOG = {"syslog": True, "syslog_prefix": "shop", "syslog_facility": "local0", "errorlog": "/dev/null"}


def test_syslog_over_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        logger = Logger(settings(syslog_addr=f"udp://127.0.0.1:{server.getsockname()[1]}", **SYSLOG))
        logger.error("größer")
        assert server.recv(2000).decode() == expected_syslog("error", "größer", 3)
        logger.access(*exchange(HTTP_USER_AGENT="curl"))
        assert server.recv(2000).decode().startswith(expected_syslog("access", "192.0.2.7 - brk0v [")[:-1])


@pytest.mark.parametrize("kind", ["dgram", "stream", None])
def test_syslog_over_a_unix_socket(tmp_path, kind):
    path = f"{tmp_path}/s"
    number = socket.SOCK_STREAM if kind == "stream" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_UNIX, number) as server:
        server.bind(path)
        if kind == "stream":
            server.listen()
        logger = Logger(settings(syslog_addr=f"unix://{path}" + (f"#{kind}" if kind else ""), **SYSLOG))
        logger.warning("hello")
        peer = server.accept()[0] if kind == "stream" else server
        assert peer.recv(2000).decode() == expected_syslog("error", "hello", 4)
        peer.close()


def test_syslog_over_tcp_comes_back_after_a_break():
    with socket.create_server(("127.0.0.1", 0)) as server:
        logger = Logger(settings(syslog_addr=f"tcp://127.0.0.1:{server.getsockname()[1]}", **SYSLOG))
        with server.accept()[0] as peer:
            server.accept()[0].close()
            logger.error("first")
            assert peer.recv(2000).decode() == expected_syslog("error", "first", 3)
        target = logger.error_log.handlers[-1]._target

        def is_noticed() -> bool:
            logger.error("lost or late")
            return target.socket is None

        until(is_noticed, "the end of the connection to be noticed")
        target._next_attempt = 0.0
        logger.error("again")
        with server.accept()[0] as peer:
            assert peer.recv(2000).decode().startswith("<131>gunicorn.shop.error: [")


def test_a_syslog_server_that_is_not_there_is_said_at_the_start_and_waited_for(tmp_path):
    error = tmp_path / "error.log"
    changes = SYSLOG | {"syslog_addr": f"unix://{tmp_path}/none", "errorlog": str(error)}
    logger = Logger(settings(**changes))
    logger.info("hello")
    text = error.read_text()
    assert "cannot be reached (No such file or directory)" in text and "hello" in text


def test_a_syslog_server_that_never_reads_stops_nobody(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        logger = Logger(settings(syslog_addr=f"unix://{tmp_path}/s#dgram", **SYSLOG))
        for _ in range(1000):
            logger.error("x" * 1000)
        handler = logger.error_log.handlers[-1]
        assert handler._line_writer.lost > 0


def test_the_access_log_stays_out_of_syslog_when_asked(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        changes = SYSLOG | {"disable_redirect_access_to_syslog": True, "syslog_addr": f"unix://{tmp_path}/s"}
        logger = Logger(settings(**changes))
        logger.access(*exchange())
        logger.error("only this")
        assert server.recv(2000).decode() == expected_syslog("error", "only this", 3)


def test_syslog_goes_on_after_a_configuration_closed_every_handler(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"{tmp_path}/s")
        server.settimeout(10)
        changes = SYSLOG | {"syslog_addr": f"unix://{tmp_path}/s#dgram", "logconfig_dict": {"loggers": {}}}
        Logger(settings(**changes)).error("hello")
        assert server.recv(2000).decode() == expected_syslog("error", "hello", 3)
