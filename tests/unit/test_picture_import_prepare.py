"""From a picture to a character's picture: what comes out is close to the truth, and every step is told or left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache

import cv2
import numpy as np
import pytest

from models.base import Picture
from models.face_parts import find_face_parts
from models.picture_import import Choices, examine, prepare, report_picture
from models.picture_import.framing import FRAME
from models.picture_import.notes import Note, percent
from models.picture_import.sentences import DONE, FOUND, done, found

from .picture_import_pictures import (
    GREEN,
    WHITE,
    alpha_error,
    before,
    character,
    composed,
    compressed,
    placed,
)

KEEP = Choices(False, False, False, False, False, False, False, False)


def keys(notes: tuple[Note, ...]) -> list[str]:
    return [note.key for note in notes]


def number(notes: tuple[Note, ...], key: str, name: str) -> float:
    return next(note.numbers[name] for note in notes if note.key == key)


# -- the whole way --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "background"),
    [
        ("nocti", "white"),
        ("nocti", "green"),
        ("nocti", "checkerboard"),
        ("mothlight", "white"),
        ("mothlight", "green"),
        ("mothlight", "checkerboard"),
        ("mothlight", "gradient"),
        ("lambda", "white"),
        ("lambda", "vignette"),
    ],
)
def test_a_character_over_a_background_off_its_place_comes_back(name: str, background: str) -> None:
    truth = character(name)
    picture = before(background, placed(truth, 1.5, 120, 232, 1000, 1000))
    result = prepare(picture)
    assert {"background_removed", "fitted"} <= set(keys(result.notes))
    eyes = [find_face_parts(shown).eye_left.centre for shown in (result.picture, truth)]
    assert np.hypot(eyes[0].x - eyes[1].x, eyes[0].y - eyes[1].y) < 4.0
    head = result.head
    assert head is not None
    assert np.abs(np.array([head.left, head.top, head.right, head.bottom]) - (192, 63, 320, 191)).max() < 4.0
    assert alpha_error(result.picture, truth) < 6.0
    assert (result.picture[-1, :, 3] > 200).any(), "stands on the bottom edge"
    assert not result.picture[result.picture[..., 3] == 0].any()


@pytest.mark.parametrize("name", ["nocti", "mothlight", "lambda"])
def test_a_character_that_is_right_already_is_not_touched(name: str) -> None:
    truth = character(name)
    result = prepare(truth)
    assert keys(result.notes) == ["fit_kept"]
    assert np.array_equal(result.picture, truth)


def test_a_large_figure_comes_back_through_jpeg_too() -> None:
    truth = character("nocti")
    picture = compressed(composed(placed(truth, 3.0, 250, 512, 2048, 2048), WHITE), 90)
    result = prepare(picture)
    assert {"background_removed", "fitted"} <= set(keys(result.notes))
    assert alpha_error(result.picture, truth) < 4.0


def test_a_picture_made_much_larger_says_so() -> None:
    picture = composed(placed(character("nocti"), 0.3, 700, 500, 653, 1024), WHITE)
    seen = examine(picture)
    result = prepare(picture, findings=seen)
    assert "head_small" in keys(seen.notes)
    assert 300 < number(result.notes, "enlarged", "percent") < 370
    assert abs(number(seen.notes, "head_small", "pixels") - 38) < 3


# -- standing on the bottom edge ------------------------------------------------------------------------------------


def test_a_short_figure_is_made_larger_and_lower_but_not_cut_off() -> None:
    short = character("nocti")[:460]
    result = prepare(np.ascontiguousarray(short))
    assert "stretched_to_bottom" in keys(result.notes)
    assert "gap_left" not in keys(result.notes)
    assert (result.picture[-1, :, 3] > 200).any()
    assert 0 < number(result.notes, "stretched_to_bottom", "percent") <= 30
    assert result.head is not None
    assert result.head.bottom < 224


def test_a_bust_keeps_its_head_in_place_and_the_gap_is_told() -> None:
    bust = np.ascontiguousarray(character("nocti")[:300])
    result = prepare(bust)
    head = result.head
    assert head is not None
    assert np.abs(np.array([head.left, head.top, head.right, head.bottom]) - (192, 63, 320, 191)).max() < 4.0
    gap = number(result.notes, "gap_left", "pixels")
    rows = np.flatnonzero(result.picture[..., 3].max(axis=1) > 128)
    assert abs(512 - (rows[-1] + 1) - gap) <= 2


def test_a_figure_without_a_head_is_fitted_whole() -> None:
    picture = np.zeros((300, 900, 4), np.uint8)
    picture[100:200, 50:850] = (20, 40, 200, 255)
    result = prepare(picture)
    if "fitted_whole" in keys(result.notes):
        assert result.head is None
    rows = np.flatnonzero(result.picture[..., 3].any(axis=1))
    assert rows[-1] == 511


# -- steps ----------------------------------------------------------------------------------------------------------


def test_with_every_step_off_only_the_size_changes() -> None:
    picture = composed(placed(character("nocti"), 1.5, 120, 232, 1000, 1000), WHITE)
    result = prepare(picture, KEEP)
    assert result.notes == ()
    assert (result.picture[..., 3] == 255).all()
    smaller = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_AREA)
    assert np.abs(result.picture.astype(int) - smaller).max() <= 1


@cache
def spoilt() -> Picture:
    """Two figures, off their place, with a white halo, specks, and colour where nothing is visible."""
    canvas = placed(character("drawn"), 0.8, 0, 130, 540, 860)
    other = placed(character("nocti"), 0.8, 430, 130, 540, 860)
    canvas = np.where(other[..., 3:] > 0, other, canvas)
    left = 1.0 - canvas[..., 3:] / 255.0
    canvas[..., :3] = np.rint(canvas[..., :3] * (1 - left) + 255 * left)
    canvas[20:23, 30:33] = (0, 0, 255, 255)
    return np.ascontiguousarray(canvas)


STEPS: dict[str, tuple[str, Callable[[], Picture]]] = {
    "remove_background": ("background_removed", lambda: composed(character("drawn"), WHITE)),
    "clean_fringe": ("fringe_cleaned", spoilt),
    "remove_specks": ("specks_removed", spoilt),
    "one_figure": ("others_removed", spoilt),
    "alpha_curve": ("curve_applied", spoilt),
    "fit": ("fitted", spoilt),
    "clear_hidden_colour": ("hidden_cleared", spoilt),
}
"""The note that each step writes, and a picture that needs the step."""


def test_every_step_is_tried() -> None:
    assert {field.name for field in fields(Choices)} == {*STEPS, "open_holes"}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_off_writes_nothing(step: str) -> None:
    key, picture = STEPS[step]
    result = prepare(picture(), replace(Choices(alpha_curve=True), **{step: False}))
    assert key not in keys(result.notes)


def test_every_step_that_is_on_is_told() -> None:
    told = keys(prepare(spoilt(), Choices(alpha_curve=True)).notes) + keys(
        prepare(STEPS["remove_background"][1]()).notes
    )
    assert {key for key, _ in STEPS.values()} <= set(told)


def test_holes_stay_closed_when_they_shall() -> None:
    picture = before("green", character("stranded"))
    opened, closed = prepare(picture), prepare(picture, Choices(open_holes=False))
    assert number(opened.notes, "background_removed", "holes") > 0
    assert number(closed.notes, "background_removed", "holes") == 0


def test_specks_and_dust_go_and_ornaments_stay() -> None:
    picture = character("nocti").copy()
    picture[20:24, 30:34] = (0, 0, 255, 255)
    picture[100:120, 40:60] = (0, 200, 255, 255)
    picture[300:400, 440:500, 3] = 2
    seen = examine(picture)
    result = prepare(picture, findings=seen)
    assert (seen.specks, seen.faint_pixels) == (1, 6000)
    assert not result.picture[18:26, 28:36].any()
    assert (result.picture[102:118, 42:58, 3] == 255).all()
    assert not result.picture[300:400, 460:500].any()


def test_the_alpha_curve_is_a_straight_line_between_its_ends() -> None:
    picture = character("drawn").copy()
    levels = (40, 60, 95, 130, 165, 200, 230)
    for index, level in enumerate(levels):
        picture[400 + 4 * index : 404 + 4 * index, 240:270, 3] = level
    result = prepare(picture, replace(KEEP, alpha_curve=True))
    got = [int(result.picture[402 + 4 * index, 255, 3]) for index in range(len(levels))]
    assert got == [0, 0, 64, 128, 191, 255, 255]


def test_of_two_figures_apart_the_surer_one_is_kept() -> None:
    both = np.zeros((512, 1100, 4), np.uint8)
    both[:, :512] = character("nocti")
    both[:, 588:] = character("mothlight")
    seen = examine(both)
    result = prepare(both, findings=seen)
    assert number(seen.notes, "several_figures", "count") == 2
    assert "others_removed" in keys(result.notes)
    assert min(alpha_error(result.picture, character(name)) for name in ("nocti", "mothlight")) < 6.0


# -- what cannot be done --------------------------------------------------------------------------------------------


def test_nothing_visible_stays_nothing() -> None:
    picture = np.zeros((200, 300, 4), np.uint8)
    picture[..., :3] = 90
    result = prepare(picture)
    assert keys(examine(picture).notes)[-1] == "nothing_visible"
    assert keys(result.notes) == ["nothing_visible"]
    assert not result.picture.any()


def test_a_rich_background_stays_and_the_head_is_fitted_all_the_same() -> None:
    picture = before("scenery", placed(character("nocti"), 1.5, 120, 232, 1000, 1000))
    result = prepare(picture)
    assert keys(result.notes)[0] == "cutout_busy"
    assert result.head is not None


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 2), (2, 1), (1, 8192), (8192, 1), (2, 3000), (3, 700), (13, 13), (40, 30)]
)
@pytest.mark.parametrize("kind", ["noise", "soft noise", "half"])
def test_any_shape_of_picture_gives_a_result_and_a_report(height: int, width: int, kind: str) -> None:
    picture = np.full((height, width, 4), 255, np.uint8)
    random = np.random.default_rng(4)
    if kind == "noise":
        picture[..., :3] = random.integers(0, 256, (height, width, 3))
    elif kind == "soft noise":
        picture[:] = random.integers(0, 256, (height, width, 4))
    elif kind == "half":
        picture[: height // 2] = 0
    seen = examine(picture)
    result = prepare(picture, findings=seen)
    assert result.picture.shape == (512, 512, 4)
    assert result.picture.dtype == np.uint8
    assert report_picture(picture, result, seen).shape == (640, 1200, 4)
    for note in seen.notes:
        assert found(note)
    for note in result.notes:
        assert done(note)


# -- findings and report --------------------------------------------------------------------------------------------


def test_findings_of_a_good_picture_are_all_good() -> None:
    seen = examine(character("nocti"))
    assert keys(seen.notes) == ["transparency_real", "head_found", "frame_fits"]
    assert seen.offset is not None
    assert seen.offset.fits
    assert (seen.width, seen.height, seen.alpha, seen.background) == (512, 512, "real", None)


def test_findings_say_how_far_the_head_is_off_and_what_is_behind() -> None:
    seen = examine(composed(placed(character("nocti"), 1.5, 120, 232, 1000, 1000), GREEN))
    assert keys(seen.notes) == ["no_transparency", "background_plain", "head_found", "frame_off"]
    assert dict(seen.notes[1].numbers) == {"red": 30, "green": 220, "blue": 60}
    assert abs(seen.notes[3].numbers["percent"] - 130) <= 4
    assert abs(seen.notes[3].numbers["down"] + 74) <= 4
    head = seen.head
    assert head is not None
    assert abs(head.centre_x - (120 + 1.5 * 256)) < 6
    json = seen.as_json()
    assert json["background"] == "plain"
    assert json["figures"] == 1


def test_a_see_through_figure_and_hidden_colour_are_told() -> None:
    picture = character("nocti").copy()
    picture[..., 3] //= 2
    picture[:10, :10, :3] = 7
    seen = examine(picture)
    assert abs(number(seen.notes, "figure_translucent", "percent") - 50) <= 1
    assert number(seen.notes, "hidden_colour", "percent") == 1


def test_the_report_shows_both_pictures_the_frame_and_the_head() -> None:
    picture = composed(placed(character("nocti"), 1.5, 120, 232, 1000, 1000), GREEN)
    seen = examine(picture)
    result = prepare(picture, findings=seen)
    report = report_picture(picture, result, seen)
    assert report.shape == (640, 1200, 4)
    assert (report[..., 3] == 255).all()
    left, right = report[:, :600, :3].astype(int), report[:, 600:, :3].astype(int)
    greenish = [(np.abs(side - GREEN).max(axis=2) < 6).mean() for side in (left, right)]
    assert greenish[0] > 0.4
    assert greenish[1] < 0.01
    orange = [(np.abs(side - (40, 150, 255)).max(axis=2) < 4).sum() for side in (left, right)]
    assert min(orange) > 300, "the head is drawn in both"
    assert (np.abs(right - (255, 170, 60)).max(axis=2) < 4).sum() > 100, "the frame's swatch, at least"


def test_the_frame_is_where_the_networks_look() -> None:
    assert (FRAME.left, FRAME.top, FRAME.right, FRAME.bottom) == (192.0, 64.0, 320.0, 192.0)


def test_percents_are_nothing_and_everything_only_when_they_are() -> None:
    assert [percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)] == [0, 1, 50, 99, 100]


def test_every_sentence_ends_and_names_only_numbers() -> None:
    for table in (FOUND, DONE):
        for key, sentence in table.items():
            assert key == key.lower()
            assert sentence.endswith(".")
            numbers = dict.fromkeys(("percent", "pixels", "count", "holes", "right", "down", "red", "green", "blue"), 7)
            assert "{" not in sentence.format(**numbers, width=7, height=7)
