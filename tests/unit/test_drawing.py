"""What is drawn and how: settings, super-resolution and RIFE reach the pipeline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from core.pose.parameters import POSE_SIZE, PoseVector, neutral
from core.pose.quantiser import LEVELS
from core.render.movement import Placement
from core.wire.clock import now_ns
from core.wire.errors import RuntimeFailed
from core.worker.drawing import Drawing
from core.worker.enhancers import SharedUpscaler
from core.worker.parts import Parts
from core.worker.stats import Stats
from models.base import Picture
from tests.contract.fake_outputs import LIMIT_S, wait_until
from tests.unit.small_model import SmallModel

from .drawing_studio import FAILED, LEVEL, BrokenNetwork, EagerCache, FakeParts, FakeRife, FakeUpscaler, Studio


@pytest.fixture
def studio(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setattr(time, "process_time", lambda: 0.0)  # what else this machine does is none of its business
    studio = Studio()
    yield studio
    studio.close()


# -- settings ---------------------------------------------------------------------------------------------------------


def test_before_a_character_is_there_nothing_is_drawn(studio: Studio) -> None:
    studio.set(interpolation=True, simplify="high", budget=50)
    studio.drawing.exchange(studio.now)
    assert studio.frame() is None
    assert not studio.observe(0.9, 5.0)


def test_a_drawing_that_was_told_nothing_yet_makes_pipelines_all_the_same(home: Path) -> None:
    drawing = Drawing(cast(Parts, FakeParts()), Stats())
    pipeline = drawing.pipeline_for(SmallModel(), "nocti")
    assert (pipeline.pace.stride, pipeline.quantiser.level) == (1, "off")
    drawing.close()


@pytest.mark.parametrize("method", ["motion", "smooth"])
def test_the_method_of_frames_in_between_reaches_the_pipeline(studio: Studio, method: str) -> None:
    studio.show()
    assert studio.pipeline.pace.between == ""
    studio.set(interpolation=True, in_between_method=method)
    assert studio.pipeline.pace.between == method
    studio.set(interpolation=False)
    assert studio.pipeline.pace.between == ""


def test_factor_limit_and_rate_reach_the_pipeline(studio: Studio) -> None:
    studio.show()
    studio.set(interpolation=True, interpolation_factor=4)
    assert studio.pipeline.pace.stride == 4
    studio.set(interpolation=False)
    assert studio.pipeline.pace.stride == 1, "without frames in between every frame is rendered"
    studio.set(render_rate=20)
    assert studio.pipeline.pace.stride == 3
    studio.drawing.set_frame_rate(30.0)
    assert (studio.pipeline.pace.frame_rate, studio.pipeline.pace.stride) == (30.0, 2)


def test_the_level_reaches_the_pipeline(studio: Studio) -> None:
    studio.show()
    for level in LEVELS:
        studio.set(simplify=level)
        assert studio.pipeline.quantiser.level == level


def test_memory_reaches_the_cache_and_the_model(studio: Studio) -> None:
    model = studio.show()
    studio.set(ram_cache=300, cache_codec="raw", vram_cache=64)
    assert (studio.drawing.cache.limit_bytes, studio.drawing.cache.codec) == (300_000_000, "raw")
    assert model.memory_bytes == 64_000_000
    studio.set(ram_cache=0, vram_cache=0)
    assert (studio.drawing.cache.limit_bytes, model.memory_bytes) == (0, 0)


def test_where_the_avatar_stands_reaches_the_pipeline(studio: Studio) -> None:
    studio.show()
    studio.set(zoom=150, shift_x=-20, shift_y=35, extend_movement=2.0, auto_framing=False, bongo=True)
    movement = studio.pipeline.movement
    assert movement.stand == Placement(1.5, 0.0, -0.2, 0.35)
    assert (movement.multiplier, movement.auto_framing, movement.bongo) == (2.0, False, True)


def test_a_character_that_comes_later_is_drawn_as_the_settings_say(studio: Studio) -> None:
    studio.set(
        interpolation=True, in_between_method="smooth", interpolation_factor=3, simplify="higher", vram_cache=32,
        zoom=200,
    )  # fmt: skip
    for _ in range(2):
        model = studio.show()
        assert (studio.pipeline.pace.between, studio.pipeline.pace.stride) == ("smooth", 3)
        assert (studio.pipeline.quantiser.level, model.memory_bytes) == ("higher", 32_000_000)
        assert studio.pipeline.movement.stand.scale == 2.0


def test_its_first_picture_is_drawn_before_it_is_shown_at_the_pose_of_now(studio: Studio) -> None:
    pose: PoseVector = np.zeros(POSE_SIZE, np.float32)
    pose[0] = 0.5
    studio.drawing.pose = pose
    model = studio.show()
    assert model.rendered == [0.5]


def test_characters_share_one_memory_of_pictures_and_never_each_others(studio: Studio) -> None:
    studio.set(ram_cache=100)
    models = [SmallModel(32), SmallModel(32)]
    first, second = (studio.drawing.pipeline_for(model, f"{number}") for number, model in enumerate(models))
    again = studio.drawing.pipeline_for(SmallModel(32), "0")
    first.keys.remember(first.keys.draw(neutral()))
    first.keys.remember(first.keys.draw(neutral()))
    assert wait_until(lambda: studio.drawing.cache.figures()["entries"] > 0)
    assert again.keys.remembered(neutral()) is not None
    assert second.keys.remembered(neutral()) is None


def test_figures_tell_what_is_remembered(studio: Studio) -> None:
    studio.show()
    assert studio.drawing.figures() == {
        "hit_rate": 0.0, "cache_megabytes": 0.0, "cache_aside": "off", "cache_codec": "", "budget": 1.0,
    }  # fmt: skip
    studio.set(ram_cache=100)
    assert studio.drawing.figures()["cache_aside"] == ""


def test_what_was_done_for_pictures_reaches_the_figures(studio: Studio) -> None:
    studio.show()
    for _ in range(5):
        studio.frame()
    figures = studio.stats.figures(now_ns())
    assert "render_ms" in figures
    studio.set(interpolation=True, interpolation_factor=4)
    for _ in range(8):
        studio.frame()
    assert "between_ms" in studio.stats.figures(now_ns())


def test_what_was_done_is_told_with_the_time_that_everything_else_is_told_with(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows there are two clocks that count from different beginnings."""
    studio.show()
    monkeypatch.setattr(time, "monotonic_ns", lambda: 1)
    studio.frame()
    assert "render_ms" in studio.stats.figures(now_ns())


def test_what_fails_while_it_draws_is_raised_and_what_was_done_before_it_noted(studio: Studio) -> None:
    studio.show()

    def fail(pose: PoseVector, out: Picture) -> None:
        raise FAILED

    studio.pipeline._times.append(("key", 1_000_000))
    studio.model.render = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeFailed):
        studio.frame()
    assert "render_ms" in studio.stats.figures(now_ns())
    studio.drawing.show(None)
    assert studio.frame() is None


# -- super-resolution -------------------------------------------------------------------------------------------------


def test_pictures_are_enlarged_as_soon_as_that_is_ready(studio: Studio) -> None:
    studio.show()
    assert (studio.upscaler, studio.pipeline.size) == ("", 512)
    studio.enlarge_with(upscaler := FakeUpscaler())
    assert (studio.upscaler, studio.pipeline.size) == ("waifu2x", 1024)
    picture = studio.frame()
    assert picture is not None
    assert (picture.shape, upscaler.applied) == ((1024, 1024, 4), 1)
    studio.enlarge_with(FakeUpscaler("anime4k"))
    assert (studio.upscaler, upscaler.closings) == ("anime4k", 1)


def test_a_character_that_comes_while_pictures_are_enlarged_has_the_memory_for_it(studio: Studio) -> None:
    studio.show()
    assert 1024 not in studio.pipeline._composer._sized
    studio.enlarge_with(FakeUpscaler())
    studio.show()
    assert 1024 in studio.pipeline._composer._sized


def test_another_character_goes_on_from_what_was_shown_last(studio: Studio) -> None:
    studio.show()
    before = studio.pipeline
    assert studio.frame() is not None
    studio.show()
    assert studio.pipeline is not before
    assert len(studio.pipeline._history) > 0 and studio.pipeline._shown_ns == before._shown_ns > 0


@pytest.mark.parametrize("size", [256, 384, 768, 1024])
def test_pictures_of_another_size_than_networks_take_are_shown_as_they_are(studio: Studio, size: int) -> None:
    studio.show(size=size)
    studio.enlarge_with(FakeUpscaler())
    assert (studio.upscaler, studio.pipeline.size) == ("", size)
    studio.show(size=512)
    assert studio.pipeline.size == 1024, "the next character's are enlarged"


def test_super_resolution_that_is_not_wanted_any_more_leaves_the_picture_as_it_was(studio: Studio) -> None:
    studio.show()
    studio.enlarge_with(upscaler := FakeUpscaler())
    studio.parts.upscaler.drop()
    studio.set(super_resolution="off")
    assert upscaler.closings == 1
    assert (studio.upscaler, studio.pipeline.size) == ("", 512)


def test_an_upscaler_that_fails_is_let_go_and_reported(studio: Studio) -> None:
    studio.show()
    studio.enlarge_with(upscaler := FakeUpscaler())
    assert studio.frame() is not None
    upscaler.failure = FAILED
    studio.drawing.exchange(studio.now)
    assert (studio.parts.upscaler.current, upscaler.closings) == (None, 1)
    assert studio.parts.reports == [("super_resolution", FAILED)]
    assert (studio.upscaler, studio.pipeline.size) == ("", 512)
    picture = studio.frame()
    assert picture is not None
    assert picture.shape == (512, 512, 4)


def test_a_picture_that_stood_in_for_a_networks_own_is_not_remembered_as_that(studio: Studio) -> None:
    """The network failed while it was drawn: when it is back, its own must be seen."""
    studio.drawing.cache = EagerCache()
    studio.show()
    broken = SharedUpscaler("waifu2x", BrokenNetwork())
    studio.enlarge_with(cast(FakeUpscaler, broken))
    for value in (0.1, 0.2):
        studio.value = value
        assert studio.frame(moves=False) is not None
    assert broken.failure is FAILED
    studio.enlarge_with(FakeUpscaler())
    for value in (0.1, 0.2):
        studio.value = value
        picture = studio.frame(moves=False)
        assert picture is not None
        assert bool((picture == LEVEL).all())


def test_a_picture_that_was_begun_before_is_remembered_as_what_it_is(studio: Studio) -> None:
    """It was drawn with the network; by the time it is taken, the governor has given that up."""
    studio.drawing.cache = EagerCache()
    studio.show()
    studio.enlarge_with(FakeUpscaler())
    studio.set(budget=50)
    keys, pose = studio.pipeline.keys, neutral()
    pose[0] = 0.5
    keys.begin(pose)
    drawn = keys.take(LIMIT_S)
    assert drawn is not None
    studio.is_pressed_to("no_super_resolution")
    keys.remember(drawn)
    assert keys.remembered(pose) is None
    studio.observe(0.01, 300.0)
    assert studio.upscaler == "waifu2x"
    assert keys.remembered(pose) is not None


# -- RIFE -------------------------------------------------------------------------------------------------------------


def test_until_rife_is_ready_pictures_are_bent(studio: Studio) -> None:
    studio.show()
    studio.set(interpolation=True, in_between_method="rife", interpolation_factor=2)
    assert (studio.pipeline.pace.between, studio.pipeline.rife) == ("motion", None)
    studio.interpolate_with(rife := FakeRife())
    assert (studio.pipeline.pace.between, studio.pipeline.rife) == ("rife", rife)
    studio.set(in_between_method="motion")
    assert studio.pipeline.pace.between == "motion"


@pytest.mark.parametrize("size", [256, 384, 768])
def test_pictures_that_rife_cannot_take_are_bent(studio: Studio, size: int) -> None:
    studio.set(interpolation=True, in_between_method="rife")
    studio.show(size=size)
    studio.interpolate_with(FakeRife())
    assert studio.pipeline.pace.between == "motion"
    studio.show(size=512)
    assert studio.pipeline.pace.between == "rife"


def test_without_frames_in_between_rife_is_not_used(studio: Studio) -> None:
    studio.show()
    studio.set(in_between_method="rife")
    studio.interpolate_with(FakeRife())
    assert (studio.pipeline.pace.between, studio.pipeline.pace.stride) == ("", 1)


def test_rife_that_fails_is_let_go_and_reported(studio: Studio) -> None:
    studio.show()
    studio.set(interpolation=True, in_between_method="rife", interpolation_factor=2)
    studio.interpolate_with(rife := FakeRife())
    assert wait_until(lambda: studio.frame() is not None)
    rife.failure = FAILED
    studio.drawing.exchange(studio.now)
    assert (studio.parts.rife.current, rife.closings) == (None, 1)
    assert studio.parts.reports == [("rife", FAILED)]
    assert (studio.pipeline.pace.between, studio.pipeline.rife) == ("motion", None)
    assert studio.frame() is not None


def test_rife_and_super_resolution_fail_apart(studio: Studio) -> None:
    studio.show()
    studio.set(interpolation=True, in_between_method="rife")
    studio.enlarge_with(upscaler := FakeUpscaler())
    studio.interpolate_with(FakeRife())
    upscaler.failure = FAILED
    studio.drawing.exchange(studio.now)
    assert (studio.upscaler, studio.pipeline.pace.between) == ("", "rife")
