"""The application of :mod:`benchmarks.one_server`: it waits, for as long as the path says."""

import time

HELLO = b"Hello, World!"
SECONDS = {"/": 0.010, "/slow": 1.5, "/fast": 0.0}


def app(environ, start_response):
    time.sleep(SECONDS[environ["PATH_INFO"]])
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(HELLO)))])
    return [HELLO]
