"""Every run of the unit tests tries the same examples and keeps nothing on disk."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same_every_time", derandomize=True, deadline=None, database=None)
settings.load_profile("same_every_time")
