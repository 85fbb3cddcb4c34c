"""From poses to pictures: which frames are rendered, which lie between, and which need not be shown again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from core.pose.mixer import PoseMoment
from core.pose.parameters import neutral
from core.render.pipeline import Pace, Pipeline, Rendered
from tests.unit.small_model import SmallModel

KEY_NS = 10_000_000
PACKET_OFFSET_NS = 1_000_000


class Face:
    """What the pipeline samples. ``value`` moves on by ``step`` with every look."""

    def __init__(self, step: float = 0.04) -> None:
        self.value, self.step = 0.0, step
        self.looks = 0
        self.tracked = True

    def __call__(self) -> tuple[PoseMoment, int]:
        self.looks += 1
        self.value = round(self.value + self.step, 4)
        pose = neutral()
        pose[0] = self.value
        sampled = self.looks * KEY_NS
        return PoseMoment(pose, sampled - PACKET_OFFSET_NS if self.tracked else 0, self.value), sampled


def shows(pipeline: Pipeline, face: Face, frames: int) -> list[float | None]:
    """The picture's value of each output frame; None where nothing new is shown."""
    return [value_of(pipeline.next(face)) for _ in range(frames)]


def value_of(rendered: Rendered | None) -> float | None:
    return None if rendered is None else round(int(rendered.picture[0, 0, 0]) / 255, 2)


def pipeline_with(**pace: float | bool) -> tuple[Pipeline, SmallModel]:
    model = SmallModel()
    return Pipeline(model, Pace(**pace)), model  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pace", "stride"),
    [
        (Pace(), 1),
        (Pace(interpolation=True), 2),
        (Pace(interpolation=True, factor=4), 4),
        (Pace(render_rate=20.0), 3),
        (Pace(render_rate=30.0), 2),
        (Pace(render_rate=60.0), 1),
        (Pace(render_rate=144.0), 1),
        (Pace(render_rate=25.0), 3),
        (Pace(render_rate=30.0, frame_rate=59.94), 2),
        (Pace(render_rate=59.94, frame_rate=60.0), 1),
        (Pace(interpolation=True, factor=2, render_rate=20.0), 3),
        (Pace(interpolation=True, factor=4, render_rate=20.0), 4),
        (Pace(render_rate=20.0, frame_rate=10.0), 1),
    ],
)
def test_the_stride_follows_from_factor_and_limit(pace: Pace, stride: int) -> None:
    assert pace.stride == stride


def test_without_interpolation_every_frame_is_a_key_frame_shown_at_once() -> None:
    pipeline, model = pipeline_with()
    assert shows(pipeline, Face(), 4) == [0.04, 0.08, 0.12, 0.16]
    assert model.between_calls == []


@pytest.mark.parametrize("rate", [30.0, 20.0, 15.0])
def test_a_render_limit_leaves_frames_out_and_shows_keys_at_once(rate: float) -> None:
    pipeline, _ = pipeline_with(render_rate=rate)
    gap: list[float | None] = [None] * (round(60 / rate) - 1)
    assert shows(pipeline, Face(), 3 * (len(gap) + 1)) == [0.04, *gap, 0.08, *gap, 0.12, *gap]


@pytest.mark.parametrize(("factor", "rate"), [(2, 0.0), (3, 0.0), (4, 0.0), (2, 20.0), (2, 15.0), (4, 30.0)])
def test_interpolation_fills_every_frame_in_even_steps(factor: int, rate: float) -> None:
    pipeline, model = pipeline_with(interpolation=True, factor=factor, render_rate=rate)
    stride = pipeline.pace.stride
    first = shows(pipeline, Face(0.12), stride)
    assert first == [0.12] + [None] * (stride - 1)
    model.between_calls.clear()
    pipeline, model = pipeline_with(interpolation=True, factor=factor, render_rate=rate)
    face = Face(0.12)
    shows(pipeline, face, stride)
    values = shows(pipeline, face, 3 * stride)
    assert values == pytest.approx([0.12 + 0.12 * n / stride for n in range(1, 3 * stride + 1)], abs=0.01)
    assert model.between_calls == [
        (round(0.12 * key, 4), round(0.12 * (key + 1), 4), round(n / stride, 4))
        for key in (1, 2, 3)
        for n in range(1, stride)
    ]
    assert face.looks == 4, "the pose is sampled for key frames only"


def test_in_between_frames_are_marked_and_their_times_lie_between() -> None:
    pipeline, _ = pipeline_with(interpolation=True, factor=4)
    face = Face()
    for _ in range(4):
        pipeline.next(face)
    frames = [pipeline.next(face) for _ in range(4)]
    told = [(f.in_between, f.sampled_ns, f.packet_ns, f.presence) for f in frames if f is not None]
    assert told == [
        (True, KEY_NS + KEY_NS // 4, KEY_NS + KEY_NS // 4 - PACKET_OFFSET_NS, 0.08),
        (True, KEY_NS + KEY_NS // 2, KEY_NS + KEY_NS // 2 - PACKET_OFFSET_NS, 0.08),
        (True, KEY_NS + 3 * KEY_NS // 4, KEY_NS + 3 * KEY_NS // 4 - PACKET_OFFSET_NS, 0.08),
        (False, 2 * KEY_NS, 2 * KEY_NS - PACKET_OFFSET_NS, 0.08),
    ]


def test_between_idle_and_tracked_there_is_no_packet_time_in_the_middle() -> None:
    pipeline, _ = pipeline_with(interpolation=True)
    face = Face()
    face.tracked = False
    shows(pipeline, face, 2)
    face.tracked = True
    rendered = pipeline.next(face)
    assert rendered is not None
    assert rendered.packet_ns == 2 * KEY_NS - PACKET_OFFSET_NS


@pytest.mark.parametrize("pace", [Pace(), Pace(True, 2), Pace(True, 4), Pace(render_rate=20.0), Pace(True, 2, 20.0)])
def test_a_pose_that_does_not_change_costs_and_shows_nothing(pace: Pace) -> None:
    model = SmallModel()
    pipeline, face = Pipeline(model, pace), Face()
    shows(pipeline, face, 3 * pace.stride)
    face.step = 0.0
    settled = shows(pipeline, face, pace.stride)
    assert set(settled) == {None}
    renders, betweens = len(model.rendered), len(model.between_calls)
    assert shows(pipeline, face, 40) == [None] * 40
    assert (len(model.rendered), len(model.between_calls)) == (renders, betweens)


@pytest.mark.parametrize("pace", [Pace(), Pace(True, 2), Pace(True, 4), Pace(render_rate=20.0)])
def test_after_standing_still_it_moves_on_from_what_is_shown(pace: Pace) -> None:
    pipeline, face = Pipeline(SmallModel(), pace), Face()
    shows(pipeline, face, 2 * pace.stride)
    face.step = 0.0
    shows(pipeline, face, 3 * pace.stride)
    at = face.value
    face.step = 0.2
    moved = [value for value in shows(pipeline, face, pace.stride) if value is not None]
    steps = pace.stride if pace.interpolation else 1
    assert moved == pytest.approx([at + 0.2 * n / steps for n in range(1, steps + 1)], abs=0.01)


PACES = [Pace(), Pace(True, 2), Pace(True, 3), Pace(True, 4), Pace(render_rate=20.0), Pace(True, 2, 15.0)]
CHANGES = list(itertools.permutations(PACES, 2))


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_change_of_pace_shows_a_new_picture_on_the_very_next_frame(before: Pace, after: Pace) -> None:
    for frames_before in range(before.stride, 3 * before.stride):
        pipeline, face = Pipeline(SmallModel(), before), Face()
        shown = shows(pipeline, face, frames_before)
        pipeline.pace = after
        shown += shows(pipeline, face, 1)
        assert shown[-1] is not None
        values = [value for value in shown if value is not None]
        assert values == sorted(values), "never back in time"
        assert len(set(values)) == len(values)


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_a_change_of_pace_over_a_still_face_repeats_no_picture(before: Pace, after: Pace) -> None:
    for frames_before in range(before.stride, 3 * before.stride):
        pipeline, face = Pipeline(SmallModel(), before), Face()
        shown = shows(pipeline, face, frames_before)
        face.step = 0.0
        pipeline.pace = after
        shown += shows(pipeline, face, 3 * after.stride)
        values = [value for value in shown if value is not None]
        assert len(set(values)) == len(values)
        assert values[-1] == pytest.approx(face.value, abs=0.01), "it ends where the face is"


def test_the_same_pace_again_changes_nothing() -> None:
    pipeline, _ = pipeline_with(interpolation=True, factor=4)
    face = Face()
    shows(pipeline, face, 6)
    pipeline.pace = Pace(True, 4)
    assert shows(pipeline, face, 2) == [0.07, 0.08]


def test_a_key_picture_lives_until_the_next_key_frame() -> None:
    """In-between frames are drawn elsewhere: the key frame's pixels are needed again after them."""
    pipeline, _ = pipeline_with(interpolation=True)
    face = Face()
    shows(pipeline, face, 2)
    between, key = pipeline.next(face), pipeline.next(face)
    assert between is not None
    assert key is not None
    assert not np.shares_memory(between.picture, key.picture)


def test_a_swapped_character_is_shown_on_its_first_frame() -> None:
    for pace in PACES:
        face = Face()
        shows(Pipeline(SmallModel(), pace), face, 5)
        fresh = Pipeline(SmallModel(size=8), pace)
        rendered = fresh.next(face)
        assert rendered is not None
        assert not rendered.in_between
        assert rendered.picture.shape == (8, 8, 4)
