"""OBS's scripting module without OBS: sources, scenes, events and hotkeys, every handed-out reference counted."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, Iterable, List, Optional, Set, TypeVar

from tests.fake_obs_panel import Data, DataArray, FakePanel, number, text, truth, whole

Thing = TypeVar("Thing")


class Ledger:
    """Strong references that a script was given and must give back, no more and no fewer."""

    def __init__(self) -> None:
        self._things: Dict[int, object] = {}
        self._counts: Dict[int, int] = {}
        self.faults: List[str] = []

    def give(self, thing: Thing) -> Thing:
        self._things[id(thing)] = thing
        self._counts[id(thing)] = self.count(thing) + 1
        return thing

    def count(self, thing: object) -> int:
        return self._counts.get(id(thing), 0)

    def take_back(self, thing: Optional[object]) -> None:
        if thing is None:
            return
        if not self.count(thing):
            self.faults.append(f"released too often: {thing!r}")
            raise AssertionError(self.faults[-1])
        self._counts[id(thing)] -= 1

    def leaks(self) -> List[str]:
        """What was not given back."""
        return [f"{count} x {self._things[place]!r}" for place, count in self._counts.items() if count]


class Source:
    """``obs_source_t``: an input, a scene or a group."""

    def __init__(self, type_id: str, name: str, settings: Optional[Data] = None) -> None:
        self.type_id, self.name = type_id, name
        self.settings = settings or Data()
        self.updates: List[Dict[str, object]] = []
        self.audio_active = True
        self.kept = False
        """Something of OBS holds it, whatever scripts do."""
        self.scene: Optional[Scene] = Scene() if type_id in ("scene", "group") else None

    def __repr__(self) -> str:
        return f"{self.type_id} {self.name!r}"

    @property
    def items(self) -> List[SceneItem]:
        """A scene's or group's own items."""
        assert self.scene is not None
        return self.scene.items

    def show(self, source: Source) -> SceneItem:
        """Put a source into this scene or group."""
        assert self.scene is not None
        return self.scene.add(source)


class SceneItem:
    """``obs_sceneitem_t``."""

    def __init__(self, item_id: int, source: Source) -> None:
        self.id, self.source = item_id, source
        self.blending_method = FakeObs.OBS_BLEND_METHOD_DEFAULT
        self.bounds_type = 0
        self.bounds = (0.0, 0.0)
        self.bounds_alignment = 0
        self.alignment = 5
        self.position = (0.0, 0.0)


class Scene:
    """``obs_scene_t``: every scene, and every group, numbers its own items."""

    def __init__(self) -> None:
        self.items: List[SceneItem] = []

    def add(self, source: Source) -> SceneItem:
        self.items.append(SceneItem(len(self.items) + 1, source))
        return self.items[-1]

    def walk(self) -> Iterable[SceneItem]:
        for item in self.items:
            yield item
            if item.source.type_id == "group" and item.source.scene is not None:
                yield from item.source.scene.walk()


class Vector:
    """``vec2``."""

    x = y = 0.0


class VideoInfo:
    """``obs_video_info``."""

    fps_num = fps_den = base_width = base_height = 0


class Hotkey:
    """A registered hotkey with what OBS keeps for it."""

    def __init__(self, label: str, callback: Callable[[bool], None]) -> None:
        self.label, self.callback = label, callback
        self.bindings: List[str] = []


class FakeObs(FakePanel):
    """Put into ``sys.modules`` as ``obspython``. The attributes without ``obs`` in their names are for tests."""

    OBS_BLEND_METHOD_DEFAULT = 0
    OBS_BLEND_METHOD_SRGB_OFF = 1
    OBS_FRONTEND_EVENT_SCENE_CHANGED = 8
    OBS_FRONTEND_EVENT_SCENE_LIST_CHANGED = 9
    OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGED = 13
    OBS_FRONTEND_EVENT_SCENE_COLLECTION_CLEANUP = 25
    OBS_FRONTEND_EVENT_FINISHED_LOADING = 26
    OBS_FRONTEND_EVENT_SCENE_COLLECTION_CHANGING = 34
    OBS_FRONTEND_EVENT_SCRIPTING_SHUTDOWN = 36

    vec2 = Vector
    obs_video_info = VideoInfo

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.missing: Set[str] = set()
        """Functions that this version of OBS does not have."""
        self.locale = "en-US"
        self.canvas = (1280, 720)
        self.display_names: Dict[str, str] = {"ffmpeg_source": "Media Source"}
        self.inputs: List[Source] = []
        self.scenes: List[Source] = []
        self.current: Optional[Source] = None
        self.hotkeys: Dict[str, Hotkey] = {}
        self.event_callbacks: List[Callable[[int], None]] = []
        self._ui_thread = threading.get_ident()

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("obs_"):
            if threading.get_ident() != self._ui_thread:
                self.ledger.faults.append(f"{name} was called on another thread than OBS's own")
            if name in self.missing:
                raise AttributeError(name)
        return super().__getattribute__(name)

    # -- what tests do to OBS --------------------------------------------------------------------------------------

    def make_scene(self, name: str) -> Source:
        """A new scene; the first one is on."""
        self.scenes.append(Source("scene", name))
        self.current = self.current or self.scenes[-1]
        return self.scenes[-1]

    def make_source(self, type_id: str, name: str, **settings: object) -> Source:
        """A source that the user (or a scene collection) made."""
        self.inputs.append(Source(type_id, name, Data(**settings)))
        self.inputs[-1].kept = True
        return self.inputs[-1]

    def send(self, event: int) -> None:
        """Deliver a frontend event."""
        for callback in self.event_callbacks:
            callback(event)

    def press_hotkey(self, name: str) -> None:
        self.hotkeys[name].callback(True)
        self.hotkeys[name].callback(False)

    # -- OBS -------------------------------------------------------------------------------------------------------

    def obs_get_locale(self) -> str:
        return self.locale

    def obs_get_video_info(self, info: VideoInfo) -> bool:
        info.base_width, info.base_height = self.canvas
        return True

    def vec2_set(self, vector: Vector, x: float, y: float) -> None:
        vector.x, vector.y = number(x), number(y)

    def obs_data_create(self) -> Data:
        return self.ledger.give(Data())

    def obs_data_release(self, data: Optional[Data]) -> None:
        self.ledger.take_back(data)

    def obs_data_get_array(self, data: Data, key: str) -> Optional[DataArray]:
        value = data.get(text(key))
        return self.ledger.give(value) if isinstance(value, DataArray) else None

    def obs_data_set_array(self, data: Data, key: str, array: DataArray) -> None:
        data.values[text(key)] = array

    def obs_data_array_release(self, array: Optional[DataArray]) -> None:
        self.ledger.take_back(array)

    def obs_hotkey_register_frontend(self, name: str, label: str, callback: Any) -> Optional[Hotkey]:
        if not self.is_callable(callback, name):
            return None
        self.hotkeys[text(name)] = Hotkey(text(label), callback)
        return self.hotkeys[name]

    def obs_hotkey_load(self, hotkey: Hotkey, array: Optional[DataArray]) -> None:
        if array is not None:
            hotkey.bindings = list(array.bindings)

    def obs_hotkey_save(self, hotkey: Hotkey) -> DataArray:
        return self.ledger.give(DataArray(*hotkey.bindings))

    def obs_frontend_add_event_callback(self, callback: Any) -> None:
        if self.is_callable(callback, "event callback"):
            self.event_callbacks.append(callback)

    def obs_frontend_get_current_scene(self) -> Optional[Source]:
        return self.ledger.give(self.current) if self.current is not None else None

    def obs_frontend_get_scenes(self) -> List[Source]:
        return [self.ledger.give(scene) for scene in self.scenes]

    def obs_enum_sources(self) -> List[Source]:
        return [self.ledger.give(source) for source in self.inputs]

    def source_list_release(self, sources: List[Source]) -> None:
        for source in sources:
            self.obs_source_release(source)

    def obs_source_get_display_name(self, type_id: str) -> Optional[str]:
        return self.display_names.get(text(type_id))

    def obs_source_create(self, type_id: str, name: str, settings: Optional[Data], hotkeys: None) -> Source:
        copied = Data(**(settings.values if settings is not None else {}))
        self.inputs.append(Source(text(type_id), text(name), copied))
        return self.ledger.give(self.inputs[-1])

    def obs_source_release(self, source: Optional[Source]) -> None:
        self.ledger.take_back(source)
        shown = [item.source for scene in self.scenes if scene.scene is not None for item in scene.scene.walk()]
        if source in self.inputs and not (source.kept or source in shown or self.ledger.count(source)):
            # the last reference is gone: OBS destroys the source
            self.inputs.remove(source)

    def obs_source_get_name(self, source: Source) -> str:
        return source.name

    def obs_source_get_unversioned_id(self, source: Source) -> str:
        return source.type_id

    def obs_source_get_settings(self, source: Source) -> Data:
        return self.ledger.give(source.settings)

    def obs_source_update(self, source: Source, settings: Data) -> None:
        source.updates.append(dict(settings.values))
        source.settings.values.update(settings.values)

    def obs_source_set_audio_active(self, source: Source, active: bool) -> None:
        source.audio_active = truth(active)

    def obs_get_source_by_name(self, name: str) -> Optional[Source]:
        known = [source for source in (*self.inputs, *self.scenes) if source.name == text(name)]
        return self.ledger.give(known[0]) if known else None

    def obs_scene_from_source(self, source: Source) -> Optional[Scene]:
        return source.scene if source.type_id == "scene" else None

    def obs_scene_add(self, scene: Scene, source: Source) -> SceneItem:
        return scene.add(source)

    def obs_scene_find_source_recursive(self, scene: Scene, name: str) -> Optional[SceneItem]:
        return next((item for item in scene.walk() if item.source.name == text(name)), None)

    def obs_scene_enum_items(self, scene: Scene) -> List[SceneItem]:
        return [self.ledger.give(item) for item in scene.items]

    def sceneitem_list_release(self, items: List[SceneItem]) -> None:
        for item in items:
            self.ledger.take_back(item)

    def obs_sceneitem_get_source(self, item: SceneItem) -> Source:
        return item.source

    def obs_sceneitem_get_id(self, item: SceneItem) -> int:
        return item.id

    def obs_sceneitem_is_group(self, item: SceneItem) -> bool:
        return item.source.type_id == "group"

    def obs_sceneitem_group_get_scene(self, item: SceneItem) -> Optional[Scene]:
        return item.source.scene if item.source.type_id == "group" else None

    def obs_sceneitem_set_bounds_type(self, item: SceneItem, kind: int) -> None:
        item.bounds_type = whole(kind)

    def obs_sceneitem_set_bounds(self, item: SceneItem, size: Vector) -> None:
        item.bounds = (size.x, size.y)

    def obs_sceneitem_set_bounds_alignment(self, item: SceneItem, alignment: int) -> None:
        item.bounds_alignment = whole(alignment)

    def obs_sceneitem_set_alignment(self, item: SceneItem, alignment: int) -> None:
        item.alignment = whole(alignment)

    def obs_sceneitem_set_pos(self, item: SceneItem, position: Vector) -> None:
        item.position = (position.x, position.y)

    def obs_sceneitem_get_blending_method(self, item: SceneItem) -> int:
        return item.blending_method

    def obs_sceneitem_set_blending_method(self, item: SceneItem, method: int) -> None:
        item.blending_method = whole(method)
