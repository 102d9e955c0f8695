"""Its signal handler takes for as long as the test likes."""

import signal

from probe.routing import query, reply, trace, wait_for_release


def handle(number, frame):
    trace("handler.entered", "x")
    wait_for_release("handler")
    trace("handler.left", "x")


signal.signal(signal.SIGUSR2, handle)


class Large(list):
    def close(self):
        trace("large.closed", "x")


def app(environ, start_response):
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [])
        return Large([bytes(int(query(environ)["size"]))])
    body = environ["wsgi.input"].read()
    return reply(start_response, {"path": environ["PATH_INFO"], "received": len(body)})
