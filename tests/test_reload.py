"""HUP: another configuration and other code take over, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Serve
from support.client import Closed, Connection, Truncated, can_connect, encode, fetch
from support.files import replace
from support.ports import reserved
from support.server import Server
from support.waiting import until

CODE = """
import os
{before}
with open(os.environ["TRACES"] + "/loaded", "a") as trace:
    trace.write("x")

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{answer} %d" % os.getpid()]
"""


COLORS = """
import os

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [",".join(os.environ.get(name, "none") for name in ("COLOR", "SHAPE")).encode()]
"""


def write(directory: Path, answer: str, before: str = "") -> None:
    replace(directory / "shifting.py", CODE.format(answer=answer, before=before))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    write(tmp_path, "old")
    return tmp_path


def start(serve: Serve, directory: Path, *arguments: str, workers: int = 1, **options) -> Server:
    server = serve("-w", str(workers), *arguments, "shifting:app", cwd=directory, **options)
    server.expected_boots = None
    # Every worker has read the code, so that what a test writes from here on is for others.
    server.wait_for_trace("loaded", workers)
    fetch(server.address, "/")
    return server


def reload(server: Server) -> None:
    before = server.log().count("Handling signal: hup")
    server.signal(signal.SIGHUP)
    server.wait_for_log("Handling signal: hup", before + 1)


def answers(server: Server, address=None) -> str:
    return fetch(address or server.address, "/").body.split()[0].decode()


def wait_for(server: Server, answer: str) -> None:
    until(lambda: answers(server) == answer, f"the answer {answer!r}")


def wait_for_all(server: Server, old: list[int], count: int) -> None:
    until(
        lambda: len(server.workers()) == count and not set(old) & set(server.workers()),
        f"{count} new workers and no old one",
    )


def test_new_code_takes_over(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=2)
    old = server.workers()
    write(code, "new")
    reload(server)
    wait_for_all(server, old, 2)
    assert {answers(server) for _ in range(10)} == {"new"}
    server.wait_for_log("The new configuration is in use by all workers")
    assert server.process.poll() is None


class Load:
    """Clients that ask one after the other, each time over a new connection."""

    def __init__(self, server: Server, clients: int = 3) -> None:
        self.server = server
        self.failures: list[str] = []
        self.count = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                response = fetch(self.server.address, "/")
                if response.status != 200:
                    self.failures.append(f"{response.status} {response.body!r}")
            except (Closed, Truncated, OSError) as error:
                self.failures.append(repr(error))
            self.count += 1
            time.sleep(0.002)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("arguments", [(), ("--threads", "4")])
def test_twenty_reloads_lose_no_request(serve: Serve, code: Path, arguments: tuple[str, ...]) -> None:
    server = start(serve, code, *arguments, workers=2)
    with Load(server) as load:
        for number in range(20):
            old = server.workers()
            write(code, f"v{number}")
            server.signal(signal.SIGHUP)
            wait_for_all(server, old, 2)
        until(lambda: load.count > 100 or load.failures, "a hundred answers")
    assert load.failures == []


def test_a_request_under_way_is_finished(serve: Serve) -> None:
    server = serve("probe:app")
    server.expected_boots = None
    with Connection(server.address) as connection:
        connection.send(encode("GET", "/wait?name=long"))
        old = int(server.wait_for_trace("long.entered", 2))
        server.signal(signal.SIGHUP)
        until(lambda: len(server.workers()) == 2, "a new worker")
        until(lambda: json.loads(fetch(server.address, "/process").body)["pid"] != old, "an answer of the new worker")
        server.release("long")
        assert connection.read_response().body == b"released"
    wait_for_all(server, [old], 1)


def test_no_more_exist_than_the_step_allows(serve: Serve, code: Path) -> None:
    server = start(serve, code, "--reload-step", "2", workers=3)
    old = server.workers()
    # The first of the new ones cannot serve before the test has seen it.
    write(code, "new", "import time\nwhile not os.path.exists(os.environ['TRACES'] + '/go'):\n    time.sleep(0.002)")
    server.signal(signal.SIGHUP)
    until(lambda: len(server.workers()) > 3, "a new worker beside the old ones")
    server.release("go")
    most = len(server.workers())
    while set(old) & set(server.workers()) or len(server.workers()) != 3:
        most = max(most, len(server.workers()))
    assert most <= 5


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("raise KeyError('broken')", "KeyError: 'broken'"),
        ("def f(:", "SyntaxError"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("os.kill(os.getpid(), 9)", "was sent SIGKILL"),
    ],
)
def test_code_that_does_not_boot_changes_nothing(serve: Serve, code: Path, before: str, said: str) -> None:
    server = start(serve, code, workers=2)
    old = server.workers()
    write(code, "new", before)
    reload(server)
    server.wait_for_log("The reload is given up")
    until(lambda: server.workers() == old, "the old workers alone")
    assert said in server.log()
    assert server.log().count("Traceback (most recent call last)") <= 1
    assert answers(server) == "old"
    # And once it is mended, the next reload does it.
    write(code, "mended")
    reload(server)
    wait_for(server, "mended")


def test_a_boot_that_hangs_is_given_up(serve: Serve, code: Path) -> None:
    server = start(serve, code, "--boot-timeout", "1")
    old = server.workers()
    write(code, "new", "import time\ntime.sleep(60)")
    reload(server)
    server.wait_for_log("The reload is given up, its first worker did not come to serve in time")
    server.wait_for_log(r"is still booting\. It is here:")
    until(lambda: server.workers() == old, "the old worker alone")
    # The user's own lines alone: what the server and importlib did to get there is nobody's business.
    assert re.search(
        r'It is here:\n  File "[^"]*shifting\.py", line \d+, in <module>\n    time\.sleep\(60\)', server.log()
    )
    assert answers(server) == "old"


def test_a_bad_configuration_changes_nothing(serve: Serve, code: Path) -> None:
    file = code / "settings.py"
    file.write_text("workers = 2\nraw_env = ['COLOR=red']\n")
    server = serve("-c", str(file), "shifting:app", cwd=code)
    server.expected_boots = None
    server.wait_for_trace("loaded", 2)
    old = server.workers()
    assert len(old) == 2
    for text, said in [
        ("workers = 'many'\n", "workers"),
        ("workers = \n", "SyntaxError"),
        ("import os\nos.chdir('/')\n1 / 0\n", "ZeroDivisionError"),
    ]:
        before = len(server.log())
        file.write_text(text)
        reload(server)
        server.wait_for_log("The reload is given up")
        until(lambda: "The reload is given up" in server.log()[before:], "the end of the reload")  # noqa: B023
        assert said in server.log()[before:]
    assert server.workers() == old
    # What replaces a worker still has the old configuration and directory.
    write(code, "later")
    os.kill(old[0], signal.SIGKILL)
    wait_for_all(server, [old[0]], 2)
    until(lambda: answers(server) == "later", "an answer of the replacement")


def test_the_new_configuration_counts(serve: Serve, code: Path) -> None:
    file = code / "settings.py"
    (code / "shifting.py").write_text(COLORS)
    file.write_text("workers = 1\nraw_env = ['COLOR=red']\n")
    server = serve("-c", str(file), "shifting:app", cwd=code)
    server.expected_boots = None
    assert answers(server) == "red,none"
    old = server.workers()
    file.write_text("workers = 3\nraw_env = ['SHAPE=round']\n")
    reload(server)
    wait_for_all(server, old, 3)
    assert answers(server) == "none,round"
    file.write_text("workers = 1\n")
    reload(server)
    until(lambda: len(server.workers()) == 1, "one worker")
    for count in (2, 3):
        server.signal(signal.SIGTTIN)
        until(lambda: len(server.workers()) == count, f"{count} workers")  # noqa: B023
    reload(server)
    until(lambda: len(server.workers()) == 1, "one worker again")


@pytest.fixture
def ports() -> Iterator[list[int]]:
    with reserved(2) as ports:
        yield ports


def test_addresses_come_and_go(serve: Serve, code: Path, short_path: str, ports: list[int]) -> None:
    file = code / "settings.py"
    first, second = ports
    file.write_text(f"bind = ['127.0.0.1:{first}', 'unix:{short_path}']\n")
    server = serve("-c", str(file), "shifting:app", binds=(), cwd=code)
    server.expected_boots = None
    assert answers(server, short_path) == "old"
    file.write_text(f"bind = ['127.0.0.1:{first}', '127.0.0.1:{second}']\n")
    reload(server)
    until(lambda: can_connect(("127.0.0.1", second)), "the new address")
    assert answers(server, ("127.0.0.1", second)) == "old"
    until(lambda: not Path(short_path).exists(), "the end of the dropped address")
    assert answers(server) == "old"
    file.write_text(f"bind = '127.0.0.1:{second}'\n")
    reload(server)
    until(lambda: not can_connect(("127.0.0.1", first)), "the end of the first address")
    assert answers(server, ("127.0.0.1", second)) == "old"


def test_an_address_in_use_changes_nothing(serve: Serve, code: Path, ports: list[int]) -> None:
    file = code / "settings.py"
    first = ports[0]
    file.write_text(f"bind = '127.0.0.1:{first}'\n")
    server = serve("-c", str(file), "shifting:app", binds=(), cwd=code)
    old = [server.worker()]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file.write_text(f"bind = ['127.0.0.1:{first}', '127.0.0.1:{port}']\n")
        reload(server)
        server.wait_for_log("The reload is given up")
    assert len(re.findall(rf"127\.0\.0\.1:{port}: address already in use", server.log())) == 1
    assert server.workers() == old
    assert answers(server) == "old"


def test_fifty_reloads_in_a_second_are_as_good_as_one(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=2)
    old = server.workers()
    write(code, "new")
    for _ in range(50):
        server.signal(signal.SIGHUP)
        time.sleep(0.02)
    wait_for_all(server, old, 2)
    until(lambda: {answers(server) for _ in range(6)} == {"new"}, "the new code alone")


def test_a_stop_in_the_middle_of_a_reload(serve: Serve, code: Path) -> None:
    server = start(serve, code, workers=2)
    write(code, "new", "import time\ntime.sleep(30)")
    reload(server)
    until(lambda: len(server.workers()) == 3, "a worker that boots")
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert "Traceback" not in server.log()
