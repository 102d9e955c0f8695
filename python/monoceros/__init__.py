"""Monoceros: a WSGI application server written in Swift."""

__version__ = "0.1.0"
