"""What Python gets to see of each request: the hooks `pre_request` and `post_request`, and the Python access log.

Nobody asks for it in most servers, and then the core calls nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from monoceros import accesslog
from monoceros.http.message import Request
from monoceros.http.wsgi import Response


class Observer:
    """One in each worker, made when its configuration and its logger are there."""

    def __init__(self, cfg: Any, logger: Any, worker: Any):
        """
        :param worker: what the hooks get as `worker`; its `nr` counts requests.
        """
        self._logger = logger
        self._worker = worker
        self._counts = hasattr(worker, "nr")
        self._before = cfg.hook("pre_request")
        self._after = cfg.hook("post_request")
        self._logs = accesslog.needs_python(logger, cfg)
        #: Whether there is anything to call `begin` and `end` for.
        self.is_needed = self._logs or self._before is not None or self._after is not None

    def begin(
        self, environ: dict[str, Any], fields: Sequence[tuple[str, str]] | None, number: int, keeps_alive: bool
    ) -> Request:
        """Before the application. What is returned is for `end`; its `should_close` says what the hook wants.

        `fields` are the request's as they came, names in upper case; None has them made from the environ. `number`
        counts the requests of the connection from 1. Raises what the hook raises: the request is then a 500.
        """
        request = Request(environ, fields, number, keeps_alive)
        if self._before is not None:
            self._before(self._worker, request)
        if self._counts:
            self._worker.nr += 1
        return request

    def end(
        self,
        request: Request,
        environ: dict[str, Any],
        status: str,
        headers: Sequence[tuple[str, str]],
        sent: int,
        length: int | None,
        is_chunked: bool,
        microseconds: int,
    ) -> None:
        """After the response. Does not raise.

        `status` is the code and the reason phrase. `headers` are the application's own. `sent` counts bytes of the
        body, and `length` is what `Content-Length` said, or None.
        """
        response = Response(request, status, headers, sent, length, is_chunked, should_close=request.should_close())
        if self._logs:
            try:
                self._logger.access(response, request, environ, timedelta(microseconds=microseconds))
            except Exception:
                self._logger.exception("The logger failed at a request")
        if self._after is not None:
            try:
                self._after(self._worker, request, environ, response)
            except Exception:
                self._logger.exception("Exception in post_request hook")
