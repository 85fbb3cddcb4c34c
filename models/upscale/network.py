"""waifu2x and Real-ESRGAN on a runtime: the box that may be visible, cut out cleanly, in a plainly enlarged picture."""

from __future__ import annotations

from accel.base import Progress, Runtime
from core.wire.errors import PictureWrong
from models.base import Picture

from .base import SIZE
from .box import Box, checked, part
from .canvas import Canvas
from .engines import open_engine, region_of
from .files import UpscaleNetwork
from .trial import trial_picture, wrong


class NetworkUpscaler:
    """A network that sees one box of the picture; what is visible elsewhere is enlarged by cubic interpolation."""

    def __init__(
        self,
        found: UpscaleNetwork,
        runtime: Runtime,
        precision: str,
        kind: str,
        box: Box,
        progress: Progress | None = None,
    ) -> None:
        """Open the network for a box and try it out. Takes seconds, or minutes where engines are built.

        ``kind``: ``waifu2x``, ``real_esrgan`` or ``real_esrgan_head``. ``box``: where the avatar may be, in multiples
        of 16 of the 512 x 512 picture; for the head, what of it lies around the head is used. The runtime is not
        closed with it. Raises what :meth:`accel.base.Runtime.open` raises, PictureWrong when the runtime computes the
        network wrongly, and ValueError for what is no box.
        """
        self._region = region_of(found, kind, checked(box))
        self._canvas = Canvas(self._region)
        self._engine = open_engine(found, runtime, precision, kind, self._region, progress)
        try:
            self._try_out(runtime, found.file)
        except BaseException:
            self.close()
            raise

    @property
    def size(self) -> int:
        """1024."""
        return SIZE

    def apply(self, picture: Picture, out: Picture) -> None:
        """See :class:`models.upscale.base.Upscaler`."""
        self._canvas.show(picture, self._engine.draw, out)

    def close(self) -> None:
        """Give the device's memory back; safe to call twice."""
        self._engine.close()

    def _try_out(self, runtime: Runtime, file: str) -> None:
        pattern = trial_picture()
        reason = wrong(self._engine.draw(pattern), part(pattern, self._region))
        if reason:
            raise PictureWrong(file, runtime=runtime.name, reason=reason)
