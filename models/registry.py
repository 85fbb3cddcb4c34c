"""The built-in rig for any character: what always works."""

from __future__ import annotations

from core.wire.errors import CharacterDescriptionBad

from .base import CharacterModel
from .character import Character
from .face_parts import FaceParts, find_face_parts
from .rig import Rig


def open_rig(character: Character, size: int) -> CharacterModel:
    """The character as a rig that makes ``size`` x ``size`` pictures.

    Raises a CharacterError when the character's description is wrong. Takes about a fifth of a second.
    """
    try:
        given = FaceParts.from_json(character.parts)
    except CharacterDescriptionBad as problem:
        raise CharacterDescriptionBad(problem.detail, character=character.name, **problem.parameters) from problem
    return Rig(character.picture, size, find_face_parts(character.picture, given))
