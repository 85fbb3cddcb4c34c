"""An OBS script for benchmarks only: notes for every frame OBS puts out which time stamp is drawn in it.

Each record in the file named by the setting ``probe_file`` is two little-endian u64: the time OBS began to render the
frame, and the time stamp read from its picture (0: none). Times are those of ``core.wire.clock``.

When the file named by ``probe_settings`` appears or changes, our script is given the settings in it (JSON), exactly as
OBS gives them when somebody changes something in the panel.
"""

import ctypes
import os
import struct
import sys
from typing import Any

import obspython as obs

_RECORD = struct.Struct("<QQ")
_BOARD = 8
_FLUSH_EVERY = 30


class _VideoData(ctypes.Structure):
    """``struct video_data``."""

    _fields_ = (
        ("data", ctypes.c_void_p * 8),
        ("linesize", ctypes.c_uint32 * 8),
        ("timestamp", ctypes.c_uint64),
    )


_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_VideoData))
_library = ctypes.CDLL("obs") if os.name == "nt" else ctypes.CDLL(None)
for _name in ("obs_add_raw_video_callback", "obs_remove_raw_video_callback"):
    getattr(_library, _name).argtypes = (ctypes.c_void_p, _CALLBACK, ctypes.c_void_p)
    getattr(_library, _name).restype = None


class _Probe:
    """Reads the brightness plane (NV12) of OBS's output at the chessboard's place."""

    def __init__(self, path: str, left: int, top: int, side: int) -> None:
        self._file = open(path, "ab")  # noqa: SIM115, PTH123 - open as long as the script is loaded
        self._centres = [(left + side * place + side // 2, top + side * place + side // 2) for place in range(_BOARD)]
        self._frames = 0
        self._callback = _CALLBACK(self._frame)
        _library.obs_add_raw_video_callback(None, self._callback, None)

    def _frame(self, _: Any, frame: Any) -> None:
        data = frame.contents
        plane, stride = int(data.data[0] or 0), int(data.linesize[0])
        word = 0
        if plane:
            for row, (_x, y) in enumerate(self._centres):
                line = (ctypes.c_ubyte * stride).from_address(plane + y * stride)
                for column, (x, _y) in enumerate(self._centres):
                    if line[x] > 127:
                        word |= 1 << (row * _BOARD + column)
        self._file.write(_RECORD.pack(int(data.timestamp), word))
        self._frames += 1
        if self._frames % _FLUSH_EVERY == 0:
            self._file.flush()

    def close(self) -> None:
        """Stop noting."""
        _library.obs_remove_raw_video_callback(None, self._callback, None)
        self._file.close()


class _Settings:
    """Gives our script the settings that lie in a file."""

    def __init__(self, path: str) -> None:
        self._path, self._seen = path, 0

    def look(self) -> None:
        """UI thread, a few times a second."""
        try:
            changed = os.stat(self._path).st_mtime_ns  # noqa: PTH116 - OBS's Python may be old
        except OSError:
            return
        script = sys.modules.get("obs_easyvtuber")
        if changed == self._seen or script is None:
            return
        self._seen = changed
        data = obs.obs_data_create_from_json_file(self._path)
        script.script_defaults(data)
        script.script_update(data)
        obs.obs_data_release(data)


_probe = None
_settings = None


def _look() -> None:
    if _settings is not None:
        _settings.look()


def script_load(settings: Any) -> None:
    """Begin with the first frame."""
    global _probe, _settings
    path = obs.obs_data_get_string(settings, "probe_file")
    if path:
        places = [obs.obs_data_get_int(settings, key) for key in ("probe_left", "probe_top", "probe_side")]
        _probe = _Probe(path, places[0], places[1], places[2])
    file = obs.obs_data_get_string(settings, "probe_settings")
    if file:
        _settings = _Settings(file)
        obs.timer_add(_look, 20)


def script_unload() -> None:
    """End before OBS does."""
    obs.timer_remove(_look)
    if _probe is not None:
        _probe.close()
