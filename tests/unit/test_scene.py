"""The avatar's source in the scenes: made when missing, found again, placed, blended exactly. References in balance."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Set, Tuple

import pytest

from tests.fake_obs import FakeObs, SceneItem, Source

OWN_TYPE = "easyvtuber_avatar"


@pytest.fixture
def scene(obs: FakeObs) -> ModuleType:
    from core.obs import scene

    return scene


@pytest.fixture
def kind(scene: ModuleType) -> Any:
    return scene.SourceKind(OWN_TYPE, exact_blending=True)


@pytest.fixture
def room(obs: FakeObs) -> Source:
    """The scene that is on."""
    return obs.make_scene("Room")


def only_item(scene: Source) -> SceneItem:
    assert len(scene.items) == 1
    return scene.items[0]


def test_a_missing_source_is_made_in_the_scene_that_is_on(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source
) -> None:
    other = obs.make_scene("Other")
    assert scene.ensure(kind, "EasyVtuber") == ["EasyVtuber"]
    assert (only_item(room).source.type_id, other.items) == (OWN_TYPE, [])


def test_it_is_made_once(obs: FakeObs, scene: ModuleType, kind: Any, room: Source) -> None:
    scene.ensure(kind, "EasyVtuber")
    assert scene.ensure(kind, "EasyVtuber") == ["EasyVtuber"]
    assert len(obs.inputs) == 1


def test_a_source_the_user_renamed_is_found_again(obs: FakeObs, scene: ModuleType, kind: Any, room: Source) -> None:
    scene.ensure(kind, "EasyVtuber")
    obs.inputs[0].name = "Me"
    assert scene.ensure(kind, "EasyVtuber") == ["Me"]


def test_a_source_in_another_scene_is_enough(obs: FakeObs, scene: ModuleType, kind: Any, room: Source) -> None:
    obs.make_scene("Other").show(obs.make_source(OWN_TYPE, "There"))
    assert scene.ensure(kind, "EasyVtuber") == ["There"]
    assert room.items == []


def test_a_name_that_is_taken_gets_a_number(obs: FakeObs, scene: ModuleType, kind: Any, room: Source) -> None:
    obs.make_source("image_source", "EasyVtuber")
    obs.make_source("image_source", "EasyVtuber 2")
    assert scene.ensure(kind, "EasyVtuber") == ["EasyVtuber 3"]


def test_without_a_scene_nothing_is_made(obs: FakeObs, scene: ModuleType, kind: Any) -> None:
    assert scene.ensure(kind, "EasyVtuber") == []
    assert obs.inputs == []


def test_a_source_that_obs_does_not_make_is_no_error(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obs, "obs_source_create", lambda *arguments: None)
    assert scene.ensure(kind, "EasyVtuber") == []


def test_a_source_that_cannot_be_put_into_the_scene_is_given_back(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(obs, "obs_scene_add", refuse)
    with pytest.raises(RuntimeError):
        scene.ensure(kind, "EasyVtuber")
    assert obs.ledger.leaks() == []


@pytest.mark.parametrize("canvas", [(1280, 720), (1920, 1080), (1080, 1920)])
def test_the_avatar_stands_at_the_bottom_centre_whatever_the_pictures_size(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source, canvas: Tuple[int, int]
) -> None:
    obs.canvas = canvas
    scene.ensure(kind, "EasyVtuber")
    item = only_item(room)
    assert item.position == (canvas[0] / 2, canvas[1])
    assert (item.alignment, item.bounds_alignment) == (scene.ALIGN_BOTTOM, scene.ALIGN_BOTTOM)
    assert item.bounds_type == scene.BOUNDS_SCALE_INNER
    assert item.bounds[0] == item.bounds[1] == pytest.approx(canvas[1] * scene._HEIGHT_SHARE)


def test_the_button_puts_the_known_source_into_the_scene_that_is_on(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source
) -> None:
    scene.ensure(kind, "EasyVtuber")
    obs.current = obs.make_scene("Other")
    assert scene.add_to_current_scene(kind, "EasyVtuber") == ["EasyVtuber"]
    assert only_item(obs.current).source is only_item(room).source


def test_the_button_adds_nothing_where_the_avatar_is_already(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source
) -> None:
    group = Source("group", "Group")
    room.show(group)
    group.show(obs.make_source(OWN_TYPE, "Me"))
    scene.add_to_current_scene(kind, "EasyVtuber")
    assert [item.source for item in room.items] == [group]


def test_other_types_of_sources_are_not_ours(obs: FakeObs, scene: ModuleType, kind: Any) -> None:
    obs.make_source("image_source", "Picture")
    assert scene.names_of(kind) == []


def test_a_type_that_others_use_too_is_ours_only_with_one_of_the_marks(obs: FakeObs, scene: ModuleType) -> None:
    obs.make_source("ffmpeg_source", "Film")
    obs.make_source("ffmpeg_source", "Me", ours=True)
    obs.make_source("ffmpeg_source", "Also me", file="me.png")
    kind = scene.SourceKind("ffmpeg_source", {"ours": True}, (("ours", True), ("file", "me.png")))
    assert scene.names_of(kind) == ["Me", "Also me"]


# -- blending ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def avatar(obs: FakeObs, room: Source) -> SceneItem:
    return room.show(obs.make_source(OWN_TYPE, "Me"))


@pytest.fixture
def done() -> Set[Tuple[str, int]]:
    return set()


def test_a_new_item_gets_the_exact_blending_method(
    obs: FakeObs, scene: ModuleType, kind: Any, avatar: SceneItem, done: Set[Any]
) -> None:
    scene.make_blending_exact(kind, done)
    assert avatar.blending_method == obs.OBS_BLEND_METHOD_SRGB_OFF


def test_what_the_user_changes_back_on_purpose_stays(
    obs: FakeObs, scene: ModuleType, kind: Any, avatar: SceneItem, done: Set[Any]
) -> None:
    scene.make_blending_exact(kind, done)
    avatar.blending_method = obs.OBS_BLEND_METHOD_DEFAULT
    scene.make_blending_exact(kind, done)
    assert avatar.blending_method == obs.OBS_BLEND_METHOD_DEFAULT


def test_the_same_source_in_another_scene_is_another_item(
    obs: FakeObs, scene: ModuleType, kind: Any, avatar: SceneItem, done: Set[Any]
) -> None:
    scene.make_blending_exact(kind, done)
    there = obs.make_scene("Other").show(avatar.source)
    scene.make_blending_exact(kind, done)
    assert there.blending_method == obs.OBS_BLEND_METHOD_SRGB_OFF


def test_an_item_in_a_group_is_found_though_groups_number_their_items_anew(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source, avatar: SceneItem, done: Set[Any]
) -> None:
    group = Source("group", "Group")
    room.show(group)
    inside = group.show(avatar.source)
    assert inside.id == avatar.id
    scene.make_blending_exact(kind, done)
    assert [avatar.blending_method, inside.blending_method] == [obs.OBS_BLEND_METHOD_SRGB_OFF] * 2


def test_other_sources_keep_their_blending(
    obs: FakeObs, scene: ModuleType, kind: Any, room: Source, done: Set[Any]
) -> None:
    other = room.show(obs.make_source("image_source", "Picture"))
    scene.make_blending_exact(kind, done)
    assert other.blending_method == obs.OBS_BLEND_METHOD_DEFAULT


def test_a_kind_that_blends_right_by_itself_is_left_alone(
    obs: FakeObs, scene: ModuleType, avatar: SceneItem, done: Set[Any]
) -> None:
    scene.make_blending_exact(scene.SourceKind(OWN_TYPE), done)
    assert avatar.blending_method == obs.OBS_BLEND_METHOD_DEFAULT


def test_an_obs_without_blending_methods_is_no_error(
    obs: FakeObs, scene: ModuleType, kind: Any, avatar: SceneItem, done: Set[Any]
) -> None:
    obs.missing.add("obs_sceneitem_set_blending_method")
    scene.make_blending_exact(kind, done)
    assert done == set()


# -- names and settings ------------------------------------------------------------------------------------------------


def test_scenes_are_listed_in_the_users_order(obs: FakeObs, scene: ModuleType) -> None:
    assert scene.scene_names() == []
    for name in ("B", "A"):
        obs.make_scene(name)
    assert scene.scene_names() == ["B", "A"]


def test_the_scene_that_is_on_has_a_name_and_none_while_obs_starts(obs: FakeObs, scene: ModuleType) -> None:
    assert scene.current_scene_name() is None
    obs.make_scene("Room")
    assert scene.current_scene_name() == "Room"


def test_only_the_settings_that_differ_are_written(obs: FakeObs, scene: ModuleType) -> None:
    source = obs.make_source("x", "Me", text="right", mode=1, on=True)
    assert scene.update_settings("Me", {"text": "right", "mode": 4, "on": True}) is True
    assert source.updates == [{"mode": 4}]


def test_settings_that_are_right_already_are_not_touched(obs: FakeObs, scene: ModuleType) -> None:
    source = obs.make_source("x", "Me", mode=4)
    assert scene.update_settings("Me", {"mode": 4, "empty": "", "off": False}) is False
    assert source.updates == []


def test_settings_of_a_source_that_is_gone_are_no_error(obs: FakeObs, scene: ModuleType) -> None:
    assert scene.update_settings("Nobody", {"mode": 4}) is False


def test_a_host_of_pictures_has_no_strip_in_the_audio_mixer(obs: FakeObs, scene: ModuleType) -> None:
    source = obs.make_source("ffmpeg_source", "Me")
    scene.silence(["Me", "Nobody"])
    assert source.audio_active is False
