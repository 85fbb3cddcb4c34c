"""The student's graphs: face, fields and pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from accel.base import FULL, Network
from models.onnx_graph import GraphBuilder

from .composition import FACE_LEFT, FACE_SIZE, FACE_TOP, FIELD_CHANNELS, SIZE, as_bytes, sampled
from .networks import FACE_INPUTS, POSE_INPUTS, PointNetworks
from .points import Indices
from .regions import Split
from .weights import SineNetwork


def face_network(
    network: SineNetwork, split: Split, precision: str = FULL, alone: bool = True
) -> tuple[Network, Indices]:
    """From ``pose`` (1, 39) to ``points`` (n, 4): linear BGRA in -1..1 at the n points of a 128 x 128 split."""
    graph = GraphBuilder()
    values, points = _add_points(graph, graph.input("pose", (1, FACE_INPUTS)), network, split, precision)
    graph.output("points", values, (len(points), 4))
    return Network("student face", graph.build("face"), alone), points


def paste_network(picture: NDArray[np.float32]) -> Network:
    """From ``points`` (16384, 4), every point of a face, to ``picture`` (1, 4, 512, 512): the character's linear
    picture with that face in place."""
    graph = GraphBuilder()
    points = graph.input("points", (FACE_SIZE * FACE_SIZE, 4))
    face = graph.reshape(graph.node("Transpose", points, perm=[1, 0]), 1, 4, FACE_SIZE, FACE_SIZE)
    bottom, right = FACE_TOP + FACE_SIZE, FACE_LEFT + FACE_SIZE
    left_strip = graph.constant(picture[:, :, FACE_TOP:bottom, :FACE_LEFT])
    right_strip = graph.constant(picture[:, :, FACE_TOP:bottom, right:])
    middle = graph.node("Concat", left_strip, face, right_strip, axis=3)
    above, below = graph.constant(picture[:, :, :FACE_TOP]), graph.constant(picture[:, :, bottom:])
    graph.output("picture", graph.node("Concat", above, middle, below, axis=2), (1, 4, SIZE, SIZE))
    return Network("student picture", graph.build("picture"))


def fields_network(
    network: SineNetwork, split: Split, precision: str = FULL, alone: bool = True, chunk: int = 0
) -> tuple[Network, Indices]:
    """From ``pose`` (1, 45) to ``fields`` (n, 7) at the n pixels of a 512 x 512 split."""
    graph = GraphBuilder()
    fields, points = _add_points(graph, graph.input("pose", (1, POSE_INPUTS)), network, split, precision, chunk)
    graph.output("fields", fields, (len(points), FIELD_CHANNELS))
    return Network("student body", graph.build("body"), alone), points


def pixels_network(points: Indices, alone: bool = True) -> Network:
    """From ``picture`` (1, 4, 512, 512) and ``fields`` (n, 7) to ``pixels`` (n, 4) uint8, premultiplied BGRA."""
    graph = GraphBuilder()
    picture = graph.input("picture", (1, 4, SIZE, SIZE))
    fields = graph.input("fields", (len(points), FIELD_CHANNELS))
    _add_pixels(graph, picture, fields, points)
    return Network("student pixels", graph.build("pixels"), alone)


def _add_points(
    graph: GraphBuilder, pose: str, network: SineNetwork, split: Split, precision: str, chunk: int = 0
) -> tuple[str, Indices]:
    """Exact points do not go together with the others: no tier has both."""
    points = PointNetworks(graph, pose, network, precision, chunk)
    return points.exact(split.exact) if split.exact.any() else points.mixed(split.sharp, split.soft)


def _add_pixels(graph: GraphBuilder, picture: str, fields: str, points: Indices) -> None:
    pixels = as_bytes(graph, sampled(graph, picture, fields, points))
    graph.output("pixels", pixels, (len(points), 4), np.uint8)
