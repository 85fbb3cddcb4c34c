"""Our own kind of OBS source, ``easyvtuber_avatar``, registered at run time on the libobs that is already loaded.

It needs no plug-in, has its own entry in the "+" menu, no audio strip and no media controls, and is found again after a
restart, because the type is registered before OBS loads the scene collection's sources.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, List, NamedTuple, Tuple

from .libobs import LibObs, Pointer, keep

TYPE_ID = "easyvtuber_avatar"

_TYPE_INPUT = 0
_VIDEO, _ASYNC, _DO_NOT_DUPLICATE, _DO_NOT_SHOW_PROPERTIES = 1, 1 << 2, 1 << 7, 1 << 16
_ICON_CAMERA = 9
_TEXT_INFO = 3
_INFO_TYPES = {"normal": 0, "warning": 1, "error": 2}

_CALLBACKS = (
    "get_name create destroy get_width get_height get_defaults get_properties update activate deactivate show hide "
    "video_tick video_render filter_video filter_audio enum_active_sources save load mouse_click mouse_move "
    "mouse_wheel focus key_click filter_remove type_data free_type_data audio_render enum_all_sources "
    "transition_start transition_stop get_defaults2 get_properties2 audio_mix"
).split()
_MEDIA_CALLBACKS = (
    "media_play_pause media_restart media_stop media_next media_previous media_get_duration media_get_time "
    "media_set_time media_get_state"
).split()

_GET_NAME = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_GET_PROPERTIES = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_CLICKED = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class SourceInfo(ctypes.Structure):
    """``struct obs_source_info`` up to ``unversioned_id`` (libobs reads ``version``, so nothing may be cut off)."""

    _fields_ = [
        ("id", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("output_flags", ctypes.c_uint32),
        *((name, ctypes.c_void_p) for name in _CALLBACKS),
        ("icon_type", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in _MEDIA_CALLBACKS),
        ("version", ctypes.c_uint32),
        ("unversioned_id", ctypes.c_char_p),
    ]


class DialogLine(NamedTuple):
    """One line of text in the source's properties dialog. ``level``: normal, warning or error."""

    name: str
    text: str
    level: str = "normal"


class Dialog(NamedTuple):
    """What the source's properties dialog shows now."""

    lines: List[DialogLine]
    buttons: List[Tuple[str, str]]
    """Name and label of each button."""


def register(lib: LibObs, name: str, describe: Callable[[], Dialog], clicked: Callable[[str], None]) -> bool:
    """Register the type, or hand over to this script when an earlier load registered it. False: OBS refused.

    ``describe`` and ``clicked`` are called on OBS's UI thread and must not raise.
    """
    held = keep()
    held["describe"], held["clicked"] = describe, clicked
    if "source info" in held:
        return True
    held["name"] = ctypes.create_string_buffer(name.encode("utf-8"))
    name_address = ctypes.addressof(held["name"])
    held["get name"] = _GET_NAME(lambda _: name_address)
    held["get properties"] = _GET_PROPERTIES(lambda _: _build(lib, held["describe"]()))
    info = SourceInfo()
    info.id = TYPE_ID.encode()
    info.type = _TYPE_INPUT
    info.output_flags = _VIDEO | _ASYNC | _DO_NOT_DUPLICATE | _DO_NOT_SHOW_PROPERTIES
    info.icon_type = _ICON_CAMERA
    info.get_name = ctypes.cast(held["get name"], Pointer)
    info.get_properties = ctypes.cast(held["get properties"], Pointer)
    # a source's own data is an empty settings object: made and freed by libobs itself, so that nothing of Python is
    # needed when OBS destroys sources after Python has ended
    info.create = ctypes.cast(lib.obs_data_create, Pointer)
    info.destroy = ctypes.cast(lib.obs_data_release, Pointer)
    lib.obs_register_source_s(ctypes.byref(info), ctypes.sizeof(info))
    if lib.obs_source_get_display_name(info.id) is None:
        return False
    held["source info"] = info
    return True


def _build(lib: LibObs, dialog: Dialog) -> int:
    properties = lib.obs_properties_create()
    for line in dialog.lines:
        shown = lib.obs_properties_add_text(properties, line.name.encode(), line.text.encode("utf-8"), _TEXT_INFO)
        lib.obs_property_text_set_info_type(shown, _INFO_TYPES[line.level])
    for name, label in dialog.buttons:
        callback = _button(name)
        lib.obs_properties_add_button2(
            properties, name.encode(), label.encode("utf-8"), ctypes.cast(callback, Pointer), None
        )
    return int(properties)


def _button(name: str) -> Any:
    """The one callback of each button, kept for ever: a dialog may outlive the script that filled it."""
    held = keep()
    key = ("button", name)
    if key not in held:

        def clicked(*_: object) -> bool:
            held["clicked"](name)
            return True

        held[key] = _CLICKED(clicked)
    return held[key]
