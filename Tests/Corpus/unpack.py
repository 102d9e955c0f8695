"""Write the cases of this directory as raw bytes, one file each, as seeds for the fuzz targets.

Targets that have no cases here get a few seeds from below.

usage: unpack.py DIRECTORY
"""

import pathlib
import re
import sys

ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\((.+?)\*([0-9]+)\)|(.))", re.DOTALL)
SINGLE = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\", "s": " "}


def unescape(text: str) -> str:
    """Undo the notation that README.md describes."""

    def replace(match: re.Match) -> str:
        hexadecimal, repeated, count, single = match.groups()
        if hexadecimal:
            return chr(int(hexadecimal, 16))
        if repeated:
            return unescape(repeated) * int(count)
        return SINGLE[single]

    return ESCAPE.sub(replace, text)


PROXY_V2 = b"\r\n\r\n\0\r\nQUIT\n"
PROXY = {
    "v1-tcp4": b"PROXY TCP4 192.0.2.1 198.51.100.2 5000 80\r\nGET /",
    "v1-tcp6": b"PROXY TCP6 2001:db8::1 ::ffff:1.2.3.4 65535 0\r\n",
    "v1-unknown": b"PROXY UNKNOWN ::1 ::2 3 4\r\n",
    "v2-tcp4": PROXY_V2 + b"\x21\x11\0\x10" + bytes(range(12)) + b"\x04\0\1x",
    "v2-tcp6": PROXY_V2 + b"\x21\x21\0\x24" + bytes(range(36)),
    "v2-unix": PROXY_V2 + b"\x21\x31\0\xd8" + bytes(216),
    "v2-local": PROXY_V2 + b"\x20\0\0\0",
    "none": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "list-v4": b"10.0.0.0/255.0.0.0",
    "list-v6": b"2001:db8::/32",
}


def main() -> None:
    corpus = pathlib.Path(__file__).parent
    target = pathlib.Path(sys.argv[1])
    for name in ("Request", "Chunked", "Response", "Server", "Proxy"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for path in sorted(corpus.glob("*/*.http")):
        text = path.read_text(encoding="ascii").replace("\n", "")
        raw = unescape(text).encode("latin-1")
        seed = f"{path.parent.name}-{path.stem}"
        (target / "Request" / seed).write_bytes(raw)
        (target / "Server" / seed).write_bytes(raw)
        head, separator, body = raw.partition(b"\r\n\r\n")
        if separator and b"chunked" in head.lower():
            (target / "Chunked" / seed).write_bytes(body)
    for name, raw in PROXY.items():
        (target / "Proxy" / name).write_bytes(raw)
    response = b"\0\x1e200 OK\x1eContent-Type\x1etext/plain\x1eContent-Length\x1e5\x1eConnection\x1eclose"
    (target / "Response" / "plain").write_bytes(response)


if __name__ == "__main__":
    main()
