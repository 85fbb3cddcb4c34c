"""The tests' small THA4 student in the files that its author's program writes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.student.composition import blue_first, linear_picture
from models.student.contract import SINE_FACTOR
from models.student.folder import StudentFiles, load_student_weights, student_files
from models.student.weights import Layer, SineNetwork, StudentWeights
from tests.unit.student_networks import small_picture, small_weights
from tests.unit.torch_files import torch_file

FOLDER_NAME = "御子 Ünal ☆"
_PICTURE_NAME = "立ち絵.png"


def write_small_student(folder: Path) -> StudentFiles:
    """Write the small student's four files into a folder of its own, its names in several scripts."""
    folder.mkdir(parents=True)
    weights = small_weights()
    face = _tensors("siren.sine_layers.{layer}.linear", "siren.last_linear", weights.face)
    body = _tensors("siren_layers.{level}.{layer}.linear", "last_linear", weights.body)
    (folder / "顔.pt").write_bytes(torch_file(face))
    (folder / "körper.pt").write_bytes(torch_file(body))
    (folder / _PICTURE_NAME).write_bytes(cv2.imencode(".png", small_picture())[1].tobytes())
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


def blue_first_weights() -> StudentWeights:
    """The small student's, as renderers take them."""
    weights = small_weights()
    return StudentWeights(blue_first(weights.face), blue_first(weights.body))


def _tensors(sine_names: str, output_name: str, network: SineNetwork) -> dict[str, NDArray[np.float32]]:
    """A network as its author's program saves it: the layers' factor of 30 is not in the weights there."""
    made = {
        sine_names.format(level=level, layer=number): Layer(layer.weight / SINE_FACTOR, layer.bias / SINE_FACTOR)
        for level, layers in enumerate(network.levels)
        for number, layer in enumerate(layers)
    }
    made[output_name] = network.output
    tensors = {f"{name}.weight": layer.weight.astype(np.float32)[:, :, None, None] for name, layer in made.items()}
    return tensors | {f"{name}.bias": layer.bias.astype(np.float32) for name, layer in made.items()}
