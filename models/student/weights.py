"""The weights of one student character."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Layer(NamedTuple):
    """A product and a sum at every point: ``weight`` float32 (outputs, inputs), ``bias`` float32 (outputs)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SineNetwork:
    """Levels of layers ``sin(W x + b)`` from coarse to fine, then ``W x + b`` without a sine."""

    levels: tuple[tuple[Layer, ...], ...]
    output: Layer


@dataclass(frozen=True, slots=True)
class StudentWeights:
    """Both networks. Every layer is ``sin(W x + b)`` as it stands here, without another factor, but for the output
    layers, which are ``W x + b``."""

    face: SineNetwork
    """One level."""
    body: SineNetwork
    """Levels from coarse to fine."""
