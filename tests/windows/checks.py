"""What the programs of this folder share: lines that say what was seen, and whether all of it was as promised."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core.pose.parameters import PoseVector
from core.wire.errors import EasyVtuberError
from models.base import CharacterModel, Picture

failed: list[str] = []


def check(what: str, holds: bool | np.bool_, seen: object = "") -> None:
    """Say what was looked at; remember when it is not as promised."""
    print(f"{'ok  ' if holds else 'BAD '} {what}{f': {seen}' if seen != '' else ''}", flush=True)  # noqa: T201
    if not holds:
        failed.append(what)


def note(text: str) -> None:
    """Say something that is neither right nor wrong."""
    print(f"     {text}", flush=True)  # noqa: T201


def prepare_output() -> None:
    """Names in every script, whatever the console's code page."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def exit_status() -> int:
    """0 when everything was as promised."""
    note("\n       ".join([f"{len(failed)} failed", *failed]))
    return 1 if failed else 0


def refusal(action: Callable[[], object]) -> str:
    """The error an action ends with, for people; empty when it succeeds."""
    try:
        action()
    except EasyVtuberError as problem:
        return str(problem)
    return ""


def draw(model: CharacterModel, pose: PoseVector) -> Picture:
    """One picture."""
    out = np.zeros((model.size, model.size, 4), np.uint8)
    model.render(pose, out)
    return out


def test_data(path: Path) -> Path | None:
    """A file or folder of the test data; None, and a line that says so, where it is not here."""
    given = os.environ.get("EASYVTUBER_TEST_DATA")
    found = (Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "data") / path
    if found.exists():
        return found
    note(f"not looked at, because it is not here: {found}")
    return None
