"""A Bottle application with a form.

monoceros examples.bottle_app:app
"""

from __future__ import annotations

from bottle import Bottle, request, response, template

app = Bottle()

PAGE = """<!doctype html>
<title>Bottle</title>
<h1>Hello, {{name}}!</h1>
<form method="post"><input name="name" value="{{name}}"><button>Greet</button></form>
"""


@app.get("/")
def form() -> str:
    return template(PAGE, name=request.get_cookie("name") or "stranger")


@app.post("/")
def greet() -> str:
    name = request.forms.getunicode("name") or "stranger"
    if name.isascii() and name.isalnum():
        response.set_cookie("name", name)
    return template(PAGE, name=name)


@app.get("/download/<size:int>")
def download(size: int) -> object:
    """`size` bytes of text, made while they are sent."""
    size = min(size, 1 << 30)
    response.content_type = "text/plain"
    response.content_length = size
    line = b"0123456789abcde\n"
    block = line * 4096

    def blocks() -> object:
        for start in range(0, size, len(block)):
            yield block[: size - start]

    return blocks()
