"""Which scene collection gets the script: the user's choice, by hand if he likes, and all of it taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.install import install_record, registration
from core.install.obs import closed as obs_closed
from core.install.obs.config import script_paths
from core.install.obs.files import read_collection
from core.install.problem import InstallProblem
from core.install.registration import Choice

from .install_stand_ins import FakeConsole


@pytest.fixture
def config(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """OBS with two scene collections, of which "Stream ✨" is open."""
    folder = tmp_path / "obs-studio"
    (folder / "basic/scenes").mkdir(parents=True)
    monkeypatch.setattr(obs_closed, "is_obs_running", lambda config: False)
    monkeypatch.setattr(registration, "obs_config_folder", lambda: folder)
    for file, name in (("Stream", "Stream ✨"), ("Other", "Other")):
        content: dict[str, Any] = {"name": name, "sources": [], "kept": 1}
        (folder / f"basic/scenes/{file}.json").write_text(json.dumps(content), "utf-8")
    (folder / "basic/scenes/broken.json").write_text("{", "utf-8")
    (folder / "user.ini").write_text("[Basic]\nSceneCollection=Stream ✨\nSceneCollectionFile=Stream\n", "utf-8")
    return folder


def has_script(config: Path, file: str) -> bool:
    return bool(script_paths(read_collection(config / f"basic/scenes/{file}.json")))


def test_enter_takes_the_one_in_use(config: Path) -> None:
    console = FakeConsole()
    registered = registration.register(console, {"tracker": "debug"}, config)
    assert registered == ("Stream ✨", True)
    assert console.offered == [
        'the scene collection "Stream ✨" (in use now)',
        'the scene collection "Other"',
        'a new scene collection "EasyVtuber", so that mine stay as they are',
        "none: I add it by hand in OBS",
    ]
    assert (has_script(config, "Stream"), has_script(config, "Other")) == (True, False)
    assert list((config / "basic/scenes").glob("Stream.json.before-*"))
    again = FakeConsole()
    assert registration.register(again, {}, config) == ("Stream ✨", False)
    assert again.asked == []


def test_another_one_may_be_chosen(config: Path) -> None:
    assert registration.register(FakeConsole([1]), {}, config) == ("Other", True)
    assert (has_script(config, "Stream"), has_script(config, "Other")) == (False, True)


def test_a_new_one_leaves_the_others_alone(config: Path) -> None:
    assert registration.register(FakeConsole([2]), {}, config) == ("EasyVtuber", True)
    assert has_script(config, "EasyVtuber")
    assert not has_script(config, "Stream")


def test_by_hand_changes_nothing(config: Path) -> None:
    for choice, answers in ((Choice(keep_scenes=True), []), (Choice(), [3])):
        console = FakeConsole(answers)
        assert registration.register(console, {}, config, choice) == ("", False)
    assert not has_script(config, "Stream")
    assert not (config / "basic/scenes/EasyVtuber.json").exists()


def test_one_may_be_named_by_its_name_or_its_file(config: Path) -> None:
    assert registration.register(FakeConsole(), {}, config, Choice("Other")) == ("Other", True)
    assert registration.register(FakeConsole(), {}, config, Choice("Stream")) == ("Stream ✨", True)
    assert registration.register(FakeConsole(), {}, config, Choice("EasyVtuber")) == ("EasyVtuber", True)
    with pytest.raises(InstallProblem, match='no scene collection "Nope"; there is "EasyVtuber", "Other", "Stream ✨"'):
        registration.register(FakeConsole(), {}, config, Choice("Nope"))


def test_a_fresh_obs_gets_one_without_a_question(config: Path) -> None:
    for file in (config / "basic/scenes").glob("*.json"):
        file.unlink()
    console = FakeConsole()
    assert registration.register(console, {}, config) == ("EasyVtuber", True)
    assert console.asked == []


def test_with_none_in_use_a_new_one_comes_first(config: Path) -> None:
    (config / "user.ini").unlink()
    console = FakeConsole()
    assert registration.register(console, {}, config) == ("EasyVtuber", True)
    assert console.offered[0].startswith("a new scene collection")


def test_our_own_of_before_is_used_again(config: Path) -> None:
    (config / "user.ini").unlink()
    own = config / "basic/scenes/EasyVtuber.json"
    own.write_text(json.dumps({"name": "EasyVtuber", "sources": [], "mine": 1}), "utf-8")
    console = FakeConsole([0])
    assert registration.register(console, {}, config) == ("EasyVtuber", True)
    assert read_collection(own)["mine"] == 1


def test_nothing_is_written_while_obs_runs(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obs_closed, "is_obs_running", lambda folder: folder == config)
    for choice in (Choice(), Choice("EasyVtuber")):
        with pytest.raises(InstallProblem, match=r"OBS is running.*Tools, Scripts, the \+ button"):
            registration.register(FakeConsole(attended=False), {}, config, choice)
    assert not has_script(config, "Stream")
    assert not (config / "basic/scenes/EasyVtuber.json").exists()


def test_a_collection_that_is_not_built_as_usual_is_left_alone(config: Path) -> None:
    file = config / "basic/scenes/Stream.json"
    file.write_text(json.dumps({"name": "Odd", "sources": [], "modules": []}), "utf-8")
    before = file.read_bytes()
    with pytest.raises(InstallProblem, match="Nothing was changed"):
        registration.register(FakeConsole(), {}, config)
    file.write_text("[]", "utf-8")
    with pytest.raises(InstallProblem, match="not a scene collection"):
        registration.register(FakeConsole(), {}, config)
    assert before != file.read_bytes() == b"[]"


def test_uninstalling_takes_it_out_everywhere(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portable = tmp_path / "stick/config/obs-studio"
    registration.register(FakeConsole(), {}, config)
    registration.register(FakeConsole(), {}, portable)
    registration.register(FakeConsole(), {}, config, Choice("Other"))
    registration.unregister(FakeConsole())
    assert not has_script(config, "Stream")
    assert not has_script(config, "Other")
    assert not has_script(portable, "EasyVtuber"), "what was written down is found wherever it is"
    assert read_collection(config / "basic/scenes/Stream.json")["kept"] == 1


def test_what_was_noted_in_the_first_form_is_still_read(home: Path) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data/installed.json").write_text('["/a.json", 3]', "utf-8")
    assert install_record.recorded_collections() == [Path("/a.json")]
    install_record.record_collection(Path("/b.json"))
    install_record.record_obs("D:/OBS")
    install_record.record_declined("spout")
    assert len(install_record.recorded_collections()) == 2
    assert (install_record.recorded_obs(), install_record.was_declined("spout")) == ("D:/OBS", True)
    install_record.record_declined("spout", False)
    assert not install_record.was_declined("spout")
    install_record.forget_everything()
    install_record.forget_everything()
    assert install_record.recorded_obs() == ""


@pytest.mark.parametrize("text", ["", "{", "3", '{"collections": 3, "obs_python": [3, {}], "obs": []}'])
def test_a_spoilt_note_is_no_obstacle(home: Path, text: str) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data/installed.json").write_text(text, "utf-8")
    assert install_record.recorded_collections() == []
    assert install_record.recorded_python_changes() == []
    install_record.record_obs("x")
    assert install_record.recorded_obs() == "x"
