"""Applications that take the client's address from a field of a proxy and write it into the environ."""

from werkzeug.middleware.proxy_fix import ProxyFix


def answer(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["REMOTE_ADDR"].encode("latin-1")]


def credulous(environ, start_response):
    """Takes whatever stands there."""
    environ["REMOTE_ADDR"] = environ["HTTP_X_REAL_IP"]
    return answer(environ, start_response)


app = ProxyFix(answer)
