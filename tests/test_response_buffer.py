"""`--response-buffer`: how much of a response may wait for its client before the application waits too."""

from __future__ import annotations

import pytest
from conftest import Serve
from support.client import Connection, encode, fetch
from support.server import Server, run

#: What the kernel holds beside the server: send buffers grow to 4 MiB by default, plus what the client's side takes.
KERNEL = 8 << 20


@pytest.mark.parametrize("declared", [False, True])
def test_a_stream_below_the_limit_does_not_hold_the_worker(server: Server, declared: bool) -> None:
    """The first client reads nothing but the head until the second has its answer, on the one worker."""
    count, size = 225, 4000
    length = f"&length={count * size}" if declared else ""
    with Connection(server.address, receive_buffer=4096) as connection:
        connection.send(encode("GET", f"/counted?name=below.{declared}&size={size}&count={count}{length}"))
        connection.read_head()
        assert fetch(server.address, "/body?case=one").body == b"hello"
        assert server.trace(f"below.{declared}.close") == "c"
        connection.send(encode("GET", "/body?case=three"))
        end = b"0\r\n\r\n" if not declared else b"x"
        received = connection.take_until(b"abbccc")
        assert received.count(b"x") >= count * size
        assert received.partition(b"HTTP/1.1")[0].endswith(end)


@pytest.fixture(scope="module")
def strict(serve_module: Serve) -> Server:
    return serve_module("probe:app", "--response-buffer", "100000", "--response-spool", "0")


@pytest.mark.parametrize("limit", ["0", "100000"])
def test_a_stream_above_the_limit_waits_for_its_reader_and_arrives_whole(serve: Serve, limit: str) -> None:
    server = serve("probe:app", "--response-buffer", limit, "--response-spool", "0")
    count, size = 1024, 65536
    with Connection(server.address, receive_buffer=65536) as connection:
        connection.send(encode("GET", f"/counted?name=above&size={size}&count={count}&length={count * size}"))
        connection.read_head()
        for number in range(1, 65):
            assert connection.take(1 << 20) == b"x" * (1 << 20)
            # However long it has been waiting, the application is never far ahead of its reader.
            produced = len(server.trace("above.blocks")) * size
            assert produced <= (number << 20) + len(connection.buffer) + KERNEL + int(limit) + size
        assert server.wait_for_trace("above.close") == "c"
    assert fetch(server.address, "/body?case=one").body == b"hello"


def test_a_large_block_at_the_end_does_not_hold_the_worker(strict: Server) -> None:
    """It is in memory anyhow; the reactor sends the rest."""
    with Connection(strict.address, receive_buffer=4096) as connection:
        connection.send(encode("GET", "/big?mib=32&list"))
        connection.read_head()
        assert fetch(strict.address, "/body?case=one").body == b"hello"
        connection.take(32 << 20)


# As in gunicorn: text that is no number is a mistake in the command line, a number that does not do one in a setting.
@pytest.mark.parametrize(("value", "status"), [("-1", 1), ("much", 2)])
def test_a_value_that_is_none(value: str, status: int) -> None:
    result = run("--response-buffer", value, "probe:app")
    assert result.returncode == status
    assert "--response-buffer" in result.stderr and value in result.stderr
