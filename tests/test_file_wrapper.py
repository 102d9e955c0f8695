"""`wsgi.file_wrapper`: whatever the way the bytes take, they are those that reading the file gives."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from support.client import Closed, Connection, Truncated, encode, fetch
from support.server import Server

CONTENT = bytes(range(256)) * 1200
KINDS = ("file", "unbuffered", "memory", "read-only")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("files")
    found = {"content": directory / "content", "empty": directory / "empty", "gzip": directory / "content.gz"}
    found["content"].write_bytes(CONTENT)
    found["empty"].write_bytes(b"")
    found["gzip"].write_bytes(gzip.compress(CONTENT))
    return found


def target(kind: str, path: Path, **options: int) -> str:
    return f"/file?kind={kind}&path={quote(str(path))}" + "".join(f"&{key}={value}" for key, value in options.items())


def test_it_is_a_class_and_iterable(server: Server) -> None:
    answer = json.loads(fetch(server.address, "/file-iterated").body)
    assert answer == {"class": True, "instance": True, "blocks": ["0123", "4567", "89"]}


def test_inside_of_another_iterable(server: Server) -> None:
    assert fetch(server.address, "/file-middle").body == b"SMALL LETTERS"


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_file(server: Server, files: dict[str, Path], kind: str, version: str) -> None:
    response = fetch(server.address, target(kind, files["content"]), version=version)
    assert response.status == 200 and response.body == CONTENT


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
@pytest.mark.parametrize("kind", KINDS)
def test_block_sizes(server: Server, files: dict[str, Path], kind: str, size: int) -> None:
    assert fetch(server.address, target(kind, files["content"], size=size)).body == CONTENT


@pytest.mark.parametrize("offset", [1, 1000, len(CONTENT) - 1, len(CONTENT), len(CONTENT) + 100])
@pytest.mark.parametrize("kind", ["file", "unbuffered", "memory"])
def test_from_an_offset(server: Server, files: dict[str, Path], kind: str, offset: int) -> None:
    assert fetch(server.address, target(kind, files["content"], seek=offset)).body == CONTENT[offset:]


@pytest.mark.parametrize("skip", [1, 10, 5000, len(CONTENT), len(CONTENT) + 10])
@pytest.mark.parametrize("kind", KINDS)
def test_after_the_application_read_some(server: Server, files: dict[str, Path], kind: str, skip: int) -> None:
    """A buffered file has read further than the application has; what counts is where the application is."""
    with Connection(server.address) as connection:
        connection.send(encode("GET", target(kind, files["content"], skip=skip)) + encode("GET", "/body?case=one"))
        assert connection.read_response().body == CONTENT[skip:]
        assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_file(server: Server, files: dict[str, Path], kind: str) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", target(kind, files["empty"])) + encode("GET", "/body?case=one"))
        response = connection.read_response()
        assert response.status == 200 and response.body == b""
        assert connection.read_response().body == b"hello"


def test_a_file_whose_content_is_not_that_of_its_descriptor(server: Server, files: dict[str, Path]) -> None:
    assert fetch(server.address, target("gzip", files["gzip"])).body == CONTENT


@pytest.mark.parametrize("length", [0, 1, 5000, len(CONTENT)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_declared_length(server: Server, files: dict[str, Path], kind: str, length: int) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("GET", target(kind, files["content"], length=length)) + encode("GET", "/body?case=one"))
        response = connection.read_response()
        assert response.framing == "length" and response.body == CONTENT[:length]
        # After a body that had to be cut, the server may end the connection.
        if length == len(CONTENT):
            assert connection.read_response().body == b"hello"
        else:
            with contextlib.suppress(Closed):
                assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("kind", KINDS)
def test_offset_and_length(server: Server, files: dict[str, Path], kind: str) -> None:
    """What a range request does."""
    move = {"skip": 700} if kind == "read-only" else {"seek": 700}
    response = fetch(server.address, target(kind, files["content"], length=300, **move))
    assert response.body == CONTENT[700:1000]


@pytest.mark.parametrize("kind", KINDS)
def test_a_declared_length_that_the_file_does_not_have(server: Server, files: dict[str, Path], kind: str) -> None:
    raw = encode("GET", target(kind, files["content"], length=len(CONTENT) + 50)) + encode("GET", "/body?case=one")
    with Connection(server.address) as connection:
        connection.send(raw)
        with pytest.raises(Truncated) as caught:
            connection.read_response()
    assert caught.value.response is not None and caught.value.response.body == CONTENT


@pytest.mark.parametrize("kind", KINDS)
def test_head(server: Server, files: dict[str, Path], kind: str) -> None:
    with Connection(server.address) as connection:
        connection.send(encode("HEAD", target(kind, files["content"])) + encode("GET", "/body?case=one"))
        assert connection.read_response("HEAD").status == 200
        assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("length", [None, 9 + len(CONTENT), 9 + 100])
@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("kind", KINDS)
def test_behind_written_blocks(
    server: Server, files: dict[str, Path], kind: str, version: str, length: int | None
) -> None:
    """The head has left, and with it what is said of the body's length."""
    declared = {} if length is None else {"length": length}
    where = target(kind, files["content"], **declared).replace("/file?", "/file-written?")
    response = fetch(server.address, where, version=version)
    assert response.body == (b"written, " + CONTENT)[:length]
    assert fetch(server.address, where, "HEAD", version=version).body == b""


def test_wrappers_around_wrappers(server: Server) -> None:
    """They cannot be read, so it is a 500; and the C stack is not used up on the way to the innermost."""
    worker = server.worker()
    assert fetch(server.address, "/file-nested?name=nested").status == 500
    assert fetch(server.address, "/body?case=one").body == b"hello"
    assert server.worker() == worker
    assert server.trace("nested") in ("", "c")


def test_a_file_that_shrinks_while_it_is_sent(server: Server, tmp_path: Path) -> None:
    """What was promised is not there any more: the client must see that, and the operator too."""
    path = tmp_path / "shrinking"
    size = 64 << 20
    with open(path, "wb") as file:
        file.truncate(size)
    with Connection(server.address, receive_buffer=65536) as connection:
        connection.send(encode("GET", f"/file-shrinking?path={quote(str(path))}") + encode("GET", "/body?case=one"))
        connection.take(1000)
        # The worker has returned to its poll: the rest is the reactor's to send.
        assert fetch(server.address, "/body?case=one").body == b"hello"
        with open(path, "r+b") as file:
            file.truncate(0)
        rest = connection.read_to_end()
    assert len(rest) < size and b"hello" not in rest[-100:]
    server.wait_for_log(r"\[WARNING\] A file became shorter while it was sent, \d+ bytes are missing")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("length", [None, 6])
def test_the_file_is_closed(server: Server, method: str, length: int | None) -> None:
    name = f"file.{method}.{length}"
    declared = f"&length={length}" if length else ""
    response = fetch(server.address, f"/file-closing?name={name}{declared}", method)
    assert response.body == (b"" if method == "HEAD" else b"closed after use"[:length])
    assert server.wait_for_trace(name) == "c"
