"""What an application does for its client, or learns of it, before and while it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from probe.routing import Environ, StartResponse, query, route, trace, wait_for_release
from probe.starts import HEADERS, Text

LINK = ("Link", "</style.css>; rel=preload; as=style")
#: `wsgi.early_hints` and `monoceros.client_disconnected` of a request that is over.
kept: list[Callable[..., object]] = []

HINTS: dict[str, object] = {
    "one": [LINK],
    "several": [LINK, ("link", "</script.js>; rel=preload"), ("X-Empty", ""), (Text("X-Text"), Text("yes"))],
    "none": [],
    "tuple": (("X-Tuple", "yes"),),
    "bytes": [(b"X-Bytes", b"caf\xe9")],
    "padded": [("X-Padded", "  value\t")],
    "connection": [("Connection", "close"), ("Transfer-Encoding", "chunked"), ("Content-Length", "5"), LINK],
    "generator": None,
}


def plain(start_response: StartResponse, body: bytes) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@route("/hints")
def hints(environ: Environ, start_response: StartResponse) -> object:
    case = query(environ)["case"]
    environ["wsgi.early_hints"]((pair for pair in [LINK]) if case == "generator" else HINTS[case])
    return plain(start_response, b"hinted")


@route("/hints-in-steps")
def hints_in_steps(environ: Environ, start_response: StartResponse) -> object:
    """Each is seen by the client before the next, and the response."""
    for number in range(2):
        environ["wsgi.early_hints"]([("X-Number", str(number))])
        wait_for_release(f"{query(environ)['name']}.{number}")
    return plain(start_response, b"hinted")


@route("/hints-bad")
def hints_bad(environ: Environ, start_response: StartResponse) -> object:
    case = query(environ)["case"]
    try:
        environ["wsgi.early_hints"](HEADERS[case])
    except Exception as error:
        assert "leaked" not in str(error)
        return plain(start_response, b"refused")
    return plain(start_response, b"accepted")


@route("/hints-uncaught")
def hints_uncaught(environ: Environ, start_response: StartResponse) -> object:
    environ["wsgi.early_hints"]([("X-Good", "leaked"), ("X-A", "b\r\nX-Injected: leaked")])
    return plain(start_response, b"never")


@route("/hints-then-failure")
def hints_then_failure(environ: Environ, start_response: StartResponse) -> object:
    environ["wsgi.early_hints"]([LINK])
    raise RuntimeError("failed after the hints")


@route("/hints-between")
def hints_between(environ: Environ, start_response: StartResponse) -> object:
    """Started is not sent: they may still come first."""
    start_response("200 OK", [("Content-Length", "6")])
    environ["wsgi.early_hints"]([LINK])
    return [b"hinted"]


@route("/hints-too-late")
def hints_too_late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [])
    yield b"first "
    environ["wsgi.early_hints"]([("X-Late", "yes")])
    yield b"second"


@route("/hints-endless")
def hints_endless(environ: Environ, start_response: StartResponse) -> object:
    """For a client that reads none of them; it ends when the client does."""
    for _ in range(100_000):
        environ["wsgi.early_hints"]([("X-Large", "x" * 10_000)])
        if environ["monoceros.client_disconnected"]():
            trace(query(environ)["name"], "gone")
            break
    return plain(start_response, b"never read")


@route("/keep-callables")
def keep_callables(environ: Environ, start_response: StartResponse) -> object:
    kept[:] = [environ["wsgi.early_hints"], environ["monoceros.client_disconnected"]]
    return plain(start_response, b"kept")


@route("/take-socket")
def take_socket(environ: Environ, start_response: StartResponse) -> object:
    """The client's connection, used and let go."""
    environ["gunicorn.socket"].sendall(b"taken")
    return []


@route("/call-kept")
def call_kept(environ: Environ, start_response: StartResponse) -> object:
    """Those of another request must not reach this one's client."""
    early_hints, disconnected = kept
    early_hints([("X-Stray", "yes")])
    mine = environ["wsgi.early_hints"] is not early_hints
    environ["wsgi.early_hints"]([("X-Own", "yes")])
    return plain(start_response, f"{mine} {disconnected()} {environ['monoceros.client_disconnected']()}".encode())


@route("/same-callables")
def same_callables(environ: Environ, start_response: StartResponse) -> object:
    """Whether nothing new was made since the last such request."""
    number = f"{id(environ['wsgi.early_hints'])} {id(environ['monoceros.client_disconnected'])}"
    return plain(start_response, number.encode())


@route("/misused-callables")
def misused_callables(environ: Environ, start_response: StartResponse) -> object:
    refusals = 0
    for call in (
        lambda: environ["wsgi.early_hints"](),
        lambda: environ["wsgi.early_hints"]([], []),
        lambda: environ["wsgi.early_hints"](5),
        lambda: environ["wsgi.early_hints"](wrong=[]),
        lambda: environ["monoceros.client_disconnected"](1),
    ):
        try:
            call()
        except TypeError:
            refusals += 1
    return plain(start_response, str(refusals).encode())


@route("/until-gone")
def until_gone(environ: Environ, start_response: StartResponse) -> object:
    """Works on until nobody waits for the result, or the test has seen enough."""
    name = query(environ)["name"]
    disconnected = environ["monoceros.client_disconnected"]
    body = environ["wsgi.input"].read()
    trace(f"{name}.there", f"{disconnected()}\n")
    wait_for_release(f"{name}.act")
    if "never" not in query(environ):
        while not disconnected():
            pass
    trace(f"{name}.after", f"{disconnected()}\n")
    return plain(start_response, b"answered " + body)


class Counted:
    """A stream without end that leaves a trace for each block, and for its close."""

    def __init__(self, name: str, block: bytes, count: int) -> None:
        self.name = name
        self.block = block
        self.left = count

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self.left:
            raise StopIteration
        self.left -= 1
        trace(f"{self.name}.blocks", "b")
        return self.block

    def close(self) -> None:
        trace(f"{self.name}.close", "c")


@route("/counted")
def counted(environ: Environ, start_response: StartResponse) -> object:
    asked = query(environ)
    put = start_response("200 OK", [("Content-Length", asked["length"])] if "length" in asked else [])
    stream = Counted(asked["name"], b"x" * int(asked["size"]), int(asked["count"]))
    if "written" not in asked:
        return stream
    for block in stream:
        put(block)
    return []
