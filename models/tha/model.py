"""THA3 and THA4 characters: one picture, posed by five networks, of which only those run that a change reaches."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing

import cv2
import numpy as np

from accel.base import DeviceTensor, Network, Progress, Runtime, Session
from core.pose.parameters import PoseVector, clamp
from models.base import Picture
from models.motion import Displacement, FaceChange

from .contract import PICTURE_SIDE
from .files import ThaFiles
from .motion import KnownWarps
from .prepare import prepare
from .stages import BodyStages, FaceStages


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
        self._has_fields = networks.fields is not None
        self._keeps_crops = networks.paste is not None
        with ExitStack() as opened:

            def open_session(network: Network) -> Session:
                return opened.enter_context(closing(runtime.open(network, progress)))

            runtime.prepare([network for network in networks.all if network is not networks.decomposer], progress)
            constants = _constants(once or runtime, runtime, networks.decomposer, character_picture)
            self._face = FaceStages(runtime, open_session, networks, files.variant, constants)
            self._body = BodyStages(runtime, open_session, networks, files.variant)
            self._sessions = opened.pop_all()
        self._warps = KnownWarps()

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
        """Whether the last network's motion fields were found; without, there are no pictures in between."""
        return self._has_fields

    def render(self, pose: PoseVector, out: Picture) -> None:
        """Draw the character at ``pose`` into ``out`` (size x size BGRA uint8, premultiplied).

        Raises RuntimeFailed; the next call starts afresh.
        """
        clamped = clamp(pose) + np.float32(0.0)  # -0 and 0 are the same value but not the same bytes
        picture, warp = self._body.draw(clamped, self._face.show(clamped))
        if warp is not None:
            self._warps.put(clamped, warp)
        if self._size == PICTURE_SIDE:
            np.copyto(out, picture)
        else:
            # premultiplied: neither of the two lets a colour grow larger than its alpha
            kind = cv2.INTER_AREA if self._size < PICTURE_SIDE else cv2.INTER_LINEAR
            cv2.resize(picture, (self._size, self._size), dst=out, interpolation=kind)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        """How the picture of ``rendered[-1]`` must be bent to look like ``pose``: the motion that led to it goes on.

        None for pictures this model did not draw lately, where nothing turned, and where the last network's graph
        hides its motion fields.
        """
        earlier = [clamp(known) + np.float32(0.0) for known in rendered[-2:]]
        return self._warps.motion(earlier, clamp(pose))

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        """Its networks have no look at a face that is cheaper than the face."""
        return None

    def remember_up_to(self, bytes_: int) -> None:
        """How much of the device's memory faces may take that were made before."""
        self._face.remember_up_to(bytes_)

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        self._face.close()
        self._body.close()
        self._sessions.close()


def _constants(once: Runtime, runtime: Runtime, decomposer: Network, picture: Picture) -> dict[str, DeviceTensor]:
    """What the decomposer makes of the character, on ``runtime``'s device; the network itself is not needed again."""
    with closing(once.open(decomposer)) as session:
        made = session.run({name: picture.reshape(spec.shape) for name, spec in session.inputs.items()})
    constants = {}
    for name, content in made.items():
        constants[name] = runtime.allocate(content.shape, content.dtype)
        constants[name].write(content)
    return constants
