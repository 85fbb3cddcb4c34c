"""The student's warp on a coarse grid: its body network, asked at 64 x 64 points instead of 512 x 512.

The network is a function of a point's coordinates, so a coarse look costs a sixty-fourth. It always runs on the
processor: a graphics card is busy with the next picture just then, and these points must not wait for it.
"""

from __future__ import annotations

from collections import OrderedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from accel.base import Network, Runtime, Session
from core.pose.parameters import PoseVector
from models.motion import CELLS, Warp, smoothed
from models.onnx_graph import GraphBuilder

from .composition import SIZE
from .networks import POSE_INPUTS, PointNetworks
from .points import Mask
from .weights import SineNetwork

_REMEMBERED = 8
"""Poses whose warps are kept: that of the picture on screen is asked for again and again."""


class CoarseWarps:
    """Used from one thread at a time."""

    def __init__(self, body: SineNetwork, visible: Mask, processor: Runtime) -> None:
        """``visible``: (512, 512). Raises what :meth:`accel.base.Runtime.open` raises."""
        step = SIZE // CELLS
        wanted = np.asarray(visible.reshape(CELLS, step, CELLS, step).any(axis=(1, 3)), np.uint8)
        # a ring more, so that the figure's edge is not decided by what is smoothed into it from outside
        self._wanted: Mask = cv2.dilate(wanted, np.ones((3, 3), np.uint8)).astype(np.bool_)
        self._session: Session | None = None
        self._remembered: OrderedDict[bytes, Warp] = OrderedDict()
        if not visible.any():
            return
        graph = GraphBuilder()
        pose = graph.input("pose", (1, POSE_INPUTS))
        fields, self._points = PointNetworks(graph, pose, body).exact(self._wanted)
        graph.output("warp", graph.columns(fields, 0, 3), (len(self._points), 3))
        self._session = processor.open(Network("student motion", graph.build("motion"), alone=False))

    def at(self, pose: PoseVector) -> Warp:
        """The warp of this pose, clamped already."""
        key = pose.tobytes()
        known = self._remembered.get(key)
        if known is None:
            known = self._compute(pose)
            self._remembered[key] = known
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
        else:
            self._remembered.move_to_end(key)
        return known

    def close(self) -> None:
        """Give the session back; safe to call twice."""
        if self._session is not None:
            self._session.close()

    def _compute(self, pose: PoseVector) -> Warp:
        if self._session is None:
            return np.zeros((CELLS, CELLS, 2), np.float32)
        values: NDArray[np.float32] = self._session.run({"pose": np.ascontiguousarray(pose[None], np.float32)})["warp"]
        dense = np.zeros((CELLS, CELLS, 3), np.float32)
        dense[self._points[:, 0], self._points[:, 1]] = values
        # the network's coordinates go from -1 to 1; where it paints (blend 1) its warp means nothing
        weights = np.clip(1.0 - dense[..., 2], 0.0, 1.0) * self._wanted
        return smoothed(np.ascontiguousarray(dense[..., :2]) * np.float32(0.5), weights.astype(np.float32))
