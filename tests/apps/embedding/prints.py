"""An application that talks by every way there is."""

import logging
import os
import sys

log = logging.getLogger(__name__)


def app(environ, start_response):
    print("printed to stdout", flush=True)
    print("printed to stderr", file=sys.stderr, flush=True)
    os.write(2, b"written to descriptor 2\n")
    environ["wsgi.errors"].write("written to wsgi.errors\n")
    start_response("200 OK", [])
    return [b"said"]
