"""The server as Python sees it: what starts it, and the `server` that hooks get."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

from monoceros.host import APP_LOAD_ERROR, WORKER_BOOT_ERROR, Host
from monoceros.sources import lend_name
from monoceros.workers.base import kind_of


class Arbiter:
    """The master of one server. The core does its work; this starts it, and tells about it under gunicorn's names."""

    #: Exit statuses of a worker that stop the server.
    WORKER_BOOT_ERROR = WORKER_BOOT_ERROR
    APP_LOAD_ERROR = APP_LOAD_ERROR

    def __init__(self, app: Any):
        """
        :param app: a `monoceros.app.base.BaseApplication`, with its configuration loaded.

        Raises RuntimeError for a log, or a kind of worker, that cannot be had.
        """
        self.app = app
        self.cfg: Any = None
        self.log: Any = None
        self.num_workers = 0
        #: The workers by their process id.
        self.WORKERS: dict[int, Any] = {}
        #: The listening sockets.
        self.LISTENERS: list[Any] = []
        self.pid = os.getpid()
        #: The process id of the master that this one was started by (USR2); 0 otherwise.
        self.master_pid = 0
        self.master_name = "Master"
        #: That of the master that this one has started (USR2); 0 otherwise.
        self.reexec_pid = 0
        #: How many workers there have been.
        self.worker_age = 0
        self.pidfile: Any = None
        self.setup(app)

    def setup(self, app: Any) -> None:
        """Takes the application's configuration; at a reload too."""
        self.app = app
        self.cfg = app.cfg
        if self.log is None:
            self.log = self.cfg.logger_class(self.cfg)
        else:
            self.log.setup(self.cfg)
        app.logger = self.log
        if self.cfg.gunicorn_compat:
            lend_name(self.cfg)
        self.worker_class = self.cfg.worker_class
        self.worker_kind = kind_of(self.worker_class)
        self.num_workers = self.cfg.workers

    @property
    def address(self) -> list[Any]:
        return self.cfg.address

    @property
    def timeout(self) -> int:
        return self.cfg.timeout

    @property
    def proc_name(self) -> str:
        return self.cfg.proc_name

    def run(self) -> NoReturn:
        """Serves until told to stop, and ends the process.

        Raises RuntimeError, before anything is bound or forked, with one line for the user, when a setting cannot be
        used.
        """
        from monoceros import _native

        host = Host(self.app, self.log)
        # Applications look here to learn what serves them, outside of any request.
        os.environ["SERVER_SOFTWARE"] = host.server_software
        for line in self.cfg.notices + self.cfg.without_effect():
            self.log.warning("%s", line)
        try:
            status = _native.serve(self.cfg.native(), host)
        except ValueError as error:
            raise RuntimeError(str(error)) from None
        sys.exit(status)
