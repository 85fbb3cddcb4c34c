"""How property tests run here: the same examples every time, nothing kept on disk, no clock."""

from __future__ import annotations

from hypothesis import settings

repeatable = settings(derandomize=True, deadline=None, database=None)
