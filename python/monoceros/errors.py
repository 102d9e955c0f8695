"""Exceptions with gunicorn's names, for code that raises or catches them."""

from monoceros.application import AppImportError

__all__ = ["AppImportError", "ConfigError", "HaltServer", "remedy"]


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


def remedy(error: BaseException) -> str:
    """What to add to a message about what the user's code raised, where there is a remedy."""
    is_missing = isinstance(error, ModuleNotFoundError) and error.name is not None
    if is_missing and error.name.partition(".")[0] == "gunicorn":
        return " (with --gunicorn-compat, Monoceros' modules are found under this name)"
    return ""
