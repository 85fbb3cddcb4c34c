"""The files of THA3 and THA4 and what goes in and out of each network, as data.

The layout is EasyVtuber's, its spelling on disk included ("seperable"). Pictures inside the networks are NCHW, R, G, B,
A in linear light from -1 to 1 with STRAIGHT alpha, alpha itself only scaled. (The THA4 networks were trained on
premultiplied pictures, but the files in use convert their input without, and so do we: it is their contract.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from accel.base import FULL, HALF

PICTURE_SIDE = 512
CROP_SIDE = 192
"""The face crop: the only part of the whole picture that the combiner and the morpher change."""

PRECISION_FOLDERS: Mapping[str, str] = {FULL: "fp32", HALF: "fp16"}
_NETWORK_DTYPES: Mapping[str, np.dtype[Any]] = {FULL: np.dtype(np.float32), HALF: np.dtype(np.float16)}


class Kind(StrEnum):
    """What a tensor's numbers are."""

    BYTES = "uint8"
    FLOAT = "float32"
    NETWORK = "the network's own float"
    """float32 in full, float16 in half precision."""
    ANY_FLOAT = "float32 or the network's own float"


@dataclass(frozen=True, slots=True)
class TensorContract:
    """An input or output of a network. ``source`` names the output an input comes from where the names differ."""

    name: str
    shape: tuple[int, ...]
    kind: Kind = Kind.NETWORK
    source: str = ""

    def dtypes(self, precision: str) -> tuple[np.dtype[Any], ...]:
        """The types it may have in this precision."""
        network = _NETWORK_DTYPES[precision]
        types: Mapping[Kind, tuple[np.dtype[Any], ...]] = {
            Kind.BYTES: (np.dtype(np.uint8),),
            Kind.FLOAT: (np.dtype(np.float32),),
            Kind.NETWORK: (network,),
            Kind.ANY_FLOAT: (np.dtype(np.float32), network),
        }
        return types[self.kind]

    def accepts(self, shape: tuple[int, ...], dtype: np.dtype[Any], precision: str) -> bool:
        """Whether a tensor fits. Pictures in bytes may have a batch dimension of 1 in front."""
        batched = self.kind is Kind.BYTES and shape == (1, *self.shape)
        return (shape == self.shape or batched) and dtype in self.dtypes(precision)


@dataclass(frozen=True, slots=True)
class GraphContract:
    """One network's inputs and outputs; its file is ``<name>.onnx``."""

    name: str
    inputs: tuple[TensorContract, ...]
    outputs: tuple[TensorContract, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A set of five networks that belong together, in the order they run.

    ``decomposer`` depends on the character alone, ``combiner`` on the 12 eyebrow values too, ``morpher`` on the 27 face
    values too, ``body`` and ``final`` on all 45.
    """

    family: str
    """``tha3`` or ``tha4``."""
    name: str
    """``separable``, ``standard``, or empty where there is only one."""
    folder: str
    """Below the folder of weights, without the precision's."""
    decomposer: GraphContract
    combiner: GraphContract
    morpher: GraphContract
    body: GraphContract
    final: GraphContract
    warped: str
    """The input of ``final`` that it bends into the result: the whole picture with the face of this pose."""

    @property
    def graphs(self) -> tuple[GraphContract, ...]:
        """All five, in the order they run."""
        return self.decomposer, self.combiner, self.morpher, self.body, self.final


def _image(name: str, side: int, source: str = "") -> TensorContract:
    return TensorContract(name, (1, 4, side, side), source=source)


def _grid(name: str, side: int, source: str = "") -> TensorContract:
    return TensorContract(name, (1, 2, side, side), source=source)


_BYTES_SHAPE = (PICTURE_SIDE, PICTURE_SIDE, 4)
_PREPARED = _image("image_prepared", PICTURE_SIDE)
_CROP = _image("im_morpher_crop", CROP_SIDE, "eyebrow_image")
_FACE_FULL = _image("face_morphed_full", PICTURE_SIDE)
_FACE_HALF = _image("face_morphed_half", PICTURE_SIDE // 2)
_RESULT = (
    TensorContract("result", (1, 4, PICTURE_SIDE, PICTURE_SIDE), Kind.ANY_FLOAT),
    TensorContract("cv_result", _BYTES_SHAPE, Kind.BYTES),
)
_DECOMPOSER = GraphContract(
    "decomposer",
    (TensorContract("input_image", _BYTES_SHAPE, Kind.BYTES),),
    (_image("background_layer", 128), _image("eyebrow_layer", 128), _PREPARED),
)


def _combiner(pose: Kind, outputs: tuple[TensorContract, ...]) -> GraphContract:
    return GraphContract(
        "combiner",
        (
            _PREPARED,
            _image("eyebrow_background_layer", 128, "background_layer"),
            _image("eyebrow_layer", 128),
            TensorContract("eyebrow_pose", (1, 12), pose),
        ),
        (_image("eyebrow_image", CROP_SIDE), *outputs),
    )


def _morpher(pose: Kind, more: tuple[TensorContract, ...]) -> GraphContract:
    return GraphContract(
        "morpher", (_PREPARED, _CROP, TensorContract("face_pose", (1, 27), pose), *more), (_FACE_FULL, _FACE_HALF)
    )


def _tha3(name: str, folder: str, cut: str) -> Variant:
    """``cut``: the face morpher's encoder ends there; it sits in the combiner's file, for it needs no face values."""
    encoded = (TensorContract(cut, (1, 512, 24, 24)),)
    rotation = TensorContract("rotation_pose", (1, 6), Kind.FLOAT)
    return Variant(
        "tha3",
        name,
        folder,
        _DECOMPOSER,
        _combiner(Kind.FLOAT, encoded),
        _morpher(Kind.FLOAT, encoded),
        GraphContract(
            "rotator",
            (_FACE_HALF, rotation),
            (_image("full_warped_image", PICTURE_SIDE), _grid("full_grid_change", PICTURE_SIDE)),
        ),
        GraphContract(
            "editor",
            (
                _image("morphed_image", PICTURE_SIDE, "face_morphed_full"),
                _image("rotated_warped_image", PICTURE_SIDE, "full_warped_image"),
                _grid("rotated_grid_change", PICTURE_SIDE, "full_grid_change"),
                rotation,
            ),
            _RESULT,
        ),
        "morphed_image",
    )


def _tha4() -> Variant:
    half = PICTURE_SIDE // 2
    rotation = TensorContract("rotation_pose", (1, 6))
    posed = (_image("half_res_posed_image", half), _grid("half_res_grid_change", half))
    return Variant(
        "tha4",
        "",
        "tha4",
        _DECOMPOSER,
        _combiner(Kind.NETWORK, ()),
        _morpher(Kind.NETWORK, ()),
        GraphContract("body_morpher", (_FACE_HALF, rotation), posed),
        GraphContract(
            "upscaler",
            (_image("rest_image", PICTURE_SIDE, "face_morphed_full"), *posed, rotation),
            _RESULT,
        ),
        "rest_image",
    )


_ENCODER_END = "downsample_blocks.3/downsample_blocks.3"
VARIANTS: Mapping[tuple[str, str], Variant] = {
    (variant.family, variant.name): variant
    for variant in (
        _tha3("separable", "tha3/seperable", f"/face_morpher/body/{_ENCODER_END}.3/Relu_output_0"),
        _tha3("standard", "tha3/standard", f"/face_morpher/{_ENCODER_END}.2/Relu_output_0"),
        _tha4(),
    )
}
"""By family and name."""
