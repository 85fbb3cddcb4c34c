"""Taking a figure off its background: it comes back close to what it was, and what cannot be done is said."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.base import Picture
from models.character import fit
from models.picture_import.background import BUSY, CHECKERBOARD, GRADIENT, PLAIN, find_background
from models.picture_import.checkerboard import Checkerboard, find_checkerboard
from models.picture_import.cutout import Cutout, cut_out
from models.picture_import.head import SURE, find_heads

from .picture_import_pictures import (
    GREEN,
    WHITE,
    alpha_error,
    before,
    character,
    checkerboard,
    composed,
    compressed,
    edge_error,
    placed,
)

OURS = ("nocti", "mothlight")


def cut(picture: Picture, open_holes: bool = True) -> Cutout:
    heads = [head for head in find_heads(picture) if head.sureness >= SURE]
    return cut_out(picture, find_background(picture), heads[0] if heads else None, open_holes)


@pytest.mark.parametrize(
    ("background", "kind"),
    [
        ("white", PLAIN),
        ("green", PLAIN),
        ("black", PLAIN),
        ("checkerboard", CHECKERBOARD),
        ("gradient", GRADIENT),
        ("vignette", GRADIENT),
        ("scenery", BUSY),
    ],
)
@pytest.mark.parametrize("quality", [None, 85])
def test_the_kind_of_background_is_told(background: str, kind: str, quality: int | None) -> None:
    picture = before(background, character("nocti"))
    found = find_background(picture if quality is None else compressed(picture, quality))
    assert found.kind == kind
    if kind != BUSY:
        assert found.vivid == (background == "green")


@pytest.mark.parametrize(
    ("field", "x", "y"), [(8.0, 2.0, 7.0), (16.0, 0.0, 0.0), (20.5, 3.25, 11.0), (31.0, 30.0, 1.0)]
)
@pytest.mark.parametrize(("light", "dark"), [(255, 204), (153, 102), (255, 239)])
def test_a_checkerboards_fields_are_measured(field: float, x: float, y: float, light: int, dark: int) -> None:
    painted = Checkerboard(field, x, y, (light,) * 3, (dark,) * 3).paint(600, 700)
    found = find_checkerboard(composed(placed(character("nocti"), 1.0, 90, 88, 600, 700), painted))
    assert found is not None
    assert abs(found.field - field) < 0.05
    assert (np.abs(found.paint(600, 700) - painted).max(axis=2) < 3).mean() > 0.95


@pytest.mark.parametrize("background", ["white", "green", "checkerboard", "gradient"])
@pytest.mark.parametrize("name", [*OURS, "lambda", "drawn", "stranded"])
def test_a_figure_comes_back_as_it_was(name: str, background: str) -> None:
    truth = character(name)
    result = cut(before(background, truth))
    assert result.refused is None
    assert alpha_error(result.picture, truth) < 1.1
    left = 0.2 if background == "green" else 0.35
    assert edge_error(result.picture, truth) < left * edge_error(before(background, truth), truth)
    assert not result.picture[result.picture[..., 3] == 0].any()


@pytest.mark.parametrize(
    ("name", "background"),
    [("nocti", "white"), ("nocti", "checkerboard"), ("mothlight", "green"), ("mothlight", "gradient")],
)
def test_compression_costs_a_little_only(name: str, background: str) -> None:
    truth = placed(character(name), 1.6, 100, 180, 1000, 1000)
    result = cut(compressed(before(background, truth), 88))
    assert result.refused is None
    assert alpha_error(fit(result.picture), fit(truth)) < 1.5


@pytest.mark.parametrize("background", ["white", "green"])
def test_thin_strands_stay_and_the_gaps_they_enclose_are_opened(background: str) -> None:
    truth = character("stranded")
    # twice as large, as pictures are that people make: a strand is three pixels wide
    truth = placed(truth, 2.0, 0, 0, 1024, 1024)
    result = cut(before(background, truth)).picture
    strands = (truth[..., 3] > 200) & (placed(character("drawn"), 2.0, 0, 0, 1024, 1024)[..., 3] == 0)
    around = cv2.boundingRect(strands.astype(np.uint8))
    window = slice(around[1], around[1] + around[3]), slice(around[0], around[0] + around[2])
    gaps = truth[window][..., 3] == 0
    assert (result[strands][:, 3] > 190).mean() > 0.98
    assert (result[window][..., 3][gaps] < 20).mean() > 0.93


def test_without_opening_holes_enclosed_places_stay() -> None:
    picture = before("green", character("stranded"))
    opened, closed = cut(picture), cut(picture, open_holes=False)
    assert opened.holes > 3
    assert closed.holes == 0
    assert int((closed.picture[..., 3] == 255).sum()) > int((opened.picture[..., 3] == 255).sum()) + 500


def test_eye_whites_and_white_clothes_are_not_taken_for_the_background() -> None:
    """On white, what the figure has in white itself must stay: it lies in the face, is shaded, or deep inside."""
    truth = character("mothlight")
    result = cut(before("white", truth)).picture
    solid = cv2.erode((truth[..., 3] == 255).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (result[solid][:, 3] < 200).mean() < 0.0005


def test_white_clothes_stay_on_a_checkerboard_although_half_its_fields_are_white() -> None:
    shirt = character("drawn")
    blue = (np.abs(shirt[..., :3].astype(int) - (150, 60, 60)).max(axis=2) < 30) & (shirt[..., 3] > 0)
    shirt[blue, :3] = 255
    contours, _ = cv2.findContours(blue.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shirt, contours, -1, (30, 30, 30, 255), 3)
    result = cut(composed(shirt, checkerboard(512, 512))).picture
    inside = cv2.erode(blue.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert (result[inside][:, 3] == 255).mean() > 0.98


def test_old_backgrounds_colour_is_gone_from_the_edge() -> None:
    """Half transparent pixels of a brown strand over green are brown afterwards, not greenish."""
    result = cut(before("green", placed(character("stranded"), 2.0, 0, 0, 1024, 1024))).picture
    edge = result[(result[..., 3] > 60) & (result[..., 3] < 200)][:, :3].astype(int)
    greenish = edge[:, 1] - np.maximum(edge[:, 0], edge[:, 2])
    assert (greenish > 30).mean() < 0.02


def test_green_clothes_stay_on_a_green_screen() -> None:
    truth = character("drawn")
    blue = (np.abs(truth[..., :3].astype(int) - (150, 60, 60)).max(axis=2) < 30) & (truth[..., 3] > 0)
    truth[blue, :3] = (40, 130, 25)
    result = cut(composed(truth, GREEN)).picture
    assert (result[blue & (truth[..., 3] == 255)][:, 3] > 230).mean() > 0.98


def test_a_rich_background_is_left_and_said_so() -> None:
    picture = before("scenery", character("nocti"))
    result = cut(picture)
    assert result.refused == "cutout_busy"
    assert result.picture is picture


def test_nothing_but_background_is_refused() -> None:
    result = cut(np.full((300, 300, 4), 255, np.uint8))
    assert result.refused == "cutout_empty"
    assert (result.picture == 255).all()


def test_a_face_that_would_go_with_the_background_is_refused() -> None:
    truth = character("drawn")
    skin = (220, 232, 252)
    # a close-up: its skin reaches the border, and the background has its colour
    picture = composed(truth, skin)[96:208, 190:322]
    picture = np.ascontiguousarray(cv2.resize(picture, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR))
    picture[:40], picture[:, :30], picture[:, -30:] = (*skin, 255), (*skin, 255), (*skin, 255)
    picture[60:300, :120] = picture[60:300, -120:] = (*skin, 255)
    result = cut(picture)
    assert result.refused in ("cutout_face", "cutout_unclear")
    assert result.picture is picture


def test_a_figure_of_the_backgrounds_own_colour_is_refused() -> None:
    picture = np.full((400, 400, 4), 255, np.uint8)
    y, x = np.mgrid[:400, :400]
    # a ghost: its white fades into the background's
    ghost = np.clip(1.4 - np.hypot(x - 200, y - 220) / 110, 0, 1) * 14
    picture[..., :3] -= ghost.astype(np.uint8)[..., None]
    assert cut(picture).refused in ("cutout_unclear", "cutout_empty")


def test_a_figure_that_touches_three_edges_is_cut_too() -> None:
    truth = placed(character("nocti"), 2.2, -300, -90, 700, 560)
    for colour in (WHITE, GREEN):
        result = cut(composed(truth, colour))
        assert result.refused is None
        assert alpha_error(result.picture, truth) < 2.0
