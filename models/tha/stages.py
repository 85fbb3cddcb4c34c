"""Running the networks: which must run for a pose, and where their tensors lie on the device meanwhile."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from accel.base import Array, DeviceTensor, Network, Runtime, Session
from core.pose.parameters import EYEBROWS, FACE, ROTATION, PoseVector
from models.motion import Warp
from models.slots import Slots

from .colour import PICTURE
from .contract import GraphContract, Variant
from .motion import WARP, warp_of
from .prepare import ThaNetworks

Open: TypeAlias = Callable[[Network], Session]
Tensors: TypeAlias = Mapping[str, DeviceTensor]

POSE_PARTS = {"eyebrow_pose": EYEBROWS, "face_pose": FACE, "rotation_pose": ROTATION}
"""Which values of a pose an input of this name takes."""
BROW_SLOTS = 8
"""Each 1.8 MB in full precision, half of it in half precision."""
CROP_SLOTS = 32
"""Each 0.6 MB."""
WHOLE_FACE_SLOTS = 4
"""Each 5.2 MB; only where the crop cannot be cut out."""


class Stage:
    """One network and where its inputs come from."""

    def __init__(self, session: Session, contract: GraphContract) -> None:
        self._session = session
        self._sources = {tensor.name: tensor.source or tensor.name for tensor in contract.inputs}

    def allocate(self, runtime: Runtime, names: Iterable[str] | None = None) -> dict[str, DeviceTensor]:
        """Room on the device for the outputs named, or for all."""
        outputs = self._session.outputs
        return {
            name: runtime.allocate(outputs[name].shape, outputs[name].dtype)
            for name in (outputs if names is None else names)
        }

    @property
    def bytes(self) -> int:
        """Of all its outputs."""
        return sum(spec.dtype.itemsize * math.prod(spec.shape) for spec in self._session.outputs.values())

    def run(self, tensors: Tensors, pose: PoseVector, into: Tensors) -> dict[str, Array]:
        """Compute from ``tensors`` (by the names they have as outputs) and the part of ``pose`` the network takes."""
        feed: dict[str, Array | DeviceTensor] = {}
        for name, spec in self._session.inputs.items():
            part = POSE_PARTS.get(name)
            if part is None:
                feed[name] = tensors[self._sources.get(name, name)]
            else:
                # THA3 takes float32 poses in both precisions, THA4 its own type
                feed[name] = pose[part].reshape(spec.shape).astype(spec.dtype)
        return self._session.run(feed, into)


class FaceStages:
    """Combiner and morpher: from a pose's first 39 values to the whole picture with that face."""

    def __init__(
        self, runtime: Runtime, open_session: Open, networks: ThaNetworks, variant: Variant, constants: Tensors
    ) -> None:
        self._constants = constants
        self._combiner = Stage(open_session(networks.combiner), variant.combiner)
        self._morpher = Stage(open_session(networks.morpher), variant.morpher)
        self._paste: Stage | None = None
        self._pasted: dict[str, DeviceTensor] = {}
        self._pasted_key = b""
        if networks.paste is not None:
            self._paste = Stage(open_session(networks.paste), variant.morpher)
            self._pasted = self._paste.allocate(runtime)
        self._brows = Slots(BROW_SLOTS, lambda: self._combiner.allocate(runtime))
        capacity = WHOLE_FACE_SLOTS if self._paste is None else CROP_SLOTS
        self._faces = Slots(capacity, lambda: self._morpher.allocate(runtime))
        self._face_bytes = self._morpher.bytes

    def show(self, pose: PoseVector) -> Tensors:
        """``face_morphed_full`` and ``face_morphed_half`` at this pose, valid until the next call."""
        key = pose[: FACE.stop].tobytes()
        face = self._faces.get(key, lambda place: self._morph(pose, place))
        if self._paste is None:
            return face
        if key != self._pasted_key:
            self._pasted_key = b""
            self._paste.run({**self._constants, **face}, pose, self._pasted)
            self._pasted_key = key
        return self._pasted

    def remember_up_to(self, bytes_: int) -> None:
        """How much of the device's memory faces may take."""
        self._faces.capacity = bytes_ // self._face_bytes

    def _morph(self, pose: PoseVector, place: Tensors) -> None:
        brow = self._brows.get(pose[EYEBROWS].tobytes(), lambda slot: self._combine(pose, slot))
        self._morpher.run({**self._constants, **brow}, pose, place)

    def _combine(self, pose: PoseVector, place: Tensors) -> None:
        self._combiner.run(self._constants, pose, place)

    def close(self) -> None:
        """Let go of everything on the device."""
        self._brows.clear()
        self._faces.clear()
        self._pasted.clear()
        self._pasted_key = b""
        self._constants = {}


class BodyStages:
    """The two networks that all 45 values reach: from the face to the picture and how it was bent."""

    def __init__(self, runtime: Runtime, open_session: Open, networks: ThaNetworks, variant: Variant) -> None:
        self._body = Stage(open_session(networks.body), variant.body)
        self._final = Stage(open_session(networks.final), variant.final)
        self._between = self._body.allocate(runtime)
        names = networks.fields.all if networks.fields is not None else ()
        self._fields = self._final.allocate(runtime, names)
        self._coarse = open_session(networks.coarse) if networks.coarse is not None else None

    def draw(self, pose: PoseVector, face: Tensors) -> tuple[Array, Warp | None]:
        """The picture at this pose (512 x 512 BGRA uint8, premultiplied) and its coarse warp, if there is one."""
        self._body.run(face, pose, self._between)
        picture = self._final.run({**face, **self._between}, pose, self._fields)[PICTURE]
        if self._coarse is None:
            return picture, None
        feed = {name: self._fields[name] for name in self._coarse.inputs}
        return picture, warp_of(self._coarse.run(feed)[WARP])

    def close(self) -> None:
        """Let go of everything on the device."""
        self._between.clear()
        self._fields.clear()
