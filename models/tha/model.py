"""THA3 and THA4 characters: one picture, posed by five networks, of which only those run that a change reaches."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass

import cv2
import numpy as np

from accel.base import DeviceTensor, Network, Progress, Runtime, Session
from core.pose.parameters import PoseVector, clamp
from models.base import KeyFrame, MotionFields, Picture

from .colour import PICTURE
from .contract import PICTURE_SIDE
from .files import ThaFiles
from .motion import FRACTION, NEWER, OLDER, dense
from .prepare import prepare
from .slots import Slots
from .stages import BodyStages, FaceStages

FRAME_SLOTS = 4
"""Key frames whose motion fields stay on the device, each 7 to 10 MB in full precision. The pipeline needs three: two
to draw between and one to render into; older ones are rendered again when somebody asks for them."""


@dataclass(frozen=True, slots=True, eq=False)
class ThaKeyFrame:
    """A picture that was rendered. Its motion fields stay on the device until somebody reads them."""

    pose: PoseVector
    model: ThaModel

    @property
    def fields(self) -> MotionFields | None:
        """The network's own motion fields, 512 x 512 whatever the pictures' size; None where its graph hides them.

        The character they bend is the picture with this pose's face. ``blend`` is (512, 512) for THA4 and
        (512, 512, 4), one for each of R, G, B, A, for THA3.
        """
        return self.model.read_fields(self.pose)


@dataclass(frozen=True, slots=True)
class _Frame:
    fields: dict[str, DeviceTensor]
    picture: Picture


class ThaModel:
    """A character of THA3 or THA4 on a runtime. Used from one thread at a time.

    The networks take and make STRAIGHT alpha (see ``contract``); what comes out of here is premultiplied.
    """

    def __init__(
        self,
        character_picture: Picture,
        files: ThaFiles,
        runtime: Runtime,
        size: int,
        progress: Progress | None = None,
        once: Runtime | None = None,
    ) -> None:
        """Open the networks and compute what depends on the character alone. Takes seconds, or minutes where engines
        are built.

        ``character_picture``: 512 x 512 BGRA uint8, sRGB, straight alpha, in the framing of the THA networks.
        ``size``: width and height of the output in pixels, 256 to 1024; the networks' own is 512. ``once``: where the
        decomposer runs, ``runtime`` if none is named; it runs a single time, for which building an engine is not
        worth it. No runtime is closed with the model. Raises ModelFileBad, and what
        :meth:`accel.base.Runtime.open` raises.
        """
        if character_picture.shape != (PICTURE_SIDE, PICTURE_SIDE, 4) or character_picture.dtype != np.uint8:
            raise ValueError(
                f"expected a (512, 512, 4) uint8 picture, got {character_picture.shape} {character_picture.dtype}"
            )
        if not 256 <= size <= 1024:
            raise ValueError(f"expected a size from 256 to 1024, got {size}")
        self._size = size
        self._files = files
        networks = prepare(files)
        self._fields = networks.fields
        self._keeps_crops = networks.paste is not None
        with ExitStack() as opened:

            def open_session(network: Network) -> Session:
                return opened.enter_context(closing(runtime.open(network, progress)))

            runtime.prepare([network for network in networks.all if network is not networks.decomposer], progress)
            constants = _constants(once or runtime, runtime, networks.decomposer, character_picture)
            self._face = FaceStages(runtime, open_session, networks, files.variant, constants)
            self._body = BodyStages(runtime, open_session, networks, files.variant)
            self._between = open_session(networks.between) if networks.between is not None else None
            self._sessions = opened.pop_all()
        self._frames = Slots(FRAME_SLOTS, self._make_frame)

    @property
    def family(self) -> str:
        """``tha3`` or ``tha4``."""
        return self._files.variant.family

    @property
    def size(self) -> int:
        """Width and height of the pictures it makes, in pixels."""
        return self._size

    @property
    def keeps_crops(self) -> bool:
        """Whether faces are remembered as 192 x 192 crops. If not, the morpher's graph was not understood, and
        whole pictures are, a tenth as many."""
        return self._keeps_crops

    @property
    def has_fields(self) -> bool:
        """Whether the last network's motion fields were found; without, pictures in between are cross-fades."""
        return self._fields is not None

    def render(self, pose: PoseVector, out: Picture) -> ThaKeyFrame:
        """Draw the character at ``pose`` into ``out`` (size x size BGRA uint8, premultiplied).

        Raises RuntimeFailed; the next call starts afresh.
        """
        clamped = clamp(pose) + np.float32(0.0)  # -0 and 0 are the same value but not the same bytes
        self._show(self._frame(clamped).picture, out)
        return ThaKeyFrame(clamped, self)

    def between(self, older: KeyFrame, newer: KeyFrame, fraction: float, out: Picture) -> None:
        """Draw ``fraction`` (0..1, clamped) of the way between two key frames: the motion in between, the newer face.

        Raises TypeError for key frames that this model did not render, and RuntimeFailed.
        """
        if not all(isinstance(frame, ThaKeyFrame) and frame.model is self for frame in (older, newer)):
            raise TypeError("expected key frames that this model rendered")
        share = min(max(fraction, 0.0), 1.0)
        first, second = self._frame(older.pose), self._frame(newer.pose)
        if self._between is None:
            faded = cv2.addWeighted(first.picture, 1.0 - share, second.picture, share, 0.0)
            self._show(np.asarray(faded, np.uint8), out)
            return
        face = self._face.show(newer.pose)
        feed = {
            self._files.variant.warped: face["face_morphed_full"],
            **{OLDER + name: tensor for name, tensor in first.fields.items()},
            **{NEWER + name: tensor for name, tensor in second.fields.items()},
        }
        drawn = self._between.run({**feed, FRACTION: np.array([share], np.float32)})
        self._show(drawn[PICTURE], out)

    def read_fields(self, pose: PoseVector) -> MotionFields | None:
        """The motion fields at a key frame's pose, copied from the device; see :attr:`ThaKeyFrame.fields`."""
        if self._fields is None:
            return None
        tensors = self._frame(pose).fields
        return dense(*(tensors[name].read() for name in self._fields.all))

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        self._frames.clear()
        self._face.close()
        self._body.close()
        self._sessions.close()

    def _frame(self, pose: PoseVector) -> _Frame:
        return self._frames.get(pose.tobytes(), lambda frame: self._draw(pose, frame))

    def _make_frame(self) -> _Frame:
        return _Frame(self._body.allocate_fields(), np.zeros((PICTURE_SIDE, PICTURE_SIDE, 4), np.uint8))

    def _draw(self, pose: PoseVector, frame: _Frame) -> None:
        np.copyto(frame.picture, self._body.draw(pose, self._face.show(pose), frame.fields))

    def _show(self, picture: Picture, out: Picture) -> None:
        if self._size == PICTURE_SIDE:
            np.copyto(out, picture)
        else:
            # premultiplied: neither of the two lets a colour grow larger than its alpha
            kind = cv2.INTER_AREA if self._size < PICTURE_SIDE else cv2.INTER_LINEAR
            out[:] = cv2.resize(picture, (self._size, self._size), interpolation=kind)


def _constants(once: Runtime, runtime: Runtime, decomposer: Network, picture: Picture) -> dict[str, DeviceTensor]:
    """What the decomposer makes of the character, on ``runtime``'s device; the network itself is not needed again."""
    with closing(once.open(decomposer)) as session:
        made = session.run({name: picture.reshape(spec.shape) for name, spec in session.inputs.items()})
    constants = {}
    for name, content in made.items():
        constants[name] = runtime.allocate(content.shape, content.dtype)
        constants[name].write(content)
    return constants
