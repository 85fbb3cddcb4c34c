"""Finding an upscaler's network and holding it against its contract, without any runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accel.base import FULL, HALF, PRECISIONS
from core.wire.errors import ModelMissing
from core.wire.folders import model_weights
from models.safe_onnx import load_onnx

from .base import REAL_ESRGAN, REAL_ESRGAN_HEAD, WAIFU2X
from .graphs import Contract, Model, contract_of

_MAXIMUM_BYTES = 256 << 20
_SUFFIXES: Mapping[str, str] = {FULL: "fp32", HALF: "fp16"}


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    """For people."""
    factor: int
    """By how much the network itself enlarges."""
    plain: str
    """Below the folder of weights, without the precision: a plain network."""
    bytes: str
    """The same, in EasyVtuber's contract."""


_WAIFU2X = _Place("waifu2x", 2, "waifu2x/upconv7_noise0_scale2x", "waifu2x/noise0_scale2x")
_REAL_ESRGAN = _Place("Real-ESRGAN", 4, "Real-ESRGAN/realesr_animevideov3_x4", "Real-ESRGAN/exported_256")
_PLACES: Mapping[str, _Place] = {WAIFU2X: _WAIFU2X, REAL_ESRGAN: _REAL_ESRGAN, REAL_ESRGAN_HEAD: _REAL_ESRGAN}
NETWORK_KINDS = tuple(_PLACES)
"""The kinds that need a network."""


@dataclass(frozen=True, slots=True)
class UpscaleNetwork:
    """A network's file, read and checked."""

    name: str
    """For people: ``Real-ESRGAN``."""
    file: str
    """Below the folder of weights, with slashes."""
    contract: Contract
    model: Model


def candidates(kind: str, precision: str) -> tuple[str, ...]:
    """The files that can serve a kind, the best first, below the folder of weights.

    Plain networks come first because they compute only what is visible; of either sort the wanted precision comes
    before the other. Raises ValueError for what does not exist.
    """
    place = _PLACES.get(kind)
    if place is None or precision not in PRECISIONS:
        raise ValueError(f"there is no network for {kind} {precision}")
    ordered = (precision, *(other for other in PRECISIONS if other != precision))
    return tuple(f"{stem}_{_SUFFIXES[each]}.onnx" for stem in (place.plain, place.bytes) for each in ordered)


def is_there(kind: str, folder: Path | None = None) -> bool:
    """Is there any file for this kind? Opens nothing."""
    weights = model_weights() if folder is None else folder
    return any((weights / name).is_file() for name in candidates(kind, FULL))


def find_network(kind: str, precision: str, folder: Path | None = None) -> UpscaleNetwork:
    """The best file that is there, checked. ``folder``: of weights, the user's if none is named.

    Raises ModelMissing, ModelFileBad, and ValueError for a kind without a network.
    """
    weights = model_weights() if folder is None else folder
    place, names = _PLACES.get(kind), candidates(kind, precision)
    assert place is not None
    for name in names:
        if (weights / name).is_file():
            model = load_onnx(weights / name, name, maximum_bytes=_MAXIMUM_BYTES)
            return UpscaleNetwork(place.name, name, contract_of(model, name, (place.factor,)), model)
    # what a user can get without making it is the file of EasyVtuber's package
    raise ModelMissing(f"none of {', '.join(names)}", model=place.name, file=names[len(PRECISIONS)])


def check_network(path: Path) -> None:
    """Is a single file a network that enlarges, of either contract? Raises ModelFileBad."""
    model = load_onnx(path, path.name, maximum_bytes=_MAXIMUM_BYTES)
    contract_of(model, path.name, tuple(sorted({place.factor for place in _PLACES.values()})))
