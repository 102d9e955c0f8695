"""Monoceros: a WSGI application server written in Swift."""

__version__ = "0.1.0"

version_info = tuple(int(part) for part in __version__.split(".")[:3])
#: What the `Server` header says.
SERVER = "monoceros"
SERVER_SOFTWARE = f"{SERVER}/{__version__}"
