"""A Flask application: pages, a login kept in a signed cookie, uploads and downloads.

monoceros 'examples.flask_app:create_app()'
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from flask import Flask, Response, abort, redirect, render_template, request, session, url_for

BLOCK = 64 * 1024
LARGEST_DOWNLOAD = 1 << 30


def blocks(size: int) -> Iterator[bytes]:
    """`size` bytes that can be computed again by whoever checks them."""
    for start in range(0, size, BLOCK):
        block = hashlib.sha256(str(start).encode()).digest() * (BLOCK // 32)
        yield block[: size - start]


def create_app() -> Flask:
    app = Flask(__name__)
    # For this example only: a real deployment takes its key from the environment and never from a repository.
    app.secret_key = os.environ.get("FLASK_SECRET_KEY", "for the examples only, not a secret")

    @app.get("/")
    def index() -> str:
        return render_template("index.html", name=session.get("name"))

    @app.post("/login")
    def login() -> Response:
        session["name"] = request.form["name"]
        return redirect(url_for("index"))

    @app.post("/logout")
    def logout() -> Response:
        session.clear()
        return redirect(url_for("index"))

    @app.post("/upload")
    def upload() -> dict[str, object]:
        """Read the body piece by piece, so that its size does not matter."""
        digest = hashlib.sha256()
        size = 0
        while block := request.stream.read(BLOCK):
            digest.update(block)
            size += len(block)
        return {"size": size, "sha256": digest.hexdigest()}

    @app.post("/attach")
    def attach() -> dict[str, object]:
        """A file from an ordinary HTML form."""
        file = request.files["file"]
        content = file.read()
        return {"name": file.filename, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    @app.get("/download/<int:size>")
    def download(size: int) -> Response:
        if size > LARGEST_DOWNLOAD:
            abort(400)
        return Response(blocks(size), mimetype="application/octet-stream", headers={"Content-Length": str(size)})

    return app
