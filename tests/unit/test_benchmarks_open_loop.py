"""The open loop: requests come when they are due, and their latency counts from then."""

from __future__ import annotations

import asyncio
import random
import xml.etree.ElementTree as xml
from collections.abc import Awaitable, Callable

import pytest

from benchmarks import open_loop

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def load(answers: Callable[[asyncio.StreamWriter], Awaitable[None]], rate: float, seconds: float) -> dict:
    """The figures of a server that does this for each request."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await answers(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> dict:
        server = await asyncio.start_server(serve, open_loop.HOST, 0)
        async with server:
            return await open_loop.load(server.sockets[0].getsockname()[1], "/", rate, seconds)

    return open_loop.run(run())


async def at_once(writer: asyncio.StreamWriter) -> None:
    writer.write(ANSWER)


def test_as_many_requests_as_the_rate_says() -> None:
    chance = random.Random(open_loop.SEED)
    due, expected = 0.0, 0
    while due < 0.5:
        expected += 1
        due += chance.expovariate(400)
    figures = load(at_once, 400, 0.5)
    assert abs(figures["count"] - expected) <= 1 and figures["errors"] == 0
    assert figures["50"] <= figures["99"] <= figures["99.9"]


def test_who_waits_for_a_connection_waits_since_it_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_loop, "CONNECTIONS", 1)
    began: list[bool] = []

    async def first_one_late(writer: asyncio.StreamWriter) -> None:
        if not began:
            began.append(True)
            await asyncio.sleep(0.5)
        writer.write(ANSWER)

    figures = load(first_one_late, 200, 0.5)
    # Nobody is answered before the first: who was due in the middle waited for half of that.
    assert figures["errors"] == 0 and figures["50"] >= 200


def test_what_is_never_answered_counts_for_as_long_as_it_was_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_loop, "GRACE", 0.3)

    async def never(writer: asyncio.StreamWriter) -> None:
        pass

    figures = load(never, 200, 0.2)
    assert figures["errors"] == figures["count"] and figures["50"] >= 300


def test_a_connection_that_ends_is_an_error_and_another_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_loop, "GRACE", 0.3)
    monkeypatch.setattr(open_loop, "CONNECTIONS", 2)
    served: list[int] = []

    async def every_second(writer: asyncio.StreamWriter) -> None:
        served.append(1)
        if len(served) % 2:
            writer.close()
        else:
            writer.write(ANSWER)

    figures = load(every_second, 100, 0.3)
    assert 0 < figures["errors"] < figures["count"] and len(served) > 2


def test_no_connection_outlives_its_measurement() -> None:
    async def run() -> list[bool]:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silent, open_loop.HOST, 0) as server:
            pool = open_loop.Pool(server.sockets[0].getsockname()[1], "/")
            for _ in range(3):
                await pool.connect()
            pool.ask(0.0)
            connections = [*pool.idle, *pool.busy]
            await pool.close()
            return [connection.transport.is_closing() for connection in connections]

    assert open_loop.run(run()) == [True] * 3


def test_the_picture_has_a_panel_for_each_figure() -> None:
    rounds = [[{"rate": rate, "50": 1.0, "99": 5.0, "99.9": 9.0} for rate in (100.0, 200.0)]]
    scenes = {scene.name: {"monoceros": rounds, "granian": rounds} for scene in open_loop.SCENES}
    machine = {"cpus": 2, "kernel": "Linux", "python": "3"}
    root = xml.fromstring(open_loop.draw({"machine": machine, "rounds": 1, "seconds": 1.0, "scenes": scenes}))
    panels = len(open_loop.SCENES) * len(open_loop.PERCENTILES)
    paths = [element for element in root.iter() if element.tag.endswith("path")]
    # Two lines in each, and two in the legend.
    assert len(paths) == 2 * panels + 2
