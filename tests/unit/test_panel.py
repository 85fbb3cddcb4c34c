"""The panel: every setting once, in words, shown when it means something; values in and out of OBS's settings."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Dict, List, Tuple

import pytest

from core.obs.status import ERROR, NORMAL, WARNING, Line
from core.obs.translate import Translator
from core.wire.pose_values import Tuning, read_pose, read_tuning
from core.wire.settings import BY_KEY, GROUPS, SETTINGS, Setting, Value, defaults
from tests.fake_obs import FakeObs
from tests.fake_obs_panel import Data, Properties

SAY = Translator("en")
KINDS = {"bool": "bool", "int": "int", "float": "float", "choice": "list", "text": "text", "colour": "colour",
         "character": "list", "device": "list", "camera": "list", "microphone": "list"}  # fmt: skip
OTHER: Dict[str, Value] = {
    "bool": True, "int": 3, "float": 1.5, "choice": "low", "text": "some text", "file": "/a/b.rec",
    "colour": 0xFF102030, "character": "mothlight", "device": "GeForce", "camera": "Webcam C920",
    "microphone": "Blue Yeti", "values": "head_x=0.5",
}  # fmt: skip


class Outside:
    """What stands around the panel, and what it was told."""

    def __init__(self) -> None:
        self.values = defaults()
        self.running = False
        self.minute = ""
        self.status = [Line("Stopped.")]
        self.pressed: List[str] = []
        self.devices: Dict[str, List[str]] = {}
        self.inputs: Dict[str, List[str]] = {}
        self.changed: List[Tuple[str, str]] = []

    def press(self, name: str) -> None:
        self.pressed.append(name)
        self.running ^= name == "start_stop"


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def data(obs: FakeObs) -> ModuleType:
    from core.obs import data

    return data


@pytest.fixture
def build(obs: FakeObs, outside: Outside) -> Any:
    from core.obs import panel

    def build(**changes: Any) -> Properties:
        outside.values.update(changes)
        made: Properties = panel.build(
            panel.Panel(
                SAY,
                outside.values,
                outside.running,
                outside.status,
                ["mothlight", "nocti"],
                ["Chat", "Game"],
                {},
                outside.press,
                outside.devices,
                outside.inputs,
                lambda: outside.status,
                lambda: outside.running,
                lambda settings, rules: None,
                lambda settings, key, text: outside.changed.append((key, text)),
                lambda: outside.minute,
            )
        )
        return made

    return build


def visible(properties: Properties) -> List[str]:
    return [setting.key for setting in SETTINGS if all(properties[name].visible for name in controls(setting))]


def controls(setting: Setting) -> List[str]:
    """Names of the properties that stand for a setting; a setting of many numbers has several."""
    sliders = {"manual_pose": ["amount"], "tuning": ["gain", "curve", "dead"]}
    if setting.kind != "values":
        return [setting.key]
    return [f"{setting.key}_of", *(f"{setting.key}_{slider}" for slider in sliders[setting.key])]


PLAIN = [setting for setting in SETTINGS if setting.kind != "values"]


def test_every_setting_is_in_the_panel_once_in_the_tables_order(build: Any) -> None:
    names = {name for setting in SETTINGS for name in controls(setting)}
    assert [member.name for member in build().walk() if member.name in names] == [
        name for setting in SETTINGS for name in controls(setting)
    ]


def test_every_group_has_its_title_and_its_own_settings(build: Any) -> None:
    properties = build()
    for group in GROUPS:
        made = properties[f"group_{group}"]
        assert made.label == SAY(f"group.{group}")
        inside = [member.name for member in made.inside.walk()]
        assert [name for setting in SETTINGS if setting.group == group for name in controls(setting)] == [
            name for name in inside if made.inside[name].kind != "button"
        ]


@pytest.mark.parametrize("setting", PLAIN, ids=lambda setting: setting.key)
def test_a_setting_has_the_control_of_its_kind_its_label_and_its_help(build: Any, setting: Setting) -> None:
    made = build()[setting.key]
    file_kind = "save" if setting.saves_file else "open"
    assert made.kind == KINDS.get(setting.kind, file_kind)
    assert (made.label, made.help) == (SAY(f"setting.{setting.key}.label"), SAY(f"setting.{setting.key}.help"))


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.kind in ("int", "float")], ids=lambda one: one.key)
def test_a_number_has_its_limits_and_its_unit(build: Any, setting: Setting) -> None:
    made = build()[setting.key]
    assert made.limits == (setting.minimum, setting.maximum, setting.step)
    assert made.suffix == (f" {setting.unit}" if setting.unit else "")


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.kind == "choice"], ids=lambda one: one.key)
def test_a_choice_offers_its_values_under_their_names(build: Any, setting: Setting) -> None:
    assert build()[setting.key].items == [
        (SAY(f"setting.{setting.key}.choice.{value}"), value) for value in setting.choices
    ]


def test_a_device_is_offered_by_name_with_what_it_computes_with(build: Any, outside: Outside) -> None:
    assert build()["device"].items == [(SAY("setting.device.choice.automatic"), "automatic")]
    outside.devices["GeForce"] = ["onnxruntime_cuda", "onnxruntime_directml"]
    label, value = build()["device"].items[-1]
    assert value == "GeForce"
    assert label == f"GeForce (CUDA, {SAY('setting.runtime.choice.onnxruntime_directml')})"


def test_a_device_that_is_not_there_at_the_moment_stays_chosen(build: Any, outside: Outside) -> None:
    outside.devices["GeForce"] = ["onnxruntime_cuda"]
    assert build(device="Radeon")["device"].offered == ["automatic", "GeForce", "Radeon"]


@pytest.mark.parametrize("key", ["camera", "microphone"])
def test_cameras_and_microphones_are_offered_by_name_and_the_chosen_one_stays(
    build: Any, outside: Outside, key: str
) -> None:
    assert build()[key].offered == ["automatic"]
    outside.inputs[key] = ["One", "Two"]
    assert build(**{key: "Gone"})[key].offered == ["automatic", "One", "Two", "Gone"]


def test_a_value_by_hand_is_chosen_and_moved(build: Any, outside: Outside, data: ModuleType) -> None:
    properties, settings = build(tracker="manual"), Data(tracker="manual")
    data.set_defaults(settings)
    properties.choose(settings, "manual_pose_of", "mouth_aaa")
    properties.choose(settings, "manual_pose_amount", 0.5)
    properties.choose(settings, "manual_pose_of", "eye_wink_left")
    assert settings.get("manual_pose_amount") == 0.0
    properties.choose(settings, "manual_pose_amount", 1.0)
    assert read_pose(str(settings.get("manual_pose"))) == {"mouth_aaa": 0.5, "eye_wink_left": 1.0}
    assert outside.changed[-1] == ("manual_pose", settings.get("manual_pose"))
    properties.choose(settings, "manual_pose_of", "mouth_aaa")
    assert settings.get("manual_pose_amount") == 0.5


def test_a_value_is_tuned_and_put_back(build: Any, outside: Outside, data: ModuleType) -> None:
    properties, settings = build(advanced=True), Data(advanced=True)
    data.set_defaults(settings)
    properties.choose(settings, "tuning_of", "eye_wink")
    assert [settings.get(f"tuning_{name}") for name in ("gain", "curve", "dead")] == [1.0, 1.0, 0.0]
    properties.choose(settings, "tuning_gain", 1.5)
    assert read_tuning(str(settings.get("tuning"))) == {"eye_wink": Tuning(1.5, 1.0, 0.0)}
    properties.choose(settings, "tuning_gain", 1.0)
    assert outside.changed[-1] == ("tuning", "")


def test_nothing_chosen_means_no_slider_changes_anything(build: Any, outside: Outside, data: ModuleType) -> None:
    properties, settings = build(advanced=True), Data(advanced=True)
    data.set_defaults(settings)
    properties.choose(settings, "tuning_gain", 2.0)
    assert (outside.changed, settings.get("tuning")) == ([], "")
    fresh = Data()
    data.set_defaults(fresh)
    assert [fresh.get(f"tuning_{name}") for name in ("gain", "curve", "dead")] == [1.0, 1.0, 0.0]


def test_the_characters_expressions_are_offered_by_slot_and_name(build: Any) -> None:
    items = build()["expression_slot"].items
    assert [value for _, value in items] == [str(slot) for slot in range(1, 9)]
    assert items[0][0] == f"1: {SAY('expression.smile')}"


def test_the_characters_that_are_there_can_be_chosen(build: Any) -> None:
    assert build()["character"].offered == ["mothlight", "nocti"]


def test_a_character_that_was_deleted_stays_in_the_list(build: Any) -> None:
    assert build(character="gone")["character"].offered == ["mothlight", "nocti", "gone"]


def test_a_file_is_looked_for_by_its_endings(build: Any) -> None:
    assert "*.rec" in build()["replay_path"].filters


def test_advanced_settings_are_hidden_until_they_are_wanted(build: Any) -> None:
    advanced = {setting.key for setting in SETTINGS if setting.advanced}
    assert not advanced & set(visible(build()))
    assert {"head_gain", "osf_address", "worker_python"} <= set(visible(build(advanced=True)))


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.shown_for], ids=lambda setting: setting.key)
def test_a_setting_is_shown_for_the_values_it_belongs_to_and_no_other(build: Any, setting: Setting) -> None:
    assert setting.shown_for is not None
    key, wanted = setting.shown_for
    for value in BY_KEY[key].choices:
        assert (setting.key in visible(build(advanced=True, **{key: value}))) == (value in wanted)


def test_choosing_another_tracker_shows_its_settings_at_once(build: Any, data: ModuleType) -> None:
    properties, settings = build(), Data()
    data.set_defaults(settings)
    assert properties.choose(settings, "tracker", "replay") is True
    assert {"replay_path", "replay_loop"} <= set(visible(properties))
    assert "osf_port" not in visible(properties)


def test_the_switch_for_advanced_settings_shows_them_at_once(build: Any, data: ModuleType) -> None:
    properties, settings = build(), Data()
    data.set_defaults(settings)
    assert properties.choose(settings, "advanced", True) is True
    assert "head_gain" in visible(properties)


def test_a_plain_setting_does_not_rebuild_the_panel(build: Any) -> None:
    assert build().choose(Data(), "mirror", True) is False


def test_an_empty_settings_object_as_obs_29_gives_it_is_harmless(obs: FakeObs, build: Any) -> None:
    properties, empty = build(), Data()
    obs.obs_properties_apply_settings(properties, empty)
    assert empty.values == {}


@pytest.mark.parametrize(
    "name",
    ["calibrate", "calibrate_reach", "record", "recordings_folder", "add_source", "characters_folder",
     "show_expression", "keep_expression", "measure_again"],
)  # fmt: skip
def test_a_button_does_what_it_says(build: Any, outside: Outside, name: str) -> None:
    properties = build()
    assert properties[name].label == SAY(f"button.{name}")
    assert properties.press(name) is False
    assert outside.pressed == [name]


@pytest.mark.parametrize("running,label", [(False, "button.start"), (True, "button.stop")])
def test_the_main_button_says_what_it_will_do(build: Any, outside: Outside, running: bool, label: str) -> None:
    outside.running = running
    assert build()["start_stop"].label == SAY(label)


def test_the_main_button_changes_its_word_with_every_press(build: Any, outside: Outside) -> None:
    properties = build()
    labels = []
    for _ in range(4):
        assert properties.press("start_stop") is True
        labels.append(properties["start_stop"].label)
    assert labels == [SAY("button.stop"), SAY("button.start")] * 2
    assert outside.pressed == ["start_stop"] * 4


def test_refresh_shows_what_is_true_now(build: Any, outside: Outside) -> None:
    properties = build()
    outside.status, outside.running = [Line("Running."), Line("<odd>", WARNING)], True
    assert properties.press("refresh") is True
    assert properties["status"].label == "Running.<br>&lt;odd&gt;"
    assert properties["start_stop"].label == SAY("button.stop")


@pytest.mark.parametrize("level,info_type", [(NORMAL, 0), (WARNING, 1), (ERROR, 2)])
def test_the_status_has_the_colour_of_its_worst_line(build: Any, outside: Outside, level: str, info_type: int) -> None:
    outside.status = [Line("fine"), Line("x", level)]
    assert build()["status"].info_type == info_type


def test_the_description_is_short_enough_for_the_narrow_panel() -> None:
    assert all(len(Translator(language)("description")) < 200 for language in ("en", "zh", "ja"))


# -- values in and out of OBS's settings object ------------------------------------------------------------------------


def test_a_fresh_script_has_the_tables_defaults(data: ModuleType) -> None:
    settings = Data()
    data.set_defaults(settings)
    assert (settings.values, data.read(settings)) == ({}, defaults())


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_a_value_of_every_setting_comes_back_as_it_was_written(data: ModuleType, setting: Setting) -> None:
    value = setting.choices[-1] if setting.choices else setting.check(OTHER[setting.kind])
    settings = Data()
    data.set_defaults(settings)
    data.write(settings, setting.key, value)
    assert data.read(settings) == {**defaults(), setting.key: value}


@pytest.mark.parametrize("wrong", [{"smoothing": "much"}, {"preset": "hyper"}, {"osf_port": 9}, {"mirror": "yes"}])
def test_a_saved_value_that_does_not_fit_does_no_harm(data: ModuleType, wrong: Dict[str, object]) -> None:
    settings = Data(**wrong)
    data.set_defaults(settings)
    key = next(iter(wrong))
    assert data.read(settings)[key] == BY_KEY[key].check(data.read(settings)[key])


def test_an_empty_settings_object_reads_as_values_that_fit(data: ModuleType) -> None:
    assert all(BY_KEY[key].check(value) == value for key, value in data.read(Data()).items())


def test_the_last_minute_is_drawn_at_the_first_press_and_shown_at_the_next(build: Any, outside: Outside) -> None:
    properties = build()
    assert not properties["minute"].visible
    assert properties.press("minute_picture") is True
    assert (properties["minute"].visible, properties["minute"].label) == (True, SAY("status.minute_coming"))
    outside.minute = 'C:/Users/a "&b/minute-1.png'
    assert properties.press("minute_picture") is True
    assert properties["minute"].label == '<img src="C:/Users/a &quot;&amp;b/minute-1.png">'
    assert outside.pressed == ["minute_picture"] * 2
