"""Waiting until OBS is closed: it writes its files when it ends, over whatever was changed meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ..console import Console
from ..problem import InstallProblem
from .folders import is_obs_running


def wait_until_closed(console: Console, config: Optional[Path], by_hand: str) -> None:
    """Come back when the OBS with this settings folder is closed; somebody who is there is asked to close it.

    Raises InstallProblem when he does not, with ``by_hand``: what he can do instead.
    """
    while is_obs_running(config):
        if not console.attended or not console.ask("OBS is running and would undo the change. Is it closed now?"):
            raise InstallProblem(
                f"OBS is running and would undo the change. Close OBS and run this again. Or: {by_hand}"
            )
