"""Faults under load, and what each one costs in failed requests by cause. `make chaos` runs it."""
