"""A server with a command line and a configuration file of its own choice."""

from monoceros.app.base import Application


class Own(Application):
    def init(self, parser, opts, args):
        self.greeting = args[-1]
        return {"bind": "127.0.0.1:0", "workers": 3}

    def load_config(self):
        super().load_config()
        self.load_config_from_file(self.greeting + ".conf.py")

    def load(self):
        def app(environ, start_response):
            start_response("200 OK", [])
            return [f"{self.greeting} {self.cfg.proc_name} {self.cfg.workers}".encode()]

        return app


if __name__ == "__main__":
    Own("%(prog)s [OPTIONS] NAME", prog="own").run()
