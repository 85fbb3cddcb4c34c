"""What the installer gives up with: one sentence that says what, why and what to do."""

from __future__ import annotations


class InstallProblem(Exception):
    """Shown to the user as it is; the command ends with exit code 1."""
