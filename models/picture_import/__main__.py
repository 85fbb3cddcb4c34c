"""The command line: ``python -m models.picture_import PICTURE``. Exit code 0: done; 1: unusable; 2: called wrongly."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.wire.errors import DiskFull, PictureUnusable
from core.wire.folders import CHARACTERS

from .choices import Choices
from .create import create_character
from .sentences import done, found

_REFUSALS: Final = {
    "not_readable": "it cannot be read",
    "file_too_large": "the file is larger than 64 MB",
    "not_a_picture": "it is no PNG, JPEG, WebP or BMP picture",
    "picture_too_large": "it is more than 8192 pixels wide or high",
    "picture_damaged": "the file is damaged",
    "picture_empty": "nothing in it is visible",
    "folder_not_writable": "nothing can be written to the characters' folder",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a character and tell about it on stdout; refusals go to stderr."""
    chosen = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        # a console's code page may lack the letters of a name
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    choices = Choices(
        remove_background=not chosen.keep_background, alpha_curve=chosen.alpha_curve, fit=not chosen.no_fit
    )
    try:
        created = create_character(chosen.picture, chosen.name, choices, chosen.into)
    except PictureUnusable as refusal:
        reason = str(refusal.parameters["reason"])
        sys.stderr.write(f"{refusal.parameters['path']} cannot become a character: {_REFUSALS[reason]}.\n")
        return 1
    except DiskFull as refusal:
        sys.stderr.write(f"The disk is full: {refusal.parameters['path']}\n")
        return 1
    lines = [
        "Seen:",
        *(f"  {found(note)}" for note in created.findings.notes),
        "Done:",
        *(f"  {done(note)}" for note in created.prepared.notes),
        f"Character: {created.name}",
        f"Folder: {created.folder}",
        f"Before and after: {created.report}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("models.picture_import", description="Make a character of a picture.")
    parser.add_argument("picture", type=Path, help="PNG, JPEG, WebP or BMP")
    parser.add_argument("--name", default="", help="the character's name (default: the file's)")
    parser.add_argument("--keep-background", action="store_true", help="leave the background as it is")
    parser.add_argument("--alpha-curve", action="store_true", help="harden soft edges: alpha 60 to 0, 200 to 255")
    parser.add_argument("--no-fit", action="store_true", help="leave size and place as they are")
    parser.add_argument("--into", type=Path, default=CHARACTERS, help="the folder to put the character's folder into")
    return parser


if __name__ == "__main__":
    sys.exit(main())
