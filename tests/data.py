"""Recordings and videos the tests measure against. They are large, so they lie beside the project, not in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / "shared" / "data"


def data(path: str) -> Path:
    """A file below the test data's folder (``EASYVTUBER_TEST_DATA``); the test is skipped where it is not there."""
    file = Path(os.environ.get("EASYVTUBER_TEST_DATA") or _BESIDE_THE_PROJECT) / path
    if not file.exists():
        pytest.skip(f"the test data {path} is not here; EASYVTUBER_TEST_DATA tells where it lies")
    return file
