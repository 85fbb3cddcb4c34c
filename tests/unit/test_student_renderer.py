"""The renderer on the processor and on something that passes for a graphics card."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from accel.base import FULL, HALF
from models.base import Picture
from models.student import renderer as renderer_module
from models.student.points import Mask
from models.student.regions import Regions, Split, everywhere, whole_face
from models.student.renderer import Fields, StudentRenderer
from tests.unit.student_networks import (
    FACE_LEFT,
    FACE_SIZE,
    FACE_TOP,
    FACE_VALUES,
    SIZE,
    Array,
    blended,
    dense,
    figure,
    reference,
    shown,
    small_character,
    small_face,
    small_fields,
    some_poses,
)
from tests.unit.student_runtime import WatchedRuntime

POSES = some_poses(3, seed=21)
TURNED = POSES[0].copy()
TURNED[FACE_VALUES:] = POSES[1][FACE_VALUES:]
"""The first pose's face on another pose's body."""
BLUE_FIRST = [0, 1, 2, 5, 4, 3, 6]
FACE_PLACE = slice(FACE_TOP, FACE_TOP + FACE_SIZE), slice(FACE_LEFT, FACE_LEFT + FACE_SIZE)


def regions(mask: Mask) -> Regions:
    return Regions(Split.exactly(mask), Split.exactly(whole_face()))


def opened(
    runtime: WatchedRuntime, where: Regions | None = None, precision: str = FULL, picture: Array | None = None
) -> StudentRenderer:
    weights, own = small_character()
    return StudentRenderer(weights, own if picture is None else picture, where or regions(figure()), runtime, precision)


def draw(renderer: StudentRenderer, fields: Fields) -> Picture:
    out = np.full((SIZE, SIZE, 4), 77, np.uint8)
    renderer.draw(fields, out)
    return out


def drawn(renderer: StudentRenderer, pose: Array) -> Picture:
    return draw(renderer, renderer.fields(pose[None], with_face=True))


def assert_same(found: Picture, expected: Picture) -> None:
    """But for a pixel here and there that is rounded to the other side."""
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3


@pytest.fixture(scope="module", params=[True, False], ids=["processor", "card"])
def runtime(request: pytest.FixtureRequest) -> WatchedRuntime:
    return WatchedRuntime(on_host=request.param)


@pytest.fixture(scope="module")
def renderer(runtime: WatchedRuntime) -> Iterator[StudentRenderer]:
    """Of the figure and what is round it."""
    made = opened(runtime)
    yield made
    made.close()
    assert runtime.open_sessions == 0


@pytest.mark.parametrize("on_host", [True, False], ids=["processor", "card"])
def test_every_pixel_is_what_the_networks_say(on_host: bool) -> None:
    renderer = opened(WatchedRuntime(on_host), everywhere())
    for pose in (np.zeros(45, np.float32), POSES[0]):
        assert_same(drawn(renderer, pose), reference(pose))
    renderer.close()


def test_what_is_not_looked_at_is_empty_and_the_rest_is_as_it_was(renderer: StudentRenderer) -> None:
    expected = reference(POSES[0])
    expected[~figure()] = 0
    assert_same(drawn(renderer, POSES[0]), expected)


def test_pictures_are_premultiplied(renderer: StudentRenderer) -> None:
    picture = drawn(renderer, POSES[1])
    assert (picture[:, :, :3] <= picture[:, :, 3:]).all()
    assert not picture[picture[:, :, 3] == 0].any()
    assert {0, 255} < set(picture[:, :, 3].reshape(-1).tolist())


@pytest.fixture(scope="module")
def as_one() -> list[Picture]:
    """Two pictures, made in one share on one thread."""
    renderer = opened(WatchedRuntime(on_host=False))
    made = [drawn(renderer, pose) for pose in POSES[:2]]
    renderer.close()
    return made


@pytest.mark.parametrize(
    ("threads", "share_points", "chunk_quads"),
    [(1, 10**6, 10**6), (1, 4_000, 300), (2, 12_000, 512), (3, 12_000, 512), (3, 10**6, 2_000), (3, 2_500, 100)],
)
def test_threads_and_shares_change_nothing(
    threads: int,
    share_points: int,
    chunk_quads: int,
    monkeypatch: pytest.MonkeyPatch,
    as_one: list[Picture],
) -> None:
    monkeypatch.setattr(renderer_module, "_SHARE_POINTS", share_points)
    monkeypatch.setattr(renderer_module, "_CHUNK_QUADS", chunk_quads)
    runtime = WatchedRuntime(threads=threads)
    other = opened(runtime)
    shares = len(other.points)
    assert shares == threads if share_points == 10**6 else 0.7 < figure().sum() / share_points / shares < 1.4
    for pose, picture in zip([*POSES[:2], *POSES[:2]], [*as_one, *as_one], strict=True):
        assert_same(drawn(other, pose), picture)
    # several at a time get one thread each, one alone gets all
    body = [network.alone for network in runtime.networks if network.name != "student face"]
    assert body == [shares == 1] * len(body)
    other.close()


def test_points_are_every_visible_pixel_once(renderer: StudentRenderer) -> None:
    counted = np.zeros((SIZE, SIZE), int)
    for points in renderer.points:
        np.add.at(counted, (points[:, 0], points[:, 1]), 1)
    assert np.array_equal(counted, figure().astype(int))


def test_fields_are_the_networks_outputs_at_the_points(renderer: StudentRenderer) -> None:
    expected = small_fields(POSES[0])[..., BLUE_FIRST]
    for points, part in zip(renderer.points, renderer.fields(POSES[:1], with_face=False), strict=True):
        values = part if isinstance(part, np.ndarray) else part.read()
        assert values.shape == (len(points), 7)
        assert np.abs(values - expected[points[:, 0], points[:, 1]]).max() < 1e-4


def test_the_face_is_put_into_the_picture_when_asked(renderer: StudentRenderer) -> None:
    weights, own = small_character()
    renderer.show_face(POSES[:1])
    face = renderer.picture()
    expected = dense(weights.face, POSES[0][:FACE_VALUES], FACE_SIZE)
    assert face.shape == (1, 4, SIZE, SIZE) and face.dtype == np.float32
    assert np.abs(np.moveaxis(face[0], 0, -1)[FACE_PLACE] - expected).max() < 1e-4
    around = np.moveaxis(face[0].copy(), 0, -1)
    around[FACE_PLACE] = np.moveaxis(own[0], 0, -1)[FACE_PLACE]
    assert np.array_equal(around, np.moveaxis(own[0], 0, -1))
    renderer.fields(POSES[1:2], with_face=False)
    assert np.array_equal(renderer.picture(), face)
    face[:] = 0.0  # it was a copy
    assert renderer.picture().any()
    renderer.fields(POSES[1:2], with_face=True)
    assert np.abs(renderer.picture()[0][:, *FACE_PLACE] - np.moveaxis(expected, -1, 0)).max() > 0.01


def test_old_fields_are_drawn_with_the_newest_face(renderer: StudentRenderer) -> None:
    fields = renderer.fields(POSES[:1], with_face=True)
    renderer.show_face(POSES[1:2])
    expected = shown(blended(small_face(POSES[1]), small_fields(POSES[0])))
    expected[~figure()] = 0
    assert_same(draw(renderer, fields), expected)


def test_it_does_not_touch_the_callers_picture() -> None:
    _, own = small_character()
    given = own.copy()
    renderer = opened(WatchedRuntime(), picture=given)
    renderer.show_face(POSES[:1])
    assert np.array_equal(given, own)
    renderer.close()


@pytest.mark.parametrize(("on_host", "threads"), [(True, 1), (True, 3), (False, 1)])
def test_a_face_shown_before_is_put_back_without_its_network(on_host: bool, threads: int) -> None:
    runtime = WatchedRuntime(on_host, threads)
    renderer = opened(runtime)
    pictures = []
    for number in (0, 1):
        renderer.show_face(POSES[number : number + 1])
        pictures.append(renderer.picture())
    assert not np.array_equal(pictures[0], pictures[1])
    runtime.taken_runs()
    pasted = {} if on_host else {"picture": 1}
    for number in (0, 1, 1, 0):
        renderer.show_face(POSES[number : number + 1])
        assert np.array_equal(renderer.picture(), pictures[number])
        assert runtime.taken_runs() == pasted
    # while a body is computed too
    renderer.fields(POSES[1:2], with_face=True)
    assert np.array_equal(renderer.picture(), pictures[1])
    assert "face" not in runtime.taken_runs()
    renderer.close()


def test_a_face_made_along_with_a_body_is_remembered_too(renderer: StudentRenderer, runtime: WatchedRuntime) -> None:
    renderer.fields(POSES[2:3], with_face=True)
    picture = renderer.picture()
    renderer.show_face(POSES[:1])
    runtime.taken_runs()
    renderer.show_face(POSES[2:3])
    assert "face" not in runtime.taken_runs()
    assert np.array_equal(renderer.picture(), picture)


def test_a_remembered_face_is_not_the_memory_that_others_are_made_in() -> None:
    runtime = WatchedRuntime(on_host=False)
    renderer = opened(runtime)
    renderer.remember_up_to(2 * FACE_SIZE * FACE_SIZE * 16)
    poses, expected = some_poses(6, seed=9), []
    for pose in poses:
        renderer.show_face(pose[None])
        expected.append(renderer.picture())
    for number in (5, 4, 5, 0, 5, 1, 4):
        renderer.show_face(poses[number : number + 1])
        assert np.array_equal(renderer.picture(), expected[number])
    renderer.close()


@pytest.mark.parametrize("on_host", [True, False], ids=["processor", "card"])
def test_half_precision_looks_the_same(on_host: bool) -> None:
    pictures = []
    for precision in (FULL, HALF):
        renderer = opened(WatchedRuntime(on_host), precision=precision)
        pictures.append(drawn(renderer, POSES[0]).astype(float))
        renderer.close()
    error = float(((pictures[0] - pictures[1]) ** 2).mean())
    assert 0.0 < error < 255.0**2 / 10.0**4.5  # 45 dB


def test_a_character_nobody_can_see_is_an_empty_picture() -> None:
    for on_host in (True, False):
        renderer = opened(WatchedRuntime(on_host), regions(np.zeros((SIZE, SIZE), np.bool_)))
        assert not drawn(renderer, POSES[0]).any()
        renderer.close()


# -- what crosses to a graphics card ---------------------------------------------------------------------------------


@pytest.fixture
def card() -> Iterator[WatchedRuntime]:
    made = WatchedRuntime(on_host=False)
    yield made
    assert made.open_sessions == 0


def test_only_poses_go_to_a_card_and_only_pixels_come_back(card: WatchedRuntime) -> None:
    renderer = opened(card)
    (points,) = renderer.points
    pixels = {("pixels", (len(points), 4)): 1}
    draw(renderer, renderer.fields(POSES[:1], with_face=True))
    assert card.crossed == {("pose", (1, 45)): 1, ("pose", (1, 39)): 1, **pixels}
    assert card.taken_runs() == {"body": 1, "face": 1, "picture": 1, "pixels": 1}
    card.crossed.clear()
    draw(renderer, renderer.fields(TURNED[None], with_face=False))
    assert card.crossed == {("pose", (1, 45)): 1, **pixels}
    assert card.taken_runs() == {"body": 1, "pixels": 1}
    card.crossed.clear()
    renderer.show_face(POSES[1:2])
    card.crossed.clear()
    draw(renderer, renderer.fields(POSES[:1], with_face=True))  # a face that was shown before
    assert card.crossed == {("pose", (1, 45)): 1, **pixels}
    assert card.reads == 0
    renderer.close()


def test_fields_on_a_card_always_take_the_same_memory(card: WatchedRuntime) -> None:
    renderer = opened(card)
    (first,) = renderer.fields(POSES[:1], with_face=True)
    taken = card.tensors
    expected = draw(renderer, [first])
    for pose in some_poses(4, seed=3):
        renderer.fields(pose[None], with_face=False)
    (again,) = renderer.fields(POSES[:1], with_face=False)
    assert not isinstance(again, np.ndarray)
    assert np.array_equal(draw(renderer, [again]), expected)
    assert card.tensors == taken
    assert card.crossed["write", again.shape] == 0
    renderer.close()


def test_a_card_runs_the_body_as_one(card: WatchedRuntime) -> None:
    renderer = opened(card)
    names = ["student body", "student pixels", "student face", "student picture"]
    assert [network.name for network in card.networks] == names
    assert all(network.alone for network in card.networks)
    renderer.close()


def test_a_card_prepares_exactly_what_is_opened_later(card: WatchedRuntime) -> None:
    weights, picture = small_character()
    opened_before = []

    def progress(task: str, share: float) -> bool:
        opened_before.append(len(card.networks))
        return True

    split = Split.mixed(figure() & (np.arange(SIZE) % 8 < 2), figure() & (np.arange(SIZE) % 8 >= 2))
    renderer = StudentRenderer(weights, picture, Regions(split, Split.exactly(whole_face())), card, HALF, progress)
    draw(renderer, renderer.fields(POSES[:1], with_face=True))
    assert {network.digest for network in card.prepared} == {network.digest for network in card.networks}
    assert len(card.networks) == 4 and opened_before == [0]
    renderer.close()


# -- the end ---------------------------------------------------------------------------------------------------------


def lane_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


def assert_no_lane_is_left() -> None:
    for thread in lane_threads():
        thread.join(10.0)
    assert lane_threads() == []


@pytest.mark.parametrize("on_host", [True, False], ids=["processor", "card"])
def test_closing_gives_everything_back_and_may_be_repeated(on_host: bool) -> None:
    assert_no_lane_is_left()
    runtime = WatchedRuntime(on_host, threads=3)
    renderer = opened(runtime)
    draw(renderer, renderer.fields(POSES[:1], with_face=True))
    assert runtime.open_sessions == len(runtime.networks) > 3
    assert bool(lane_threads()) == on_host
    for _ in range(2):
        renderer.close()
        assert runtime.open_sessions == 0
    assert_no_lane_is_left()


@pytest.mark.parametrize("on_host", [True, False], ids=["processor", "card"])
def test_an_opening_that_fails_leaves_nothing_open(on_host: bool) -> None:
    whole = WatchedRuntime(on_host, threads=2)
    opened(whole).close()
    count = len(whole.networks)
    for number in {1, 2, 3, count // 2, count - 1, count}:
        runtime = WatchedRuntime(on_host, threads=2)
        runtime.fails_at = number
        with pytest.raises(MemoryError):
            opened(runtime)
        assert (len(runtime.networks), runtime.open_sessions) == (number, 0)
    assert_no_lane_is_left()
