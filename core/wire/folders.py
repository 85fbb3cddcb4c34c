"""Where this program keeps what is not part of the project folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Mapping, Optional

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds ``obs_easyvtuber.py``."""

CHARACTERS = PROJECT / "characters"


def user_data(environment: Optional[Mapping[str, str]] = None) -> Path:
    """Settings-like files the user made (calibration). ``EASYVTUBER_HOME`` moves everything, as tests do."""
    env = os.environ if environment is None else environment
    if env.get("EASYVTUBER_HOME"):
        return Path(env["EASYVTUBER_HOME"]) / "data"
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "EasyVtuber"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/EasyVtuber"
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "easyvtuber"


def user_recordings(environment: Optional[Mapping[str, str]] = None) -> Path:
    """Packets of trackers that the user recorded from the panel."""
    return user_data(environment) / "recordings"


def user_logs(environment: Optional[Mapping[str, str]] = None) -> Path:
    """The rotating logs of the worker and of OBS's side."""
    env = os.environ if environment is None else environment
    if env.get("EASYVTUBER_HOME"):
        return Path(env["EASYVTUBER_HOME"]) / "logs"
    if sys.platform == "win32":
        return user_data(env) / "logs"
    if sys.platform == "darwin":
        return Path.home() / "Library/Logs/EasyVtuber"
    return Path(env.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "easyvtuber/logs"


def user_cache(environment: Optional[Mapping[str, str]] = None) -> Path:
    """What can be made again: built graphs, engines, timings, verdicts of the self-check. Safe to delete."""
    env = os.environ if environment is None else environment
    if env.get("EASYVTUBER_HOME"):
        return Path(env["EASYVTUBER_HOME"]) / "cache"
    if sys.platform == "win32":
        return user_data(env) / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/EasyVtuber"
    return Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "easyvtuber"


def model_weights(environment: Optional[Mapping[str, str]] = None) -> Path:
    """Where the networks' files lie, in EasyVtuber's own layout (``tha3/...``); downloaded, imported or put there."""
    env = os.environ if environment is None else environment
    return Path(env["EASYVTUBER_HOME"]) / "weights" if env.get("EASYVTUBER_HOME") else PROJECT / "models" / "weights"


def default_environment() -> Path:
    """The worker's virtual environment unless the user names another: ``.venv`` in the project folder."""
    return PROJECT / ".venv"


def environment_python(environment: Path) -> Path:
    """The interpreter inside a virtual environment on this system."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
