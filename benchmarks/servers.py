"""The servers and how each is started: one entry a server.

All of them get the same accounting: access log off, persistent connections on where the server knows them, one worker
process, and otherwise the server's own defaults. Where a default would forbid a case (a limit on connections), it is
raised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
REFERENCE = "monoceros"


@dataclass(frozen=True)
class Place:
    """What a command line needs to know. ``peers`` and ``own`` are directories of executables."""

    app: str
    port: int
    peers: Path
    own: Path
    workers: int = 1
    threads: int = 1

    @property
    def bind(self) -> str:
        return f"{HOST}:{self.port}"


@dataclass(frozen=True)
class Server:
    name: str
    title: str
    package: str
    command: Callable[[Place], list[str]]
    # Python threads per worker, unless the case says another number.
    threads: int = 1
    many_workers: bool = True
    default: bool = True
    note: str = ""

    @property
    def is_reference(self) -> bool:
        return self.package == REFERENCE

    def takes_part(self, case) -> bool:
        return (case.threads is None or self.threads > 1) and (case.workers == 1 or self.many_workers)


def monoceros(*options):
    def command(place):
        line = [str(place.own / "monoceros"), "-w", str(place.workers), "-b", place.bind, "--keep-alive", "75"]
        line += [option.format(threads=place.threads) for option in options]
        return [*line, place.app]

    return command


def gunicorn(*options):
    def command(place):
        line = [str(place.peers / "gunicorn"), "-w", str(place.workers), "-b", place.bind, "--keep-alive", "75"]
        line += [option.format(threads=place.threads) for option in options]
        return [*line, place.app]

    return command


def granian(place):
    return [
        str(place.peers / "granian"),
        *("--interface", "wsgi", "--http", "1", "--no-ws", "--log-level", "warning"),
        *("--host", HOST, "--port", str(place.port), "--workers", str(place.workers)),
        *("--blocking-threads", str(place.threads), "--backpressure", "2048", "--backlog", "2048"),
        place.app,
    ]


def uwsgi(place):
    threads = ["--threads", str(place.threads)] if place.threads > 1 else []
    return [
        str(place.peers / "uwsgi"),
        *("--http11-socket", place.bind, "--master", "--processes", str(place.workers), *threads),
        *("--need-app", "--die-on-term", "--disable-logging", "--listen", "1024", "--wsgi", place.app),
    ]


def waitress(place):
    return [
        str(place.peers / "waitress-serve"),
        *(f"--listen={place.bind}", f"--threads={place.threads}", "--connection-limit=2048", place.app),
    ]


def library(name):
    def command(place):
        return [str(place.peers / "python"), "-m", "benchmarks.launch", name, place.app, str(place.port)]

    return command


SERVERS = {
    server.name: server
    for server in (
        Server("monoceros", "monoceros", REFERENCE, monoceros()),
        Server(
            "monoceros-threads",
            "monoceros, threads",
            REFERENCE,
            monoceros("-k", "gthread", "--threads", "{threads}", "--worker-connections", "2048"),
            threads=4,
        ),
        Server(
            "gunicorn-sync",
            "gunicorn sync",
            "gunicorn",
            gunicorn("-k", "sync"),
            note="The sync worker closes the connection after every response, whatever the client asks for.",
        ),
        Server(
            "gunicorn-gthread",
            "gunicorn gthread",
            "gunicorn",
            gunicorn("-k", "gthread", "--threads", "{threads}", "--worker-connections", "2048"),
            threads=4,
        ),
        Server("granian", "granian", "granian", granian),
        Server("granian-threads", "granian, threads", "granian", granian, threads=4),
        Server(
            "uwsgi",
            "uWSGI",
            "uWSGI",
            uwsgi,
            note="With `--http11-socket` a worker thread stays with one connection until that connection ends, so "
            "only as many clients are served at a time as there are threads.",
        ),
        Server("uwsgi-threads", "uWSGI, threads", "uWSGI", uwsgi, threads=4, note="As uWSGI."),
        Server(
            "bjoern",
            "bjoern",
            "bjoern",
            library("bjoern"),
            many_workers=False,
            note="Sends neither Date nor Server, and has no time-outs.",
        ),
        Server("fastwsgi", "fastwsgi", "fastwsgi", library("fastwsgi"), many_workers=False),
        Server(
            "fastpysgi",
            "fastpysgi",
            "fastpysgi",
            library("fastpysgi"),
            many_workers=False,
            note="Never releases the interpreter lock, so other Python threads of the application stand still.",
        ),
        Server(
            "waitress",
            "waitress",
            "waitress",
            waitress,
            threads=4,
            many_workers=False,
            note="Runs applications in threads only; 4 is its default.",
        ),
    )
}
