"""Where the parts of a face are in a character's picture, as values, and what ``character.json`` says about them.

All places are in pixels of the 512 x 512 picture, measured from its left and top edge (the middle of the first pixel
is 0.5). "Left" is the character's own left, which is the right side of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.wire.errors import CharacterDescriptionBad

PICTURE_SIZE = 512
"""Width and height of every character picture, in pixels."""


@dataclass(frozen=True)
class Point:
    """A place in the picture."""

    x: float
    y: float


@dataclass(frozen=True)
class HeadBox:
    """The head with its hair, without long hair below the chin."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class EyePlace:
    """One eye: the opening between the lids with its lashes, and the iris as it stands in the picture."""

    centre: Point
    half_width: float
    half_height: float
    iris: Point
    iris_radius_x: float
    iris_radius_y: float


@dataclass(frozen=True)
class MouthPlace:
    """The mouth, from corner to corner."""

    centre: Point
    half_width: float


@dataclass(frozen=True)
class BrowPlace:
    """One eyebrow and the box it fills."""

    centre: Point
    half_width: float
    half_height: float


@dataclass(frozen=True)
class PartGiven:
    """What is known of one part; None is for the picture to tell."""

    centre: Point | None = None
    half_width: float | None = None
    half_height: float | None = None
    iris: Point | None = None
    iris_radius_x: float | None = None
    iris_radius_y: float | None = None


@dataclass(frozen=True)
class FacePartsGiven:
    """What a ``character.json`` says about the face; None is for the picture to tell."""

    head: HeadBox | None = None
    chin: Point | None = None
    neck: Point | None = None
    eye_left: PartGiven = PartGiven()
    eye_right: PartGiven = PartGiven()
    mouth: PartGiven = PartGiven()
    brow_left: PartGiven = PartGiven()
    brow_right: PartGiven = PartGiven()


@dataclass(frozen=True)
class FaceParts:
    """Every place the built-in rig needs to know. ``neck`` is where the head turns, at the bottom of the neck."""

    head: HeadBox
    chin: Point
    neck: Point
    eye_left: EyePlace
    eye_right: EyePlace
    mouth: MouthPlace
    brow_left: BrowPlace
    brow_right: BrowPlace

    @staticmethod
    def from_json(described: object) -> FacePartsGiven:
        """What the ``parts`` object of a ``character.json`` gives; every field may be left out or null.

        ``{"head": [left, top, right, bottom], "chin": [x, y], "neck": [x, y], "eye_left": {"centre": [x, y],
        "half_width": n, "half_height": n, "iris": {"centre": [x, y], "radius": n or [n, n]}}, "mouth": {"centre":
        [x, y], "half_width": n}, "brow_left": {"centre": [x, y], "half_width": n, "half_height": n}}`` and the same
        with ``_right``. Raises `CharacterDescriptionBad` naming the field that is wrong; unknown fields are ignored.
        """
        top = _fields(described, "parts")
        return FacePartsGiven(
            head=_head(top.get("head"), "parts.head"),
            chin=_point(top.get("chin"), "parts.chin"),
            neck=_point(top.get("neck"), "parts.neck"),
            eye_left=_part(top.get("eye_left"), "parts.eye_left"),
            eye_right=_part(top.get("eye_right"), "parts.eye_right"),
            mouth=_part(top.get("mouth"), "parts.mouth"),
            brow_left=_part(top.get("brow_left"), "parts.brow_left"),
            brow_right=_part(top.get("brow_right"), "parts.brow_right"),
        )


def _bad(field: str, expected: str, found: object) -> CharacterDescriptionBad:
    return CharacterDescriptionBad(f"{field}: expected {expected}, found {str(found)[:80]!r}", field=field)


def _fields(found: object, field: str) -> Mapping[str, object]:
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise _bad(field, "an object", found)
    return found


def _number(found: object, field: str, lowest: float, highest: float) -> float:
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise _bad(field, "a number", found)
    # A whole number of a thousand digits is valid JSON, but no float.
    value = float(found) if abs(found) < 1e9 else math.inf
    if not (math.isfinite(value) and lowest <= value <= highest):
        raise _bad(field, f"a number from {lowest:g} to {highest:g}", found)
    return value


def _numbers(found: object, field: str, count: int) -> list[float]:
    if not isinstance(found, (list, tuple)) or len(found) != count:
        raise _bad(field, f"a list of {count} numbers", found)
    return [_number(value, field, 0.0, float(PICTURE_SIZE)) for value in found]


def _point(found: object, field: str) -> Point | None:
    return None if found is None else Point(*_numbers(found, field, 2))


def _head(found: object, field: str) -> HeadBox | None:
    if found is None:
        return None
    box = HeadBox(*_numbers(found, field, 4))
    if box.right - box.left < 32.0 or box.bottom - box.top < 32.0:
        raise _bad(field, "[left, top, right, bottom] of a box at least 32 wide and high", found)
    return box


def _half(found: object, field: str) -> float | None:
    return None if found is None else _number(found, field, 1.0, 96.0)


def _part(found: object, field: str) -> PartGiven:
    inside = _fields(found, field)
    iris = _fields(inside.get("iris"), f"{field}.iris")
    radius, radius_field = iris.get("radius"), f"{field}.iris.radius"
    radii: list[float | None] = [None, None]
    if isinstance(radius, (list, tuple)):
        if len(radius) != 2:
            raise _bad(radius_field, "a number or two numbers", radius)
        radii = [_half(value, radius_field) for value in radius]
    elif radius is not None:
        radii = [_half(radius, radius_field)] * 2
    return PartGiven(
        centre=_point(inside.get("centre"), f"{field}.centre"),
        half_width=_half(inside.get("half_width"), f"{field}.half_width"),
        half_height=_half(inside.get("half_height"), f"{field}.half_height"),
        iris=_point(iris.get("centre"), f"{field}.iris.centre"),
        iris_radius_x=radii[0],
        iris_radius_y=radii[1],
    )
