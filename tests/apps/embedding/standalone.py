"""The recipe "custom application" of gunicorn's documentation, with the word replaced."""

import sys

import monoceros.app.base


def handler_app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Works fine"]


class StandaloneApplication(monoceros.app.base.BaseApplication):
    def __init__(self, app, options=None):
        self.options = options or {}
        self.application = app
        super().__init__()

    def load_config(self):
        config = {key: value for key, value in self.options.items() if key in self.cfg.settings and value is not None}
        for key, value in config.items():
            self.cfg.set(key.lower(), value)

    def load(self):
        return self.application


if __name__ == "__main__":
    options = {"bind": "127.0.0.1:0", "workers": 2, "not_a_setting": 5, "timeout": None}
    options.update(argument.split("=", 1) for argument in sys.argv[1:])
    StandaloneApplication(handler_app, options).run()
