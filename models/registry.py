"""All families of characters by name, from the best that is there to the one that always works."""

from __future__ import annotations

from core.wire.errors import CharacterDescriptionBad

from .base import CharacterModel
from .character import Character
from .face_parts import FaceParts, find_face_parts
from .rig import Rig


def open_model(character: Character, size: int, rung: str) -> CharacterModel:
    """The best model for this character on this rung of the ladder, making ``size`` x ``size`` pictures.

    Raises a CharacterError when the character's description is wrong. Takes up to seconds: call it off the render loop.
    """
    try:
        given = FaceParts.from_json(character.parts)
    except CharacterDescriptionBad as problem:
        raise CharacterDescriptionBad(problem.detail, character=character.name, **problem.parameters) from problem
    return Rig(character.picture, size, find_face_parts(character.picture, given))
