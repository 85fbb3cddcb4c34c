"""How head and body move: a displacement field that is a weighted sum of a few fixed ones.

The figure is one sheet. Each fixed field says how far every place of the picture moves for one unit of one movement;
the pose gives the units. Fields, weights and their sum live on a coarse grid, so a whole pose costs one small matrix
product. Sampling needs the opposite direction (where does this output pixel come from), which a few fixed-point steps
on the same grid give.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.pose.parameters import Pose, PoseVector

from .fill import soft_step
from .places import PICTURE_SIZE, FaceParts

Grid = NDArray[np.float32]
"""Shape (nodes, nodes, 2), float32: x then y, in pixels of the 512-pixel picture."""

ROLL_RADIANS: Final = 0.22
"""Head tilt at NECK_Z = 1, about 13 degrees; the networks' own range is 15."""
NO_MAP: Final = np.empty((0, 0), np.float32)
"""The second map of cv2.remap, when the first one holds x and y."""
_CELLS: Final = 64
"""Grid cells across the picture: 8 pixels each, fine enough for fields this smooth."""
_INVERSION_STEPS: Final = 6
"""Each step divides the error by at least 3, as no field changes faster than 0.3 pixels per pixel."""
_HEAD_PIXELS: Final = 128.0
"""Height of the head the movements below are given for; others scale with it."""


class Motion:
    """The movements of one figure, on a grid that fits one output size."""

    def __init__(self, parts: FaceParts, hair: NDArray[np.float32], size: int) -> None:
        """``hair``: square float32 map over the whole picture, 1 where hair hangs that must follow the head."""
        self.cell = max(1, round(size / _CELLS))
        """Output pixels per grid cell."""
        self.nodes = -(-size // self.cell) + 2
        """Nodes each way: one cell of margin all around, so that upsampling never extrapolates inside the picture."""
        index = (np.arange(self.nodes, dtype=np.float32) - 1) * self.cell + (self.cell - 1) / 2
        self._place = ((index + np.float32(0.5)) * (PICTURE_SIZE / size)).astype(np.float32)
        self._to_node = np.float32(size / PICTURE_SIZE / self.cell)
        self._node_offset = np.float32(1.0 - 0.5 / self.cell - (self.cell - 1) / 2 / self.cell)
        x, y = np.meshgrid(self._place, self._place)
        self.rest: Grid = np.stack([x, y], axis=-1).astype(np.float32)
        spread = np.asarray(
            cv2.remap(
                hair,
                (x * (hair.shape[1] / PICTURE_SIZE) - 0.5).astype(np.float32),
                (y * (hair.shape[0] / PICTURE_SIZE) - 0.5).astype(np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.float32,
        )
        fields = _fields(parts, x, y, spread)
        self._fields = np.ascontiguousarray(np.stack(fields).reshape(len(fields), -1).astype(np.float32))
        self._nodes_at = np.empty_like(self.rest)
        self._sampled = np.empty_like(self.rest)

    def sources(self, pose: PoseVector, jaw: float) -> Grid:
        """Where every grid node's picture comes from at this pose; a fresh array. ``jaw`` is 0 (closed) to 1."""
        moved: Grid = np.asarray(_amounts(pose, jaw) @ self._fields, np.float32).reshape(self.rest.shape)
        source = self.rest - moved
        for _ in range(_INVERSION_STEPS):
            np.multiply(source, self._to_node, out=self._nodes_at)
            self._nodes_at += self._node_offset
            cv2.remap(
                moved, self._nodes_at, NO_MAP, cv2.INTER_LINEAR, dst=self._sampled, borderMode=cv2.BORDER_REPLICATE
            )
            np.subtract(self.rest, self._sampled, out=source)
        return source


def _amounts(pose: PoseVector, jaw: float) -> NDArray[np.float32]:
    roll = ROLL_RADIANS * float(pose[Pose.NECK_Z])
    return np.array(
        [
            pose[Pose.HEAD_Y],
            pose[Pose.HEAD_X],
            np.sin(roll),
            1.0 - np.cos(roll),
            pose[Pose.BODY_Y],
            pose[Pose.BODY_Z],
            pose[Pose.BREATHING],
            jaw,
        ],
        np.float32,
    )


def _dome(x: Grid, y: Grid, radius_x: float, radius_y: float) -> Grid:
    """1 in the middle, smoothly 0 at the edge of an ellipse: the depth of a rounded volume."""
    inside = np.maximum(0.0, 1.0 - (x / radius_x) ** 2 - (y / radius_y) ** 2)
    return np.asarray(inside * inside, np.float32)


def _fields(parts: FaceParts, x: Grid, y: Grid, hair: Grid) -> list[Grid]:
    """The fixed fields, in the order of `_amounts`."""
    unit = float(np.clip((parts.head.bottom - parts.head.top) / _HEAD_PIXELS, 0.4, 2.0))
    chin, neck = parts.chin, parts.neck
    axis_x = parts.chin.x
    eye_y = 0.5 * (parts.eye_left.centre.y + parts.eye_right.centre.y)
    across, nothing = x - axis_x, np.zeros_like(x)

    # The bottom edge is where the figure is cut off: it never moves, so no gap opens there.
    held = soft_step(np.float32(PICTURE_SIZE) - y, 0.0, 40.0)
    fall_neck = np.float32(1) - soft_step(y, chin.y - 4 * unit, neck.y + 16 * unit)
    fall_hair = np.float32(1) - soft_step(y, chin.y - 4 * unit, chin.y + 160 * unit)
    follows = (fall_neck + (fall_hair - fall_neck) * hair) * held

    depth = _dome(across, y - (eye_y + 8 * unit), 82 * unit, 100 * unit)
    tip = np.exp(-0.5 * ((across / (12 * unit)) ** 2 + ((y - (eye_y + 18 * unit)) / (14 * unit)) ** 2))
    yaw = -(11.5 * depth + 1.5 * tip - 2.0) * unit * follows
    pitch = -(9.5 * depth + 1.0 * tip - 1.8) * unit * follows

    # Hair below the chin hangs from the head: it goes where the head takes its roots, not around the neck.
    lever = np.minimum(y, np.float32(chin.y)) - neck.y
    reach = max(1.0, PICTURE_SIZE - neck.y)
    height = np.clip((PICTURE_SIZE - y) / reach, 0.0, None)
    bent = np.where(height < 1.0, height**2, 2.0 * height - 1.0)
    angle = 2.0 / reach * np.minimum(height, 1.0)
    lean = 12.0 * unit
    chest = soft_step(np.float32(PICTURE_SIZE) - y, 0.0, 0.55 * reach) * soft_step(y, neck.y - 14, neck.y + 26)
    turn = -(5.0 * unit * _dome(across, nothing, 150 * unit, 1.0) * chest + 5.0 * unit * np.minimum(bent, 1.0))
    rise = soft_step(np.float32(PICTURE_SIZE) - y, 0.0, 0.8 * reach) * (1.0 - 0.2 * soft_step(-y, -neck.y, -chin.y))
    swell = np.exp(-0.5 * (((y - (neck.y + 60 * unit)) / (34 * unit)) ** 2 + (across / (60 * unit)) ** 2)) * held
    drop = np.exp(-0.5 * ((across / (24 * unit)) ** 2 + ((y - chin.y) / (9 * unit)) ** 2)) * held
    pairs = [
        (yaw, nothing),
        (nothing, pitch),
        (lever * follows, -across * follows),
        (-across * follows, -lever * follows),
        (turn, nothing),
        (-lean * bent, -lean * across * angle),
        (0.02 * across * swell, -2.2 * unit * rise),
        (nothing, 1.6 * unit * drop),
    ]
    return [np.stack(pair, axis=-1).astype(np.float32) for pair in pairs]
