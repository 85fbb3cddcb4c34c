"""The avatar's place in its picture: which way it goes, how far it may, and where the user wants it to stand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from core.pose.mixer import PoseMoment
from core.pose.parameters import neutral
from core.pose.sample import Position
from core.render.compose import Composer
from core.render.movement import HEAD_BOX, IN_PLACE, AutoFraming, HeadBox, Movement, Placement, blend, placement_of
from core.render.pipeline import Pipeline
from core.render.visible import visible_bands
from models.base import Picture
from tests.unit.small_model import SmallModel

SECOND = 1_000_000_000
FRAME_NS = 16_666_667
AT_HOME: Position = (0.0, 0.0, 0.0)
ASIDE: Position = (0.2, 0.0, 0.0)


def patch(size: int, centre: tuple[float, float] = (0.5, 0.5), side: float = 0.125) -> Picture:
    """A transparent picture with one opaque square; places and lengths are shares of the picture's side."""
    picture = np.zeros((size, size, 4), np.uint8)
    left, top = (round((part - side / 2) * size) for part in centre)
    picture[top : top + round(side * size), left : left + round(side * size)] = 255
    return picture


def centre_of(picture: Picture) -> tuple[float, float]:
    """Where the alpha lies on average, across and down, in shares of the picture's side."""
    alpha = picture[:, :, 3].astype(np.float64)
    places = (np.arange(len(picture)) + 0.5) / len(picture)
    return float(alpha.sum(axis=0) @ places / alpha.sum()), float(alpha.sum(axis=1) @ places / alpha.sum())


def side_of(picture: Picture) -> float:
    """Side of a square that has this much alpha, in shares of the picture's side."""
    return math.sqrt(picture[:, :, 3].sum() / 255.0) / len(picture)


def placed(picture: Picture, placement: Placement) -> Picture:
    return Composer().compose(picture, visible_bands(picture), placement).copy()


# -- which way --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "across", "down"),
    [
        ((0.1, 0.0, 0.0), 1.0, 0.0),  # to its own left is to the right on screen
        ((-0.1, 0.0, 0.0), -1.0, 0.0),
        ((0.0, 0.1, 0.0), 0.0, -1.0),
        ((0.0, -0.1, 0.0), 0.0, 1.0),
        ((0.0, 0.0, 0.1), 0.0, 0.0),
    ],
)
def test_the_avatar_goes_where_its_person_goes(moved: Position, across: float, down: float) -> None:
    x, y = centre_of(placed(patch(256), placement_of(moved, 1.0)))
    assert x - 0.5 == pytest.approx(across * 0.1 * 400 / 512, abs=0.002)
    assert y - 0.5 == pytest.approx(down * 0.1 * 600 / 512, abs=0.002)


def test_who_comes_nearer_grows_and_moves_farther() -> None:
    assert side_of(placed(patch(256), placement_of((0.0, 0.0, 0.2), 1.0))) == pytest.approx(0.125 * 1.2, rel=0.02)
    assert side_of(placed(patch(256), placement_of((0.0, 0.0, -0.2), 1.0))) == pytest.approx(0.125 * 0.8, rel=0.02)
    near, far = placement_of((0.1, 0.0, 0.2), 1.0), placement_of((0.1, 0.0, -0.2), 1.0)
    assert near.right / far.right == pytest.approx(1.2 / 0.8)


def test_who_goes_aside_leans_into_it() -> None:
    """To the right on screen the upper part goes ahead: clockwise."""
    placement = placement_of((0.2, 0.0, 0.0), 1.0)
    assert placement.degrees == pytest.approx(-2.0)
    head = centre_of(placed(patch(256, (0.5, 0.2)), placement))
    feet = centre_of(placed(patch(256, (0.5, 0.8)), placement))
    assert head[0] > feet[0] + 0.01


def test_the_multiplier_stretches_shift_and_lean_and_its_root_the_size() -> None:
    one, four = placement_of((0.02, 0.02, 0.1), 1.0), placement_of((0.02, 0.02, 0.05), 4.0)
    assert one.scale == four.scale == pytest.approx(1.1)
    assert four.right == pytest.approx(4 * one.right)
    assert four.down == pytest.approx(4 * one.down)
    assert four.degrees == pytest.approx(4 * one.degrees)


def test_bongo_tilts_by_five_degrees_with_and_without_movement() -> None:
    movement = Movement()
    movement.bongo = True
    assert movement.place(ASIDE, 1.0, SECOND) == Placement(degrees=-5.0)
    movement.multiplier, movement.auto_framing = 1.0, False
    assert movement.place(ASIDE, 1.0, SECOND).degrees == pytest.approx(-7.0)


def test_no_multiplier_leaves_it_in_its_place() -> None:
    assert Movement().place((0.3, 0.2, 0.1), 1.0, SECOND) is IN_PLACE


def test_size_and_shift_have_an_end() -> None:
    for moved in ((9.0, 9.0, 9.0), (-9.0, -9.0, -9.0)):
        placement = placement_of(moved, 3.0)
        assert 0.5 <= placement.scale <= 2.0
        assert abs(placement.right) <= 0.5
        assert abs(placement.down) <= 0.5


# -- in pixels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "placement",
    [
        Placement(right=0.11, down=-0.07),
        Placement(scale=1.25),
        Placement(degrees=9.0),
        Placement(scale=0.9, degrees=-5.0, right=0.05, down=0.03),
    ],
)
def test_pictures_of_every_size_move_alike(placement: Placement) -> None:
    found = []
    for size in (256, 512, 1024):
        warped = placed(patch(size, (0.375, 0.25)), placement)
        found.append((*centre_of(warped), side_of(warped)))
    assert np.ptp(np.array(found), axis=0).max() < 0.5 / 256


def test_it_turns_and_grows_about_the_middle() -> None:
    warped = placed(patch(256), Placement(scale=1.3, degrees=30.0))
    assert centre_of(warped) == pytest.approx((0.5, 0.5), abs=0.5 / 256)


def test_positive_degrees_are_counter_clockwise_on_screen() -> None:
    x, y = centre_of(placed(patch(256, (0.75, 0.5)), Placement(degrees=90.0)))
    assert (x, y) == pytest.approx((0.5, 0.25), abs=0.5 / 256)


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_trembling_by_less_than_a_part_of_a_pixel_is_the_same_place(size: int) -> None:
    quiet = Placement(scale=1.1, degrees=2.0, right=0.05, down=0.02)
    eighths = (quiet.matrix(size)[:, 2] * 8.0).tolist()
    assert eighths == [round(part) for part in eighths]
    steps = [quiet.right + part / size for part in np.arange(-64, 65) / 64.0]  # one pixel to either side
    places = {Placement(1.1, 2.0, right, 0.02).matrix(size).tobytes() for right in steps}
    assert len(places) <= 18, "eighths of two pixels"


@pytest.mark.parametrize("size", [256, 300, 512, 1024])
def test_in_its_place_every_pixel_stays(size: int) -> None:
    assert np.abs(IN_PLACE.matrix(size) - np.array([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])).max() < 1e-9


# -- where the user wants it ------------------------------------------------------------------------------------------

STAND = Placement(1.5, 2.0, 0.1, -0.05)


def test_where_the_user_put_it_is_where_the_head_moves_it_from() -> None:
    moved = STAND.moved_by(Placement(0.8, -5.0, 0.02, 0.03))
    assert (moved.scale, moved.degrees) == pytest.approx((1.2, -3.0))
    assert (moved.right, moved.down) == pytest.approx((0.12, -0.02))


def test_what_does_not_move_stays_exactly_where_it_was_put() -> None:
    assert STAND.moved_by(IN_PLACE) is STAND
    assert IN_PLACE.moved_by(IN_PLACE) is IN_PLACE
    assert IN_PLACE.moved_by(STAND) == STAND


def test_the_avatar_stands_where_the_user_put_it() -> None:
    movement = Movement()
    assert movement.stand is IN_PLACE
    movement.stand = STAND
    assert movement.place(ASIDE, 1.0, SECOND) is STAND
    movement.bongo = True
    assert movement.place(ASIDE, 1.0, SECOND) == STAND.moved_by(Placement(degrees=-5.0))


@pytest.mark.parametrize("framing", [False, True])
def test_it_moves_about_where_the_user_put_it_as_it_would_about_its_place(framing: bool) -> None:
    free, put = Movement(), Movement()
    put.stand = STAND
    for movement in (free, put):
        movement.multiplier, movement.auto_framing = 1.0, framing
    for number, x in enumerate((0.0, 0.1, -0.2, 0.05)):
        moved = (x, 0.02, -0.01)
        wanted = STAND.moved_by(free.place(moved, 1.0, SECOND + number * FRAME_NS))
        assert put.place(moved, 1.0, SECOND + number * FRAME_NS) == wanted


def test_another_stand_counts_from_the_next_look_on() -> None:
    movement = Movement()
    movement.multiplier, movement.auto_framing = 1.0, False
    before = movement.place(ASIDE, 1.0, SECOND)
    movement.stand = Placement(right=0.25)
    assert movement.place(ASIDE, 1.0, SECOND).right == pytest.approx(before.right + 0.25)
    movement.stand = IN_PLACE
    assert movement.place(ASIDE, 1.0, SECOND) == before


def test_a_zoomed_avatar_is_seen_larger_and_elsewhere() -> None:
    warped = placed(patch(256), Placement(1.5, 0.0, 0.1, -0.05))
    assert side_of(warped) == pytest.approx(0.125 * 1.5, rel=0.02)
    assert centre_of(warped) == pytest.approx((0.6, 0.45), abs=0.5 / 256)


# -- the head stays inside --------------------------------------------------------------------------------------------


def corners(placement: Placement, box: HeadBox, size: int = 512) -> NDArray[np.float64]:
    """Where the corners of a box come to lie, in shares of the picture's side; shape (4, 2)."""
    left, top, right, bottom = box
    at = np.array([(x * size - 0.5, y * size - 0.5, 1.0) for x in (left, right) for y in (top, bottom)])
    return np.asarray((at @ placement.matrix(size).T + 0.5) / size)


@pytest.mark.parametrize("multiplier", [0.5, 1.0, 3.0])
def test_the_head_stays_inside_wherever_its_person_goes(multiplier: float) -> None:
    a_quarter_pixel = 0.25 / 512
    ways = np.linspace(-0.5, 0.5, 5)
    for moved in ((x, y, z) for x in ways for y in ways for z in ways):
        for bongo in (False, True):
            found = corners(placement_of(moved, multiplier, bongo=bongo, head=HEAD_BOX), HEAD_BOX)
            assert found.min() > -a_quarter_pixel
            assert found.max() < 1.0 + a_quarter_pixel


@pytest.mark.parametrize("box", [(0.1, 0.1, 0.3, 0.3), (0.7, 0.05, 0.95, 0.25), (0.6, 0.6, 0.9, 0.9)])
def test_a_box_off_the_middle_stays_inside_while_it_leans(box: HeadBox) -> None:
    for x in (-0.4, -0.2, 0.2, 0.4):
        for y in (-0.4, 0.4):
            found = corners(placement_of((x, y, 0.0), 3.0, head=box), box)
            assert found.min() > -0.25 / 512
            assert found.max() < 1.0 + 0.25 / 512


def test_what_stays_inside_by_itself_is_not_limited() -> None:
    moved = (0.1, -0.05, 0.02)
    assert placement_of(moved, 1.0, head=HEAD_BOX) == placement_of(moved, 1.0)


def test_a_head_that_is_too_large_is_made_to_fit() -> None:
    large = (0.1, 0.1, 0.9, 0.9)
    assert placement_of((0.0, 0.0, 1.0), 1.0, head=large).scale == pytest.approx(1.25)


def test_at_the_edge_the_avatar_stops_without_a_jump() -> None:
    rights = [placement_of((x, 0.0, 0.0), 1.0, head=HEAD_BOX).right for x in np.linspace(0.0, 1.0, 201)]
    steps = np.diff(rights)
    assert steps.max() < 0.005
    assert steps.min() > -0.005
    assert rights[-1] < rights[100] + 0.001, "it stands at the edge"


# -- framing ----------------------------------------------------------------------------------------------------------


def framed(
    framing: AutoFraming, moved: Position, seconds: float, rate: float = 60.0, start_ns: int = SECOND
) -> Position:
    """Where a head that stays at ``moved`` has come to after so many seconds."""
    found = moved
    for frame in range(round(seconds * rate) + 1):
        found = framing(moved, start_ns + round(frame * SECOND / rate))
    return found


def test_a_chair_that_was_moved_is_forgotten_slowly() -> None:
    assert framed(AutoFraming(), ASIDE, 1.0)[0] > 0.18
    assert framed(AutoFraming(), ASIDE, 20.0)[0] == pytest.approx(0.2 / math.e, rel=0.02)
    assert abs(framed(AutoFraming(), ASIDE, 120.0)[0]) < 0.002


@pytest.mark.parametrize("rate", [10.0, 24.0, 144.0])
def test_every_frame_rate_forgets_alike(rate: float) -> None:
    whole = framed(AutoFraming(), (0.2, -0.1, 0.1), 10.0, 60.0)
    assert framed(AutoFraming(), (0.2, -0.1, 0.1), 10.0, rate) == pytest.approx(whole, rel=1e-3)


def test_the_first_look_and_a_clock_that_goes_back_change_nothing() -> None:
    framing = AutoFraming()
    assert framing(ASIDE, 500 * SECOND) == ASIDE
    assert framing(ASIDE, 100 * SECOND) == ASIDE


def test_a_long_silence_counts_as_a_moment() -> None:
    framing = AutoFraming()
    framing(ASIDE, SECOND)
    assert framing(ASIDE, 3600 * SECOND)[0] > 0.19


def test_while_nobody_is_there_nothing_is_learned_and_the_avatar_is_at_home() -> None:
    framing = AutoFraming()
    framed(framing, ASIDE, 200.0)
    now = 300 * SECOND
    for frame in range(60 * 60):
        assert framing(AT_HOME, now + frame * SECOND // 60, 0.0) == AT_HOME
    back = framing(ASIDE, now + 3601 * SECOND // 60)
    assert abs(back[0]) < 0.01, "the chair still stands where it stood"


def test_without_framing_the_avatar_stays_where_its_person_is() -> None:
    movement = Movement()
    movement.multiplier, movement.auto_framing = 1.0, False
    first = movement.place(ASIDE, 1.0, SECOND)
    assert movement.place(ASIDE, 1.0, 100 * SECOND) == first == placement_of(ASIDE, 1.0)


# -- between two placements, and in the pipeline ----------------------------------------------------------------------


def test_between_two_placements_lies_what_is_between() -> None:
    older, newer = Placement(1.0, 0.0, 0.0, 0.1), Placement(1.2, 4.0, 0.2, -0.1)
    assert blend(older, newer, 0.0) == older
    assert blend(older, newer, 0.25) == Placement(1.05, 1.0, 0.05, 0.05)
    assert blend(newer, newer, 0.5) is newer


def test_the_pipeline_shows_a_still_face_again_only_where_it_is_seen_elsewhere() -> None:
    movement = Movement()
    movement.multiplier, movement.auto_framing = 1.0, False
    model = SmallModel()
    pipeline = Pipeline(model, movement=movement)

    def shown(x: float) -> bool:
        moment = PoseMoment(neutral(), 0, 1.0, (x, 0.0, 0.0))
        return pipeline.next(lambda: (moment, SECOND)) is not None

    pixel = 1.0 / model.size / (400 / 512)
    assert shown(0.0)
    assert not shown(0.0)
    assert not shown(pixel / 50.0)
    assert shown(pixel)
    assert not shown(pixel)
    assert shown(0.0)


def test_a_head_that_trembles_about_the_middle_shows_nothing_new() -> None:
    """Nothing and less than nothing are the same place."""
    movement = Movement()
    movement.multiplier, movement.auto_framing = 1.0, False
    pipeline = Pipeline(SmallModel(), movement=movement)

    def shown(x: float) -> bool:
        moment = PoseMoment(neutral(), 0, 1.0, (x, 0.2133, 0.0))
        return pipeline.next(lambda: (moment, SECOND)) is not None

    assert shown(0.001)
    assert not any(shown(x) for x in (-0.001, 0.0, 0.001, -0.0005))


def test_a_new_neutral_does_not_throw_the_avatar_aside() -> None:
    """The learned centre goes as the position's new neutral comes: what is shown hardly moves."""
    framing, now = AutoFraming(), SECOND
    for _ in range(60 * 60):
        now += FRAME_NS
        shown = framing((0.2, 0.0, 0.0), now)
    framing.recentre()
    seen = [shown[0]]
    for frame in range(120):
        now += FRAME_NS
        eased = 0.2 * max(0.0, 1.0 - frame * FRAME_NS / 600_000_000)
        seen.append(framing((eased, 0.0, 0.0), now)[0])
    assert max(map(abs, seen)) < 0.02


def test_a_face_that_fades_does_not_make_the_avatar_wobble() -> None:
    framing, now = AutoFraming(), SECOND
    for _ in range(120 * 60):
        now += FRAME_NS
        framing((0.2, 0.0, 0.0), now)
    seen = []
    for frame in range(60):
        now += FRAME_NS
        presence = 1.0 - frame / 60
        seen.append(framing((0.2 * presence**2 * (3 - 2 * presence), 0.0, 0.0), now, presence)[0])
    assert max(map(abs, seen)) < 0.01


def test_a_lean_has_a_limit() -> None:
    assert abs(placement_of((10.0, 0.0, 0.0), 3.0).degrees) <= 15.0
