"""The shape of one eye as the picture shows it: its lids as curves, and what belongs to the eye."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from .canvas import Canvas
from .fill import Plane, fill, soft, soft_step
from .paint import disc
from .places import EyePlace
from .skin import Lab, to_lab, unlikeness

Curve = NDArray[np.float32]
"""Shape (1, width), float32: a height in picture pixels for every column of a patch."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EyeShape:
    """One eye's patch of the canvas, taken apart. Planes are float32 of its size, 0..1 unless said otherwise."""

    box: tuple[slice, slice]
    x: Curve
    y: Plane
    """Shape (height, 1): the rows' places in the picture, as ``x`` is the columns'."""
    across: Curve
    """Column positions from -1 (the corner on the picture's left) to 1, going on beyond both corners."""
    upper: Curve
    """Upper edge of the upper lashes, where lid skin begins."""
    inner: Curve
    """Lower edge of the upper lashes, where the white begins."""
    lower: Curve
    """Lower edge of the lower lashes."""
    lash_thickness: float
    """Of the upper lashes, across their line, in picture pixels."""
    iris_distance: Plane
    """1 on the iris' edge, 0 in its middle."""
    luma: Plane
    """0..255."""
    skin: Plane
    """(height, width, 3) BGR, 0..255: the patch as if there were no eye."""
    eye: Plane
    """1 where something belongs to the eye: opening, lashes, outline."""


def shape_of(canvas: Canvas, place: EyePlace, skin_lab: Lab) -> EyeShape:
    """Look at one eye of the canvas, in a face whose skin is mostly ``skin_lab``."""
    half_width, half_height = place.half_width, place.half_height
    centre_x, centre_y = place.centre.x, place.centre.y
    box = canvas.box(
        centre_x - 1.7 * half_width,
        centre_y - 1.7 * half_height,
        centre_x + 1.7 * half_width,
        centre_y + 1.6 * half_height,
    )
    x, y = canvas.places(box)
    across = ((x - centre_x) / half_width).astype(np.float32)
    along = ((y - centre_y) / half_height).astype(np.float32)
    patch = canvas.pixels[box]
    unlike, skin = _unlike_skin(patch, skin_lab, across**2 + along**2 < 0.8, canvas.scale)
    luma = cv2.cvtColor(np.ascontiguousarray(patch[..., :3]), cv2.COLOR_BGR2GRAY).astype(np.float32)
    eye = _belongs(unlike, luma, across, along)
    across = _between_corners(eye, x, place, canvas.scale)
    rim = np.sqrt(np.maximum(0.0, 1.0 - across**2)).astype(np.float32)
    seen = eye.any(axis=0)
    edge_top = np.where(seen, y[np.argmax(eye, axis=0), 0], np.nan)
    edge_bottom = np.where(seen, y[len(eye) - 1 - np.argmax(eye[::-1], axis=0), 0], np.nan)
    upper = _curve(across, edge_top, centre_y - half_height * rim, half_height)
    lower = _curve(across, edge_bottom, centre_y + half_height * rim, half_height)
    # A strand that touches the lashes from above is no lash.
    eye &= (y > upper - np.float32(0.4 * half_height)) | (np.abs(across) > 1.0)
    iris_distance = np.hypot((x - place.iris.x) / place.iris_radius_x, (y - place.iris.y) / place.iris_radius_y)
    bright_top = _bright_top(luma, eye & (iris_distance > 1.02) & (y > upper) & (y < lower - 1.0), y)
    inner, thickness = _inner_edge(bright_top, across, upper, x, place)
    spread = cv2.dilate(eye.astype(np.uint8), disc(1.9 * canvas.scale)) > 0
    # What is next to the eye but neither skin nor joined to it (hair, glasses) keeps its pixels.
    other = cv2.morphologyEx(((unlike > 0.3) & ~eye).astype(np.uint8), cv2.MORPH_OPEN, disc(0.6 * canvas.scale)) > 0
    off_middle = np.asarray(np.abs(x - centre_x) / half_width, np.float32)
    skin = _with_upright_lines(patch, skin, spread, off_middle)
    belongs = cv2.GaussianBlur((spread & ~other).astype(np.float32), (0, 0), 0.4 * canvas.scale).astype(np.float32)
    return EyeShape(
        box, x, y, across, upper, inner, lower, thickness, iris_distance.astype(np.float32), luma, skin, belongs
    )


def lid_cosine(lid: Curve, x: Curve) -> Curve:
    """How level a lid runs in each column: 1 where it is flat, less where it is steep."""
    slope = np.gradient(lid[0], x[0])
    # Below a third, a lid stands so upright at the corner that its lashes would be squeezed to nothing.
    return np.asarray(np.maximum(1.0 / np.sqrt(1.0 + slope**2), 1.0 / 3.0)[None, :], np.float32)


def _unlike_skin(patch: Picture, skin: Lab, never_skin: Mask, scale: float) -> tuple[Plane, Plane]:
    """How unlike skin each pixel is (0..1), and the skin that would be there without the eye (BGR, 0..255)."""
    colour = patch[..., :3].astype(np.float32)
    lab = to_lab(patch)
    local: Lab = skin
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    white = (lab[..., 0] > skin[0] + 1.5) & (chroma < 0.6 * np.hypot(skin[1], skin[2]))
    spread, unlike = colour, np.zeros(lab.shape[:2], np.float32)
    # Blush and shadow make skin drift from the face's one colour: the second look compares with what is nearby.
    for limit in (0.32, 0.19):
        unlike = unlikeness(lab, local)
        unlike[patch[..., 3] < 250] = 1.0
        known = np.float32(1) - soft_step(unlike, 0.7 * limit, limit)
        known = cv2.erode(known, disc(1.2 * scale)).astype(np.float32)
        known[never_skin | white] = 0.0
        spread = np.clip(fill(colour, known), 0, 255).astype(np.float32)
        local = np.asarray(cv2.cvtColor(spread / np.float32(255), cv2.COLOR_BGR2LAB), np.float32)
    return unlike, spread


def _with_upright_lines(patch: Picture, skin: Plane, hidden: Mask, off_middle: Curve) -> Plane:
    """``skin`` with the lines that pass beyond the corners (cheek, strands, rims) going on behind the lashes.

    There each hidden stretch of a column is filled from what is right above and below it.
    """
    filled = skin.copy()
    colour = patch[..., :3].astype(np.float32)
    share = soft_step(off_middle[0], 1.0, 1.15)
    last = len(patch) - 1
    for column in np.flatnonzero((share > 0.0) & hidden.any(axis=0)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], hidden[:, column].view(np.int8), [0]])))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            above, below = colour[max(0, start - 1), column], colour[min(last, stop), column]
            along = np.linspace(0.0, 1.0, stop - start + 2, dtype=np.float32)[1:-1, None]
            through = above + (below - above) * along
            # A strand that ends above is no line to go on.
            agreed = 1.0 - soft(float(np.abs(above - below).max()), 40.0, 90.0)
            filled[start:stop, column] += (through - filled[start:stop, column]) * np.float32(share[column] * agreed)
    return filled


def _belongs(unlike: Plane, luma: Plane, across: Curve, along: Plane) -> Mask:
    """What is unlike skin, in reach of the eye and joined to it; brows, creases and stray hair are not."""
    reach = np.abs(across / 1.45) ** 3 + np.abs(along / np.where(along < 0, 1.45, 1.28)) ** 3 < 1.0
    # Hair and glasses often touch the corners; lashes leave them sideways and upward only.
    reach &= (np.abs(across) < 1.05) | ((along > -1.0) & (along < 0.15))
    candidates = ((unlike > 0.25) & reach).astype(np.uint8)
    # Strands and rims pass the corners as long upright lines; no eye is that high there. Lashes over a lighter rim
    # are darker than it.
    eye_rows = np.ones((max(3, round(2.3 / float(along[1, 0] - along[0, 0]))), 1), np.uint8)
    dark = luma < 0.5 * float(np.median(luma[unlike < 0.2])) if (unlike < 0.2).any() else luma < 64
    rim, strand = (
        cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, eye_rows) > 0 for mask in (unlike > 0.25, dark)
    )
    candidates[((rim & ~dark) | strand) & (np.abs(across) > 1.2)] = 0
    core = across**2 + along**2 < 0.3
    candidates[core] = 1
    _, labels = cv2.connectedComponents(candidates, connectivity=8)
    joined = np.isin(labels, np.unique(labels[core])).astype(np.uint8)
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(joined, outlines, -1, 1, cv2.FILLED)
    return np.asarray(joined, np.bool_)


def _between_corners(eye: Mask, x: Curve, place: EyePlace, scale: float) -> Curve:
    """Column positions from -1 to 1 between the corners; lashes that stick out beyond are too low to count."""
    low = 0.3
    high_enough = eye.sum(axis=0) / scale > low * 2.0 * place.half_height
    columns = x[0][high_enough & (np.abs(x[0] - place.centre.x) < 1.15 * place.half_width)]
    left, right = place.centre.x - place.half_width, place.centre.x + place.half_width
    if len(columns) > 4:
        # An ellipse is `low` times its full height this far from its middle.
        reach = 0.5 * float(columns[-1] - columns[0]) / float(np.sqrt(1.0 - low * low))
        middle = 0.5 * float(columns[-1] + columns[0])
        left, right = max(left - 2.0, middle - reach), min(right + 2.0, middle + reach)
    return ((x - 0.5 * (left + right)) / np.float32(max(2.0, 0.5 * (right - left)))).astype(np.float32)


def _curve(across: Curve, seen: NDArray[np.floating], usual: Curve, half_height: float) -> Curve:
    """A smooth lid through what was seen (NaN where nothing was), leaning on the usual one where the two disagree.

    A cubic plus a half circle: lids are round where they meet, which no polynomial of low degree is.
    """
    ends = np.clip(across[0].astype(np.float64), -1.0, 1.0)
    basis = np.stack([np.ones_like(ends), ends, ends**2, ends**3, np.sqrt(1.0 - ends**2)], axis=1)
    inside = np.abs(across[0]) <= 1.0
    prior = usual[0].astype(np.float64)[inside]
    heights = np.asarray(seen, np.float64)[inside]
    known = np.isfinite(heights)
    heights = np.where(known, heights, prior)
    weight = np.where(known, np.where(np.abs(heights - prior) < 0.7 * half_height, 1.0, 0.02), 0.0)
    # What sticks out beyond a corner (lashes, hair) must not tear the lids apart there.
    corners = 1.2 * np.array([[1.0, -1.0, 1.0, -1.0, 0.0], [1.0, 1.0, 1.0, 1.0, 0.0]])
    corner_heights = 1.2 * prior[[0, -1]]
    coefficients = np.zeros(basis.shape[1])
    for _ in range(4):
        rows = np.concatenate([basis[inside] * weight[:, None], 0.05 * basis[inside], corners])
        targets = np.concatenate([heights * weight, 0.05 * prior, corner_heights])
        coefficients = np.linalg.lstsq(rows, targets, rcond=None)[0]
        # Single lashes stand out of the line by pixels; they must not pull it along.
        away = (heights - basis[inside] @ coefficients) / (0.08 * half_height + 0.3)
        weight = known / (1.0 + away**2)
    return (basis @ coefficients).astype(np.float32)[None, :]


def _bright_top(luma: Plane, white_may_be: Mask, y: Plane) -> NDArray[np.float64]:
    """For every column, where its longest bright stretch begins (picture y), or NaN."""
    tops = np.full(luma.shape[1], np.nan)
    if not white_may_be.any():
        return tops
    dark, bright = np.percentile(luma[white_may_be], (5, 95))
    is_white = white_may_be & (luma > 0.45 * dark + 0.55 * bright)
    step = float(y[1, 0] - y[0, 0])
    for column in np.flatnonzero(is_white.sum(axis=0) * step > 2.0):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], is_white[:, column].view(np.int8), [0]])))
        starts, ends = edges[::2], edges[1::2]
        tops[column] = float(y[starts[int(np.argmax(ends - starts))], 0]) - 0.5 * step
    return tops


def _inner_edge(
    bright_top: NDArray[np.float64], across: Curve, upper: Curve, x: Curve, place: EyePlace
) -> tuple[Curve, float]:
    """The upper lashes' lower edge as a lid-like curve, and how thick they are.

    Seen beside the iris only. Across the iris, which is as dark as lashes, they are as thick as beside it.
    """
    half_height = place.half_height
    cosine = lid_cosine(upper, x)[0].astype(np.float64)
    height = bright_top - upper[0]
    useful = np.isfinite(height) & (height > 0.0) & (height < 1.2 * half_height) & (np.abs(across[0]) < 0.95)
    thickness = float(np.median((height * cosine)[useful])) if np.count_nonzero(useful) > 3 else 0.2 * half_height
    thickness = float(np.clip(thickness, 0.1 * half_height, 0.34 * half_height))
    usual = upper + np.float32(thickness)
    seen = np.where(useful, bright_top, np.nan)
    middle = (np.abs(x[0] - place.iris.x) < 0.6 * place.iris_radius_x) & ~useful
    seen[middle] = usual[0, middle]
    inner = _curve(across, seen, usual, half_height)
    return np.clip(inner, upper + np.float32(0.06 * half_height), None).astype(np.float32), thickness
