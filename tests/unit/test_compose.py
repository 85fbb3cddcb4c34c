"""The last warp: bent and placed in one sampling, against the same done slowly; clean edges, and nothing is lost."""

from __future__ import annotations

import functools
import tracemalloc

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.render.compose import Composer
from core.render.fine_canvas import FINEST, FineCanvas
from core.render.movement import IN_PLACE, Placement
from core.render.visible import Bands, Box, visible_bands
from models.base import Picture
from models.motion import CELLS, Displacement, FaceChange

Places = NDArray[np.float64]
SIZES = [256, 300, 512, 1024]
LEVELS_APART = 2
"""How far two ways of sampling a smooth picture may be apart, in 255ths."""
PLACED = Placement(scale=0.9, degrees=-5.0, right=0.05, down=0.03)
PLACEMENTS = [
    Placement(right=0.11, down=-0.07),
    Placement(scale=1.25),
    Placement(degrees=9.0),
    PLACED,
    Placement(scale=1.4, degrees=12.0, right=-0.1, down=0.06),
]


@functools.cache
def smooth(size: int) -> Picture:
    """Soft in colour and outline, and nothing at its edges: every way of sampling gives nearly the same."""
    across, down = np.meshgrid((np.arange(size) + 0.5) / size, (np.arange(size) + 0.5) / size)
    alpha = 255.0 * np.exp(-(((across - 0.47) / 0.14) ** 2) - ((down - 0.52) / 0.17) ** 2)
    shares = [0.5 + 0.4 * np.sin(6.0 * across), 0.5 + 0.4 * np.cos(5.0 * down), np.full_like(across, 0.8)]
    picture: Picture = np.rint(np.stack([alpha * share for share in shares] + [alpha], axis=-1)).astype(np.uint8)
    return picture


@functools.cache
def noise(size: int, seed: int = 4) -> Picture:
    """Random premultiplied pixels."""
    random = np.random.default_rng(seed)
    alpha = random.integers(0, 256, (size, size, 1))
    pixels = np.concatenate([random.integers(0, 256, (size, size, 3)) * alpha // 255, alpha], axis=2)
    return np.asarray(pixels, np.uint8)


def patch(size: int, box: Box, seed: int = 4) -> Picture:
    """Noise inside a box, nothing outside."""
    left, top, right, bottom = box
    picture = np.zeros((size, size, 4), np.uint8)
    picture[top:bottom, left:right] = noise(size, seed)[top:bottom, left:right]
    return picture


def shift(across: float, down: float) -> Displacement:
    """The content of every cell is found so far away."""
    moved: Displacement = np.empty((CELLS, CELLS, 2), np.float32)
    moved[..., 0], moved[..., 1] = across, down
    return moved


def wavy(amplitude: float, seed: int = 1) -> Displacement:
    """Smooth and different everywhere."""
    coarse = np.random.default_rng(seed).uniform(-amplitude, amplitude, (4, 4, 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (CELLS, CELLS), interpolation=cv2.INTER_LINEAR), np.float32)


def bilinear(values: Places, across: Places, down: Places) -> Places:
    """Values at places between the indices; what is outside continues as it is at the edge."""
    last = len(values) - 1
    across, down = np.clip(across, 0, last), np.clip(down, 0, last)
    left, top = np.minimum(across.astype(int), last - 1), np.minimum(down.astype(int), last - 1)
    x, y = (across - left)[..., None], (down - top)[..., None]
    upper = values[top, left] * (1 - x) + values[top, left + 1] * x
    lower = values[top + 1, left] * (1 - x) + values[top + 1, left + 1] * x
    return np.asarray(upper * (1 - y) + lower * y)


def reference(picture: Picture, placement: Placement, displacement: Displacement | None) -> Places:
    """By the definition: back to where the avatar would stand, on to where the displacement there says, looked up."""
    size = len(picture)
    whole = np.vstack([placement.matrix(size), [0.0, 0.0, 1.0]])
    back = np.linalg.inv(whole)
    across, down = np.meshgrid(np.arange(size, dtype=np.float64), np.arange(size, dtype=np.float64))
    x = back[0, 0] * across + back[0, 1] * down + back[0, 2]
    y = back[1, 0] * across + back[1, 1] * down + back[1, 2]
    if displacement is not None:
        cells = [(places + 0.5) * CELLS / size - 0.5 for places in (x, y)]
        moved = bilinear(displacement.astype(np.float64), cells[0], cells[1]) * size
        x, y = x + moved[..., 0], y + moved[..., 1]
    rim = np.zeros((size + 2, size + 2, 4))
    rim[1:-1, 1:-1] = picture
    return bilinear(rim, x + 1.0, y + 1.0)


def composed(
    picture: Picture,
    placement: Placement = IN_PLACE,
    displacement: Displacement | None = None,
    bands: Bands | None = None,
    *,
    again: bool = False,
) -> Picture:
    """By a composer of its own. ``again``: as it comes out when the same picture was bent before."""
    composer, known = Composer(), visible_bands(picture) if bands is None else bands
    if again:
        for _ in range(2):
            composer.compose(picture, known, Placement(right=0.3), shift(0.2, 0.1), serial=1)
    return composer.compose(picture, known, placement, displacement, serial=1 if again else None).copy()


def everything(size: int) -> Bands:
    """Bands that leave nothing out."""
    return ((0, 0, size, size),)


def apart(first: NDArray[np.float64] | Picture, second: NDArray[np.float64] | Picture) -> float:
    return float(np.abs(np.asarray(first, np.float64) - np.asarray(second, np.float64)).max())


# -- what is visible --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64, 300])
@pytest.mark.parametrize("seed", range(4))
def test_the_bands_hold_what_is_visible_and_no_more(size: int, seed: int) -> None:
    picture = np.zeros((size, size, 4), np.uint8)
    random = np.random.default_rng(seed)
    picture[random.integers(0, size, 12), random.integers(0, size, 12), 3] = 1
    bands = visible_bands(picture)
    held = np.zeros((size, size), bool)
    for left, top, right, bottom in bands:
        inside = picture[top:bottom, left:right, 3] > 0
        assert inside[0].any()
        assert inside[-1].any()
        assert inside[:, 0].any()
        assert inside[:, -1].any()
        assert bottom - top <= 32
        assert not held[top:bottom].any(), "no row twice"
        held[top:bottom, left:right] = True
    assert held[picture[..., 3] > 0].all()
    assert list(bands) == sorted(bands, key=lambda band: band[1])


def test_a_full_picture_is_visible_to_its_edges() -> None:
    bands = visible_bands(np.full((300, 300, 4), 255, np.uint8))
    assert bands[0][:3] == (0, 0, 300)
    assert bands[-1][2:] == (300, 300)
    assert [band[1] for band in bands[1:]] == [band[3] for band in bands[:-1]]


def test_of_a_transparent_picture_nothing_is_visible() -> None:
    assert visible_bands(np.zeros((64, 64, 4), np.uint8)) == ()


# -- nothing to do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_what_is_not_bent_and_in_its_place_is_the_picture_itself(size: int) -> None:
    composer, picture = Composer(), smooth(size)
    unseen = Placement(right=0.02 / size, degrees=1e-4 / size, scale=1.0 + 1e-5 / size)
    for placement in (IN_PLACE, Placement(), unseen):
        assert composer.compose(picture, visible_bands(picture), placement) is picture
    assert composer.compose(picture, visible_bands(picture)) is picture


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_displacement_of_nothing_changes_no_pixel(size: int, again: bool) -> None:
    picture = noise(size)
    assert np.array_equal(composed(picture, displacement=shift(0.0, 0.0), again=again), picture)


# -- bent -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("amplitude", [0.01, 0.08])
def test_a_displacement_says_for_every_pixel_where_it_is_found(size: int, amplitude: float) -> None:
    picture, displacement = smooth(size), wavy(amplitude)
    expected = reference(picture, IN_PLACE, displacement)
    assert apart(expected, picture) > 2 * LEVELS_APART, "it is bent"
    for again in (False, True):
        assert apart(composed(picture, displacement=displacement, again=again), expected) <= LEVELS_APART


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("across", "down"), [(1, 0), (-3, 0), (0, 2), (0, -7), (5, -4)])
def test_whole_pixels_are_moved_exactly(size: int, across: int, down: int, again: bool) -> None:
    picture = noise(size)
    expected = np.zeros_like(picture)
    rows, columns = np.arange(size) + down, np.arange(size) + across
    inside = np.ix_((rows >= 0) & (rows < size), (columns >= 0) & (columns < size))
    taken = np.ix_(rows[(rows >= 0) & (rows < size)], columns[(columns >= 0) & (columns < size)])
    expected[inside] = picture[taken]
    assert np.array_equal(composed(picture, displacement=shift(across / size, down / size), again=again), expected)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("size", [256, 512])
def test_a_bent_picture_is_as_sharp_as_cubic_curves_make_it(size: int, again: bool) -> None:
    """Between two pixels a straight line would take half of a fine stripe's contrast."""
    picture = np.zeros((size, size, 4), np.uint8)
    picture[...] = np.array([0, 160, 255, 160], np.uint8)[np.arange(size) % 4][None, :, None]
    half, middle = shift(0.5 / size, 0.0), slice(64, 192)
    across, down = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    cubic = cv2.remap(picture, across + np.float32(0.5), down, cv2.INTER_CUBIC)
    sharp = composed(picture, displacement=half, again=again)[middle, middle].astype(np.float64)
    assert np.ptp(sharp) > 1.1 * np.ptp(reference(picture, IN_PLACE, half)[middle, middle])
    assert np.ptp(sharp) > 0.95 * np.ptp(cubic[middle, middle].astype(np.float64))


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_bent_again_it_looks_as_it_did_the_first_time(size: int) -> None:
    """Else a picture would change its look while the face hardly moves."""
    random = np.random.default_rng(3)
    coarse = random.integers(60, 200, (size // 4, size // 4, 4)).astype(np.uint8)
    coarse[..., 3] = 255
    picture = np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)
    picture[..., 3] = 255
    for share in (0.25, 0.5, 0.8):
        moved = shift(share / size, -share / size)
        first, second = (
            composed(picture, displacement=moved, again=again).astype(np.float64) for again in (False, True)
        )
        assert np.abs(first - second)[8:-8, 8:-8].mean() < 1.0
        assert apart(first[8:-8, 8:-8], second[8:-8, 8:-8]) <= 6


def test_the_serial_says_which_picture_it_is() -> None:
    """Of one that is bent a second time something is kept, and used from then on."""
    composer, first, second = Composer(), noise(64, 1), noise(64, 2)
    half = shift(0.5 / 64, 0.0)
    once = [composed(picture, displacement=half) for picture in (first, second)]
    kept = [composed(picture, displacement=half, again=True) for picture in (first, second)]

    def shown(picture: Picture, serial: int | None) -> Picture:
        return composer.compose(picture, everything(64), IN_PLACE, half, serial).copy()

    for picture, serial, expected in [
        (first, 7, once[0]), (first, 7, kept[0]), (first, 7, kept[0]), (second, 8, once[1]), (second, 8, kept[1]),
        (first, None, once[0]), (first, None, once[0]), (second, None, once[1]), (first, 7, once[0]),
        (first, 7, kept[0]), (second, 8, once[1]), (first, 7, once[0]),
    ]:  # fmt: skip
        assert np.array_equal(shown(picture, serial), expected)


# -- placed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [256, 300, 1024])
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_placing_alone_is_one_bilinear_warp(size: int, placement: Placement) -> None:
    picture = noise(size)
    expected = cv2.warpAffine(
        picture,
        placement.matrix(size),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    assert np.array_equal(composed(picture, placement), expected)


# -- bent and placed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_both_are_done_in_one_sampling(size: int, placement: Placement) -> None:
    picture, displacement = smooth(size), wavy(0.03)
    together = composed(picture, placement, displacement)
    expected = reference(picture, placement, displacement)
    assert apart(together, expected) <= LEVELS_APART
    assert apart(composed(picture, placement, displacement, again=True), expected) <= LEVELS_APART
    assert apart(together, composed(composed(picture, displacement=displacement), placement)) <= LEVELS_APART
    assert apart(together, composed(picture, placement)) > 2 * LEVELS_APART, "it is bent"
    assert apart(together, composed(picture, displacement=displacement)) > 2 * LEVELS_APART, "it is placed"


def test_it_is_bent_where_it_would_stand_and_placed_then() -> None:
    """The displacement belongs to the character and not to the screen: it goes where the avatar goes."""
    size, displacement = 256, shift(0.0, 0.0)
    displacement[:, : CELLS // 2] = (0.04, 0.0)
    picture = smooth(size)
    aside = Placement(right=0.25)
    expected = composed(composed(picture, displacement=displacement), aside)
    assert apart(composed(picture, aside, displacement), expected) <= LEVELS_APART


@pytest.mark.parametrize("placement", [IN_PLACE, Placement(right=0.02), *PLACEMENTS])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("again", [False, True])
def test_nothing_visible_is_cut_off(placement: Placement, seed: int, again: bool) -> None:
    """Only around what is visible is computed; that must be as if everything were."""
    random, size = np.random.default_rng(seed), 256
    left, top = (int(place) for place in random.integers(40, 150, 2))
    box = left, top, left + int(random.integers(1, 60)), top + int(random.integers(1, 60))
    picture, displacement = patch(size, box, seed), wavy(float(random.uniform(0.0, 0.1)), seed)
    found = composed(picture, placement, displacement, again=again)
    assert np.array_equal(found, composed(picture, placement, displacement, everything(size), again=again))
    expected = reference(picture, placement, displacement)
    seen = cv2.erode((expected[..., 3] > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (found[seen].max(axis=-1) > 0).mean() > 0.9, "nearly every pixel that has something shows something"
    assert found.astype(np.float64).sum() == pytest.approx(expected.sum(), rel=0.2)


@pytest.mark.parametrize("placement", [IN_PLACE, Placement(right=0.02), PLACED])
@pytest.mark.parametrize("box", [(0, 0, 90, 80), (170, 0, 256, 60), (0, 200, 256, 256), (0, 0, 256, 256)])
def test_at_the_edges_of_the_picture_nothing_is_cut_off_either(placement: Placement, box: Box) -> None:
    """Bent inwards, so that nothing leaves the picture."""
    size = 256
    across = -0.04 if box[0] == 0 and box[2] < size else 0.04 if box[0] > 0 else 0.0
    down = -0.04 if box[1] == 0 and box[3] < size else 0.04 if box[1] > 0 else 0.0
    picture, displacement = patch(size, box), shift(across, down)
    found = composed(picture, placement, displacement)
    assert np.array_equal(found, composed(picture, placement, displacement, everything(size)))
    assert found.any()


@pytest.mark.parametrize("placement", [IN_PLACE, PLACED])
def test_of_nothing_comes_nothing(placement: Placement) -> None:
    empty = np.zeros((64, 64, 4), np.uint8)
    composer = Composer()
    composer.compose(noise(64), everything(64), PLACED, wavy(0.05))
    assert not composer.compose(empty, visible_bands(empty), placement, wavy(0.05)).any()
    assert not composer.compose(empty, visible_bands(empty), PLACED).any()


@pytest.mark.parametrize("displacement", [None, wavy(0.03)])
def test_an_avatar_that_stands_outside_is_not_seen(displacement: Displacement | None) -> None:
    picture = patch(256, (60, 60, 120, 120))
    assert not composed(picture, Placement(right=0.9), displacement).any()


# -- edges ------------------------------------------------------------------------------------------------------------


COLOURS = [(255, 255, 255), (0, 0, 0), (40, 200, 250)]


def square(colour: tuple[int, int, int]) -> Picture:
    picture = np.zeros((256, 256, 4), np.uint8)
    picture[64:192, 64:192] = (*colour, 255)
    return picture


@pytest.mark.parametrize("colour", COLOURS)
def test_edges_keep_their_colour(colour: tuple[int, int, int]) -> None:
    """No dark or bright fringe: what is half covered has half of the colour, nowhere more than its alpha allows."""
    warped = composed(square(colour), Placement(1.03, 7.3, 0.0137, 0.0091)).astype(np.float64)
    alpha = warped[:, :, 3]
    assert ((alpha > 16) & (alpha < 240)).sum() > 200, "there are edges to be looked at"
    for channel, full in enumerate(colour):
        assert np.abs(warped[:, :, channel] - alpha * full / 255.0).max() <= 1.5
    assert (warped[:, :, :3].max(axis=2) <= alpha).all()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("placement", [IN_PLACE, Placement(1.03, 7.3, 0.0137, 0.0091)])
@pytest.mark.parametrize("colour", COLOURS)
def test_bent_edges_keep_their_colour(colour: tuple[int, int, int], placement: Placement, again: bool) -> None:
    """Cubic curves overshoot beside an edge. Alpha has no room for it there and colour has a little: no more than that,
    and where alpha has room, both stay together."""
    warped = composed(square(colour), placement, wavy(0.02), again=again).astype(np.float64)
    alpha = warped[:, :, 3]
    covered = (alpha > 16) & (alpha < 240)
    assert covered.sum() > 200, "there are edges to be looked at"
    for channel, full in enumerate(colour):
        assert np.abs(warped[:, :, channel] - alpha * full / 255.0)[covered].max() <= 2.5 + 0.1 * full
        assert np.abs(warped[:, :, channel] - alpha * full / 255.0).max() <= 2.5 + 0.2 * full
    assert (warped[:, :, :3].max(axis=2) <= alpha).all()


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("placement", [IN_PLACE, *PLACEMENTS])
@pytest.mark.parametrize("displacement", [None, shift(0.5 / 256, 0.37 / 256), wavy(0.03)])
def test_no_colour_is_above_its_alpha(placement: Placement, displacement: Displacement | None, again: bool) -> None:
    for seed in range(3):
        warped = composed(noise(256, seed), placement, displacement, again=again)
        assert (warped[:, :, :3].max(axis=2) <= warped[:, :, 3]).all()


def test_cubic_curves_alone_would_put_colour_above_alpha() -> None:
    picture = noise(256)
    across, down = np.meshgrid(np.arange(256, dtype=np.float32), np.arange(256, dtype=np.float32))
    cubic = cv2.remap(picture, across + np.float32(0.5), down, cv2.INTER_CUBIC)
    assert (cubic[:, :, :3].max(axis=2) > cubic[:, :, 3]).mean() > 0.01


@pytest.mark.parametrize("displacement", [None, shift(0.0, 0.0)])
def test_what_comes_in_from_outside_is_transparent(displacement: Displacement | None) -> None:
    warped = composed(np.full((64, 64, 4), 255, np.uint8), Placement(right=0.25), displacement)
    assert not warped[:, :15].any()
    assert (warped[:, 17:] == 255).all()


# -- a newer face -----------------------------------------------------------------------------------------------------


def painted(size: int, left: int, top: int, share: int = 0, height: int = 24, width: int = 32) -> FaceChange:
    """Soft towards its edges; more blue, less green. ``share``: of the old colours that goes in the middle."""
    soft = np.outer(np.hanning(height), np.hanning(width))[..., None]
    paint = soft * np.array([60.0, -40.0, 25.0 if share else 0.0, share])
    return FaceChange(np.rint(paint).astype(np.int16), left, top, size)


def over(picture: Picture, change: FaceChange) -> Picture:
    """The definition, on a picture of the size that the change is for."""
    made = picture.astype(np.float64)
    height, width = change.paint.shape[:2]
    shown = made[change.top : change.top + height, change.left : change.left + width, :3]
    paint = change.paint.astype(np.float64)
    shown[...] = shown * (1.0 - paint[..., 3:] / 255.0) + paint[..., :3]
    made[..., :3] = np.clip(made[..., :3], 0.0, made[..., 3:])
    return np.rint(made).astype(np.uint8)


def with_face(picture: Picture, placement: Placement, displacement: Displacement, change: FaceChange | None) -> Picture:
    made = Composer().compose(picture, visible_bands(picture), placement, displacement, change=change)
    return made.copy()


@pytest.mark.parametrize("share", [0, 200])
@pytest.mark.parametrize("size", SIZES)
def test_a_face_is_painted_where_the_picture_shows_it(size: int, share: int) -> None:
    change = painted(size, int(0.42 * size), int(0.4 * size), share)
    expected = over(smooth(size), change)
    assert apart(expected, smooth(size)) > 30
    assert apart(with_face(smooth(size), IN_PLACE, shift(0.0, 0.0), change), expected) <= LEVELS_APART


@pytest.mark.parametrize("share", [0, 200])
@pytest.mark.parametrize("placement", [IN_PLACE, *PLACEMENTS])
@pytest.mark.parametrize("size", [256, 1024])
def test_it_is_bent_and_placed_as_the_picture_is(size: int, placement: Placement, share: int) -> None:
    change = painted(size, int(0.42 * size), int(0.4 * size), share, size // 8, size // 6)
    expected = with_face(over(smooth(size), change), placement, wavy(0.03), None)
    assert apart(with_face(smooth(size), placement, wavy(0.03), change), expected) <= LEVELS_APART + 1


@pytest.mark.parametrize("size", [256, 1024])
def test_a_face_fits_pictures_of_every_size(size: int) -> None:
    """It is made for 512 pixels."""
    change = painted(512, 210, 200, 128, 80, 96)
    scaled = cv2.resize(change.paint, None, fx=size / 512, fy=size / 512, interpolation=cv2.INTER_LINEAR)
    own = FaceChange(np.asarray(scaled, np.int16), 210 * size // 512, 200 * size // 512, size)
    expected = over(smooth(size), own)
    assert apart(with_face(smooth(size), IN_PLACE, shift(0.0, 0.0), change), expected) <= LEVELS_APART + 1


@pytest.mark.parametrize("share", [0, 255])
@pytest.mark.parametrize("placement", [IN_PLACE, PLACED])
def test_a_face_leaves_alpha_alone_and_no_colour_is_above_it(placement: Placement, share: int) -> None:
    for seed in range(3):
        picture = patch(256, (30, 40, 220, 200), seed)
        change = painted(256, 10, 20, share, 160, 230)
        without = with_face(picture, placement, wavy(0.03), None)
        warped = with_face(picture, placement, wavy(0.03), change)
        assert np.array_equal(warped[..., 3], without[..., 3])
        assert (warped[..., :3].max(axis=2) <= warped[..., 3]).all()
        assert not np.array_equal(warped, without)


def test_round_a_face_not_a_pixel_changes() -> None:
    picture, change = noise(256), painted(256, 100, 90)
    without, warped = (with_face(picture, IN_PLACE, shift(0.0, 0.0), each) for each in (None, change))
    touched = np.argwhere((warped != without).any(axis=2))
    assert (touched.min(axis=0) >= (90, 100)).all()
    assert (touched.max(axis=0) < (90 + 24, 100 + 32)).all()
    nothing = FaceChange(np.zeros_like(change.paint), 100, 90, 256)
    without, warped = (with_face(picture, IN_PLACE, wavy(0.02), each) for each in (None, nothing))
    assert np.array_equal(warped, without)


@pytest.mark.parametrize(("left", "top"), [(-20, -10), (250, 245), (400, 400), (-200, 60)])
def test_a_face_may_reach_out_of_the_picture(left: int, top: int) -> None:
    change = painted(256, left, top)
    warped = with_face(noise(256), IN_PLACE, shift(0.0, 0.0), change)
    canvas = np.zeros((1024, 1024, 4), np.uint8)
    canvas[300:556, 300:556] = noise(256)
    moved = FaceChange(change.paint, left + 300, top + 300, 1024)
    assert apart(warped, over(canvas, moved)[300:556, 300:556]) <= 1


def test_the_picture_that_is_bent_keeps_its_own_face() -> None:
    picture, composer = smooth(256), Composer()
    before = picture.copy()
    bands = visible_bands(picture)
    first = composer.compose(picture, bands, displacement=shift(0.0, 0.0), serial=3).copy()
    composer.compose(picture, bands, displacement=shift(0.0, 0.0), serial=3, change=painted(256, 100, 100, 90))
    assert np.array_equal(composer.compose(picture, bands, displacement=shift(0.0, 0.0), serial=3), first)
    assert np.array_equal(picture, before)


# -- the canvas -------------------------------------------------------------------------------------------------------


def test_every_second_pixel_of_the_canvas_is_the_picture_itself() -> None:
    picture, canvas = noise(64), FineCanvas()
    canvas.show(picture, visible_bands(picture), 1)
    assert canvas.step == 2
    assert np.array_equal(canvas.pixels[::2, ::2], picture)


def test_the_canvas_continues_a_slope_between_its_pixels() -> None:
    """Cubic curves through four pixels know straight lines."""
    picture, canvas = np.zeros((64, 64, 4), np.uint8), FineCanvas()
    picture[..., 0], picture[..., 1] = 2 * np.arange(64), 2 * np.arange(64)[:, None]
    picture[..., 3] = 255
    canvas.show(picture, visible_bands(picture), 1)
    inside = slice(4, -6)
    across, down = np.meshgrid(np.arange(128), np.arange(128))
    assert np.array_equal(canvas.pixels[inside, inside, 0], across[inside, inside])
    assert np.array_equal(canvas.pixels[inside, inside, 1], down[inside, inside])


def test_a_large_picture_is_its_own_canvas() -> None:
    canvas = FineCanvas()
    for serial, (size, step) in enumerate([(FINEST + 1, 1), (64, 2), (FINEST + 1, 1), (64, 2), (FINEST, 2)]):
        picture = noise(size)
        canvas.show(picture, visible_bands(picture), serial)
        assert canvas.step == step
        assert np.array_equal(canvas.pixels[::step, ::step], picture)


# -- buffers ----------------------------------------------------------------------------------------------------------

WORK: list[tuple[Placement, Displacement | None]] = [(PLACED, None), (IN_PLACE, wavy(0.05)), (PLACED, wavy(0.05))]


@pytest.mark.parametrize(("placement", "displacement"), WORK)
def test_the_source_is_never_written_and_the_result_never_made_anew(
    placement: Placement, displacement: Displacement | None
) -> None:
    composer, picture = Composer(), noise(64)
    before, wanted = picture.copy(), wavy(0.05)
    first = composer.compose(picture, visible_bands(picture), placement, displacement, 1)
    for _ in range(2):
        again = composer.compose(picture, visible_bands(picture), Placement(right=-0.1), displacement, 1)
        assert again is first
    assert np.array_equal(picture, before)
    assert displacement is None or np.array_equal(displacement, wanted)
    assert not np.shares_memory(first, picture)
    assert first.flags["C_CONTIGUOUS"]


def test_the_next_picture_has_nothing_left_of_the_last_one() -> None:
    small = patch(64, (30, 30, 34, 34))
    for placement, displacement in WORK:
        for placement_before, displacement_before in WORK:
            composer = Composer()
            composer.compose(noise(64), everything(64), placement_before, displacement_before)
            found = composer.compose(small, visible_bands(small), placement, displacement)
            assert np.array_equal(found, composed(small, placement, displacement))


def test_another_size_gets_a_picture_of_its_own() -> None:
    composer = Composer()
    for size in (64, 128, 300, 64):
        for placement, displacement in WORK:
            found = composer.compose(noise(size), everything(size), placement, displacement)
            assert np.array_equal(found, composed(noise(size), placement, displacement))


def test_sizes_that_come_and_go_keep_their_memory() -> None:
    """Super-resolution is switched on and off while live; having memory takes longer than bending."""
    composer, pictures = Composer(), [smooth(512), smooth(1024)]
    bands = [visible_bands(picture) for picture in pictures]
    composer.prepare(1024)
    tracemalloc.start()
    try:
        for number in range(5):
            if number == 1:
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
            composer.compose(pictures[number % 2], bands[number % 2], PLACED, wavy(0.05), number)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 300_000


@pytest.mark.parametrize("size", [512, 1024])
@pytest.mark.parametrize(("placement", "displacement"), WORK)
def test_after_the_first_picture_no_whole_one_is_made(
    size: int, placement: Placement, displacement: Displacement | None
) -> None:
    composer, pictures = Composer(), [smooth(size), patch(size, (90, 80, 400, 420))]
    work = [(picture, visible_bands(picture)) for picture in pictures]

    def compose_all(first_serial: int) -> None:
        for serial, (picture, bands) in enumerate(work, first_serial):
            for _ in range(3):
                composer.compose(picture, bands, placement, displacement, serial)

    compose_all(1)
    tracemalloc.start()
    try:
        compose_all(3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000
