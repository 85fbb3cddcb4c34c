"""The avatar moves in its picture as its person moves before the camera: EasyVtuber's extended movement, in one warp.

Per metre, at a multiplier of 1: 400 of 512 pixels to the side, 600 up or down, 10 degrees of lean to the side, and
twice the size when one comes a metre nearer. Everything is a share of the picture's side, so that every size moves
alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.pose.calibration import EASED_IN_NS
from core.pose.sample import Position

_SIDEWAYS, _UPWARD = 400.0 / 512.0, 600.0 / 512.0
_LEAN_DEGREES = 10.0
_MOST_LEAN_DEGREES = 15.0
_BONGO_DEGREES = -5.0
_SMALLEST, _LARGEST = 0.5, 2.0
_FARTHEST = 0.5
_DRIFT_S = 20.0
_LONGEST_STEP_S = 0.25
_SUBPIXELS = 8
_STILL = 1e-6
_IDENTITY = np.array([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])

HeadBox = tuple[float, float, float, float]
"""Left, top, right, bottom in shares of the picture's side."""
HEAD_BOX: HeadBox = (0.32, 0.04, 0.68, 0.40)
"""Where the head is in every character that the networks can move."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the avatar stands in its picture: turned and scaled about the centre, then shifted."""

    scale: float = 1.0
    degrees: float = 0.0
    """+ is counter-clockwise on screen."""
    right: float = 0.0
    """Shares of the picture's side; + is to the right on screen."""
    down: float = 0.0

    def matrix(self, size: int) -> NDArray[np.float64]:
        """Shape (2, 3), pixels to pixels, of a picture of this size; rounded so finely that nobody can see it, and so
        coarsely that a face that trembles by less leaves the picture as it is."""
        turn = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), self.degrees, self.scale)
        turn[:, 2] += np.array((self.right, self.down)) * size
        turn[:, :2] = np.rint(turn[:, :2] * size * _SUBPIXELS) / (size * _SUBPIXELS)
        turn[:, 2] = np.rint(turn[:, 2] * _SUBPIXELS) / _SUBPIXELS
        return np.asarray(turn, np.float64)

    def stays(self, size: int) -> bool:
        """Does it leave a picture of this size as it is, as far as anybody can see?"""
        return self == IN_PLACE or bool(np.abs(self.matrix(size) - _IDENTITY).max() < _STILL)

    def moved_by(self, other: Placement) -> Placement:
        """This placement, and ``other`` on top of it: what the user set, moved by the head."""
        if other == IN_PLACE:
            return self
        return Placement(
            self.scale * other.scale, self.degrees + other.degrees, self.right + other.right, self.down + other.down
        )


IN_PLACE = Placement()


def placement_of(moved: Position, multiplier: float, *, bongo: bool = False, head: HeadBox | None = None) -> Placement:
    """Where the avatar stands when its head moved so far (metres: + to its own left, + up, + toward the camera).

    The avatar faces the viewer: its own left is the picture's right. With ``head`` the placement is limited so that
    this box stays inside the picture.
    """
    x, y, z = moved
    scale = min(max(1.0 + math.sqrt(multiplier) * z, _SMALLEST), _LARGEST)
    right = _limit(_SIDEWAYS * multiplier * x * scale)
    down = _limit(-_UPWARD * multiplier * y * scale)
    lean = min(max(-_LEAN_DEGREES * multiplier * x, -_MOST_LEAN_DEGREES), _MOST_LEAN_DEGREES)
    degrees = lean + (_BONGO_DEGREES if bongo else 0.0)
    wanted = Placement(scale, degrees, right, down)
    return _inside(wanted, head) if head is not None else wanted


def _inside(wanted: Placement, head: HeadBox) -> Placement:
    """As near to what is wanted as the head allows."""
    left, top, right, bottom = head
    scale = min(wanted.scale, 1.0 / (right - left), 1.0 / (bottom - top))
    angle = math.radians(wanted.degrees)
    across, along = scale * math.cos(angle), scale * math.sin(angle)
    corners = [(x - 0.5, y - 0.5) for x in (left, right) for y in (top, bottom)]
    columns = [0.5 + across * x + along * y for x, y in corners]
    rows = [0.5 - along * x + across * y for x, y in corners]
    return Placement(
        scale,
        wanted.degrees,
        _between(wanted.right, -min(columns), 1.0 - max(columns)),
        _between(wanted.down, -min(rows), 1.0 - max(rows)),
    )


class AutoFraming:
    """Forgets slowly where the head was at first: a chair that was moved leaves the avatar aside for a while only."""

    def __init__(self) -> None:
        self._centre = self._learned = np.zeros(3)
        self._forgotten = 1.0
        self._now_ns = 0

    def recentre(self) -> None:
        """The head's place is measured from elsewhere from now on: what was learned is void.

        It goes as a new neutral comes, over ``EASED_IN_NS``; else the avatar would swing out and back.
        """
        self._learned, self._forgotten = self._centre.copy(), 0.0

    def __call__(self, moved: Position, now_ns: int, presence: float = 1.0) -> Position:
        """Where the head is relative to where it has been lately. While nobody is there nothing is learned."""
        elapsed = min(max((now_ns - self._now_ns) / 1e9, 0.0), _LONGEST_STEP_S) if self._now_ns else 0.0
        self._now_ns = now_ns
        if self._forgotten < 1.0:
            self._forgotten = min(self._forgotten + elapsed * 1e9 / EASED_IN_NS, 1.0)
            self._centre = self._learned * (1.0 - self._forgotten)
        else:
            step = (1.0 - math.exp(-elapsed / _DRIFT_S)) * presence
            self._centre = self._centre + (np.array(moved) - self._centre) * step
        # ``moved`` is faded with the presence, and so must be what is taken off it
        there = presence * presence * (3.0 - 2.0 * presence)
        x, y, z = (float(part) for part in np.array(moved) - self._centre * there)
        return x, y, z


class Movement:
    """From where the head is to where the avatar stands, and the warp. Used by the render loop only."""

    def __init__(self) -> None:
        self.multiplier = 0.0
        """0 leaves the avatar in its place."""
        self.auto_framing = True
        self.bongo = False
        self.stand = IN_PLACE
        """Where the avatar stands when nothing moves it."""
        self._framing = AutoFraming()

    def recentre(self) -> None:
        """After a calibration or another tracker: positions are relative to a new neutral."""
        self._framing.recentre()

    def place(self, moved: Position, presence: float, now_ns: int) -> Placement:
        """Where the avatar stands at this moment."""
        if self.multiplier <= 0.0:
            moved_to = placement_of((0.0, 0.0, 0.0), 0.0, bongo=True) if self.bongo else IN_PLACE
        else:
            if self.auto_framing:
                moved = self._framing(moved, now_ns, presence)
            head = HEAD_BOX if self.auto_framing else None
            moved_to = placement_of(moved, self.multiplier, bongo=self.bongo, head=head)
        return self.stand.moved_by(moved_to)


def blend(older: Placement, newer: Placement, fraction: float) -> Placement:
    """What lies ``fraction`` (0..1) of the way between two placements."""
    if older == newer:
        return newer
    return Placement(
        older.scale + (newer.scale - older.scale) * fraction,
        older.degrees + (newer.degrees - older.degrees) * fraction,
        older.right + (newer.right - older.right) * fraction,
        older.down + (newer.down - older.down) * fraction,
    )


def _limit(share: float) -> float:
    return min(max(share, -_FARTHEST), _FARTHEST)


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high) if low <= high else (low + high) / 2.0
