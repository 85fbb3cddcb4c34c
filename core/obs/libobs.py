"""libobs through ctypes: the calls that must not hold Python's lock, or that obspython does not offer.

Every ctypes call gives the lock back while it runs; obspython's calls keep it. A thread of ours therefore only ever
talks to libobs through here. Structures: ``obs.h``/``obs-source.h`` of obs-studio, the same from 28.0 to 32.2.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any, Callable, Dict, Optional

Pointer = ctypes.c_void_p

VIDEO_FORMAT_BGRA = 7
TASK_UI = 0

_KEEP: Dict[Any, Any] = sys.__dict__.setdefault("_easyvtuber_keep", {})
"""What libobs holds pointers to must live as long as the process, and therefore longer than a reloaded module."""


def keep() -> Dict[Any, Any]:
    """The dictionary for things that libobs keeps pointers to."""
    return _KEEP


class SourceFrame(ctypes.Structure):
    """``struct obs_source_frame``."""

    _fields_ = [
        ("data", ctypes.c_void_p * 8),
        ("linesize", ctypes.c_uint32 * 8),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("timestamp", ctypes.c_uint64),
        ("format", ctypes.c_int),
        ("color_matrix", ctypes.c_float * 16),
        ("full_range", ctypes.c_bool),
        ("max_luminance", ctypes.c_uint16),
        ("color_range_min", ctypes.c_float * 3),
        ("color_range_max", ctypes.c_float * 3),
        ("flip", ctypes.c_bool),
        ("flags", ctypes.c_uint8),
        ("trc", ctypes.c_uint8),
        ("refs", ctypes.c_long),
        ("prev_frame", ctypes.c_bool),
        ("padding", ctypes.c_char * 64),
    ]


class VideoInfo(ctypes.Structure):
    """The beginning of ``struct obs_video_info``; room is left for what newer versions append."""

    _fields_ = [
        ("graphics_module", ctypes.c_char_p),
        ("fps_num", ctypes.c_uint32),
        ("fps_den", ctypes.c_uint32),
        ("base_width", ctypes.c_uint32),
        ("base_height", ctypes.c_uint32),
        ("rest", ctypes.c_char * 256),
    ]


_TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

_PROTOTYPES: Dict[str, Any] = {
    "os_gettime_ns": (ctypes.c_uint64,),
    "obs_get_video_frame_time": (ctypes.c_uint64,),
    "obs_get_video_info": (ctypes.c_bool, Pointer),
    "obs_queue_task": (None, ctypes.c_int, _TASK, Pointer, ctypes.c_bool),
    "obs_register_source_s": (None, Pointer, ctypes.c_size_t),
    "obs_source_get_display_name": (ctypes.c_char_p, ctypes.c_char_p),
    "obs_get_source_by_name": (Pointer, ctypes.c_char_p),
    "obs_source_release": (None, Pointer),
    "obs_source_removed": (ctypes.c_bool, Pointer),
    "obs_source_output_video": (None, Pointer, Pointer),
    "obs_source_set_async_unbuffered": (None, Pointer, ctypes.c_bool),
    "obs_source_set_async_decoupled": (None, Pointer, ctypes.c_bool),
    "obs_source_update_properties": (None, Pointer),
    "obs_data_create": (Pointer,),
    "obs_data_release": (None, Pointer),
    "obs_properties_create": (Pointer,),
    "obs_properties_add_text": (Pointer, Pointer, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int),
    "obs_properties_add_button2": (Pointer, Pointer, ctypes.c_char_p, ctypes.c_char_p, Pointer, Pointer),
    "obs_property_text_set_info_type": (None, Pointer, ctypes.c_int),
}


class LibObs:
    """The loaded libobs. Raises AttributeError when a call is missing, OSError when there is no libobs."""

    def __init__(self) -> None:
        # obs.dll is loaded already and found by its base name; elsewhere the symbols are in the global scope
        self._library = ctypes.CDLL("obs") if os.name == "nt" else ctypes.CDLL(None)
        for name, (result, *arguments) in _PROTOTYPES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def frame_clock(self) -> Optional[tuple[int, int]]:
        """The time of OBS's newest frame and the time between frames, in nanoseconds; None before video runs."""
        info = VideoInfo()
        if not self.obs_get_video_info(ctypes.byref(info)) or not info.fps_num:
            return None
        interval = 1_000_000_000 * info.fps_den // info.fps_num
        return int(self.obs_get_video_frame_time()), interval

    def run_on_ui_thread(self, function: Callable[[], None]) -> None:
        """Have OBS call ``function`` on its UI thread soon. Safe from every thread; ``function`` must not raise."""

        def call(_: object) -> None:
            try:
                function()
            finally:
                _KEEP.pop(key, None)

        task = _TASK(call)
        key = ("task", id(task))
        _KEEP[key] = task
        self.obs_queue_task(TASK_UI, task, None, False)
