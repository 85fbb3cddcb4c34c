"""The ladder: what the worker is started with after it failed too often, from fastest to safest."""

from __future__ import annotations

from typing import Tuple

TENSORRT = "tensorrt"
GPU = "gpu"
CPU = "cpu"
RIG = "rig"

LADDER: Tuple[str, ...] = (TENSORRT, GPU, CPU, RIG)
"""TensorRT; DirectML or CUDA; the networks on the processor; the built-in rig, which needs no network at all."""


def ladder_from(first: str) -> Tuple[str, ...]:
    """The rungs from ``first`` down to the safest. An unknown name means the whole ladder."""
    return LADDER[LADDER.index(first) :] if first in LADDER else LADDER


def allows(rung: str, needed: str) -> bool:
    """May something that needs ``needed`` run on ``rung``? (A rung allows itself and everything below.)"""
    return LADDER.index(rung) <= LADDER.index(needed)
