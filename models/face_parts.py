"""Where the parts of a face are: values, ``character.json``'s ``parts`` object, and finding them in a picture."""

from __future__ import annotations

from .rigging.places import (
    BrowPlace,
    EyePlace,
    FaceParts,
    FacePartsGiven,
    HeadBox,
    MouthPlace,
    PartGiven,
    Point,
)
from .rigging.seek import find_face_parts

__all__ = [
    "BrowPlace",
    "EyePlace",
    "FaceParts",
    "FacePartsGiven",
    "HeadBox",
    "MouthPlace",
    "PartGiven",
    "Point",
    "find_face_parts",
]
