"""Soft edges: how much of a pixel at a figure's edge is figure, and of what colour that part is.

A pixel at the edge is a mixture ``alpha * figure + (1 - alpha) * background`` of gamma-encoded values, as drawing
programs make it. The background is known. The figure's colour is that of a pixel close by, further inside, that lies
on the line from the background through the mixture, as far out on it as there is one. A line or strand so thin that
no pixel shows it alone is taken for darker (or brighter) than any pixel of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

_DIRECTIONS: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0))
_DARKEST, _BRIGHTEST = 18.0, 245.0
"""What the colour of a line that is nowhere seen alone may be."""
_BLOCK: Final = 1 << 16
_SUPPORT: Final = 0.97
_MOST_DEPTH: Final = 4
_FULL: Final = 0.8
"""Part of an edge's full strength below which its pixels still are mixtures."""


@dataclass(frozen=True, slots=True)
class Edge:
    """How edges look in a picture."""

    depth: int
    """Pixels from the background inwards that may be mixtures."""
    noise: float
    """How far colours stray, of 255."""
    stray: float
    """How far beside its line a mixture may lie, as a part of its distance from the background."""


CLEAN: Final = Edge(2, 1.0, 0.16)
COMPRESSED: Final = Edge(4, 9.0, 0.35)
"""JPEG and the like: colours bleed by some pixels."""


def soften(colour: Floats, background: Floats, sure: Mask, edge: Edge) -> tuple[Floats, Floats]:
    """Alpha (height, width), 0..1, and the figure's own colours (height, width, 3), B, G, R of 0..255.

    ``colour`` and ``background`` are (height, width, 3) of 0..255, ``sure`` is 1 where nothing but background is.
    """
    alpha = (1 - sure).astype(np.float32)
    figure = colour.copy()
    away = np.minimum(cv2.distanceTransform(1 - sure, cv2.DIST_L2, 3), 255.0).astype(np.float32)
    rows, columns = np.nonzero((away > 0) & (away < _MOST_DEPTH + 3.0))
    strength = np.zeros(sure.shape, np.float32)
    band = colour[rows, columns] - background[rows, columns]
    strength[rows, columns] = np.sqrt(np.einsum("ij,ij->i", band, band))
    edge = replace(edge, depth=max(edge.depth, _depth(strength, away)))
    inside = away[rows, columns] < edge.depth + 0.9
    rows, columns = rows[inside], columns[inside]
    # an edge gets stronger inwards; where it has been stronger already, this is the figure's own pale colour
    outside = _strongest_outside(strength, away, edge.depth)
    possible = strength[rows, columns] >= outside[rows, columns] - edge.noise
    rows, columns = rows[possible], columns[possible]
    lone = np.zeros(sure.shape, np.uint8)
    for first in range(0, len(rows), _BLOCK):
        part = slice(first, first + _BLOCK)
        lone[rows[part], columns[part]] = _is_lone(colour, background, away, rows[part], columns[part], edge)
    for first in range(0, len(rows), _BLOCK):
        part = slice(first, first + _BLOCK)
        share, own = _mixture(colour, background, away, lone, rows[part], columns[part], edge)
        alpha[rows[part], columns[part]] = share
        figure[rows[part], columns[part]] = own
    return alpha, figure


def _depth(strength: Floats, away: Floats) -> int:
    """How many pixels wide edges are: drawn sharply two, in enlarged pictures more."""
    strongest = np.maximum(cv2.dilate(strength, np.ones((7, 7), np.uint8)), 1.0)
    for layer in range(_MOST_DEPTH, 1, -1):
        ring = (away >= layer - 0.5) & (away < layer + 0.5)
        if ring.any() and float(np.median(strength[ring] / strongest[ring])) < _FULL:
            return layer
    return 1


def _strongest_outside(strength: Floats, away: Floats, depth: int) -> Floats:
    """For every pixel the strongest difference from the background among its neighbours nearer to the background."""
    strongest = np.zeros_like(strength)
    kernel = np.ones((3, 3), np.uint8)
    for layer in range(1, depth + 1):
        outside = cv2.dilate(np.where(away < layer + 0.4, np.maximum(strength, strongest), np.float32(0)), kernel)
        ring = (away >= layer + 0.4) & (away < layer + 1.4)
        strongest[ring] = outside[ring]
    return strongest


class _Lines:
    """The lines from the background through some pixels, and what lies on them elsewhere."""

    def __init__(
        self, colour: Floats, background: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], edge: Edge
    ) -> None:
        self._colour, self._rows, self._columns, self._edge = colour, rows, columns, edge
        self.behind = background[rows, columns]
        self.step = colour[rows, columns] - self.behind
        self.length = np.sqrt(np.einsum("ij,ij->i", self.step, self.step))
        self._line = self.step / np.maximum(self.length, 1e-3)[:, None]

    def at(self, right: int, down: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The pixels that far away."""
        height, width = self._colour.shape[:2]
        return np.clip(self._rows + down, 0, height - 1), np.clip(self._columns + right, 0, width - 1)

    def along(self, there: Floats) -> Floats:
        """How far out on the lines these colours lie; 0 where they do not."""
        ahead = there - self.behind
        along = np.einsum("ij,ij->i", ahead, self._line)
        beside = np.sqrt(np.maximum(np.einsum("ij,ij->i", ahead, ahead) - along * along, 0.0))
        on_it = beside < self._edge.stray * along + 4.0 + self._edge.noise
        return np.where(on_it, along, np.float32(0))

    def limit(self) -> Floats:
        """How far out on the lines a colour can lie at all."""
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(self.step > 0, _BRIGHTEST - self.behind, _DARKEST - self.behind) / self.step
        room = np.where(np.abs(self.step) < 0.02 * self.length[:, None] + 0.5, np.inf, np.maximum(room, 1.0))
        return np.asarray(np.minimum(room.min(axis=1), 20.0) * self.length, np.float32)


def _is_lone(
    colour: Floats, background: Floats, away: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp], edge: Edge
) -> NDArray[np.bool_]:
    """Whether nothing of the same kind lies further inside: a line of its own, too thin to be seen alone."""
    lines = _Lines(colour, background, rows, columns, edge)
    here = away[rows, columns] + np.float32(0.5)
    supported = here > edge.depth + 0.5
    for reach in (1, 2):
        for right, down in _DIRECTIONS:
            there = lines.at(right * reach, down * reach)
            supported |= (lines.along(colour[there]) > _SUPPORT * lines.length) & (away[there] > here)
    return ~supported


def _mixture(
    colour: Floats,
    background: Floats,
    away: Floats,
    lone: Mask,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    edge: Edge,
) -> tuple[Floats, Floats]:
    """Alpha and figure colour of some pixels."""
    lines = _Lines(colour, background, rows, columns, edge)
    furthest, own = lines.length.copy(), colour[rows, columns].copy()
    thin = lone[rows, columns] > 0
    here = away[rows, columns] - np.float32(0.6)
    for reach in sorted({1, 2, 6, 9, edge.depth + 1, 2 * edge.depth}):
        for right, down in _DIRECTIONS:
            there = lines.at(right * reach, down * reach)
            along = lines.along(colour[there])
            better = (along > furthest) & (away[there] >= here)
            furthest[better] = along[better]
            own[better] = colour[there][better]
            thin[better] = lone[there][better] > 0
    # how dark a line is that is nowhere seen alone lies between its darkest pixel and what is possible
    limit = np.sqrt(furthest * np.maximum(lines.limit(), furthest))
    furthest[thin] = limit[thin]
    share = np.clip((lines.length - edge.noise) / np.maximum(furthest - edge.noise, 1e-3), 0.0, 1.0)
    # what is left after the background is taken off tells the colour the better the more there is of it
    cleaned = lines.behind + lines.step / np.maximum(share, 0.05)[:, None]
    trust = np.where(thin, 1.0, np.clip((share - 0.1) / 0.5, 0.0, 1.0))[:, None]
    return share.astype(np.float32), np.clip(own + trust * (cleaned - own), 0.0, 255.0).astype(np.float32)
