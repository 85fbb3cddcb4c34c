"""A character's folder: its picture, and what its description says about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.wire.characters import DESCRIPTION_NAME, character_picture
from core.wire.errors import CharacterDescriptionBad, CharacterMissing, CharacterNotPicture
from core.wire.folders import CHARACTERS

from .base import Picture

PICTURE_SIZE = 512
"""Width and height of the picture every family works from (the framing of the THA networks)."""
_MAXIMUM_FILE_BYTES = 64 << 20
_MAXIMUM_SIDE = 8192


@dataclass(frozen=True, slots=True)
class Character:
    """A character that was read. ``picture`` is 512 x 512 BGRA, sRGB, straight alpha, black where fully transparent."""

    name: str
    picture: Picture
    parts: Mapping[str, Any] = field(default_factory=dict)
    """The ``parts`` object of ``character.json`` as it stands there, unchecked; empty when there is none."""
    folder: Path | None = None
    """Its own folder, where networks of its own may lie; None for a single picture."""


def load_character(name: str, folder: Path = CHARACTERS) -> Character:
    """Read a character by name. Raises CharacterMissing, CharacterNotPicture or CharacterDescriptionBad."""
    path = character_picture(name, folder)
    if path is None:
        raise CharacterMissing(character=name)
    if path.parent == folder:
        return Character(name, fit(_read_picture(name, path)))
    description = path.parent / DESCRIPTION_NAME
    parts: Mapping[str, Any] = {}
    if description.is_file():
        parts = _read_description(name, description).get("parts", {})
        if not isinstance(parts, dict):
            raise CharacterDescriptionBad("not an object", character=name, field="parts")
    return Character(name, fit(_read_picture(name, path)), parts, path.parent)


def fit(picture: Picture) -> Picture:
    """Any straight BGRA picture as 512 x 512: scaled to fit, standing on the bottom edge, centred."""
    height, width = picture.shape[:2]
    if (height, width) != (PICTURE_SIZE, PICTURE_SIZE):
        scale = PICTURE_SIZE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        # scaling premultiplied keeps the hidden colour of transparent pixels out of the edge
        colour = picture.astype(np.float32)
        colour[:, :, :3] *= colour[:, :, 3:] / 255.0
        scaled = cv2.resize(colour, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LANCZOS4)
        fitted = np.zeros((PICTURE_SIZE, PICTURE_SIZE, 4), np.float32)
        left = (PICTURE_SIZE - size[0]) // 2
        fitted[PICTURE_SIZE - size[1] :, left : left + size[0]] = scaled
        fitted[:, :, :3] *= 255.0 / np.maximum(fitted[:, :, 3:], 1.0)
        picture = np.clip(np.rint(fitted), 0, 255).astype(np.uint8)
    else:
        picture = picture.copy()
    picture[picture[:, :, 3] == 0] = 0
    return picture


def _read_picture(name: str, path: Path) -> Picture:
    try:
        if path.stat().st_size > _MAXIMUM_FILE_BYTES:
            raise CharacterNotPicture(f"{path}: larger than {_MAXIMUM_FILE_BYTES} bytes", character=name)
        # imdecode instead of imread: the latter cannot open paths outside the system's code page on Windows
        content = np.frombuffer(path.read_bytes(), np.uint8)
        if _announced_side(content) > _MAXIMUM_SIDE:
            raise CharacterNotPicture(f"{path}: larger than {_MAXIMUM_SIDE} pixels", character=name)
        decoded = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    except (OSError, cv2.error) as problem:
        raise CharacterNotPicture(f"{path}: {problem}", character=name) from problem
    if decoded is None or max(decoded.shape[:2]) > _MAXIMUM_SIDE:
        raise CharacterNotPicture(f"{path}: cannot be decoded", character=name)
    return _as_bgra(np.asarray(decoded))


def read_picture(path: Path) -> Picture:
    """A picture file as 512 x 512 straight BGRA in the THA framing. Raises CharacterNotPicture."""
    return fit(_read_picture(path.parent.name, path))


def _announced_side(content: NDArray[np.uint8]) -> int:
    """The longer side that a PNG's header announces, 0 for anything else.

    Looked at before decoding: a few kilobytes can announce a picture of many gigabytes.
    """
    head = content[:24].tobytes()
    if len(head) < 24 or not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return 0
    return max(int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big"))


def _as_bgra(decoded: NDArray[Any]) -> Picture:
    if decoded.dtype == np.uint16:
        decoded = (decoded >> 8).astype(np.uint8)
    elif decoded.dtype != np.uint8:
        decoded = np.clip(decoded * 255.0, 0, 255).astype(np.uint8)
    if decoded.ndim == 2:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_GRAY2BGRA), np.uint8)
    if decoded.shape[2] == 3:
        return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2BGRA), np.uint8)
    return np.ascontiguousarray(decoded[:, :, :4])


def _read_description(name: str, path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        raise CharacterDescriptionBad(f"{path}: {problem}", character=name, field=DESCRIPTION_NAME) from problem
    if not isinstance(content, dict):
        raise CharacterDescriptionBad(f"{path}: not an object", character=name, field=DESCRIPTION_NAME)
    return content
