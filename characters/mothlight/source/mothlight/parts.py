"""Where things are: key points of the picture, in pixels at 512 x 512."""

from __future__ import annotations

from . import face, hair
from .curves import CENTRE_X, SIDES, Path


def _box(path: Path) -> dict:
    x0, y0, x1, y1 = path.bbox()
    return {"x": round(x0, 2), "y": round(y0, 2), "width": round(x1 - x0, 2), "height": round(y1 - y0, 2)}


def _centre_and_half(path: Path) -> dict:
    x0, y0, x1, y1 = path.bbox()
    return {
        "centre": [round((x0 + x1) / 2, 2), round((y0 + y1) / 2, 2)],
        "half_width": round((x1 - x0) / 2, 2),
        "half_height": round((y1 - y0) / 2, 2),
    }


def describe() -> dict:
    cap_x0, cap_y0, cap_x1, _ = hair.cap_path().bbox()
    chin = face.FACE_HALF[-1][1]
    parts: dict = {
        "canvas": [512, 512],
        "note": "pixels at 512 x 512, y down; left = the character's own left (right side of the picture)",
        "head": {
            "box": {
                "x": round(cap_x0, 2),
                "y": round(cap_y0, 2),
                "width": round(cap_x1 - cap_x0, 2),
                "height": round(chin - cap_y0, 2),
            },
            "face_box": _box(face.face_path()),
            "chin": [CENTRE_X, chin],
            "neck_pivot": [CENTRE_X, face.NECK_PIVOT_Y],
        },
        "nose": [CENTRE_X, face.NOSE_Y],
        "mouth": {"centre": [CENTRE_X, face.MOUTH_Y], "half_width": face.MOUTH_HALF},
    }
    for side in SIDES:
        eye = _centre_and_half(face.eye_opening(side))
        eye["iris"] = {
            "centre": [round(side.x(face.EYE_DX + face.IRIS_DX), 2), round(face.EYE_Y + face.IRIS_DY, 2)],
            "radius": [face.IRIS_RX, face.IRIS_RY],
        }
        parts[f"eye_{side.name}"] = eye
        parts[f"brow_{side.name}"] = _centre_and_half(face.brow_path(side))
    return parts
