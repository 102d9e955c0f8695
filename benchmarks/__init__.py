"""Comparison of monoceros with other WSGI servers, in one interleaved run on one machine.

``python -m benchmarks`` measures, ``python -m benchmarks render`` turns the recorded numbers into docs/benchmarks.md
and its charts. Nothing here is imported by the server, and the measured applications import nothing from here but
:mod:`benchmarks.apps`.
"""
