"""`slow_request_log`: requests that are told of while they run."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.operations import LINE_OF_WAIT, Operate, request
from support.server import MODULE, Server

pytestmark = pytest.mark.skipif(MODULE != "monoceros", reason="only Monoceros has an admin_bind")


@pytest.mark.parametrize("kind", [("--threads", "1"), ("--threads", "2")])
def test_a_slow_request_is_told_once_with_its_stack(operate: Operate, kind: tuple[str, str]) -> None:
    server, client = operate(*kind, "--slow-request-log", "1")
    assert request(server.address, "/stuck?seconds=4&key=oyster") == (200, b"ok\n")
    (line,) = re.findall(r".*has been running for .*", server.log())
    assert "[WARNING] Slow request: GET /stuck" in line
    assert f'operated.py", line {LINE_OF_WAIT}, in wait_here' in server.log()
    assert "oyster" not in server.log()


def test_a_slow_request_that_waits_for_its_client_is_told_once(serve: Callable[..., Server], tmp_path: Path) -> None:
    """Each wait is left out of its time, and it is still the same request."""
    (tmp_path / "streaming.py").write_text(
        "import time\ndef app(environ, start_response):\n"
        '    start_response("200 OK", [("Content-Type", "text/plain")])\n'
        "    for _ in range(24):\n        time.sleep(0.2)\n        yield b'x' * 400_000\n"
    )
    arguments = ("--threads", "2", "--slow-request-log", "1", "--response-spool", "0", "--response-buffer", "65536")
    server = serve(*arguments, "streaming:app", cwd=tmp_path)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(server.address)
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        received = 0
        while data := client.recv(40_000):
            received += len(data)
            time.sleep(0.005)
    assert received > 24 * 400_000
    assert server.log().count("Slow request: ") == 1
