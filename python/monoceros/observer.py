"""What Python gets to see of each request: the hooks `pre_request` and `post_request`, and the Python access log.

Nobody asks for it in most servers, and then the core calls nothing here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

from monoceros import accesslog
from monoceros.atoms import MISSING
from monoceros.hints import Any
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
        #: Whether the logger is told of each request, those that are refused included.
        self.logs = accesslog.needs_python(logger, cfg)
        self._logs_refused = self.logs
        # Requests whose responses have not left yet, by ticket: what the logger is to be told of them then.
        self._leaving: dict[int, tuple[Response, Request, dict[str, Any]]] = {}
        self._tickets = itertools.count(1)

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
        sent: int | None,
        length: int | None,
        is_chunked: bool,
        microseconds: int,
        is_leaving: bool = False,
    ) -> int:
        """After the application. Does not raise. Returns a ticket where the logger is told later (`left`), else 0.

        `status` is the code and the reason phrase, or `-` where there was no response. `headers` are the application's
        own. `sent` counts bytes of the body, None where there was no response, and `length` is what `Content-Length`
        said, or None. `is_leaving` says that something of the response has not left yet.
        """
        ticket = 0
        response = Response(request, status, headers, sent, length, is_chunked, should_close=request.should_close())
        if self.logs and is_leaving:
            ticket = next(self._tickets)
            self._leaving[ticket] = response, request, environ
        elif self.logs:
            self._log(response, request, environ, microseconds)
        if self._after is not None:
            try:
                self._after(self._worker, request, environ, response)
            except Exception:
                self._logger.exception("Exception in post_request hook")
        return ticket

    def left(self, ticket: int, sent: int, microseconds: int) -> None:
        """Tells the logger of a request whose response has left by now, or never will. Does not raise.

        `ticket` is what `end` returned, and `sent` counts the bytes of the body that left.
        """
        response, request, environ = self._leaving.pop(ticket)
        if response.sent is not None:
            response.sent = sent
        self._log(response, request, environ, microseconds)

    def _log(self, response: Response, request: Request, environ: dict[str, Any], microseconds: int) -> None:
        try:
            self._logger.access(response, request, environ, timedelta(microseconds=microseconds))
        except Exception:
            self._logger.exception("The logger failed at a request")

    def refused(
        self,
        head: str,
        method: str,
        target: str,
        protocol: str,
        address: str,
        status: int,
        sent: int,
        microseconds: int,
    ) -> None:
        """Tells the logger of a request that no application got. Does not raise.

        `head` is what came of it, and the next three are the pieces of its first line. `status` is 0 where the client
        left before it could be answered; otherwise the server's answer had a body of `sent` bytes. All text is in
        ISO 8859-1, as in an environ.
        """
        if not self._logs_refused:
            return
        environ = {
            "REQUEST_METHOD": method or MISSING,
            "RAW_URI": target or MISSING,
            "SERVER_PROTOCOL": protocol or MISSING,
            "PATH_INFO": MISSING,
            "QUERY_STRING": MISSING,
            "REMOTE_ADDR": address,
        }
        fields = []
        for line in head.split("\n")[1:]:
            name, colon, value = line.partition(":")
            if colon and name and not name[0].isspace() and "_" not in name:
                fields.append((name.upper(), value.strip()))
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = value.strip()
        request = Request(environ, fields)
        response = Response(request, status_line(status), [], sent if status else None, should_close=True)
        try:
            self._logger.access(response, request, environ, timedelta(microseconds=microseconds))
        except Exception:
            # Whoever sends nonsense must not fill the log with tracebacks.
            self._logs_refused = False
            self._logger.exception("The logger failed at a request that was refused, and hears of no more of them")


def status_line(status: int) -> str:
    """Code and reason phrase; `-` where there is no status."""
    if not status:
        return MISSING
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
