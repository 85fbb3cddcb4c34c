"""Any picture becomes a character: looking at it, preparing it, showing what was done, writing the folder."""

from __future__ import annotations

from .choices import Choices
from .create import CreatedCharacter, create_character
from .examine import Findings, examine
from .notes import Note
from .prepare import Prepared, prepare
from .reading import read_picture
from .report import report_picture

__all__ = [
    "Choices",
    "CreatedCharacter",
    "Findings",
    "Note",
    "Prepared",
    "create_character",
    "examine",
    "prepare",
    "read_picture",
    "report_picture",
]
