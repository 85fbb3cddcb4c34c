"""The one place where finished frames change their kind: premultiplied to straight, on a background, alpha beside."""

from __future__ import annotations

import cv2
import numpy as np

from .base import Picture


def straight(premultiplied: Picture, out: Picture) -> Picture:
    """Straight alpha from premultiplied, same shape: colour = premultiplied * 255 / alpha, rounded; 0 where alpha is 0.

    Shown over a background with classical blending (gamma-encoded values) the result differs from the premultiplied
    original by at most 1 of 255.
    """
    # the channel order does not matter to this conversion: it treats the first three alike
    cv2.cvtColor(premultiplied, cv2.COLOR_mRGBA2RGBA, dst=out)
    return out


def over_background(premultiplied: Picture, colour: int, out: Picture | None = None) -> Picture:
    """The picture on a plain background, as (height, width, 3) BGR. ``colour`` is OBS's 0xAABBGGRR, alpha ignored."""
    blue, green, red = (colour >> 16) & 255, (colour >> 8) & 255, colour & 255
    uncovered = cv2.bitwise_not(premultiplied[:, :, 3])
    plain = np.empty((*premultiplied.shape[:2], 3), np.uint8)
    plain[:] = (blue, green, red)
    weight = cv2.merge((uncovered, uncovered, uncovered))
    background = cv2.multiply(plain, weight, scale=1 / 255)
    result = cv2.add(premultiplied[:, :, :3], background, dst=out)
    return np.asarray(result, np.uint8)


def alpha_beside(premultiplied: Picture, colour: int) -> Picture:
    """Twice as wide, BGR: the picture on ``colour`` at the left, its alpha as grey at the right."""
    alpha = premultiplied[:, :, 3]
    return np.hstack((over_background(premultiplied, colour), cv2.merge((alpha, alpha, alpha))))
