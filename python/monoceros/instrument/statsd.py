"""A logger that also sends what it sees to statsd, as gunicorn's does: one datagram for each metric.

It never waits: the socket does not block, and a datagram that it does not take is lost, as any datagram may be.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

from monoceros import util
from monoceros.glogging import Logger
from monoceros.hints import Any

#: The entries of a record's `extra` that make a metric of it.
METRIC_VAR = "metric"
VALUE_VAR = "value"
MTYPE_VAR = "mtype"
GAUGE_TYPE = "gauge"
COUNTER_TYPE = "counter"
HISTOGRAM_TYPE = "histogram"
TIMER_TYPE = "timer"


class Statsd(Logger):
    """What `logger_class` becomes when `statsd_host` is set."""

    def __init__(self, cfg: Any):
        super().__init__(cfg)
        prefix = cfg.statsd_prefix.rstrip(".")
        self.prefix = f"{prefix}." if prefix else ""
        self.dogstatsd_tags: str = cfg.dogstatsd_tags
        self._failure_was_said = False
        self.sock = self._connect(cfg.statsd_host)
        #: In a worker: the core counts requests, and sends that once a second.
        self.core_counts_requests = False
        self._senders: dict[str, Callable[[str, Any], None]] = {
            GAUGE_TYPE: self.gauge,
            COUNTER_TYPE: self.increment,
            HISTOGRAM_TYPE: self.histogram,
            TIMER_TYPE: self.timer,
        }

    def _connect(self, host: Any) -> socket.socket | None:
        if host is None:
            # A program has named this class and no server.
            return None
        if isinstance(host, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if host and util.is_ipv6(host[0]) else socket.AF_INET
        try:
            connection = socket.socket(family, socket.SOCK_DGRAM)
            connection.connect(host)
            connection.setblocking(False)
            return connection
        except (OSError, OverflowError, TypeError, ValueError) as error:
            # Not through `warning`, which would send.
            reason = getattr(error, "strerror", None) or error
            Logger.warning(self, "statsd at %s cannot be reached (%s): no metrics are sent.", self._place, reason)
            return None

    # The error log: each message of a level is counted

    def critical(self, msg: object, *args: object, **kwargs: Any) -> None:
        super().critical(msg, *args, **kwargs)
        self.increment("gunicorn.log.critical", 1)

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        super().error(msg, *args, **kwargs)
        self.increment("gunicorn.log.error", 1)

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        super().warning(msg, *args, **kwargs)
        self.increment("gunicorn.log.warning", 1)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        super().exception(msg, *args, **kwargs)
        self.increment("gunicorn.log.exception", 1)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.log(logging.INFO, msg, *args, **kwargs)

    def debug(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.log(logging.DEBUG, msg, *args, **kwargs)

    def log(self, lvl: int | str, msg: object, *args: object, **kwargs: Any) -> None:
        """Sends the metric that `extra` describes, if it does, and logs the message, if there is one."""
        extra = kwargs.get("extra") or {}
        metric, value = extra.get(METRIC_VAR), extra.get(VALUE_VAR)
        send = self._senders.get(extra.get(MTYPE_VAR))
        if metric and value is not None and send is not None:
            send(metric, value)
        if msg:
            super().log(lvl, msg, *args, **kwargs)

    # The access log

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Logs the request, and sends its duration and its status."""
        super().access(resp, req, environ, request_time)
        if self.core_counts_requests:
            return
        status = resp.status.decode() if isinstance(resp.status, bytes) else resp.status
        code = int(status.split(None, 1)[0]) if isinstance(status, str) else status
        self.timer("gunicorn.request.duration", request_time.total_seconds() * 1000)
        self.increment("gunicorn.requests", 1)
        self.increment(f"gunicorn.request.status.{code}", 1)

    # Metrics, for subclasses and hooks

    def gauge(self, name: str, value: Any) -> None:
        self._sock_send(f"{self.prefix}{name}:{value}|g")

    def increment(self, name: str, value: Any, sampling_rate: float = 1.0) -> None:
        self._sock_send(f"{self.prefix}{name}:{value}|c|@{sampling_rate}")

    def decrement(self, name: str, value: Any, sampling_rate: float = 1.0) -> None:
        self._sock_send(f"{self.prefix}{name}:-{value}|c|@{sampling_rate}")

    def timer(self, name: str, value: Any) -> None:
        """In milliseconds."""
        self._sock_send(f"{self.prefix}{name}:{value}|ms")

    def histogram(self, name: str, value: Any) -> None:
        self._sock_send(f"{self.prefix}{name}:{value}|h")

    def _sock_send(self, msg: str | bytes) -> None:
        if self.sock is None:
            return
        tags = f"|#{self.dogstatsd_tags}" if self.dogstatsd_tags else ""
        try:
            self.sock.send(util.to_bytestring(msg, "ascii") + tags.encode("ascii"))
        except BlockingIOError:
            return
        except OSError as error:
            # Every other datagram is refused where nobody listens: once is enough.
            if not self._failure_was_said:
                self._failure_was_said = True
                text = "statsd at %s does not take metrics (%s): they are lost until it does."
                Logger.warning(self, text, self._place, error.strerror or error)
        except Exception:
            # A name or a value that a program gave.
            Logger.warning(self, "A metric could not be sent to statsd", exc_info=True)

    @property
    def _place(self) -> str:
        host = self.cfg.statsd_host
        if isinstance(host, str):
            return f"unix://{host}"
        name, port = host
        return f"[{name}]:{port}" if util.is_ipv6(name) else f"{name}:{port}"
