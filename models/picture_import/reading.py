"""Reads a picture file that somebody chose: PNG, JPEG, WebP or BMP, within limits, the way up it is meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.wire.errors import PictureUnusable

from ..base import Picture
from .headers import BMP, JPEG, read_header

MAXIMUM_FILE_BYTES: Final = 64 << 20
MAXIMUM_SIDE: Final = 8192


@dataclass(frozen=True, slots=True)
class SourcePicture:
    """A file as it was and what it shows."""

    picture: Picture
    """Straight BGRA of the file's size, upright."""
    content: bytes
    """The file's bytes."""
    extension: str
    """``png``, ``jpg``, ``webp`` or ``bmp``: what the file is, whatever its name says."""


def read_picture(path: Path) -> SourcePicture:
    """Read a file. Raises PictureUnusable (``path`` is the file's name) with the reason ``not_readable``,
    ``file_too_large``, ``not_a_picture``, ``picture_too_large`` or ``picture_damaged``."""
    try:
        if path.stat().st_size > MAXIMUM_FILE_BYTES:
            raise _unusable(path, "file_too_large", f"more than {MAXIMUM_FILE_BYTES} bytes")
        content = path.read_bytes()
    except OSError as problem:
        raise _unusable(path, "not_readable", str(problem)) from problem
    header = read_header(content)
    if header is None:
        raise _unusable(path, "not_a_picture", "no known signature")
    if max(header.width, header.height) > MAXIMUM_SIDE:
        raise _unusable(path, "picture_too_large", f"{header.width} x {header.height}")
    if not header.width or not header.height:
        raise _unusable(path, "picture_damaged", "no size")
    # of a JPEG only this one turns the picture the way the camera was held
    flags = cv2.IMREAD_COLOR if header.kind == JPEG else cv2.IMREAD_UNCHANGED
    try:
        # imdecode instead of imread: the latter cannot open paths outside the system's code page on Windows
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as problem:
        raise _unusable(path, "picture_damaged", str(problem)) from problem
    if decoded is None or not decoded.size or max(decoded.shape[:2]) > MAXIMUM_SIDE:
        raise _unusable(path, "picture_damaged", "cannot be decoded")
    picture = as_bgra(np.asarray(decoded))
    if header.kind == BMP and not picture[..., 3].any():
        # the fourth byte of many BMP files is unused, not transparency
        picture[..., 3] = 255
    return SourcePicture(picture, content, header.kind)


def as_bgra(decoded: NDArray[Any]) -> Picture:
    """Grey, BGR or BGRA of 8 or 16 bit (or floats of 0..1) as 8-bit BGRA."""
    if decoded.dtype == np.uint16:
        decoded = ((decoded.astype(np.uint32) + 128) // 257).astype(np.uint8)
    elif decoded.dtype != np.uint8:
        decoded = np.clip(np.nan_to_num(decoded) * 255.0, 0, 255).astype(np.uint8)
    if decoded.ndim == 2 or decoded.shape[2] == 1:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2BGRA), np.uint8)
    if decoded.shape[2] == 2:
        return np.ascontiguousarray(decoded[..., [0, 0, 0, 1]])
    if decoded.shape[2] == 3:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2BGRA), np.uint8)
    return np.ascontiguousarray(decoded[..., :4])


def _unusable(path: Path, reason: str, detail: str) -> PictureUnusable:
    return PictureUnusable(f"{path}: {detail}", path=path.name, reason=reason)
