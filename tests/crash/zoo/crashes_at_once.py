"""Ends with a traceback before its first word."""

from __future__ import annotations


def main() -> None:
    """Fail."""
    raise RuntimeError("no good morning")
