"""A THA4 student of a few weights made on the spot, in the files that its author's program writes, and real ones' place.

Also what the programs in this folder share: lines that say what was seen, and whether all of it was right.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.student.composition import blue_first, linear_picture
from models.student.folder import StudentFiles, load_student_weights, student_files
from models.student.weights import StudentWeights
from tests.unit.drawn_character import drawn_character
from tests.unit.torch_files import torch_file

FOLDER_NAME = "御子 Ünal ☆"
_FACE_WIDTHS = (32, 32)
_BODY_WIDTHS = ((48, 48, 24), (24, 24, 16), (16, 16, 16))
_PICTURE_NAME = "立ち絵.png"
_REAL = Path("models") / "tha4_student" / "lambda_00"

failed: list[str] = []


def check(what: str, holds: bool, seen: object = "") -> None:
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
    note(f"{len(failed)} failed{''.join(f'{os.linesep}       {what}' for what in failed)}")
    return 1 if failed else 0


def test_data(path: Path) -> Path | None:
    """A file or folder of the test data; None, and a line that says so, where it is not here."""
    given = os.environ.get("EASYVTUBER_TEST_DATA")
    found = (Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "data") / path
    if found.exists():
        return found
    note(f"not looked at, because it is not here: {found}")
    return None


def real_student() -> StudentFiles | None:
    """The test data's student."""
    folder = test_data(_REAL)
    return None if folder is None else student_files(folder)


def write_small_student(folder: Path) -> StudentFiles:
    """Write the small student's four files into a folder of its own, its names in several scripts."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(7)
    face = _layers(random, "siren.sine_layers.{layer}.linear", 2 + 39, 0, _FACE_WIDTHS)
    face |= _output(random, "siren.last_linear", [0.6] * 4, [0.2, 0.1, 0.0, 0.9], _FACE_WIDTHS[-1])
    body: dict[str, NDArray[np.float32]] = {}
    features = 0
    for level, widths in enumerate(_BODY_WIDTHS):
        body |= _layers(random, f"siren_layers.{level}.{{layer}}.linear", 2 + 45, features, widths)
        features = widths[-1]
    body |= _output(random, "last_linear", [0.1, 0.1, 0.3, 0.6, 0.6, 0.6, 0.3], [0, 0, 0.3, 0, 0, 0, 0.5], features)
    (folder / "顔.pt").write_bytes(torch_file(face))
    (folder / "körper.pt").write_bytes(torch_file(body))
    (folder / _PICTURE_NAME).write_bytes(cv2.imencode(".png", drawn_character())[1].tobytes())
    (folder / "character_model.yaml").write_text(
        f"character_image_file_name: {_PICTURE_NAME}\n"
        "face_morpher_file_name: '顔.pt'\n"
        'body_morpher_file_name: "k\\u00f6rper.pt"\n',
        encoding="utf-8",
    )
    files = student_files(folder)
    assert files is not None
    return files


def as_computed(files: StudentFiles, picture: Picture) -> tuple[StudentWeights, NDArray[np.float32]]:
    """Weights and picture (1, 4, 512, 512) as renderers take them."""
    weights = load_student_weights(files)
    return StudentWeights(blue_first(weights.face), blue_first(weights.body)), linear_picture(picture)


def _layers(
    random: np.random.Generator, name: str, given: int, features: int, widths: tuple[int, ...]
) -> dict[str, NDArray[np.float32]]:
    """One level as such networks begin before they are trained (Sitzmann et al. 2020), the factor of 30 aside."""
    made: dict[str, NDArray[np.float32]] = {}
    arriving = features + given
    for layer, width in enumerate(widths):
        reach = 1.0 / arriving if layer == 0 else np.sqrt(6.0 / arriving) / 30.0
        made |= _tensors(
            name.format(layer=layer),
            random.uniform(-reach, reach, (width, arriving)),
            random.uniform(-reach, reach, width),
        )
        arriving = width
    return made


def _output(
    random: np.random.Generator, name: str, reach: list[float], bias: list[float], arriving: int
) -> dict[str, NDArray[np.float32]]:
    weight = random.normal(0.0, 1.0 / np.sqrt(arriving), (len(bias), arriving)) * np.array(reach)[:, None]
    return _tensors(name, weight, np.array(bias))


def _tensors(name: str, weight: NDArray[Any], bias: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    return {f"{name}.weight": weight.astype(np.float32)[:, :, None, None], f"{name}.bias": bias.astype(np.float32)}
