"""Fixtures that serve an application for real, and the rules of the whole suite."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support.access_log import author  # noqa: F401 - a fixture
from support.expectations import EXPECTED_DIFFERENCES, UNCERTAIN, difference
from support.operations import Operate, Stuck
from support.own_loggers import own_loggers  # noqa: F401 - a fixture
from support.server import APPLICATIONS, MODULE, REPOSITORY, Server
from support.waiting import DEADLINE, until

from monoceros.admin.client import Client

# A test may look into the probes and the examples to know what to expect of them.
sys.path[:0] = [str(APPLICATIONS), str(REPOSITORY)]

Serve = Callable[..., Server]

#: Seconds that one test may take, whatever happens in it.
LIMIT = 180

#: Every server that was started and not yet stopped.
running: list[Server] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests that build and install wheels")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: builds or installs something; runs with --slow only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run with --slow"))
        for table, strict in ((EXPECTED_DIFFERENCES, True), (UNCERTAIN, False)):
            reason = difference(table, MODULE, f"{item.path.name}::{item.name}")
            if reason is not None:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=strict))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if report.failed:
        for server in running:
            report.sections.append((f"stderr of {' '.join(server.command)}", server.log()[-6000:]))
    return report


@pytest.fixture(autouse=True)
def limit(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test can hang: past the limit, it fails where it stands."""

    def expire(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the test took more than {seconds} s")

    seconds = LIMIT * 10 if request.node.get_closest_marker("slow") else LIMIT
    previous = signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


def _factory(directory: Callable[[], Path]) -> Iterator[Serve]:
    mine: list[Server] = []

    def serve(*arguments: str, **options: Any) -> Server:
        server = Server(directory(), *arguments, **options)
        mine.append(server)
        running.append(server)
        return server

    yield serve
    failures = []
    for server in mine:
        try:
            server.stop()
        except BaseException as error:
            failures.append(f"{' '.join(server.command)}\n{error!r}\n{server.log()[-6000:]}")
        finally:
            running.remove(server)
    # How another server ends is not what is tested here; it is ended in any case.
    if failures and MODULE == "monoceros":
        pytest.fail("\n".join(failures), pytrace=False)


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start servers for one test: `serve("probe:app", "-w", "2")`. They are stopped and checked at its end."""
    yield from _factory(lambda: tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """The same for all tests of a module."""
    yield from _factory(lambda: tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    """One worker that serves the probes, shared by the tests of a module."""
    return serve_module("probe:app")


@pytest.fixture
def short_path() -> Iterator[str]:
    """A path for a Unix socket; those of pytest's own directories can exceed the 107 bytes that `sun_path` holds."""
    with tempfile.TemporaryDirectory(prefix="mono-") as directory:
        yield f"{directory}/s.sock"


@pytest.fixture
def operate(serve: Callable[..., Server], short_path: str) -> Operate:
    """Start a server with an operator's socket, and the operator's client for it."""

    def start(*arguments: str, **options: Any) -> tuple[Server, Client]:
        server = serve("operated", "--admin-bind", f"unix:{short_path}", *arguments, **options)
        client = Client(f"unix:{short_path}", timeout=DEADLINE)
        until(lambda: client.ask("/ready")[0] == 200, "a server that is ready")
        return server, client

    return start


@pytest.fixture
def stuck() -> Iterator[Callable[[Server], Stuck]]:
    all_of_them: list[Stuck] = []

    def make(server: Server) -> Stuck:
        all_of_them.append(Stuck(server.address))
        return all_of_them[-1]

    yield make
    for each in all_of_them:
        each.close()
