"""Frames as a webcam, for programs that know nothing else: OBS Virtual Camera, Unity Capture, v4l2loopback."""

from __future__ import annotations

import importlib.util
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.wire.errors import OutputFailed, OutputUnavailable
from core.wire.settings import Value

from .base import Frame, Picture, PublishContext
from .latest import LatestFramePublisher
from .pixels import alpha_beside, over_background, red_first, straight

if TYPE_CHECKING:
    from pyvirtualcam import Camera

_log = logging.getLogger(__name__)

_WITH_ALPHA = "unitycapture"
"""The one camera that carries transparency."""
_OBS_CAMERA_CLASS = "{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
_UNITY_CAMERA_CLASS = "{{5C2CD55C-92AD-4999-8666-912BD3E700{number:02X}}}"


class CameraOptions(NamedTuple):
    """What the user chose."""

    device: str
    """``automatic`` or a backend of pyvirtualcam."""
    alpha_split: bool
    background: int
    """OBS's 0xAABBGGRR, alpha ignored."""
    frames_per_second: float


class VirtualCameraPublisher(LatestFramePublisher):
    """Sends RGB on a plain background (or twice as wide, with the alpha as grey at the right); Unity Capture gets
    straight-alpha RGBA. ``description`` is the camera's name as other programs list it.
    """

    def __init__(self, options: CameraOptions, size_px: int) -> None:
        super().__init__("virtual_camera")
        self._options = options
        self._size_px = size_px
        self._camera: Camera | None = None
        self._picture_shape: tuple[int, ...] = ()
        self._blue_first = self._sent = np.empty((0, 0, 3), np.uint8)

    def open_sink(self) -> None:
        """Open the camera in the configured size. Raises OutputUnavailable with what every driver said."""
        try:
            self._open_camera((self._size_px, self._size_px, 4))
        except OutputFailed as problem:
            raise OutputUnavailable(problem.detail, output="virtual_camera", reason="no_camera_driver") from problem

    def show(self, frame: Frame) -> None:
        """Convert and send; another size opens the camera anew. Raises OutputFailed with the library's words."""
        if frame.picture.shape != self._picture_shape:
            self._open_camera(frame.picture.shape)
        self._convert(frame.picture)
        self._send()

    def idle(self) -> None:
        """Send the last picture again: a program that opens the camera now must get one."""
        self._send()

    def close_sink(self) -> None:
        """Free the camera for other programs."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _open_camera(self, picture_shape: tuple[int, ...]) -> None:
        self.close_sink()
        height, width = picture_shape[:2]
        if self._options.alpha_split:
            width *= 2
        self._camera = _open_first(self._options, width, height)
        self.description = str(self._camera.device)
        channels = 4 if self._carries_alpha(self._camera) else 3
        self._blue_first = np.empty((height, width, channels), np.uint8)
        self._sent = np.empty((height, width, channels), np.uint8)
        self._picture_shape = picture_shape
        self._convert(np.zeros(picture_shape, np.uint8))
        _log.info("Virtual camera %s opened with %s x %s", self.description, width, height)

    def _carries_alpha(self, camera: Camera) -> bool:
        return camera.backend == _WITH_ALPHA and not self._options.alpha_split

    def _convert(self, picture: Picture) -> None:
        if self._blue_first.shape[2] == 4:
            straight(picture, self._blue_first)
        elif self._options.alpha_split:
            alpha_beside(picture, self._options.background, self._blue_first)
        else:
            over_background(picture, self._options.background, self._blue_first)
        red_first(self._blue_first, self._sent)

    def _send(self) -> None:
        if self._camera is None:
            return
        try:
            self._camera.send(self._sent)
        except (RuntimeError, ValueError, TypeError) as problem:
            raise OutputFailed(str(problem), output="virtual_camera") from problem


def unavailable() -> str | None:
    """None where a camera may open, else ``package_missing`` or ``no_camera_driver``."""
    if importlib.util.find_spec("pyvirtualcam") is None:
        return "package_missing"
    return None if _driver_installed() else "no_camera_driver"


def open_publisher(settings: Mapping[str, Value], context: PublishContext) -> VirtualCameraPublisher:
    """Open the camera. Raises OutputUnavailable with every driver's own message when none works."""
    options = CameraOptions(
        str(settings["camera_device"]),
        bool(settings["camera_alpha_split"]),
        int(settings["background_colour"]),
        max(1.0, context.frames_per_second),
    )
    publisher = VirtualCameraPublisher(options, int(settings["output_size"]))
    publisher.start()
    return publisher


def _open_first(options: CameraOptions, width: int, height: int) -> Camera:
    """The chosen camera, or the first that opens. pyvirtualcam tries all by itself, but with one pixel format only."""
    try:
        import pyvirtualcam
    except ImportError as problem:
        raise OutputUnavailable(str(problem), output="virtual_camera", reason="package_missing") from problem
    known = list(pyvirtualcam.camera.BACKENDS)
    wanted = known if options.device == "automatic" else [options.device]
    refusals = []
    for backend in wanted:
        if backend not in known:
            refusals.append(f"'{backend}' backend: not on this system")
            continue
        with_alpha = backend == _WITH_ALPHA and not options.alpha_split
        pixel_format = pyvirtualcam.PixelFormat.RGBA if with_alpha else pyvirtualcam.PixelFormat.RGB
        try:
            return pyvirtualcam.Camera(width, height, options.frames_per_second, fmt=pixel_format, backend=backend)
        except (RuntimeError, ValueError, TypeError) as problem:
            refusals.append(str(problem))
    raise OutputFailed("\n".join(refusals), output="virtual_camera")


def _driver_installed() -> bool:
    if sys.platform == "win32":
        unity = (_UNITY_CAMERA_CLASS.format(number=number) for number in range(256))
        return _class_registered(_OBS_CAMERA_CLASS) or any(_class_registered(name) for name in unity)
    if sys.platform == "linux":
        # real webcams hang on a bus; what v4l2loopback made is a virtual device
        return any(Path("/sys/devices/virtual/video4linux").glob("video*"))
    return True


def _class_registered(name: str) -> bool:
    """Windows: is this DirectShow filter installed? The drivers' own look-up, without opening them."""
    if sys.platform != "win32":
        return False
    import winreg

    try:
        winreg.CloseKey(winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, f"CLSID\\{name}"))
    except OSError:
        return False
    return True
