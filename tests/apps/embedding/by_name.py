"""A server that serves an app spec with settings of its own, as many packages do with `WSGIApplication`."""

import sys

from monoceros.app.wsgiapp import WSGIApplication


class Named(WSGIApplication):
    def __init__(self, app_uri, options=None):
        self.options = options or {}
        self.app_uri = app_uri
        super().__init__()

    def load_config(self):
        for key, value in self.options.items():
            self.cfg.set(key.lower(), value)


if __name__ == "__main__":
    Named(sys.argv[1], {"bind": ["127.0.0.1:0"], "worker_class": "gthread", "threads": 2}).run()
