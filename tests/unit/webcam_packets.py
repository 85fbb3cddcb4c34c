"""The webcam's packets, written by hand: what a face looks like between the landmarker and the decoder."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.data import data

SHAPES = (
    "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
    "cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
    "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft "
    "eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft "
    "mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight "
    "mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft "
    "mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft "
    "noseSneerRight tongueOut"
).split()
IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)


def packet(shapes: Mapping[str, float] | None = None, matrix: Sequence[float] = IDENTITY) -> bytes:
    """52 shapes in ARKit's alphabetical order and 16 cells row by row, float32, little-endian."""
    values = dict(shapes or {})
    numbers = [values.pop(name, 0.0) for name in SHAPES]
    assert not values, f"no such shapes: {sorted(values)}"
    return struct.pack("<52f", *numbers) + struct.pack("<16f", *matrix)


def matrix_of(
    pitch: float, yaw: float, roll: float, centimetres: Sequence[float] = (0.0, 0.0, 0.0), scale: float = 1.0
) -> list[float]:
    """A head turned by pitch about x, then yaw about y, then roll about z (fixed axes, degrees), row by row."""
    turned = about(2, roll) @ about(1, yaw) @ about(0, pitch) * scale
    cells: list[float] = []
    for row, shift in zip(turned.tolist(), centimetres, strict=True):
        cells += [*row, shift]
    return [*cells, 0.0, 0.0, 0.0, 1.0]


def about(axis: int, degrees: float) -> NDArray[np.float64]:
    """A right-handed turn about x (0), y (1) or z (2)."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[first, first] = turn[second, second] = math.cos(math.radians(degrees))
    turn[second, first] = math.sin(math.radians(degrees))
    turn[first, second] = -turn[second, first]
    return turn


class Row(NamedTuple):
    """One picture of the recorded video: when, and MediaPipe's answer (empty without a face)."""

    seconds: float
    shapes: dict[str, float]
    matrix: list[float]

    @property
    def packet(self) -> bytes:
        """What the webcam would have recorded."""
        return packet(self.shapes, self.matrix) if self.shapes else b""


def recorded_rows() -> Iterator[Row]:
    """MediaPipe's answers to the video of :func:`truth`; the test is skipped where they are not there."""
    with data("streams/mediapipe_facelandmarker.jsonl").open(encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            row = json.loads(line)
            shapes = row["blendshapes"] if row["face"] else {}
            yield Row(row["t"], {name: shapes[name] for name in SHAPES if name in shapes}, row.get("matrix", []))


class Truth(NamedTuple):
    """What was drawn into the video, one value per picture, 30 a second."""

    seconds: NDArray[np.float64]
    roll: NDArray[np.float64]
    """+ clockwise on the screen."""
    yaw: NDArray[np.float64]
    """+ nose toward the picture's right, which is the subject's left."""
    pitch: NDArray[np.float64]
    """+ nose down."""
    zoom: NDArray[np.float64]
    shift_x: NDArray[np.float64]
    shift_y: NDArray[np.float64]
    blink_left: NDArray[np.float64]
    blink_right: NDArray[np.float64]
    mouth: NDArray[np.float64]


def truth() -> Truth:
    """Ground truth of the recorded video."""
    rows = json.loads(data("streams/video_truth.json").read_text(encoding="utf-8"))
    return Truth(*np.array(rows, np.float64).T)
