"""Shows every request as it reached the application, whatever its method and path."""

import json

#: Who sent it, by the connection or by a PROXY header.
CLIENT_KEYS = {"REMOTE_ADDR", "REMOTE_PORT", "PROXY_PROTOCOL", "PROXY_ADDR", "PROXY_PORT"}
#: What else the request decides, and not the server's address or version.
KEYS = CLIENT_KEYS | {
    "REQUEST_METHOD",
    "RAW_URI",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "SERVER_PROTOCOL",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "wsgi.url_scheme",
}


def of_request(environ):
    return {key: value for key, value in environ.items() if key in KEYS or key.startswith("HTTP_")}


def app(environ, start_response):
    body = environ["wsgi.input"].read().decode("latin-1")
    # As a header, since not every method has a response with a body. JSON in ASCII is a valid field value.
    shown = json.dumps({"environ": of_request(environ), "body": body})
    start_response("200 OK", [("X-Mirror", shown), ("Content-Length", "0")])
    return []
