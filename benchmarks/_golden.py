"""Pictures of the original PyTorch code."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture


def golden_pictures(folder: Path) -> dict[str, tuple[NDArray[np.float32], Picture]]:
    """By name: the pose (45) and the picture as premultiplied gamma-encoded BGRA, from a character's ``reference``
    folder (``poses.json`` and a PNG each); empty without one.

    The original code writes colours premultiplied in linear light, then gamma-encoded; a PNG holds that beside alpha.
    """
    if not (folder / "poses.json").is_file():
        return {}
    poses = json.loads((folder / "poses.json").read_text(encoding="utf-8"))
    found = {}
    for name, pose in poses.items():
        content = np.frombuffer((folder / f"{name}.png").read_bytes(), np.uint8)
        found[name] = np.array(pose, np.float32), as_shown(np.asarray(cv2.imdecode(content, cv2.IMREAD_UNCHANGED)))
    return found


def as_shown(png: NDArray[np.uint8]) -> Picture:
    """The original's encoding to ours."""
    values = png.astype(np.float64) / 255.0
    colour, alpha = values[:, :, :3], values[:, :, 3:]
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    straight = np.clip(linear / np.maximum(alpha, 1e-6), 0.0, 1.0)
    encoded = np.where(straight < 0.0031308, straight * 12.92, 1.055 * straight ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(np.concatenate([encoded * alpha, alpha], axis=2) * 255.0), np.uint8)
