"""Filling places nobody painted (skin under an eye, white under an iris) from what surrounds them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]


def fill(colours: Plane, known: Plane) -> Plane:
    """Spread the known pixels smoothly over the unknown ones.

    ``colours`` (height, width, channels) and ``known`` (height, width, 0..1) are float32; so is the result, which
    equals ``colours`` where ``known`` is 1. Where nothing is known at all, it is the plain mean of ``colours``.
    """
    if float(known.max(initial=0.0)) < 1e-3:
        return np.broadcast_to(colours.mean(axis=(0, 1)), colours.shape).astype(np.float32)
    height, width = known.shape
    weighted = (colours * known[..., None]).astype(np.float32)
    if min(height, width) <= 1 and max(height, width) <= 2:
        total = float(known.sum())
        coarse = np.broadcast_to(weighted.sum(axis=(0, 1)) / total, colours.shape).astype(np.float32)
    else:
        half = (max(1, (width + 1) // 2), max(1, (height + 1) // 2))
        weight = np.asarray(cv2.resize(known, half, interpolation=cv2.INTER_AREA), np.float32)
        mean = cv2.resize(weighted, half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], -1)
        mean = mean / np.maximum(weight[..., None], np.float32(1e-6))
        # A coarse pixel counts as known as soon as a quarter of it is, so that near colours win over far ones.
        spread = fill(mean.astype(np.float32), np.minimum(weight * np.float32(4), np.float32(1)).astype(np.float32))
        larger = cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
        coarse = np.asarray(larger, np.float32).reshape(colours.shape)
    return np.asarray(weighted + coarse * (np.float32(1) - known[..., None]), np.float32)


def soft_step(values: Plane, low: float, high: float) -> Plane:
    """0 below ``low``, 1 above ``high``, smooth between, as float32."""
    position = np.clip((values - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(position * position * (np.float32(3) - np.float32(2) * position), np.float32)


def soft(value: float, low: float, high: float) -> float:
    """`soft_step` of a single number."""
    position = min(1.0, max(0.0, (value - low) / (high - low)))
    return position * position * (3.0 - 2.0 * position)
