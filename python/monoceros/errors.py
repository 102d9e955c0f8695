"""Exceptions with gunicorn's names, for code that raises or catches them."""

from monoceros.application import AppImportError

__all__ = ["AppImportError", "ConfigError", "HaltServer"]


class HaltServer(BaseException):
    """Ends the server with an exit status when a server hook raises it in the master."""

    def __init__(self, reason: str, exit_status: int = 1):
        super().__init__(reason, exit_status)
        self.reason = reason
        self.exit_status = exit_status

    def __str__(self) -> str:
        return f"<HaltServer {self.reason!r} {self.exit_status}>"


class ConfigError(Exception):
    """A setting that cannot be used."""
