"""Large request bodies wait in a file. When that cannot be, client and operator learn it, and the server goes on."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Address, Connection, Response, encode, encode_chunked, fetch
from support.processes import descriptors
from support.server import Server
from support.waiting import until

MIB = 1 << 20


def upload(address: Address, size: int, framing: str = "length") -> Response:
    """Send a body until the server has had enough of it, and read the answer."""
    with Connection(address) as connection:
        if framing == "length":
            raw = encode("POST", "/digest", body=b"x" * size)
        else:
            raw = encode_chunked("POST", "/digest", [b"x" * 10_000] * (size // 10_000))
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(raw)
        return connection.read_response()


def serves_small_and_large(server: Server, large: bool) -> None:
    """Small bodies need no file; large ones are served again once there is a place."""
    assert fetch(server.address, "/echo", "POST", body=b"small").body == b"small"
    if large:
        assert json.loads(upload(server.address, 200_000).body)["size"] == 200_000


def logged_once(server: Server, directory: Path, cause: str) -> None:
    lines = server.wait_for_log(r"\[ERROR\] (.*)\n")
    assert len(lines) == 1, [line[0] for line in lines]
    text = lines[0][1]
    assert str(directory) in text and cause in text and "--tmp-upload-dir" in text
    assert "Traceback" not in server.log()


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    directory = tmp_path / "small"
    directory.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "monoceros-test", str(directory)], capture_output=True, text=True
    )
    if mount.returncode:
        pytest.skip(f"no small file system can be mounted: {mount.stderr.strip()}")
    yield directory
    subprocess.run(["umount", str(directory)], check=True)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_full_disk(full: Path, serve: Serve, framing: str) -> None:
    server = serve("probe:app", "--tmp-upload-dir", str(full), "--spool-limit", "0")
    response = upload(server.address, 3 * MIB, framing)
    assert response.status == 507 and b"insufficient-storage" in response.body
    assert response.header("Connection") == "close"
    logged_once(server, full, "No space left on device")
    # The failed body has left nothing behind.
    until(lambda: os.statvfs(full).f_bfree == os.statvfs(full).f_blocks, "free space")
    serves_small_and_large(server, large=True)


def test_a_limit_on_the_size_of_files(serve: Serve, tmp_path: Path) -> None:
    server = serve("probe:app", "--tmp-upload-dir", str(tmp_path))
    fetch(server.address, "/body?case=one")
    resource.prlimit(server.worker(), resource.RLIMIT_FSIZE, (MIB, MIB))
    response = upload(server.address, 3 * MIB)
    assert response.status == 507 and b"insufficient-storage" in response.body
    logged_once(server, tmp_path, "File too large")
    serves_small_and_large(server, large=True)


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_no_room_for_the_end_of_a_body(serve: Serve, tmp_path: Path, framing: str) -> None:
    """The last of a body is written when all of it has come, and that fails like any other write."""
    server = serve("probe:app", "--tmp-upload-dir", str(tmp_path), "--request-body-memory", "1000")
    fetch(server.address, "/body?case=one")
    resource.prlimit(server.worker(), resource.RLIMIT_FSIZE, (30_000, 30_000))
    response = upload(server.address, 40_000, framing)
    assert response.status == 507 and b"insufficient-storage" in response.body
    logged_once(server, tmp_path, "File too large")
    assert json.loads(upload(server.address, 20_000, framing).body)["size"] == 20_000


def test_chunks_of_a_byte(serve: Serve) -> None:
    server = serve("probe:app", "--request-body-memory", "1000")
    body = bytes(range(256)) * 1000
    response = fetch_chunks(server, [body[index : index + 1] for index in range(len(body))])
    assert json.loads(response.body) == {"size": len(body), "sha256": sha256(body).hexdigest(), "rest": True}


def fetch_chunks(server: Server, chunks: list[bytes]) -> Response:
    with Connection(server.address) as connection:
        connection.send(encode_chunked("POST", "/digest", chunks))
        return connection.read_response()


def test_tmpdir_set_to_nothing_is_not_set(serve: Serve) -> None:
    server = serve("probe:app", environment={"TMPDIR": ""})
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/read-late?name=empty&operation=read", body=b"x" * 200_000))
        server.wait_for_trace("empty.entered")
        files = [name for name in descriptors(server.worker()).values() if name.endswith("(deleted)")]
        spooled = [name for name in files if not name.startswith("/memfd:")]
        assert len(spooled) == 1 and spooled[0].startswith("/tmp/")
        server.release("empty")
        assert connection.read_response().body == b"200000"
    assert "[WARNING]" not in server.log()


def test_a_tmpdir_that_is_missing_is_said_at_the_start(serve: Serve, tmp_path: Path) -> None:
    """A flag that names no directory is refused; the variable may be meant for others."""
    missing = tmp_path / "missing"
    server = serve("probe:app", "-w", "2", environment={"TMPDIR": str(missing)})
    serves_small_and_large(server, large=False)
    lines = server.wait_for_log(r"\[WARNING\] (.*)\n")
    assert len(lines) == 1
    assert str(missing) in lines[0][1] and "--tmp-upload-dir" in lines[0][1]


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_directory_that_is_gone(serve: Serve, tmp_path: Path, framing: str) -> None:
    directory = tmp_path / "uploads"
    directory.mkdir()
    server = serve("probe:app", "--tmp-upload-dir", str(directory))
    serves_small_and_large(server, large=True)
    directory.rmdir()
    response = upload(server.address, MIB, framing)
    assert response.status == 503 and b"body-not-stored" in response.body
    logged_once(server, directory, "No such file or directory")
    serves_small_and_large(server, large=False)
    directory.mkdir()
    serves_small_and_large(server, large=True)


@pytest.mark.parametrize("operation", ["read", "readline", "iterate"])
def test_a_file_that_cannot_be_read_later(serve: Serve, tmp_path: Path, operation: str) -> None:
    """A body that is not all there is an error in the application, and never a short body."""
    server = serve("probe:app", "--tmp-upload-dir", str(tmp_path))
    with Connection(server.address) as connection:
        connection.send(
            encode("POST", f"/read-late?name=cut&operation={operation}", body=(b"x" * 99 + b"\n") * 2000),
        )
        server.wait_for_trace("cut.entered")
        worker = server.worker()
        spooled = [number for number, name in descriptors(worker).items() if str(tmp_path) in name]
        assert len(spooled) == 1
        os.truncate(f"/proc/{worker}/fd/{spooled[0]}", 100_050)
        server.release("cut")
        assert connection.read_response().status == 500
    server.wait_for_log(r"OSError: the request body, which was kept in a file, cannot be read")
    serves_small_and_large(server, large=True)


def test_a_forked_process_keeps_the_body(serve: Serve, tmp_path: Path) -> None:
    """The request is over and the worker has closed the body's file: whoever was forked meanwhile has all of it."""
    server = serve("probe:app", "--tmp-upload-dir", str(tmp_path))
    body = bytes(range(256)) * (5 * MIB // 256)
    response = fetch(server.address, "/fork-reader?name=late", "POST", body=body)
    assert response.body == b"later"
    worker = server.worker()
    until(lambda: not any(str(tmp_path) in name for name in descriptors(worker).values()), "the file to be closed")
    server.release("late")
    assert server.wait_for_trace("late.digest", 64) == sha256(body).hexdigest()


@pytest.mark.parametrize("size", [10_000, 200_000])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_over_the_limit(serve: Serve, framing: str, size: int) -> None:
    server = serve("probe:app", "--limit-request-body", str(size))
    assert json.loads(upload(server.address, size, framing).body)["size"] == size
    response = upload(server.address, size + 10_000, framing)
    assert response.status == 413 and b"body-too-large" in response.body
    assert len(server.trace("calls")) == 1


@pytest.mark.parametrize("fields", [[], [("Expect", "100-continue")]])
def test_a_body_announced_as_too_large_is_refused_before_it_comes(serve: Serve, fields: list[tuple[str, str]]) -> None:
    server = serve("probe:app", "--limit-request-body", "1000")
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Content-Length", "1001"), *fields]))
        response = connection.read_response()
        assert response.status == 413 and response.interim == []
        connection.assert_closed()


def test_a_chunk_announced_as_too_large_is_refused_before_it_comes(serve: Serve) -> None:
    server = serve("probe:app", "--limit-request-body", "1000")
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/echo", [("Transfer-Encoding", "chunked")]) + b"3e9\r\n")
        assert connection.read_response().status == 413


def test_files_have_no_names(serve: Serve, tmp_path: Path) -> None:
    """Nothing of a body is left to be found, whatever happens to the server."""
    server = serve("probe:app", "--tmp-upload-dir", str(tmp_path))
    with Connection(server.address) as connection:
        connection.send(encode("POST", "/read-late?name=seen&operation=read", body=b"x" * 200_000))
        server.wait_for_trace("seen.entered")
        assert list(tmp_path.iterdir()) == []
        server.release("seen")
        assert re.fullmatch(rb"200000", connection.read_response().body)
