"""From fields and the character's picture to pixels, as a graph; and the colour conversions before and after.

The networks work in linear light, premultiplied, scaled to -1..1 (as their author trained them):
``result = (1 - blend) * picture sampled at the warped place + blend * colour``. Inside our graphs colours are in the
order B, G, R, A, which is the order they leave in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.onnx_graph import GraphBuilder

from .points import Indices, position
from .weights import Layer, SineNetwork

SIZE = 512
FIELD_CHANNELS = 7
"""Warp x and y, blend, and the colour's B, G, R, A."""
FACE_SIZE = 128
FACE_TOP, FACE_LEFT = 80, 192
"""Where the face's 128 x 128 points stand in the picture."""
_SMALLEST_ALPHA = 1.0 / 1024.0
_KNEE, _SLOPE, _GAIN, _OFFSET, _GAMMA = 0.0031308, 12.92, 1.055, 0.055, 2.4
"""The sRGB transfer function (IEC 61966-2-1), encoding side."""
_UINT8 = 2
"""TensorProto's number of the type."""


def blue_first(network: SineNetwork) -> SineNetwork:
    """The network with the R, G, B among its last four outputs given as B, G, R."""
    count = len(network.output.bias)
    order = [*range(count - 4), count - 2, count - 3, count - 4, count - 1]
    return SineNetwork(network.levels, Layer(network.output.weight[order], network.output.bias[order]))


def linear_picture(picture: Picture) -> NDArray[np.float32]:
    """The network's picture of a character: 512 x 512 straight BGRA (sRGB) to (1, 4, 512, 512) BGRA, linear light,
    premultiplied, -1..1."""
    values = picture.astype(np.float32) / 255.0
    colour, alpha = values[:, :, :3], values[:, :, 3:]
    linear = np.where(colour <= _KNEE * _SLOPE, colour / _SLOPE, ((colour + _OFFSET) / _GAIN) ** _GAMMA)
    premultiplied = np.concatenate([linear * alpha, alpha], axis=2) * 2.0 - 1.0
    return np.ascontiguousarray(premultiplied.transpose(2, 0, 1)[None], np.float32)


def encoded(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light (0..1) to gamma-encoded values (0..1)."""
    curve = _GAIN * np.maximum(linear, _KNEE) ** (1.0 / _GAMMA) - _OFFSET
    return np.where(linear < _KNEE, linear * _SLOPE, curve).astype(np.float32)


def sampled(
    graph: GraphBuilder, picture: str, fields: str, pixels: Indices, size: int = SIZE, channels: int = 4
) -> str:
    """Shape (channels, n): the blended result, linear premultiplied BGRA in -1..1, at (row, column) pixels of a
    ``size`` grid. ``picture``: (1, channels, 512, 512), the last of BGRA's channels; ``fields``: (n, 7)."""
    count = len(pixels)
    places = graph.node("Add", graph.constant(position(pixels, size)), graph.columns(fields, 0, 2))
    taken = graph.node(
        "GridSample", picture, graph.reshape(places, 1, count, 1, 2),
        mode="bilinear", padding_mode="border", align_corners=0,
    )  # fmt: skip
    warped = graph.reshape(taken, channels, count)
    # channels first from here on: a factor for all of a pixel's channels is one row then
    rest = graph.node("Transpose", graph.columns(fields, 2, FIELD_CHANNELS), perm=[1, 0])
    blend = graph.rows(rest, 0, 1)
    colour = graph.rows(rest, 5 - channels, 5)
    return graph.node("Add", warped, graph.node("Mul", blend, graph.node("Sub", colour, warped)))


def as_bytes(graph: GraphBuilder, result: str) -> str:
    """Shape (n, 4) uint8: premultiplied BGRA in gamma-encoded values, rounded, from (4, n) linear premultiplied."""
    one, zero = graph.number(1.0), graph.number(0.0)
    scaled = graph.node("Add", graph.node("Mul", result, graph.number(0.5)), graph.number(0.5))
    unit = graph.node("Clip", scaled, zero, one)
    alpha = graph.rows(unit, 3, 4)
    by_alpha = graph.node("Div", graph.rows(unit, 0, 3), graph.node("Max", alpha, graph.number(_SMALLEST_ALPHA)))
    straight = graph.node("Min", by_alpha, one)
    power = graph.node("Pow", graph.node("Max", straight, graph.number(_KNEE)), graph.number(1.0 / _GAMMA))
    curve = graph.node("Sub", graph.node("Mul", power, graph.number(_GAIN)), graph.number(_OFFSET))
    dark = graph.node("Less", straight, graph.number(_KNEE))
    encoded = graph.node("Where", dark, graph.node("Mul", straight, graph.number(_SLOPE)), curve)
    pixels = graph.node("Concat", graph.node("Mul", encoded, alpha), alpha, axis=0)
    rounded = graph.node("Add", graph.node("Mul", pixels, graph.number(255.0)), graph.number(0.5))
    return graph.node("Transpose", graph.node("Cast", rounded, to=_UINT8), perm=[1, 0])
