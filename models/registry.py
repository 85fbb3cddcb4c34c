"""All families of characters by name, from the best that is there to the one that always works."""

from __future__ import annotations

from .base import CharacterModel
from .character import Character
from .face_parts import find_face_parts
from .rig import Rig


def open_model(character: Character, size: int, rung: str) -> CharacterModel:
    """The best model for this character on this rung of the ladder, making ``size`` x ``size`` pictures.

    Raises a CharacterError when the character's description is wrong. Takes up to seconds: call it off the render loop.
    """
    return Rig(character.picture, size, find_face_parts(character.picture, character.parts))
