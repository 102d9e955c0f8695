"""The error log: gunicorn's logger name, line format and date format, so that what reads gunicorn's log reads ours."""

import logging
import sys

LOGGER = logging.getLogger("gunicorn.error")
FORMAT = "%(asctime)s [%(process)d] [%(levelname)s] %(message)s"
DATE_FORMAT = "[%Y-%m-%d %H:%M:%S %z]"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


def configure(level_name: str) -> None:
    """Sends `gunicorn.error` to stderr from the named level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT, DATE_FORMAT))
    LOGGER.handlers[:] = [handler]
    # The application configures the root logger as it likes; our lines must not come out twice because of it.
    LOGGER.propagate = False
    level = LEVELS.get(level_name.lower())
    LOGGER.setLevel(logging.INFO if level is None else level)
    if level is None:
        # gunicorn takes any word for `info`; so do we, but say so.
        LOGGER.warning("Unknown loglevel %r: using info (choose from %s)", level_name, ", ".join(LEVELS))
