"""Which pixels of a student can ever be seen, found once per character.

A pixel's opacity is ``alpha = (1 - blend) * picture alpha at the warped place + blend * colour alpha``. It is computed
for every corner of the range of the six rotations (all of -1, 0, 1 in five of them, both ends of breathing), each with
other face values, for every face value alone, and for hundreds of poses drawn at random, since a network may dream up
a wisp anywhere:

1. on a grid of a quarter of the size over the whole canvas, remembering for every cell which pose made it most opaque;
2. at full size along the outline those cells have, for exactly those poses, which are the ones that reach farthest.

What was ever more opaque than ``THRESHOLD`` counts, and a margin of ``MARGIN`` pixels round it. In between the corners
the outline moves through what lies between, which is why the corners decide; ``benchmarks/student_mask.py`` holds poses
against the result that were not used to find it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import Network, Runtime, Session
from accel.lanes import Lanes
from core.pose.parameters import MAXIMUM, MINIMUM, POSE_SIZE
from models.onnx_graph import GraphBuilder

from .composition import SIZE, sampled
from .networks import POSE_INPUTS, PointNetworks
from .points import Mask, bands
from .weights import StudentWeights

THRESHOLD = 1.5 / 255.0
"""Opacity from which a pixel counts: characters have stray pixels of 1/255 far from the figure."""
MARGIN = 2
_COARSE = 128
_SHARES = 4
_RANDOM_POSES = 256
_ROTATIONS = slice(39, 44)
_HEAD, _BODY = slice(39, 42), slice(42, 44)
_BREATHING = 44

Opacity = NDArray[np.float32]
Poses = NDArray[np.float32]
Report = Callable[[float], None]


def envelope_poses() -> Poses:
    """Shape (n, 45): the poses whose outlines reach farthest. The same for every character."""
    random = np.random.default_rng(45)
    corners = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=5)), np.float32)
    poses = []
    for breathing in (0.0, 1.0):
        block = _random_faces(random, len(corners))
        block[:, _ROTATIONS], block[:, _BREATHING] = corners, breathing
        poses.append(block)
    poses.append(np.eye(POSE_SIZE, dtype=np.float32)[:39])
    poses += [random_poses(random, _RANDOM_POSES, sparse) for sparse in (True, False)]
    poses.append(_tracked_poses(random, _RANDOM_POSES))
    return np.concatenate(poses).astype(np.float32)


def random_poses(random: np.random.Generator, count: int, sparse: bool) -> Poses:
    """Shape (count, 45): anywhere in the range; ``sparse`` ones have only a few face values at a time."""
    poses = MINIMUM + random.random((count, POSE_SIZE), np.float32) * (MAXIMUM - MINIMUM)
    if sparse:
        poses[:, :39] *= random.random((count, 39)) < 0.25
    return np.asarray(poses, np.float32)


def _tracked_poses(random: np.random.Generator, count: int) -> Poses:
    """As trackers give them: the body turns and leans with the head, which is often at the end of its range."""
    poses = random_poses(random, count, sparse=True)
    poses[:, _HEAD] = np.clip(poses[:, _HEAD] * 1.5, -1.0, 1.0)
    poses[:, _BODY] = poses[:, _HEAD][:, 1:]
    return poses


def _random_faces(random: np.random.Generator, count: int) -> Poses:
    """A few face values at a time, as faces have them."""
    block = random.random((count, POSE_SIZE), np.float32) * (random.random((count, POSE_SIZE)) < 0.25)
    return np.asarray(block, np.float32)


def find_visible(weights: StudentWeights, most_opaque: Opacity, runtime: Runtime, report: Report) -> Mask:
    """The 512 x 512 mask. ``most_opaque``: (512, 512), the highest alpha (0..1) the picture has in each place, its
    face included. ``report`` is called with 0..1. Takes seconds."""
    poses = envelope_poses()
    opacity, reached_by = _scan(
        weights, most_opaque, runtime, np.ones((_COARSE, _COARSE), np.bool_), poses, lambda share: report(share * 0.6)
    )
    cells = opacity > THRESHOLD
    inner = cv2.erode(cells.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1).astype(np.bool_)
    outer = cv2.dilate(cells.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_)
    outline = outer & ~inner
    deciding = np.unique(reached_by[outline & (opacity > 0.0)])
    fine, _ = _scan(
        weights, most_opaque, runtime, _enlarged(outline), poses[deciding], lambda share: report(0.6 + share * 0.4)
    )
    seen = (_enlarged(inner) | (fine > THRESHOLD)).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * MARGIN + 1, 2 * MARGIN + 1))
    return cv2.dilate(seen, kernel).astype(np.bool_)


class OpacityScan:
    """How opaque wanted points are at a pose. A context: its sessions are closed at the end."""

    def __init__(self, weights: StudentWeights, most_opaque: Opacity, runtime: Runtime, wanted: Mask) -> None:
        """``wanted``: a mask of any size that halves as often as the network has levels."""
        self._shape = wanted.shape
        self._opacity = (most_opaque * 2.0 - 1.0).astype(np.float32)[None, None]
        self._lanes = Lanes(runtime.lanes)
        self._parts: list[tuple[Session, NDArray[np.int32]]] = []
        try:
            for share in bands(wanted, _SHARES if runtime.on_host else 1):
                self._parts.append(_opacity_session(weights, runtime, share))
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> OpacityScan:
        return self

    def __exit__(self, *problem: object) -> None:
        self._lanes.close()
        for session, _ in self._parts:
            session.close()

    def opacity(self, pose: NDArray[np.float32]) -> Opacity:
        """Of the wanted mask's shape: 0..1 where it was wanted, 0 elsewhere. ``pose``: (45)."""
        found = np.zeros(self._shape, np.float32)
        inputs = {"pose": np.ascontiguousarray(pose[None]), "opacity": self._opacity}
        results = self._lanes.run([partial(session.run, inputs) for session, _ in self._parts])
        for (_, points), result in zip(self._parts, results, strict=True):
            found[points[:, 0], points[:, 1]] = result["alpha"][0] * 0.5 + 0.5
        return found


def _opacity_session(weights: StudentWeights, runtime: Runtime, wanted: Mask) -> tuple[Session, NDArray[np.int32]]:
    """A session from (``opacity``: (1, 1, 512, 512) in -1..1, ``pose``) to ``alpha`` (1, n) at the n wanted points, and
    those points (row, column) of the wanted mask's grid."""
    graph = GraphBuilder()
    pose = graph.input("pose", (1, POSE_INPUTS))
    picture = graph.input("opacity", (1, 1, SIZE, SIZE))
    fields, points = PointNetworks(graph, pose, weights.body).exact(wanted)
    result = sampled(graph, picture, fields, points, wanted.shape[0], channels=1)
    graph.output("alpha", result, (1, len(points)))
    return runtime.open(Network("student outline", graph.build("outline"), alone=False)), points


def _scan(
    weights: StudentWeights, most_opaque: Opacity, runtime: Runtime, wanted: Mask, poses: Poses, report: Report
) -> tuple[Opacity, NDArray[np.int32]]:
    """The highest opacity each wanted point gets (others 0), and the number of the pose that gave it."""
    highest, by = np.zeros(wanted.shape, np.float32), np.zeros(wanted.shape, np.int32)
    with OpacityScan(weights, most_opaque, runtime, wanted) as scan:
        for number, pose in enumerate(poses):
            found = scan.opacity(pose)
            by = np.where(found > highest, number, by)
            highest = np.maximum(highest, found)
            report((number + 1) / len(poses))
    return highest, by


def _enlarged(cells: Mask) -> Mask:
    factor = SIZE // cells.shape[0]
    return np.kron(cells, np.ones((factor, factor), np.bool_)).astype(np.bool_)
