"""Applications that take the client's connection: `gunicorn.socket` by hand, flask-sock, and Flask-SocketIO."""

from __future__ import annotations

import json
import os
import pprint
import socket
import threading
from pathlib import Path

from flask import Flask, request
from flask_sock import Sock
from flask_socketio import SocketIO

KEPT: list[socket.socket] = []


def trace(name: str) -> None:
    with open(Path(os.environ["TRACES"]) / name, "a") as file:
        file.write(".")


def echo_lines(connection: socket.socket) -> None:
    """Sends each line back, until the end or a line `bye`."""
    with connection, connection.makefile("rwb") as stream:
        for line in stream:
            stream.write(b"echo " + line)
            stream.flush()
            if line == b"bye\n":
                return


def raw(environ, start_response):
    """`PATH_INFO` names what is done with the connection."""
    offered = environ["gunicorn.socket"]
    match environ["PATH_INFO"]:
        case "/plain":
            body = [b"plain"]
        case "/look":
            # Nothing of this makes the connection the application's.
            offered.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            text = repr(offered) + pprint.pformat(environ) + str(copy_of(environ))
            body = [
                json.dumps([offered.getsockname(), offered.getpeername(), offered.gettimeout(), text[:40]]).encode()
            ]
        case "/is-socket":
            body = [str(isinstance(offered, socket.socket)).encode()]
        case "/echo":
            offered.sendall(b"ready\n")
            echo_lines(offered)
            body = []
        case "/recv":
            buffer = bytearray(3)
            pieces = [offered.recv(2, socket.MSG_PEEK), offered.recv(2)]
            pieces += [bytes(buffer[: offered.recv_into(buffer)]), offered.recvfrom(2)[0], offered.recvmsg(64)[0]]
            offered.sendall(b"|".join(pieces))
            body = []
        case "/thread":
            # A copy goes on after the request.
            copy = offered.dup()
            threading.Thread(target=echo_lines, args=(copy,), daemon=True).start()
            body = []
        case "/answers-too":
            offered.sendall(b"mine\n")
            start_response("200 OK", [("Content-Length", "6")])
            return [b"theirs"]
        case "/written-first":
            write = start_response("200 OK", [("Content-Length", "12")])
            write(b"x" * 5)
            offered.sendall(b"y" * 7)
            return []
        case "/in-iteration":
            start_response("200 OK", [])
            return in_iteration(offered)
        case "/keep":
            KEPT.append(offered)
            body = [b"kept"]
        case "/use-kept":
            try:
                body = [KEPT.pop().recv(1)]
            except OSError as error:
                body = [str(error.errno).encode()]
        case "/body":
            data = environ["wsgi.input"].read()
            offered.sendall(data + b"|" + offered.recv(64))
            body = []
        case "/unread-body":
            taken = offered.recv(64)
            try:
                environ["wsgi.input"].read()
            except ValueError:
                taken += b"|released"
            offered.sendall(taken)
            body = []
        case "/no-response":
            offered.sendall(b"mine\n")
            return []
        case "/fail":
            offered.sendall(b"mine\n")
            raise RuntimeError("after the connection was taken")
        case "/stop":
            offered.sendall(b"mine\n")
            raise StopIteration
        case "/stop-without":
            raise StopIteration
        case "/wait":
            offered.sendall(b"ready\n")
            trace("waiting")
            offered.recv(1)
            trace("received")
            body = []
    start_response("200 OK", [("Content-Type", "text/plain")])
    return body


def copy_of(environ):
    return dict(environ)


def in_iteration(offered):
    yield b"first"
    offered.sendall(b"raw")
    yield b"never sent"


flask = Flask(__name__)
sock = Sock(flask)


@flask.get("/")
def index() -> str:
    return "a page"


@sock.route("/echo")
def echo(ws) -> None:
    while (data := ws.receive()) != "stop":
        ws.send(data)
    trace("stopped")


socketio_app = Flask(__name__)
socketio = SocketIO(socketio_app, async_mode="threading")


@socketio_app.get("/")
def socketio_index() -> str:
    return "a page"


@socketio.on("question")
def answer(data) -> dict:
    socketio.emit("news", {"to all": data})
    return {"answer": data, "transport": socketio.server.transport(request.sid)}
