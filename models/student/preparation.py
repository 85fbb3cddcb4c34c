"""What is found out about a student once and kept by content: its visible pixels, and where half size is not enough."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accel.base import Runtime
from core.wire.folders import user_cache

from .composition import FACE_LEFT, FACE_SIZE, FACE_TOP, SIZE
from .points import Mask
from .refined import Refined, find_refined
from .regions import Regions, Split, whole_face
from .renderer import StudentRenderer
from .visible import envelope_poses, find_visible
from .weights import Layer, StudentWeights

_log = logging.getLogger(__name__)

FULL_TIER, BALANCED_TIER, FAST_TIER = "full", "balanced", "fast"
TIERS = (FULL_TIER, BALANCED_TIER, FAST_TIER)
"""Full: every visible pixel. Balanced: the last level at full size where half size errs, half size elsewhere. Fast:
half size everywhere."""
_VERSION = 1
"""Changes when the same character would give other masks."""
_FACES_LOOKED_AT = 48

Report = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Preparation:
    """The masks of one character."""

    visible: Mask
    """Shape (512, 512)."""
    refined: Refined

    def regions(self, tier: str) -> Regions:
        """What a tier computes how."""
        if tier == FULL_TIER:
            return Regions(Split.exactly(self.visible), Split.exactly(whole_face()))
        refined = self.refined if tier == BALANCED_TIER else Refined.nowhere()
        body, face = refined.body, refined.face
        return Regions(Split.mixed(body, self.visible & ~body), Split.mixed(face, ~face))


def find_known(weights: StudentWeights, picture: NDArray[np.float32], folder: Path | None = None) -> Preparation | None:
    """What was found out before; None when the character was not examined yet."""
    return _read(_place(weights, picture, folder))


def _place(weights: StudentWeights, picture: NDArray[np.float32], folder: Path | None) -> Path:
    return (folder or user_cache() / "students") / f"{content_digest(weights, picture)}.npz"


def content_digest(weights: StudentWeights, picture: NDArray[np.float32]) -> str:
    """SHA-256 over everything the masks depend on, hexadecimal."""
    digest = hashlib.sha256(f"student {_VERSION}".encode())
    for network in (weights.face, weights.body):
        for layer in (*(layer for level in network.levels for layer in level), network.output):
            _add(digest, layer)
    digest.update(picture.tobytes())
    return digest.hexdigest()


def prepare(
    weights: StudentWeights, picture: NDArray[np.float32], runtime: Runtime, report: Report, folder: Path | None = None
) -> Preparation:
    """From the cache, else found out, which takes about a minute on a processor. Weights and ``picture``
    (1, 4, 512, 512, linear) have blue first. ``folder``: where it is kept, by default below the user's cache."""
    known = find_known(weights, picture, folder)
    if known is not None:
        report(1.0)
        return known
    opaque = most_opaque(weights, picture, runtime)
    visible = find_visible(weights, opaque, runtime, lambda share: report(share * 0.75))
    refined = find_refined(weights, picture, visible, runtime, lambda share: report(0.75 + share * 0.25))
    made = Preparation(visible, refined)
    keep(weights, picture, made, folder)
    return made


def most_opaque(weights: StudentWeights, picture: NDArray[np.float32], runtime: Runtime) -> NDArray[np.float32]:
    """Shape (512, 512): the highest alpha (0..1) the picture has anywhere, with any face in it."""
    opaque = picture[0, 3] * 0.5 + 0.5
    one = np.zeros((SIZE, SIZE), np.bool_)
    one[SIZE // 2, SIZE // 2] = True
    regions = Regions(Split.exactly(one), Split.exactly(whole_face()))
    renderer = StudentRenderer(weights, picture, regions, runtime)
    place = slice(FACE_TOP, FACE_TOP + FACE_SIZE), slice(FACE_LEFT, FACE_LEFT + FACE_SIZE)
    highest = np.zeros((FACE_SIZE, FACE_SIZE), np.float32)
    try:
        poses = envelope_poses()
        for pose in poses[:: len(poses) // _FACES_LOOKED_AT]:
            renderer.show_face(pose[None])
            highest = np.maximum(highest, renderer.picture()[0, 3][place] * 0.5 + 0.5)
    finally:
        renderer.close()
    opaque[place] = np.clip(highest, 0.0, 1.0)
    return np.asarray(opaque, np.float32)


def _read(place: Path) -> Preparation | None:
    try:
        # all at once: a file that numpy cannot make sense of would stay open, and Windows does not replace open files
        content = place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        _log.warning("%s cannot be read: %s", place.name, problem)
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            visible, body = _unpacked(arrays["visible"], SIZE), _unpacked(arrays["body"], SIZE)
            face = _unpacked(arrays["face"], FACE_SIZE)
    except Exception as problem:  # noqa: BLE001 - zipfile and numpy have no common error for what damage can do
        _log.warning("%s is damaged and made anew: %s", place.name, problem)
        return None
    return Preparation(visible, Refined(body, face))


def _unpacked(packed: NDArray[np.uint8], size: int) -> Mask:
    if packed.dtype != np.uint8 or packed.shape != (size * size // 8,):
        raise ValueError(f"expected {size} x {size} bits, got {packed.dtype} {packed.shape}")
    return np.unpackbits(packed).reshape(size, size).astype(np.bool_)


def keep(weights: StudentWeights, picture: NDArray[np.float32], made: Preparation, folder: Path | None = None) -> None:
    """Remember what was found out. A disk that refuses costs the time to find it out again, nothing else."""
    place = _place(weights, picture, folder)
    temporary = place.with_suffix(f".{os.getpid()}.tmp")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as stream:
            np.savez(
                stream,
                visible=np.packbits(made.visible),
                body=np.packbits(made.refined.body),
                face=np.packbits(made.refined.face),
            )
        temporary.replace(place)
    except OSError as problem:
        _log.warning("what was found out about the character could not be kept: %s", problem)
        with contextlib.suppress(OSError):
            temporary.unlink()


def _add(digest: hashlib._Hash, layer: Layer) -> None:
    digest.update(str(layer.weight.shape).encode())
    digest.update(layer.weight.tobytes())
    digest.update(layer.bias.tobytes())
