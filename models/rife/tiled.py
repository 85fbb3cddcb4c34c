"""EasyVtuber's own RIFE files: straight alpha in and out, every picture at once.

They cut the picture into three tiles and interpolate their alpha as a fourth picture of its own; the two upper corners
are the newer picture's. All of that is inside the files and stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from onnx import helper

from accel.base import Array, Network, Session
from models.base import Picture

from .files import NEWER_BYTES, OLDER_BYTES, PICTURE_SIDE, RifeFile, load_tiled

_PICTURE = (PICTURE_SIDE, PICTURE_SIDE, 4)


def build_tiled(file: RifeFile, factor: int) -> tuple[Network, tuple[str, ...]]:
    """The network with every size fixed, and its outputs in the order of their pictures. Raises ModelFileBad."""
    model, names = load_tiled(file, factor)
    values = [value for value in model.graph.input if value.name in (OLDER_BYTES, NEWER_BYTES)]
    for value in [*values, *model.graph.output]:
        tensor = value.type.tensor_type
        leading = factor if len(names) == 1 and value.name in names else 1
        shape = (leading, *_PICTURE) if len(tensor.shape.dim) == 4 else _PICTURE
        value.CopyFrom(helper.make_tensor_value_info(value.name, tensor.elem_type, shape))
    return Network(f"RIFE x{factor}", model.SerializeToString()), names


class TiledPictures:
    """Draws with such a file. Pictures are premultiplied BGRA."""

    def __init__(self, session: Session, outputs: Sequence[str]) -> None:
        self._session, self._outputs = session, outputs
        self._straight = {name: np.zeros(session.inputs[name].shape, np.uint8) for name in (OLDER_BYTES, NEWER_BYTES)}

    def draw(self, older: Picture, newer: Picture, share: float, out: Picture) -> None:
        """The nearest of the pictures that the file makes."""
        made = self._run(older, newer)
        place = round(share * len(made))
        if 0 < place < len(made):
            _premultiply(made[place - 1], out)
        else:
            np.copyto(out, newer if place else older)

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        """All but the last, which is the newer picture itself."""
        for straight, picture in zip(self._run(older, newer), out, strict=False):
            _premultiply(straight, picture)

    def _run(self, older: Picture, newer: Picture) -> list[Array]:
        for name, picture in ((OLDER_BYTES, older), (NEWER_BYTES, newer)):
            # the order of the colours does not matter to it, only that alpha comes last
            cv2.cvtColor(picture, cv2.COLOR_mRGBA2RGBA, dst=self._straight[name].reshape(_PICTURE))
        results = self._session.run(self._straight)
        return [picture for name in self._outputs for picture in results[name].reshape(-1, *_PICTURE)]


def _premultiply(straight: Array, out: Picture) -> None:
    cv2.cvtColor(np.ascontiguousarray(straight), cv2.COLOR_RGBA2mRGBA, dst=out)
