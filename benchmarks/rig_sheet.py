"""Draws a labelled sheet of what the built-in rig makes of a character: expressions close up and turns of the figure.

``python -m benchmarks.rig_sheet characters/mothlight --out docs/pictures/rig_poses.png``
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import Pose, PoseVector, neutral
from models.base import Picture
from models.character import load_character
from models.face_parts import FaceParts, HeadBox, find_face_parts
from models.rig import Rig

Colours = NDArray[np.uint8]
"""Shape (height, width, 3), BGR."""

_SIZE: Final = 1024
_PAPER: Final = (244, 240, 238)
_INK: Final = (70, 60, 60)
_CELL: Final = (236, 236)
_LABEL_HEIGHT: Final = 24

_CELLS: Final[tuple[tuple[str, dict[str, float]], ...]] = (
    ("at rest", {}),
    ("looks right", {"HEAD_Y": 0.9, "IRIS_ROTATION_Y": 0.5}),
    ("looks left", {"HEAD_Y": -0.9, "IRIS_ROTATION_Y": -0.5}),
    ("looks up", {"HEAD_X": 0.9, "IRIS_ROTATION_X": 0.5}),
    ("looks down", {"HEAD_X": -0.9, "IRIS_ROTATION_X": -0.6}),
    ("tilts", {"NECK_Z": 0.9, "BODY_Z": 0.5}),
    ("blink", {"EYE_WINK": 1.0}),
    ("half way", {"EYE_WINK": 0.5}),
    ("laugh", {"EYE_HAPPY_WINK": 1.0, "MOUTH_AAA": 0.9, "MOUTH_RAISED_CORNER": 0.7, "EYEBROW_HAPPY": 1.0}),
    ("wink", {"EYE_WINK_LEFT": 1.0, "MOUTH_SMIRK": 1.0, "EYEBROW_RAISED_RIGHT": 0.7}),
    (
        "surprise",
        {"EYE_SURPRISED": 1.0, "IRIS_SMALL": 0.6, "MOUTH_OOO": 1.0, "EYEBROW_RAISED": 1.0},
    ),
    ("relaxed", {"EYE_RELAXED": 1.0, "MOUTH_RAISED_CORNER": 0.5}),
    (
        "unimpressed",
        {"EYE_UNIMPRESSED": 1.0, "MOUTH_LOWERED_CORNER": 0.8, "EYEBROW_SERIOUS": 1.0, "IRIS_ROTATION_Y": -0.8},
    ),
    ("angry", {"EYEBROW_ANGRY": 1.0, "EYE_RAISED_LOWER_EYELID": 0.6, "MOUTH_EEE": 0.7, "MOUTH_LOWERED_CORNER": 0.6}),
    ("troubled", {"EYEBROW_TROUBLED": 1.0, "MOUTH_LOWERED_CORNER": 1.0, "IRIS_ROTATION_X": -0.5}),
    ("aaa", {"MOUTH_AAA": 1.0}),
    ("iii", {"MOUTH_III": 1.0}),
    ("uuu", {"MOUTH_UUU": 1.0}),
    ("eee", {"MOUTH_EEE": 1.0}),
    ("ooo", {"MOUTH_OOO": 1.0}),
    ("delta", {"MOUTH_DELTA": 1.0}),
)


def main(arguments: list[str] | None = None) -> int:
    """Draw the sheet of one character."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("character", type=Path, help="a character's folder")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the PNG to write")
    parser.add_argument("--columns", type=int, default=7)
    options = parser.parse_args(arguments)
    sheet = draw(options.character, max(1, options.columns))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    encoded = cv2.imencode(".png", sheet)[1]
    options.out.write_bytes(encoded.tobytes())
    print(f"{options.out}: {sheet.shape[1]} x {sheet.shape[0]}")
    return 0


def draw(folder: Path, columns: int = 7) -> Colours:
    """The sheet of the character in ``folder``."""
    character = load_character(folder.name, folder.resolve().parent)
    parts = find_face_parts(character.picture, FaceParts.from_json(character.parts))
    rig = Rig(character.picture, _SIZE, parts)
    out = np.zeros((_SIZE, _SIZE, 4), np.uint8)
    cells = []
    for label, values in _CELLS:
        rig.render(pose_of(values), out)
        cells.append(_cell(out, parts.head, label))
    while len(cells) % columns:
        cells.append(np.full_like(cells[0], _PAPER))
    rows = [np.concatenate(cells[first : first + columns], axis=1) for first in range(0, len(cells), columns)]
    return np.concatenate(rows, axis=0)


def pose_of(values: dict[str, float]) -> PoseVector:
    """A pose from value names; a name without ``_LEFT`` or ``_RIGHT`` sets both sides."""
    pose = neutral()
    for name, value in values.items():
        for index in Pose:
            if index.name in (name, f"{name}_LEFT", f"{name}_RIGHT"):
                pose[index] = value
    return pose


def _cell(picture: Picture, head: HeadBox, label: str) -> Colours:
    scale = _SIZE / 512
    width, height = head.right - head.left, head.bottom - head.top
    side = 1.62 * max(width, height) * scale
    left = int(0.5 * (head.left + head.right) * scale - side / 2)
    top = int(head.top * scale - 0.24 * side)
    left, top = (int(np.clip(value, 0, _SIZE - side)) for value in (left, top))
    part = picture[top : top + int(side), left : left + int(side)].astype(np.float32)
    shown = part[..., :3] + np.array(_PAPER, np.float32) * (1.0 - part[..., 3:] / 255.0)
    small = cv2.resize(shown, _CELL, interpolation=cv2.INTER_AREA)
    cell = np.full((_CELL[1] + _LABEL_HEIGHT, _CELL[0], 3), _PAPER, np.uint8)
    cell[: _CELL[1]] = np.clip(np.rint(small), 0, 255)
    size = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)[0]
    place = ((_CELL[0] - size[0]) // 2, _CELL[1] + 16)
    cv2.putText(cell, label, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, _INK, 1, cv2.LINE_AA)
    return cell


if __name__ == "__main__":
    sys.exit(main())
