"""Loggers that users write, each by another of the ways that gunicorn's has."""

import json
import logging

from monoceros import glogging


class Marked(glogging.Logger):
    """Another format, by attributes."""

    error_fmt = "MARKED %(levelname)s %(message)s"


class Json(glogging.Logger):
    """Another formatter, in `setup`."""

    def setup(self, cfg):
        super().setup(cfg)
        self._set_handler(self.error_log, cfg.errorlog, Formatter())


class Formatter(logging.Formatter):
    def format(self, record):
        return json.dumps({"level": record.levelname, "text": record.getMessage()})


class Personal(logging.Formatter):
    """Wants something of a record that none has."""

    def format(self, record):
        return f"{record.user}: {record.getMessage()}"


class Quiet(glogging.Logger):
    """Leaves messages out, by methods."""

    def info(self, msg, *args, **kwargs):
        if "Booting" not in str(msg) % args:
            super().info(msg, *args, **kwargs)


class Adapter:
    """Something that is no logger of `logging`, in its place, as loguru and structlog are used."""

    def __init__(self, log):
        self._log = log

    def __getattr__(self, name):
        def write(msg, *args, **kwargs):
            self._log.critical("adapted %s: " + str(msg), name, *args)

        return write

    def log(self, level, msg, *args, **kwargs):
        self._log.critical("adapted %s: " + str(msg), level, *args)


class Replaced(glogging.Logger):
    """Another object in the place of `error_log`, as users of loguru and structlog have it."""

    def setup(self, cfg):
        super().setup(cfg)
        self.error_log = Adapter(logging.getLogger("gunicorn.error"))
