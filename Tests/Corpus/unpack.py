"""Write the cases of this directory as raw bytes, one file each, as seeds for the fuzz targets.

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


def main() -> None:
    corpus = pathlib.Path(__file__).parent
    target = pathlib.Path(sys.argv[1])
    for name in ("Request", "Chunked", "Response"):
        (target / name).mkdir(parents=True, exist_ok=True)
    for path in sorted(corpus.glob("*/*.http")):
        text = path.read_text(encoding="ascii").replace("\n", "")
        raw = unescape(text).encode("latin-1")
        seed = f"{path.parent.name}-{path.stem}"
        (target / "Request" / seed).write_bytes(raw)
        head, separator, body = raw.partition(b"\r\n\r\n")
        if separator and b"chunked" in head.lower():
            (target / "Chunked" / seed).write_bytes(body)
    response = b"\0\x1e200 OK\x1eContent-Type\x1etext/plain\x1eContent-Length\x1e5\x1eConnection\x1eclose"
    (target / "Response" / "plain").write_bytes(response)


if __name__ == "__main__":
    main()
