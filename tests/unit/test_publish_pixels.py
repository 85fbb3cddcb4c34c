"""How finished frames change their kind, over every colour and alpha there is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.publish.base import Picture
from core.publish.pixels import alpha_beside, over_background, over_checkerboard, red_first, straight

BACKGROUNDS = (0x00000000, 0x00FFFFFF, 0xFF00B140, 0x12345678, 0x00808080)


def bgr(colour: int) -> tuple[int, int, int]:
    return (colour >> 16) & 255, (colour >> 8) & 255, colour & 255


@pytest.fixture(scope="module")
def every_pair() -> Picture:
    """Row = alpha, column = straight colour, premultiplied and rounded; the channels differ."""
    alpha, colour = np.mgrid[:256, :256]
    channels = [np.rint(value * alpha / 255) for value in (colour, 255 - colour, colour // 2)]
    return np.ascontiguousarray(np.stack([*channels, alpha], 2).astype(np.uint8))


def blended(premultiplied: Picture, background: NDArray[np.int64] | tuple[int, int, int]) -> NDArray[np.float64]:
    exact = premultiplied.astype(np.float64)
    result: NDArray[np.float64] = exact[:, :, :3] + (255 - exact[:, :, 3:]) * np.asarray(background) / 255
    return result


@pytest.mark.parametrize("background", [0, 1, 77, 127, 128, 200, 254, 255])
def test_straight_looks_the_same_over_any_background(every_pair: Picture, background: int) -> None:
    converted = straight(every_pair, np.empty_like(every_pair)).astype(np.float64)
    alpha = converted[:, :, 3:] / 255
    shown = np.rint(converted[:, :, :3] * alpha + background * (1 - alpha))
    assert np.abs(shown - np.rint(blended(every_pair, (background,) * 3))).max() <= 1
    assert np.array_equal(converted[:, :, 3], every_pair[:, :, 3])


def test_straight_gives_nothing_where_nothing_is_and_keeps_what_is_opaque(every_pair: Picture) -> None:
    converted = straight(every_pair, np.empty_like(every_pair))
    assert not converted[0].any()
    assert np.array_equal(converted[255], every_pair[255])


def test_straight_writes_into_foreign_memory(every_pair: Picture) -> None:
    memory = bytearray(every_pair.nbytes)
    straight(every_pair, np.frombuffer(memory, np.uint8).reshape(every_pair.shape))
    assert memory == straight(every_pair, np.empty_like(every_pair)).tobytes()


@pytest.mark.parametrize("colour", BACKGROUNDS)
def test_over_background_is_exact_within_one(every_pair: Picture, colour: int) -> None:
    shown = over_background(every_pair, colour)
    assert shown.shape == (256, 256, 3)
    assert shown.dtype == np.uint8
    assert np.abs(shown - blended(every_pair, bgr(colour))).max() <= 1


def test_the_backgrounds_own_alpha_does_not_matter(every_pair: Picture) -> None:
    assert np.array_equal(over_background(every_pair, 0x00102030), over_background(every_pair, 0xFF102030))


def test_nothing_shows_the_plain_background_and_opaque_shows_none_of_it() -> None:
    nothing = np.zeros((3, 5, 4), np.uint8)
    assert (over_background(nothing, 0xFF00B140) == bgr(0xFF00B140)).all()
    opaque = np.full((3, 5, 4), 255, np.uint8)
    assert (over_background(opaque, 0xFF00B140) == 255).all()


def test_a_colour_brighter_than_its_alpha_stays_white_and_does_not_wrap() -> None:
    glowing = np.full((2, 2, 4), (250, 250, 250, 10), np.uint8)
    assert (over_background(glowing, 0x00FFFFFF) == 255).all()


def test_buffers_of_the_frame_before_do_not_show_through(every_pair: Picture) -> None:
    first = over_background(every_pair, 0x00FFFFFF)
    promised = first.copy()
    over_background(np.zeros((64, 32, 4), np.uint8), 0)
    over_background(255 - every_pair, 0x00112233)
    assert np.array_equal(first, promised)


def test_out_is_filled_and_returned(every_pair: Picture) -> None:
    wide = np.zeros((256, 600, 3), np.uint8)
    out = wide[:, 100:356]
    assert over_background(every_pair, 0x00FF8000, out) is out
    assert np.array_equal(out, over_background(every_pair, 0x00FF8000))
    assert not wide[:, :100].any()
    assert not wide[:, 356:].any()


def test_alpha_beside_has_the_picture_left_and_grey_alpha_right(every_pair: Picture) -> None:
    picture = every_pair[:200]
    both = alpha_beside(picture, 0xFF00B140)
    assert both.shape == (200, 512, 3)
    assert np.array_equal(both[:, :256], over_background(picture, 0xFF00B140))
    for channel in range(3):
        assert np.array_equal(both[:, 256:, channel], picture[:, :, 3])
    out = np.empty_like(both)
    assert alpha_beside(picture, 0xFF00B140, out) is out
    assert np.array_equal(out, both)


def test_checks_show_where_nothing_is(every_pair: Picture) -> None:
    nothing = over_checkerboard(np.zeros((64, 48, 4), np.uint8))
    assert nothing[0, 0, 0] != nothing[0, 16, 0]
    assert nothing[0, 0, 0] == nothing[16, 16, 0] == nothing[15, 15, 0]
    checks = over_checkerboard(np.zeros_like(every_pair)).astype(np.int64)
    shown = over_checkerboard(every_pair)
    assert np.abs(shown - blended(every_pair, checks)).max() <= 1


def test_red_first_swaps_red_and_blue_only() -> None:
    for channels in (3, 4):
        picture = np.arange(2 * 3 * channels, dtype=np.uint8).reshape(2, 3, channels)
        swapped = red_first(picture, np.empty_like(picture))
        assert np.array_equal(swapped[..., [2, 1, 0]], picture[..., :3])
        assert np.array_equal(swapped[..., 3:], picture[..., 3:])
