"""What a THA4 student's two networks look like, and their weights held against it.

Both are SIRENs: 1x1 convolutions with a sine between them, evaluated for every pixel of a square by itself.

- face: one level at 128 x 128; 41 -> 128, seven times 128 -> 128, output 128 -> 4 (linear RGBA in -1..1).
- body: three levels at 128, 256 and 512; 47 -> 360 -> 360 -> 180, 227 -> 180 -> 180 -> 90, 137 -> 90 -> 90 -> 90,
  output 90 -> 7 (where to look in the picture: x, y; how much of the new colour; linear RGBA in -1..1).

Columns of a level's first layer: what the level before made (bilinearly enlarged, half-pixel centres; nothing for the
first level), then the pixel's position x and y, then the pose (the first 39 values for the face, all 45 for the body).
Position: ``(2 * index + 1) / size - 1``, x to the right, y down.

PyTorch's files hold weights for ``sin(30 * (W x + b))``; ONNX files have the 30 in the weights already, or as a Mul
behind the Conv. Here it always ends in the weights: ``sin(W x + b)`` is the layer. Other widths and numbers of layers
are taken as they come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.wire.errors import ModelFileBad

from .weights import Layer, SineNetwork

SINE_FACTOR = 30.0
_MAXIMUM_WIDTH = 1024
_MAXIMUM_LAYERS = 64
"""Of one level."""


@dataclass(frozen=True, slots=True)
class NetworkContract:
    """What one of the two networks must look like."""

    name: str
    sine_names: str
    """Where a layer's tensors are in PyTorch's file, by ``level`` and ``layer``."""
    output_name: str
    given: int
    """Position and pose values that every level gets."""
    outputs: int
    most_levels: int


FACE = NetworkContract("face", "siren.sine_layers.{layer}.linear", "siren.last_linear", 2 + 39, 4, 1)
BODY = NetworkContract("body", "siren_layers.{level}.{layer}.linear", "last_linear", 2 + 45, 7, 6)


def network_from_tensors(tensors: Mapping[str, NDArray[np.float32]], wanted: NetworkContract, file: str) -> SineNetwork:
    """A network from PyTorch's tensors by name. Raises ModelFileBad (``wrong_contract``)."""
    levels: list[tuple[Layer, ...]] = []
    names: set[str] = set()
    while len(levels) < wanted.most_levels:
        layers: list[Layer] = []
        while (name := wanted.sine_names.format(level=len(levels), layer=len(layers))) + ".weight" in tensors:
            layers.append(times(_layer(tensors, name, file), SINE_FACTOR))
            names.add(name)
        if not layers:
            break
        levels.append(tuple(layers))
    output = _layer(tensors, wanted.output_name, file)
    known = {f"{name}.{kind}" for name in (*names, wanted.output_name) for kind in ("weight", "bias")}
    unknown = sorted(tensors.keys() - known)
    if unknown:
        raise ModelFileBad(f"{unknown[0][:100]!r} is no part of a {wanted.name}", file=file, reason="wrong_contract")
    return checked(SineNetwork(tuple(levels), output), wanted, file)


def network_from_layers(layers: Sequence[Layer], output: Layer, wanted: NetworkContract, file: str) -> SineNetwork:
    """A network from its layers in order: one that takes more than the one before gave begins a level.

    Raises ModelFileBad (``wrong_contract``).
    """
    levels: list[list[Layer]] = []
    given = -1
    for layer in layers:
        if layer.weight.shape[1] != given:
            levels.append([])
        levels[-1].append(layer)
        given = layer.weight.shape[0]
    return checked(SineNetwork(tuple(map(tuple, levels)), output), wanted, file)


def checked(network: SineNetwork, wanted: NetworkContract, file: str) -> SineNetwork:
    """The network itself if every layer takes what there is for it. Raises ModelFileBad (``wrong_contract``)."""

    def bad(detail: str) -> ModelFileBad:
        return ModelFileBad(f"{wanted.name}: {detail}", file=file, reason="wrong_contract")

    if not 1 <= len(network.levels) <= wanted.most_levels:
        raise bad(f"{len(network.levels)} levels")
    features = 0
    for number, level in enumerate(network.levels):
        if len(level) > _MAXIMUM_LAYERS:
            raise bad(f"{len(level)} layers in level {number}")
        arriving = features + wanted.given
        for layer in level:
            features, inputs = layer.weight.shape
            if inputs != arriving or not features <= _MAXIMUM_WIDTH:
                raise bad(f"a layer {inputs} -> {features} in level {number} where {arriving} values arrive")
            arriving = features
    if network.output.weight.shape != (wanted.outputs, features):
        raise bad(f"the output is {network.output.weight.shape}, not {(wanted.outputs, features)}")
    for layer in (*(layer for level in network.levels for layer in level), network.output):
        # finite numbers may have left the range of float32 when the factor came into them
        if not np.isfinite(layer.weight).all() or not np.isfinite(layer.bias).all():
            raise bad("weights too large")
    return network


def times(layer: Layer, factor: float) -> Layer:
    """The layer that gives ``factor`` times as much."""
    with np.errstate(over="ignore"):
        return Layer(layer.weight * np.float32(factor), layer.bias * np.float32(factor))


def layer_of(weight: NDArray[np.float32], bias: NDArray[np.float32], name: str, file: str) -> Layer:
    """A layer from a 1x1 convolution's [out, in, 1, 1] or a matrix. Raises ModelFileBad (``wrong_contract``)."""
    if weight.ndim == 4 and weight.shape[2:] == (1, 1):
        weight = weight[:, :, 0, 0]
    if weight.ndim != 2 or bias.shape != weight.shape[:1]:
        detail = f"{name[:100]!r}: weight {weight.shape} and bias {bias.shape}"
        raise ModelFileBad(detail, file=file, reason="wrong_contract")
    return Layer(np.ascontiguousarray(weight), np.ascontiguousarray(bias))


def _layer(tensors: Mapping[str, NDArray[np.float32]], name: str, file: str) -> Layer:
    weight, bias = tensors.get(f"{name}.weight"), tensors.get(f"{name}.bias")
    if weight is None or bias is None:
        raise ModelFileBad(f"no {name}", file=file, reason="wrong_contract")
    return layer_of(weight, bias, name, file)
