"""Where a student's half-resolution fields are not good enough, found once per character.

The networks are functions of a point's coordinates, so they can be evaluated on a grid of half the size and upsampled:
a quarter of the work. What is lost then is lost in few places (eyes, mouth, outlines). Over one set of poses the
squared error of every quad is summed, which gives their order; the worst of them are computed at full size, as many as
it takes until no pose of another set is further from the full picture than a target.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accel.base import Runtime
from models.base import Picture

from .composition import FACE_LEFT, FACE_SIZE, FACE_TOP, SIZE
from .points import Mask
from .regions import Regions, Split, whole_face
from .renderer import StudentRenderer
from .visible import random_poses
from .weights import StudentWeights

TARGET_DB = 43.3
"""PSNR of the whole picture (premultiplied BGRA, 0..255) against the full one that is aimed at for every held-out pose.
Body and face are judged apart, so it is met within about 1 dB."""
_BODY_SHARE = 0.65
"""Of the squared error that may remain; the rest is the face's."""
_POSES = 32
"""One half of them chooses the order of the quads, the other decides how many are needed."""
_QUAD = 2
HEAD = slice(39, 42)
"""Pitch, yaw and roll in the pose."""
_FACE_PLACE = slice(FACE_TOP, FACE_TOP + FACE_SIZE), slice(FACE_LEFT, FACE_LEFT + FACE_SIZE)

Report = Callable[[float], None]
Poses = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Refined:
    """Points that the balanced tier computes at full size."""

    body: Mask
    """Shape (512, 512)."""
    face: Mask
    """Shape (128, 128)."""

    @staticmethod
    def nowhere() -> Refined:
        """Half size is good enough everywhere."""
        return Refined(np.zeros((SIZE, SIZE), np.bool_), np.zeros((FACE_SIZE, FACE_SIZE), np.bool_))


def refining_poses() -> Poses:
    """Shape (32, 45): poses as people take them, every second one with the head at the ends of its range. The same for
    every character."""
    poses = random_poses(np.random.default_rng(46), _POSES, sparse=True)
    poses[1::4, HEAD] = np.sign(poses[1::4, HEAD])
    poses[2::4, HEAD] = np.sign(poses[2::4, HEAD])
    return poses


def find_refined(
    weights: StudentWeights, picture: NDArray[np.float32], visible: Mask, runtime: Runtime, report: Report
) -> Refined:
    """``picture``: (1, 4, 512, 512) linear; networks and picture with blue first. Takes seconds."""
    near_face = np.zeros_like(visible)
    near_face[_FACE_PLACE] = visible[_FACE_PLACE]
    sharp_face = Split.exactly(whole_face())
    sharp_body = Split.mixed(visible, np.zeros_like(visible))
    soft_body, soft_face = (Split.mixed(np.zeros_like(mask), mask) for mask in (visible, whole_face()))
    body_soft, body_sharp, face_soft = [], [], []
    poses = refining_poses()
    with ExitStack() as stack:

        def opened(body: Split, face: Split) -> StudentRenderer:
            return stack.enter_context(closing(StudentRenderer(weights, picture, Regions(body, face), runtime)))

        full = opened(Split.exactly(visible), sharp_face)
        soft, sharp = opened(soft_body, sharp_face), opened(sharp_body, sharp_face)
        face = opened(Split.exactly(near_face), soft_face)
        for number, pose in enumerate(poses):
            exact = _draw(full, pose)
            body_soft.append(_quad_errors(exact, _draw(soft, pose)))
            body_sharp.append(_quad_errors(exact, _draw(sharp, pose)))
            face_soft.append(_quad_errors(exact[_FACE_PLACE], _draw(face, pose)[_FACE_PLACE]))
            report((number + 1) / len(poses))
    allowed = 255.0**2 / 10.0 ** (TARGET_DB / 10.0) * SIZE * SIZE * 4
    body_part = _worst(np.array(body_soft), np.array(body_sharp), allowed * _BODY_SHARE)
    face_part = _worst(np.array(face_soft), np.zeros_like(face_soft), allowed * (1.0 - _BODY_SHARE))
    return Refined(body_part & visible, face_part)


def _draw(renderer: StudentRenderer, pose: NDArray[np.float32]) -> Picture:
    out = np.empty((SIZE, SIZE, 4), np.uint8)
    renderer.draw(renderer.fields(pose[None], with_face=True), out)
    return out


def _quad_errors(exact: Picture, other: Picture) -> NDArray[np.float32]:
    """Shape (quads, quads): summed squares over each quad; a quad's first row and column are odd, as in the pyramid."""
    squares = np.pad(((exact.astype(np.float32) - other) ** 2).sum(axis=2), 1)
    count = squares.shape[0] // _QUAD
    return np.asarray(squares.reshape(count, _QUAD, count, _QUAD).sum(axis=(1, 3)), np.float32)


def _worst(soft: NDArray[np.float32], sharp: NDArray[np.float32], allowed: float) -> Mask:
    """The quads to refine so that no held-out pose keeps more than ``allowed``: the others' soft error and their own
    sharp one. Shapes (poses, quads, quads). Where even everything refined keeps more, the quads that gain."""
    gains = (soft - sharp).reshape(len(soft), -1)
    order = np.argsort(gains[0::2].sum(axis=0))[::-1]
    kept = soft[1::2].sum(axis=(1, 2))[:, None] - np.cumsum(gains[1::2][:, order], axis=1)
    enough = np.flatnonzero((kept <= allowed).all(axis=0))
    count = int(enough[0]) + 1 if len(enough) else int((gains.sum(axis=0) > 0.0).sum())
    chosen = np.zeros(gains.shape[1], np.bool_)
    chosen[order[:count]] = True
    return np.kron(chosen.reshape(soft.shape[1:]), np.ones((_QUAD, _QUAD), np.bool_))[1:-1, 1:-1]
