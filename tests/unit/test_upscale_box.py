"""Boxes for upscaling: what is visible lies in them, whole, and they fit what networks want."""

from __future__ import annotations

import numpy as np
import pytest

from core.render.movement import HEAD_BOX
from models.base import Picture
from models.upscale.box import HEAD, MARGIN, STEP, WHOLE, Box, checked, part, shared, visible_box


def spots(*places: tuple[int, int], alpha: int = 1) -> Picture:
    picture = np.zeros((512, 512, 4), np.uint8)
    for place in places:
        picture[place][3] = alpha
    return picture


def test_nothing_visible_has_no_box() -> None:
    picture = spots()
    picture[..., :3] = 200
    assert visible_box(picture) is None


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(100, 200)], (80, 176, 48, 48)),
        ([(0, 0)], (0, 0, 32, 32)),
        ([(511, 511)], (480, 480, 32, 32)),
        ([(0, 0), (511, 511)], WHOLE),
        ([(255, 16), (256, 300)], (224, 0, 64, 320)),
    ],
)
def test_the_box_has_a_margin_and_ends_on_multiples(places: list[tuple[int, int]], expected: Box) -> None:
    assert visible_box(spots(*places)) == expected


def test_every_box_of_random_spots_is_one_and_holds_them_with_their_margin() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        places = [(int(row), int(column)) for row, column in random.integers(0, 512, (3, 2))]
        box = visible_box(spots(*places, alpha=255))
        assert box is not None and checked(box) == box
        for row, column in places:
            for value, start, length in ((row, box[0], box[2]), (column, box[1], box[3])):
                assert value - start >= min(MARGIN, value)
                assert start + length - 1 - value >= min(MARGIN, 511 - value)


@pytest.mark.parametrize("box", [
    (0, 0, 0, 16), (0, 0, 8, 16), (-16, 0, 32, 32), (0, 8, 16, 16), (0, 0, 528, 16), (496, 0, 32, 16),
])  # fmt: skip
def test_what_is_no_box_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="no box"):
        checked(box)


def test_what_two_boxes_share() -> None:
    assert shared((0, 0, 64, 64), (32, 16, 64, 64)) == (32, 16, 32, 48)
    assert shared((0, 0, 64, 64), (64, 0, 64, 64)) is None
    assert shared(WHOLE, HEAD) == HEAD


def test_the_heads_box_is_a_square_around_every_head() -> None:
    top, left, height, width = checked(HEAD)
    head_left, head_top, head_right, head_bottom = (share * 512 for share in HEAD_BOX)
    assert height == width == 256
    assert top <= head_top and head_bottom <= top + height
    assert left <= head_left and head_right <= left + width
    assert (left + width / 2) == pytest.approx((head_left + head_right) / 2, abs=STEP)


def test_a_part_is_the_picture_itself() -> None:
    picture = np.zeros((1024, 1024, 4), np.uint8)
    part(picture, (16, 32, 48, 64), 2)[:] = 7
    assert picture[32:128, 64:192].all()
    assert picture.any(axis=2).sum() == 96 * 128
