"""The preset "automatic": a machine is measured once while it draws, and remembered."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.wire.presets import PRESET_VALUES
from core.worker.machine_rating import KEY_FRAMES, MachineRatings, rating_key
from models.wish import Running

from .drawing_studio import CARD, OTHER_CARD, PROCESSOR, Studio


@pytest.fixture
def studio(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(time, "process_time", lambda: 0.0)  # what else this machine does is none of its business
    studio = Studio()
    yield studio
    studio.close()


def test_until_the_machine_was_measured_automatic_is_high(studio: Studio) -> None:
    assert studio.drawing.rated == ""
    assert studio.drawing.resolved({"preset": "automatic"}) == {"preset": "automatic", **PRESET_VALUES["high"]}


@pytest.mark.parametrize(("milliseconds", "preset"), [(3.0, "ultra"), (8.0, "high"), (15.0, "medium"), (30.0, "low")])
def test_a_machine_is_measured_once_and_remembered(studio: Studio, milliseconds: float, preset: str) -> None:
    studio.set(preset="automatic")
    studio.show()
    assert studio.is_measured(milliseconds), "the loop is told"
    assert studio.drawing.rated == preset
    assert studio.drawing.resolved(studio.settings) == {**studio.settings, **PRESET_VALUES[preset]}
    assert not studio.is_measured(80.0), "it is not measured again"
    assert studio.drawing.rated == preset
    key = rating_key(CARD.device, CARD.runtime, CARD.family)
    assert MachineRatings().known(key) is None, "nothing is written where frames are made"
    studio.parts.run_jobs()
    assert MachineRatings().known(key) == preset


def test_what_was_found_out_holds_for_the_next_time(studio: Studio) -> None:
    MachineRatings().keep(rating_key(CARD.device, CARD.runtime, CARD.family), "low", 40.0)
    later = Studio()
    later.set(preset="automatic")
    assert later.drawing.rated == "", "it is not known yet what draws"
    later.show()
    assert later.drawing.rated == "low"
    assert later.pipeline.pace.stride == 3
    assert not later.is_measured(1.0)
    assert later.drawing.rated == "low"
    later.close()


@pytest.mark.parametrize("other", [OTHER_CARD, dataclasses.replace(CARD, family="tha3"), PROCESSOR])
def test_another_device_or_family_is_measured_anew(studio: Studio, other: Running) -> None:
    studio.set(preset="automatic")
    studio.show()
    studio.is_measured(3.0)
    studio.show(other)
    assert studio.drawing.rated == ""
    assert studio.is_measured(30.0)
    assert studio.drawing.rated == "low"
    studio.show()
    assert studio.drawing.rated == "ultra", "the first one's is not forgotten"


def test_a_measurement_that_was_not_done_begins_anew_with_another_character(studio: Studio) -> None:
    studio.set(preset="automatic")
    studio.show()
    for _ in range(KEY_FRAMES - 1):
        studio.pipeline._times.append(("key", 50_000_000))
        studio.frame(moves=False)
    studio.show(OTHER_CARD)
    studio.is_measured(3.0)
    assert studio.drawing.rated == "ultra"


def test_with_another_preset_nothing_is_measured(studio: Studio) -> None:
    """What it sets would be measured as well."""
    studio.set(preset="medium")
    studio.show()
    assert not studio.is_measured(3.0)
    assert studio.drawing.rated == ""
    assert studio.pipeline.pace.stride == 2
    studio.set(preset="automatic")
    studio.is_measured(3.0)
    assert studio.drawing.rated == "ultra"
    assert studio.pipeline.pace.stride == 1


def test_what_is_measured_is_key_frames_only(studio: Studio) -> None:
    studio.set(preset="automatic")
    studio.show()
    for _ in range(KEY_FRAMES):
        for what in ("upscale", "rife", "hit", "between", "smooth"):
            studio.pipeline._times.append((what, 90_000_000))
        studio.frame(moves=False)
    assert not studio.observe(0.0)
    assert studio.drawing.rated == ""
    studio.is_measured(3.0)
    assert studio.drawing.rated == "ultra"


@pytest.mark.parametrize("size", [384, 768])
def test_pictures_of_another_size_than_the_networks_own_are_not_measured(studio: Studio, size: int) -> None:
    """Smaller ones are quicker and would say too much of this machine."""
    studio.set(preset="automatic")
    studio.show(size=size)
    assert not studio.is_measured(3.0)
    assert studio.drawing.rated == ""
    studio.show()
    studio.is_measured(15.0)
    assert studio.drawing.rated == "medium"


def test_nothing_is_measured_while_the_governor_holds_the_device_back(studio: Studio) -> None:
    studio.set(preset="automatic", budget=50)
    studio.show()
    studio.is_pressed_to("coarser")
    for _ in range(2 * KEY_FRAMES):
        studio.pipeline._times.append(("key", 1_000_000))
        studio.frame(moves=False)
    assert not studio.observe(0.45)
    assert studio.drawing.rated == ""


def test_a_user_may_have_it_measured_again(studio: Studio) -> None:
    studio.set(preset="automatic")
    studio.show()
    studio.is_measured(30.0)
    studio.parts.run_jobs()
    studio.drawing.measure_again()
    assert studio.drawing.rated == ""
    studio.parts.run_jobs()
    assert MachineRatings().known(rating_key(CARD.device, CARD.runtime, CARD.family)) is None
    assert studio.is_measured(3.0)
    assert studio.drawing.rated == "ultra"


def test_the_rate_that_obs_tells_while_it_is_measured_counts(studio: Studio) -> None:
    """It is told a little after the first character is there."""
    studio.set(preset="automatic")
    studio.show()
    studio.drawing.set_frame_rate(30.0)
    studio.is_measured(8.0)
    assert studio.drawing.rated == "ultra", "a quarter of a frame's time"
