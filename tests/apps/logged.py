"""Answers that differ in what an access log says of them."""

import time


class Broken:
    def __iter__(self):
        yield b"begun"
        raise RuntimeError("failed in the middle")


def app(environ, start_response):
    path = environ["PATH_INFO"]
    environ["monoceros.test"] = 'said "so"\n\\ \u2028\u2029\x85'
    environ["REMOTE_USER"] = "Zo\u00eb"
    headers = [("Content-Type", "text/plain"), ("X-Answer", 'a "quoted" one')]
    if path == "/304":
        start_response("304 Not Modified", headers)
        return []
    if path == "/204":
        start_response("204 No Content", headers)
        return []
    if path == "/chunked":
        start_response("200 OK", headers)
        return iter([b"abc", b"defg"])
    if path == "/length":
        start_response("201 Created", [*headers, ("Content-Length", "5")])
        return [b"hello"]
    if path == "/raise":
        raise RuntimeError("failed")
    if path == "/middle":
        start_response("200 OK", headers)
        return Broken()
    if path == "/large":
        start_response("200 OK", headers)
        return [b"x" * 300_000]
    if path == "/huge":
        start_response("200 OK", [*headers, ("Content-Length", "20000000")])
        return [b"x" * 20_000_000]
    if path == "/slow":
        time.sleep(0.3)
    if path == "/echo":
        start_response("200 OK", headers)
        return [environ["wsgi.input"].read()]
    start_response("404 Not Found" if path == "/404" else "200 OK", headers)
    return [b"plain"]
