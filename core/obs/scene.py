"""The avatar's source in OBS's scenes: found, created, placed. UI thread only; every reference taken is given back."""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple

import obspython as obs

ALIGN_BOTTOM = 8
"""``OBS_ALIGN_BOTTOM``; with no horizontal flag it means bottom centre. Not among obspython's names."""
BOUNDS_SCALE_INNER = 2
_HEIGHT_SHARE = 1.0
"""The avatar's box is a square of this share of the canvas's height, so a picture of any size looks the same."""


class SourceKind(NamedTuple):
    """A type of source that can show the avatar, with the settings it is made with."""

    type_id: str
    settings: Mapping[str, object] = MappingProxyType({})
    marks: Tuple[Tuple[str, object], ...] = ()
    """For types that others use too: settings of which one tells that it shows the avatar."""
    exact_blending: bool = False
    """Straight alpha that is blended exactly only with the item's blending method "sRGB off"."""


def names_of(kind: SourceKind) -> List[str]:
    """The names of all sources that show the avatar."""
    with _all_sources() as sources:
        return [obs.obs_source_get_name(source) for source in sources if _is(source, kind)]


def ensure(kind: SourceKind, name: str) -> List[str]:
    """The avatar's sources; when there is none, one is made in the current scene."""
    return names_of(kind) or add_to_current_scene(kind, name)


def add_to_current_scene(kind: SourceKind, name: str) -> List[str]:
    """Put the avatar into the current scene unless it is there already. Returns the names of its sources."""
    known = names_of(kind)
    with _current_scene() as scene:
        if scene is None:
            return known
        if known:
            source = obs.obs_get_source_by_name(known[0])
            try:
                if source is not None and obs.obs_scene_find_source_recursive(scene, known[0]) is None:
                    _place(obs.obs_scene_add(scene, source))
            finally:
                obs.obs_source_release(source)
            return known
        settings = _as_data(kind.settings)
        source = obs.obs_source_create(kind.type_id, _free_name(name), settings, None)
        obs.obs_data_release(settings)
        if source is None:
            return []
        try:
            _place(obs.obs_scene_add(scene, source))
            return [obs.obs_source_get_name(source)]
        finally:
            obs.obs_source_release(source)


def make_blending_exact(kind: SourceKind, done: Set[Tuple[str, int]]) -> None:
    """Set the blending method of items that still have OBS's default, once each (``done`` remembers which)."""
    if not kind.exact_blending or not hasattr(obs, "obs_sceneitem_set_blending_method"):
        return
    for scene_name, item in _avatar_items(kind):
        key = (scene_name, obs.obs_sceneitem_get_id(item))
        if key not in done:
            done.add(key)
            if obs.obs_sceneitem_get_blending_method(item) == obs.OBS_BLEND_METHOD_DEFAULT:
                obs.obs_sceneitem_set_blending_method(item, obs.OBS_BLEND_METHOD_SRGB_OFF)


def scene_names() -> List[str]:
    """The collection's scenes in the user's order."""
    scenes = obs.obs_frontend_get_scenes()
    if not scenes:
        return []
    names = [obs.obs_source_get_name(scene) for scene in scenes]
    obs.source_list_release(scenes)
    return names


def current_scene_name() -> Optional[str]:
    """The scene that is on; None while OBS has none (start-up)."""
    source = obs.obs_frontend_get_current_scene()
    if source is None:
        return None
    name = str(obs.obs_source_get_name(source))
    obs.obs_source_release(source)
    return name


def update_settings(name: str, wanted: Dict[str, object]) -> bool:
    """Bring a source's settings to the wanted values. True when something had to be changed."""
    source = obs.obs_get_source_by_name(name)
    if source is None:
        return False
    try:
        current = obs.obs_source_get_settings(source)
        different = {key: value for key, value in wanted.items() if _data_value(current, key, value) != value}
        obs.obs_data_release(current)
        if different:
            changes = _as_data(different)
            obs.obs_source_update(source, changes)
            obs.obs_data_release(changes)
        return bool(different)
    finally:
        obs.obs_source_release(source)


@contextmanager
def _all_sources() -> Iterator[List[Any]]:
    sources = obs.obs_enum_sources() or []
    try:
        yield sources
    finally:
        if sources:
            obs.source_list_release(sources)


@contextmanager
def _current_scene() -> Iterator[Any]:
    """The current scene's ``obs_scene``, borrowed for the block."""
    source = obs.obs_frontend_get_current_scene()
    try:
        yield obs.obs_scene_from_source(source) if source is not None else None
    finally:
        if source is not None:
            obs.obs_source_release(source)


def _is(source: Any, kind: SourceKind) -> bool:
    if obs.obs_source_get_unversioned_id(source) != kind.type_id:
        return False
    if not kind.marks:
        return True
    settings = obs.obs_source_get_settings(source)
    marked = any(_data_value(settings, key, value) == value for key, value in kind.marks)
    obs.obs_data_release(settings)
    return marked


def _avatar_items(kind: SourceKind) -> List[Tuple[str, Any]]:
    """Every scene item that shows the avatar, with its scene's or group's name. Items are borrowed from there."""
    scenes = obs.obs_frontend_get_scenes()
    if not scenes:
        return []
    found: List[Tuple[str, Any]] = []
    for source in scenes:
        _collect(obs.obs_scene_from_source(source), obs.obs_source_get_name(source), kind, found)
    obs.source_list_release(scenes)
    return found


def _collect(scene: Any, name: str, kind: SourceKind, found: List[Tuple[str, Any]]) -> None:
    items = obs.obs_scene_enum_items(scene) or []
    for item in items:
        if obs.obs_sceneitem_is_group(item):
            # a group numbers its items by itself, as a scene does
            group = obs.obs_source_get_name(obs.obs_sceneitem_get_source(item))
            _collect(obs.obs_sceneitem_group_get_scene(item), group, kind, found)
        elif _is(obs.obs_sceneitem_get_source(item), kind):
            found.append((name, item))
    if items:
        obs.sceneitem_list_release(items)


def _place(item: Any) -> None:
    """Bottom centre, independent of the picture's size (which is unknown before the first frame)."""
    if item is None:
        return
    info = obs.obs_video_info()
    if not obs.obs_get_video_info(info):
        return
    vector = obs.vec2()
    side = info.base_height * _HEIGHT_SHARE
    obs.obs_sceneitem_set_bounds_type(item, BOUNDS_SCALE_INNER)
    obs.vec2_set(vector, side, side)
    obs.obs_sceneitem_set_bounds(item, vector)
    obs.obs_sceneitem_set_bounds_alignment(item, ALIGN_BOTTOM)
    obs.obs_sceneitem_set_alignment(item, ALIGN_BOTTOM)
    obs.vec2_set(vector, info.base_width / 2, info.base_height)
    obs.obs_sceneitem_set_pos(item, vector)


def _free_name(name: str) -> str:
    """The name, or the name with a number, that no source has yet."""
    candidate, number = name, 1
    while True:
        taken = obs.obs_get_source_by_name(candidate)
        if taken is None:
            return candidate
        obs.obs_source_release(taken)
        number += 1
        candidate = f"{name} {number}"


def _as_data(values: Mapping[str, object]) -> Any:
    data = obs.obs_data_create()
    for key, value in values.items():
        if isinstance(value, bool):
            obs.obs_data_set_bool(data, key, value)
        elif isinstance(value, int):
            obs.obs_data_set_int(data, key, value)
        else:
            obs.obs_data_set_string(data, key, str(value))
    return data


def _data_value(data: Any, key: str, like: object) -> object:
    if isinstance(like, bool):
        return bool(obs.obs_data_get_bool(data, key))
    if isinstance(like, int):
        return int(obs.obs_data_get_int(data, key))
    return str(obs.obs_data_get_string(data, key) or "")


def silence(names: List[str]) -> None:
    """Take the audio strip of media sources out of the mixer: they host a picture only."""
    for name in names:
        source = obs.obs_get_source_by_name(name)
        if source is not None:
            obs.obs_source_set_audio_active(source, False)
            obs.obs_source_release(source)
