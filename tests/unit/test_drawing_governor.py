"""What is given up to leave room for the game reaches the pipeline, step by step, and comes back."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.wish import Running

from .drawing_studio import BY_RIG, CARD, PROCESSOR, SECOND, FakeUpscaler, Studio


@pytest.fixture
def studio(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(time, "process_time", lambda: 0.0)  # what else this machine does is none of its business
    studio = Studio()
    yield studio
    studio.close()


def test_without_a_budget_nothing_is_ever_given_up(studio: Studio) -> None:
    studio.show()
    studio.late = 0
    for _ in range(100):
        studio.late += 20
        assert not studio.observe(1.0)
    assert (studio.pipeline.pace.stride, studio.pipeline.quantiser.level) == (1, "off")
    assert not {"governor", "governor_reason"} & studio.drawing.figures().keys()


def test_every_step_of_the_governor_reaches_the_pipeline(studio: Studio) -> None:
    studio.show()
    studio.enlarge_with(FakeUpscaler())
    studio.set(budget=50, simplify="low")
    found = []
    steps = ("full", "coarser", "coarsest", "half_rate", "no_super_resolution", "half_precision", "third_rate",
             "quarter_rate")  # fmt: skip
    for step in steps:
        studio.is_pressed_to(step)
        pipeline = studio.pipeline
        found.append((pipeline.quantiser.level, pipeline.pace.stride, studio.upscaler, studio.drawing.wanted_precision))
        assert pipeline.size == 1024, "the picture's size stays"
    assert found == [
        ("low", 1, "waifu2x", ""),
        ("medium", 1, "waifu2x", ""),
        ("high", 1, "waifu2x", ""),
        ("high", 2, "waifu2x", ""),
        ("high", 2, "plain", ""),
        ("high", 2, "plain", "half"),
        ("high", 3, "plain", "half"),
        ("high", 4, "plain", "half"),
    ]
    assert studio.drawing.figures()["governor_reason"] == "over_budget"
    picture = studio.frame()
    assert picture is not None
    assert picture.shape == (1024, 1024, 4)


@pytest.mark.parametrize(
    ("level", "coarser", "coarsest"),
    [("off", "low", "medium"), ("higher", "highest", "gaming"), ("highest", "gaming", "gaming"),
     ("gaming", "gaming", "gaming")],
)  # fmt: skip
def test_there_is_no_level_after_the_last(studio: Studio, level: str, coarser: str, coarsest: str) -> None:
    studio.show()
    studio.set(budget=50, simplify=level)
    studio.is_pressed_to("coarser")
    assert studio.pipeline.quantiser.level == coarser
    studio.is_pressed_to("coarsest")
    assert studio.pipeline.quantiser.level == coarsest


def test_a_character_that_comes_later_is_drawn_as_the_governor_says(studio: Studio) -> None:
    studio.show()
    studio.set(budget=50, simplify="low")
    studio.is_pressed_to("half_rate")
    studio.show()
    assert studio.step == "half_rate"
    assert (studio.pipeline.quantiser.level, studio.pipeline.pace.stride) == ("high", 2)


def test_what_the_user_asks_for_himself_is_not_done_twice(studio: Studio) -> None:
    """A third of the frames is rendered anyway: half of them would be more."""
    studio.show()
    studio.set(budget=50, render_rate=20)
    studio.is_pressed_to("coarsest")
    assert studio.pipeline.pace.stride == 3
    # half precision comes next, and then fewer frames than the user wants
    studio.is_pressed_to("half_precision")
    assert studio.pipeline.pace.stride == 3
    studio.is_pressed_to("quarter_rate")
    assert studio.pipeline.pace.stride == 4


def test_the_loop_is_told_when_a_step_changes_the_precision(studio: Studio) -> None:
    studio.show()
    studio.set(budget=50)
    told = []
    for _ in range(60):
        before = studio.step
        if studio.observe(0.6):
            told.append((before, studio.step))
    assert told == [("half_rate", "half_precision")]


def test_when_there_is_room_again_everything_comes_back(studio: Studio) -> None:
    studio.show()
    studio.set(budget=50, simplify="low")
    studio.is_pressed_to("coarser")
    studio.observe(0.05, 200.0)
    assert (studio.step, studio.drawing.figures()["governor_reason"]) == ("full", "within_budget")
    assert studio.pipeline.quantiser.level == "low"


def test_frames_that_come_late_are_seen_too(studio: Studio) -> None:
    studio.show()
    studio.set(budget=50)
    for _ in range(20):
        studio.late += 5
        studio.stats.frames += 10
        studio.observe(0.1)
    assert studio.step != "full"
    assert studio.drawing.figures()["governor_reason"] == "frames_late"


def test_late_frames_of_long_ago_count_no_more(studio: Studio) -> None:
    studio.late, studio.stats.frames = 1000, 2000
    studio.show()
    studio.observe(0.1)
    studio.set(budget=50)
    for _ in range(40):
        studio.stats.frames += 15
        studio.observe(0.1)
    assert studio.step == "full"


def test_the_load_is_looked_at_a_few_times_a_second(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.show()
    studio.set(budget=50)
    looks: list[int] = []
    monkeypatch.setattr(studio.stats, "device_share", looks.append)
    monkeypatch.setattr(studio.drawing._governor, "observe", lambda load, now: None)
    for _ in range(600):
        studio.now += SECOND // 60
        studio.drawing.observe(studio.now, 0)
    assert 30 <= len(looks) <= 51


@pytest.mark.parametrize("running", [BY_RIG, PROCESSOR])
def test_on_the_processor_its_own_share_counts_and_not_the_time_that_drawing_takes(
    studio: Studio, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.show(running)
    studio.set(budget=50)
    studio.observe(0.9, 30.0)
    assert studio.step == "full"
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    # three of four cores: wall time on the studio's own clock
    monkeypatch.setattr(time, "process_time", lambda: studio.now * 3 / SECOND)
    studio.observe(0.0, 30.0)
    assert studio.step != "full"


@pytest.mark.parametrize(
    ("running", "precision"),
    [
        (dataclasses.replace(CARD, precision="half"), "automatic"),
        (CARD, "full"),
        (PROCESSOR, "automatic"),
        (BY_RIG, "automatic"),
    ],
)
def test_the_precision_is_the_governors_only_where_it_is_a_choice(
    studio: Studio, running: Running, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.show(running)
    studio.set(budget=50, precision=precision)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr(time, "process_time", lambda: studio.now * 2.4 / SECOND)
    seen = set()
    for _ in range(200):
        studio.observe(0.6)
        seen.add(studio.step)
    assert "quarter_rate" in seen
    assert "half_precision" not in seen
    assert studio.drawing.wanted_precision == ""


def test_when_the_governor_has_made_the_network_half_it_still_may_give_up_more_and_take_it_back(
    studio: Studio,
) -> None:
    studio.show()
    studio.set(budget=50)
    studio.is_pressed_to("half_precision")
    studio.show(dataclasses.replace(CARD, precision="half"))
    assert (studio.step, studio.drawing.wanted_precision) == ("half_precision", "half")
    studio.is_pressed_to("third_rate")
    assert studio.drawing.wanted_precision == "half"
    studio.observe(0.01, 1000.0)
    assert (studio.step, studio.drawing.wanted_precision) == ("full", "")


def test_a_precision_that_the_user_chooses_is_not_overruled(studio: Studio) -> None:
    studio.show()
    studio.set(budget=50)
    studio.is_pressed_to("half_precision")
    studio.set(precision="full")
    assert studio.drawing.wanted_precision == ""


def test_without_a_budget_any_more_everything_comes_back(studio: Studio) -> None:
    studio.show()
    studio.enlarge_with(FakeUpscaler())
    studio.set(budget=50, simplify="low")
    studio.is_pressed_to("half_precision")
    studio.set(budget=100)
    studio.observe(0.6, 5.0)
    pipeline = studio.pipeline
    assert (pipeline.quantiser.level, pipeline.pace.stride, studio.upscaler) == ("low", 1, "waifu2x")
    assert studio.drawing.wanted_precision == ""
