"""Cameras by name, and how OpenCV is to open each."""

from __future__ import annotations

import importlib
import logging
import re
import sys
from collections import Counter
from dataclasses import dataclass

from core.wire.settings import AUTOMATIC

_log = logging.getLogger(__name__)

_DIRECTSHOW, _V4L2, _AVFOUNDATION = 700, 200, 1200
BACKEND = {"win32": _DIRECTSHOW, "darwin": _AVFOUNDATION}.get(sys.platform, _V4L2)
"""OpenCV's number of the way to reach cameras here. Windows' newer way takes many seconds to open one."""
_VIRTUAL = re.compile(r"virtual|loopback|obs-camera|unity video capture|dummy video", re.IGNORECASE)
"""Cameras that show what a program draws, quite likely this one."""


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera."""

    name: str
    index: int
    """OpenCV's number of it."""


def cameras() -> list[Camera]:
    """Every camera, real ones first; equal names are numbered. Empty when they cannot be asked for."""
    try:
        library = importlib.import_module("cv2_enumerate_cameras")
        found = sorted((int(camera.index), str(camera.name)) for camera in library.enumerate_cameras(BACKEND))
    except ImportError:
        return []
    except Exception as problem:  # noqa: BLE001 - drivers raise anything, and without the package the first one opens
        _log.warning("cameras cannot be listed: %r", problem)
        return []
    counted: Counter[str] = Counter()
    named: list[Camera] = []
    for index, given in found:
        # as the settings table cleans texts, so that what was chosen is found again
        name = "".join(sign for sign in given if sign.isprintable()).strip() or "Camera"
        counted[name] += 1
        named.append(Camera(f"{name} ({counted[name]})" if counted[name] > 1 else name, index))
    return sorted(named, key=lambda camera: bool(_VIRTUAL.search(camera.name)))


def camera_names() -> list[str]:
    """What the user chooses from."""
    return [camera.name for camera in cameras()]


def index_of(name: str) -> int | None:
    """OpenCV's number of the camera of that name, None when it is not there. Automatic is the first one."""
    known = cameras()
    if name == AUTOMATIC:
        return known[0].index if known else 0
    return next((camera.index for camera in known if camera.name == name), None)
