"""The last step of a RIFE network, found by the structure of its graph.

Every IFNet ends alike: ``share * GridSample(img0, grid0) + (1 - share) * GridSample(img1, grid1)``, cut off at 0 and 1
or not. The grids are the network's flow, ``share`` a sigmoid of one channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from onnx import NodeProto

from models.tha.graphs import NetworkGraph

from .files import NEWER_IMAGE, OLDER_IMAGE, PICTURE_SIDE


@dataclass(frozen=True, slots=True)
class Warp:
    """How one of the two pictures gets into the result."""

    sample: NodeProto
    """The GridSample node; its second input is the grid, float [1, 512, 512, 2]."""
    weight: str
    """The tensor it is multiplied by, float [1, 1, 512, 512], 0..1."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The result is the sum of both; their weights add up to 1."""

    older: Warp
    newer: Warp


def find_ending(graph: NetworkGraph, result: str) -> Ending | None:
    """The last step before ``result``; None where the network's end looks different."""
    added = graph.producer(_before_limits(graph, result), "Add")
    if added is None:
        return None
    for direct, remaining in permutations(added.input):
        for sample, share in _samples(graph, direct):
            if graph.producer(share, "Sigmoid") is None:
                continue
            for other, rest in _samples(graph, remaining):
                if _is_rest_of(graph, rest, share):
                    found = _in_order(graph, Warp(sample, share), Warp(other, rest))
                    if found is not None:
                        return found
    return None


def _samples(graph: NetworkGraph, name: str) -> Iterator[tuple[NodeProto, str]]:
    """GridSample node and what its result is multiplied by, if ``name`` is such a product."""
    product = graph.producer(name, "Mul")
    for picture, weight in permutations(product.input) if product is not None else ():
        sample = graph.producer(picture, "GridSample")
        if sample is not None:
            yield sample, weight


def _is_rest_of(graph: NetworkGraph, rest: str, share: str) -> bool:
    difference = graph.producer(rest, "Sub")
    if difference is None or graph.origin(difference.input[1]) != graph.origin(share):
        return False
    whole = graph.constant(difference.input[0])
    return whole is not None and bool(np.all(whole == 1))


def _in_order(graph: NetworkGraph, first: Warp, second: Warp) -> Ending | None:
    side = PICTURE_SIDE
    for warp in (first, second):
        grid, weight = (graph.type_of(name) for name in (warp.sample.input[1], warp.weight))
        if (grid or (0, ()))[1] != (1, side, side, 2) or (weight or (0, ()))[1] != (1, 1, side, side):
            return None
    sampled = [_before_limits(graph, warp.sample.input[0]) for warp in (first, second)]
    if sampled == [OLDER_IMAGE, NEWER_IMAGE]:
        return Ending(first, second)
    return Ending(second, first) if sampled == [NEWER_IMAGE, OLDER_IMAGE] else None


def _before_limits(graph: NetworkGraph, name: str) -> str:
    """Where a tensor comes from before it was cut off at limits or changed its type."""
    limited = graph.producer(name, "Clip")
    return graph.origin(name if limited is None else limited.input[0])
