"""What the set-up of the Windows machine gives up with."""

from __future__ import annotations


class SetUpFailed(Exception):
    """One sentence: what failed, why, and what to do."""
