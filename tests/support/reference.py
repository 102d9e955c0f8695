"""gunicorn's own verdict on the bytes of a connection: its parser and its environ, in this process."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from typing import Any

from mirror import of_request

from support.foreign import SOURCES


@dataclass
class Served:
    """A request that gunicorn would run the application for, with its whole body."""

    environ: dict[str, str]
    body: str
    #: Upper-case names and values, in order, as the parser has them.
    fields: list[tuple[str, str]]
    version: tuple[int, int]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]


@dataclass
class Verdict:
    served: list[Served] = field(default_factory=list)
    #: `close`: after the last request the connection ends. `end`: no byte is left. `cut`: what is left is not a whole
    #: request. Otherwise the name of the exception by which it refuses what is left.
    ending: str = "end"
    #: The text of that exception.
    detail: str = ""
    #: What gunicorn was told to do differently.
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def refuses(self) -> bool:
        return self.ending not in ("close", "end", "cut")


class Reference:
    """gunicorn with some settings."""

    def __init__(self, settings: dict[str, Any]) -> None:
        sys.path.insert(0, str(SOURCES))
        try:
            self._errors = importlib.import_module("gunicorn.http.errors")
            self._parser = importlib.import_module("gunicorn.http.parser").RequestParser
            self._length_reader = importlib.import_module("gunicorn.http.body").LengthReader
            self._create = importlib.import_module("gunicorn.http.wsgi").create
            self._configuration = importlib.import_module("gunicorn.config").Config()
        finally:
            sys.path.remove(str(SOURCES))
        self.settings = settings
        for name, value in ({"http_parser": "python"} | settings).items():
            self._configuration.set(name, value)

    def judge(self, raw: bytes) -> Verdict:
        verdict = Verdict(settings=self.settings)
        # The peer None is one that gunicorn trusts, as it trusts whoever may open a Unix socket.
        parser = self._parser(self._configuration, iter([raw]), None)
        try:
            for request in parser:
                verdict.ending = "cut"
                reader = request.body.reader
                length = reader.length if isinstance(reader, self._length_reader) else None
                _, environ = self._create(request, _Deaf(), "", "", self._configuration)
                body = request.body.read()
                # It gives the application what there is of a body, and does not tell it that there was more.
                if length is not None and len(body) < length:
                    return verdict
                verdict.served.append(
                    Served(of_request(environ), body.decode("latin-1"), list(request.headers), request.version)
                )
                verdict.ending = "close" if request.should_close() else "end"
        except self._errors.NoMoreData:
            verdict.ending = "cut"
        # ValueError: a NUL in the address of a PROXY line, which it does not foresee. The client gets a 500.
        except (self._errors.ParseException, ValueError) as error:
            verdict.ending = type(error).__name__
            verdict.detail = str(error)
        return verdict


class _Deaf:
    """The socket that `100 Continue` would go to."""

    def send(self, data: bytes) -> int:
        return len(data)
