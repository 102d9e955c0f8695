"""Servers as objects, for programs that start one by themselves."""
