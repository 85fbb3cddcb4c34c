"""Frames to any Spout receiver on this PC (Windows): a shared texture on the GPU, no copy through OBS."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.wire.errors import OutputFailed, OutputUnavailable
from core.wire.settings import BY_KEY, Value

from .base import Frame, Picture, PublishContext
from .latest import LatestFramePublisher

if TYPE_CHECKING:
    from SpoutGL import SpoutSender

_log = logging.getLogger(__name__)

_GL_BGRA_EXT = 0x80E1
_MAXIMUM_NAME_BYTES = 240
"""Spout keeps 256 bytes for a name, its end mark included; a few are left for a number."""
_MAXIMUM_SENDERS = 100
_MAXIMUM_SIDE_PX = 16384
"""Of a Direct3D 11 texture (D3D11_REQ_TEXTURE2D_U_OR_V_DIMENSION)."""


class SpoutPublisher(LatestFramePublisher):
    """A Spout sender of premultiplied BGRA pictures, top row first. ``description`` is the sender's real name.

    The receiver must blend premultiplied (in OBS's Spout2 source: composite mode "premultiplied").
    """

    def __init__(self, name: str, size_px: int, make_sender: Callable[[], SpoutSender]) -> None:
        super().__init__("spout")
        self._wanted_name = _cut(name) or str(BY_KEY["spout_name"].default)
        self._size_px = size_px
        self._make_sender = make_sender
        self._sender: SpoutSender | None = None
        self._hidden = False

    def open_sink(self) -> None:
        """Announce the sender at once, with a transparent picture: receivers find it before the first frame."""
        self._show_picture(np.zeros((self._size_px, self._size_px, 4), np.uint8))

    def show(self, frame: Frame) -> None:
        """Send the frame; of a hidden avatar only the first, transparent one. Raises OutputFailed."""
        if self._hidden and not frame.visible:
            return
        self._show_picture(frame.picture)
        self._hidden = not frame.visible

    def close_sink(self) -> None:
        """Take the sender off Spout's list and free its OpenGL context, on the thread that made both."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.releaseSender()
            sender.closeOpenGL()

    def _show_picture(self, picture: Picture) -> None:
        _refuse_what_spout_would_take_as_noise(picture)
        if self._sender is not None:
            if self._send(self._sender, picture):
                return
            # the graphics driver may have been reset: the shared texture is gone and only a new sender helps
            _log.warning("Spout refused a frame, the sender is opened again")
            self.close_sink()
        sender = self._open_sender()
        # without OpenGL the first call only finds that out and prepares the way through main memory for the second
        if not self._send(sender, picture) and not self._send(sender, picture):
            raise OutputFailed("sendImage returned false", output="spout")

    def _open_sender(self) -> SpoutSender:
        sender = self._sender = self._make_sender()
        if not sender.createOpenGL():
            _log.warning("No OpenGL context for Spout, pictures go through main memory")
        self.description = _free_name(sender, self._wanted_name)
        sender.setSenderName(self.description)
        return sender

    def _send(self, sender: SpoutSender, picture: Picture) -> bool:
        height, width = picture.shape[:2]
        if not sender.sendImage(picture, width, height, _GL_BGRA_EXT, False, 0):
            return False
        sender.setFrameSync(self.description)
        return True


def unavailable() -> str | None:
    """None where Spout can work, else ``windows_only`` or ``package_missing``."""
    if sys.platform != "win32":
        return "windows_only"
    return None if importlib.util.find_spec("SpoutGL") else "package_missing"


def open_publisher(settings: Mapping[str, Value], context: PublishContext) -> SpoutPublisher:
    """Open the sender. Raises OutputUnavailable where there is no Spout, OutputFailed when it does not start."""
    if sys.platform != "win32":
        raise OutputUnavailable(output="spout", reason="windows_only")
    try:
        import SpoutGL
    except ImportError as problem:
        raise OutputUnavailable(str(problem), output="spout", reason="package_missing") from problem
    publisher = SpoutPublisher(str(settings["spout_name"]), int(settings["output_size"]), SpoutGL.SpoutSender)
    publisher.start()
    return publisher


def _refuse_what_spout_would_take_as_noise(picture: Picture) -> None:
    """sendImage looks at nothing but the number of bytes: a float array of the right size would be shown as noise."""
    if (
        picture.dtype != np.uint8
        or picture.ndim != 3
        or picture.shape[2] != 4
        or 0 in picture.shape
        or max(picture.shape) > _MAXIMUM_SIDE_PX
        or not picture.flags.c_contiguous
    ):
        raise OutputFailed(f"not a BGRA picture: {picture.dtype} {picture.shape} {picture.strides}", output="spout")


def _free_name(sender: SpoutSender, wanted: str) -> str:
    """``wanted``, or the first of "wanted 2", "wanted 3"... that no sender has; Spout would rename without a word."""
    names = (wanted, *(f"{wanted} {number}" for number in range(2, _MAXIMUM_SENDERS)))
    for name in names:
        if sender.getSenderInfo(name) is None:
            return name
    raise OutputFailed(f"{_MAXIMUM_SENDERS} senders named {wanted}", output="spout")


def _cut(name: str) -> str:
    return name.encode("utf-8", "replace")[:_MAXIMUM_NAME_BYTES].decode("utf-8", "ignore").strip()
