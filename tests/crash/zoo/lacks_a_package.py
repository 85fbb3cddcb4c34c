"""Ends as the worker does whose environment lacks a package."""

from __future__ import annotations

import sys


def main() -> None:
    """Name the package and go."""
    sys.stderr.write("No module named 'numpy'\nnumpy\n")
    sys.exit(3)
