"""What the ini files of tests/test_paste.py name."""


def make(global_config, **local_config):
    """An application that answers with the variables that it was made with."""
    seen = dict(global_config) | local_config
    text = ",".join(f"{name}={seen[name]}" for name in sorted(seen) if name not in ("__file__", "here")).encode()

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    return application
