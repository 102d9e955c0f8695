"""A fixture for the tests of what logs: the loggers are the process's."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture
def own_loggers():
    """The loggers are the process's: each test leaves them as it found them."""
    logs = [logging.root, logging.getLogger("gunicorn.error"), logging.getLogger("gunicorn.access")]
    before = [(log, log.handlers[:], log.level, log.propagate, log.filters[:]) for log in logs]
    for log in logs[1:]:
        log.handlers[:] = []
        # pytest puts handlers of its own on a logger that keeps its records to itself.
        log.propagate = True
    yield
    for log, handlers, level, propagate, filters in before:
        for handler in log.handlers:
            if handler not in handlers:
                handler.close()
        log.handlers[:], log.level, log.propagate, log.filters[:] = handlers, level, propagate, filters
        log.disabled = False
        log.manager._clear_cache()
