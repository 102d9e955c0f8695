"""What is measured: which application, which requests, and what a correct answer looks like."""

from dataclasses import dataclass

from benchmarks import apps

# What a desktop browser sends on a navigation; with Host, which wrk adds, twelve field lines.
BROWSER = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.7,de;q=0.3"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Referer", "http://127.0.0.1/products/list?page=3&sort=price"),
    ("Cookie", "sessionid=3f9c1b2a7d5e4860b1c2d3e4f5a6b7c8; csrftoken=kX2vQ9mZ7bN4pL1sR8tW5yU3; theme=dark"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Cache-Control", "max-age=0"),
)


@dataclass(frozen=True)
class Path:
    """A request target, the length in bytes of its correct answer, and its share of the requests."""

    path: str
    length: int
    weight: int = 1


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    app: str
    paths: tuple[Path, ...]
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body_bytes: int = 0
    connections: int = 64
    # Python threads of the servers that have threads; the others do not take part where this is given.
    threads: int | None = None
    # With more than one worker, server and client share all CPUs: there is none left to pin the client to.
    workers: int = 1
    # Latencies are those of the first path alone: slow requests are mixed in on purpose (benchmarks/closed_loop.py).
    tells_paths_apart: bool = False
    default: bool = True


HELLO = (Path("/", len(apps.HELLO)),)

CASES = {
    case.name: case
    for case in (
        Case("hello", "Hello, World: 13 bytes", "benchmarks.apps:hello", HELLO),
        Case("body-10k", "10 KB response", "benchmarks.apps:ten_kb", (Path("/", len(apps.TEN_KB)),)),
        Case("post-1k", "POST of 1 KB", "benchmarks.apps:post", (Path("/", 10),), method="POST", body_bytes=1024),
        Case("browser", "Browser-like request: 12 header fields", "benchmarks.apps:hello", HELLO, headers=BROWSER),
        Case(
            "close",
            "A connection per request",
            "benchmarks.apps:hello",
            HELLO,
            headers=(("Connection", "close"),),
        ),
        Case(
            "flask",
            "Flask: JSON and a page in turn",
            "benchmarks.apps_flask:app",
            (Path("/json", 871), Path("/page?page=2", 834)),
            headers=BROWSER,
        ),
        Case(
            "django",
            "Django: middleware and a template",
            "benchmarks.apps_django:app",
            (Path("/products/", 1152),),
            headers=BROWSER,
        ),
        Case(
            "post-64k",
            "POST of 64 KB",
            "benchmarks.apps:post",
            (Path("/", 11),),
            method="POST",
            body_bytes=65536,
            default=False,
        ),
        Case("body-1m", "1 MB response", "benchmarks.apps:one_mb", (Path("/", len(apps.ONE_MB)),), default=False),
        Case(
            "stream",
            "Stream of 100 small blocks",
            "benchmarks.apps:stream",
            (Path("/", apps.BLOCKS * len(apps.BLOCK)),),
            default=False,
        ),
        Case("sleep", "10 ms sleep, 8 threads", "benchmarks.apps:sleep", HELLO, threads=8, default=False),
        Case(
            "mixed",
            "One request in 50 sleeps 50 ms, 8 threads",
            "benchmarks.apps:mixed",
            (Path("/", len(apps.HELLO), weight=49), Path("/slow", len(apps.HELLO))),
            connections=32,
            threads=8,
            tells_paths_apart=True,
            default=False,
        ),
        Case(
            "computing",
            "One request in 200 computes for 20 ms, 4 threads",
            "benchmarks.apps:computing",
            (Path("/", len(apps.HELLO), weight=199), Path("/slow", len(apps.HELLO))),
            connections=32,
            threads=4,
            tells_paths_apart=True,
            default=False,
        ),
        Case("two-workers", "Hello, two workers on all CPUs", "benchmarks.apps:hello", HELLO, workers=2, default=False),
    )
}

# Measurements of their own beside the cases: they run no load.
START = "start"
IDLE = "idle"
