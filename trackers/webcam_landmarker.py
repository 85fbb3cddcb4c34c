"""MediaPipe's FaceLandmarker: a picture to ARKit's shapes and the head's place.

The model's file is one of the catalogue's (``install_plugin.py models get face_landmarker``). The pinned version of the
package sends nothing anywhere; newer ones report home.
"""

from __future__ import annotations

import importlib
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.pose.mapping.arkit_names import SHAPE, SHAPE_COUNT
from core.wire.errors import InputUnavailable
from core.wire.folders import model_weights

PACKET = struct.Struct(f"<{SHAPE_COUNT + 16}f")
"""The 52 shapes, then the 4x4 matrix, row by row, that puts MediaPipe's standard face (cm) before the camera."""
RgbPicture = NDArray[np.uint8]
"""Shape (height, width, 3), R, G, B in sRGB, C-contiguous."""


def task_file() -> Path:
    """Where the model's file lies."""
    return model_weights() / "mediapipe" / "face_landmarker.task"


_AUDIO = "mediapipe.tasks.python.audio"


class FaceLandmarker:
    """Looks at pictures of one camera in order. Used by one thread."""

    def __init__(self, file: Path | None = None) -> None:
        """Raises InputUnavailable when the package or the model's file is missing or of no use."""
        path = file or task_file()
        if not path.is_file():
            raise InputUnavailable(str(path), tracker="webcam", reason="landmarker_missing")
        # MediaPipe's audio part is kept out: it would start the sound system, and fail together with it
        sys.modules.setdefault(_AUDIO, types.ModuleType(_AUDIO))
        try:
            self._vision: Any = importlib.import_module("mediapipe.tasks.python.vision.face_landmarker")
            self._images: Any = importlib.import_module("mediapipe.tasks.python.vision.core.image")
            options: Any = importlib.import_module("mediapipe.tasks.python.core.base_options")
            modes: Any = importlib.import_module("mediapipe.tasks.python.vision.core.vision_task_running_mode")
        except ImportError as problem:
            raise InputUnavailable(str(problem), tracker="webcam", reason="mediapipe_missing") from problem
        content = _read(path)
        try:
            self._landmarker = self._vision.FaceLandmarker.create_from_options(
                self._vision.FaceLandmarkerOptions(
                    # as bytes: its own reader takes no path with letters beyond ASCII on Windows
                    base_options=options.BaseOptions(model_asset_buffer=content),
                    running_mode=modes.VisionTaskRunningMode.VIDEO,
                    # with one face it calms its landmarks itself
                    num_faces=1,
                    output_face_blendshapes=True,
                    output_facial_transformation_matrixes=True,
                )
            )
        except (OSError, AttributeError) as problem:
            # its native library is loaded at the first use only
            raise InputUnavailable(str(problem)[:200], tracker="webcam", reason="package_broken") from problem
        except (RuntimeError, ValueError) as problem:
            raise InputUnavailable(str(problem)[:200], tracker="webcam", reason="landmarker_damaged") from problem
        self._places: list[int | None] | None = None
        self._milliseconds = 0

    def look(self, picture: RgbPicture, time_ns: int) -> bytes:
        """The picture's face as a packet (:data:`PACKET`); empty when there is none."""
        # it wants whole milliseconds that always rise, whatever our clock does
        self._milliseconds = max(self._milliseconds + 1, time_ns // 1_000_000)
        image = self._images.Image(image_format=self._images.ImageFormat.SRGB, data=picture)
        found = self._landmarker.detect_for_video(image, self._milliseconds)
        if not found.face_blendshapes or not found.facial_transformation_matrixes:
            return b""
        scores = found.face_blendshapes[0]
        if self._places is None:
            self._places = [SHAPE.get(str(score.category_name)) for score in scores]
        shapes = np.zeros(SHAPE_COUNT, np.float32)
        for place, score in zip(self._places, scores, strict=True):
            if place is not None:
                shapes[place] = score.score
        matrix = np.asarray(found.facial_transformation_matrixes[0], np.float32).reshape(16)
        return shapes.astype("<f4").tobytes() + matrix.astype("<f4").tobytes()

    def close(self) -> None:
        """Give the graph back: it must not be left to the interpreter's end."""
        self._landmarker.close()


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise InputUnavailable(str(problem)[:200], tracker="webcam", reason="landmarker_damaged") from problem
