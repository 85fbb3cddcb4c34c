"""Makes a character's folder from a picture file."""

from __future__ import annotations

import errno
import json
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from core.wire.characters import DESCRIPTION_NAME, PICTURE_NAME
from core.wire.errors import DiskFull, PictureUnusable
from core.wire.folders import CHARACTERS

from ..base import Picture
from ..character import PICTURE_SIZE
from ..face_parts import HeadBox
from .choices import Choices
from .examine import Findings, examine
from .framing import FRAME
from .head import SURE
from .names import free_names, safe_name
from .prepare import Prepared, prepare
from .reading import read_picture
from .report import report_picture

IMPORT_FOLDER: Final = "import"
REPORT_NAME: Final = "before_after.png"
RECORD_NAME: Final = "import.json"
_FAR: Final = 12.0
_TRIES: Final = 6
_ALL: Final = Choices()


@dataclass(frozen=True, slots=True)
class CreatedCharacter:
    """A character that is there now."""

    name: str
    """As it can be chosen; may differ from what was asked for."""
    folder: Path
    report: Path
    """The before/after picture."""
    findings: Findings
    prepared: Prepared


def create_character(source: Path, name: str, choices: Choices = _ALL, folder: Path = CHARACTERS) -> CreatedCharacter:
    """Read, prepare and write a picture as a new character; nothing that exists is touched.

    ``name`` may be empty (the file's name is taken) and is made safe for every file system; a name that is taken gets
    a number. Raises PictureUnusable (``read_picture``'s reasons, ``picture_empty`` when nothing is visible, or
    ``folder_not_writable``) or DiskFull.
    """
    read = read_picture(source)
    findings = examine(read.picture)
    prepared = prepare(read.picture, choices, findings)
    if not prepared.picture[..., 3].any():
        raise PictureUnusable(f"{source}: nothing visible", path=source.name, reason="picture_empty")
    files = {
        PICTURE_NAME: _as_png(prepared.picture),
        f"original.{read.extension}": read.content,
        f"{IMPORT_FOLDER}/{REPORT_NAME}": _as_png(report_picture(read.picture, prepared, findings)),
        f"{IMPORT_FOLDER}/{RECORD_NAME}": _as_json(
            {
                "version": 1,
                "source": source.name,
                "choices": choices.as_json(),
                "findings": findings.as_json(),
                "prepared": prepared.as_json(),
            }
        ),
    }
    head = _unusual_head(findings, prepared)
    if head is not None:
        files[DESCRIPTION_NAME] = _as_json({"parts": {"head": head}})
    made = _written(files, safe_name(name if name.strip() else source.stem), folder, source)
    return CreatedCharacter(made.name, made, made / IMPORT_FOLDER / REPORT_NAME, findings, prepared)


def _unusual_head(findings: Findings, prepared: Prepared) -> list[float] | None:
    """Where the head is when it is not where the face's parts are looked for; None when it is, or nobody knows."""
    box, head = prepared.head, findings.head
    if box is None or head is None or head.sureness < SURE:
        return None
    if max(abs(a - b) for a, b in zip(_corners(box), _corners(FRAME), strict=True)) <= _FAR:
        return None
    corners = [round(float(np.clip(value, 0.0, PICTURE_SIZE)), 1) for value in _corners(box)]
    return corners if corners[2] - corners[0] >= 32.0 and corners[3] - corners[1] >= 32.0 else None


def _corners(box: HeadBox) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _written(files: dict[str, bytes], name: str, folder: Path, source: Path) -> Path:
    """The new folder: complete or not there at all."""
    with _told(source, folder):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".import-{uuid.uuid4().hex}"
        try:
            (unfinished / IMPORT_FOLDER).mkdir(parents=True)
            for place, content in files.items():
                (unfinished / place).write_bytes(content)
            return _moved_in(unfinished, name, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _moved_in(unfinished: Path, name: str, folder: Path) -> Path:
    tries = 0
    for free in free_names(name, folder):
        target = folder / free
        try:
            unfinished.rename(target)
            return target
        except OSError as problem:
            if target.exists():
                continue  # somebody else took the name just now
            tries += 1
            if sys.platform != "win32" or not isinstance(problem, PermissionError) or tries == _TRIES:
                raise
            # virus scanners hold new files open for a moment
            time.sleep(0.25)
    raise FileExistsError(name)


@contextmanager
def _told(source: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise DiskFull(str(problem), path=str(folder)) from problem
        raise PictureUnusable(str(problem), path=source.name, reason="folder_not_writable") from problem


def _as_png(picture: Picture) -> bytes:
    done, encoded = cv2.imencode(".png", picture)
    if not done:
        raise ValueError(f"no PNG of {picture.shape}")
    return encoded.tobytes()


def _as_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
