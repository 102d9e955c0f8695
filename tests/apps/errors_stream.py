"""An application that has much to say about every request."""


def app(environ, start_response):
    environ["wsgi.errors"].write("x" * 4095 + "\n")
    start_response("200 OK", [])
    return [b"said"]
