"""The rim of a former background in pictures with transparency: found where there is one, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from models.base import Picture
from models.picture_import.fringe import BLACK, COLOURED, WHITE, clean_fringe, find_fringe

from .picture_import_pictures import character, composed, edge_error, placed

ALL = ("nocti", "mothlight", "lambda", "drawn", "stranded")


def with_halo(picture: Picture, old: tuple[int, int, int], strength: float = 1.0) -> Picture:
    """As programs save it that find alpha but leave the colours mixed with the old background."""
    left = (1.0 - picture[..., 3:] / 255.0) * strength
    colour = picture[..., :3] * (1.0 - left) + left * np.array(old)
    mixed = np.dstack([np.rint(colour), picture[..., 3]]).astype(np.uint8)
    mixed[mixed[..., 3] == 0] = 0
    return mixed


def cut_hard(picture: Picture, old: tuple[int, int, int]) -> Picture:
    """As a magic wand cuts: the mixed pixels of the edge stay, fully opaque."""
    hard = composed(picture, old)
    hard[..., 3] = np.where(picture[..., 3] > 100, 255, 0)
    return hard


@pytest.mark.parametrize("scale", [1.0, 0.6])
@pytest.mark.parametrize("name", ALL)
def test_clean_edges_are_left_alone(name: str, scale: float) -> None:
    side = round(512 * scale)
    assert find_fringe(placed(character(name), scale, 0, 0, side, side)) is None


@pytest.mark.parametrize("name", ALL)
def test_a_white_halo_is_found_and_taken_off(name: str) -> None:
    truth = character(name)
    haloed = with_halo(truth, (255, 255, 255))
    found = find_fringe(haloed)
    assert found is not None
    assert (found.kind, found.hard) == (WHITE, False)
    cleaned, pixels = clean_fringe(haloed, found)
    assert pixels > 300
    assert np.array_equal(cleaned[..., 3], truth[..., 3])
    assert edge_error(cleaned, truth) < 0.15 * edge_error(haloed, truth)


@pytest.mark.parametrize(
    ("old", "kind"), [((60, 220, 30), COLOURED), ((200, 120, 60), COLOURED), ((0, 0, 0), BLACK)], ids=str
)
def test_other_halos_are_found_where_nothing_outlines_the_figure(old: tuple[int, int, int], kind: str) -> None:
    truth = character("drawn")
    haloed = with_halo(truth, old)
    found = find_fringe(haloed)
    assert found is not None
    assert found.kind == kind
    assert np.abs(np.array(found.colour) - old).max() < 12
    assert edge_error(clean_fringe(haloed, found)[0], truth) < 0.15 * edge_error(haloed, truth)


@pytest.mark.parametrize("name", ["nocti", "mothlight"])
def test_a_green_halo_on_an_outlined_figure_gets_better(name: str) -> None:
    truth = character(name)
    haloed = with_halo(truth, (60, 220, 30))
    found = find_fringe(haloed)
    assert found is not None
    assert found.kind == COLOURED
    assert edge_error(clean_fringe(haloed, found)[0], truth) < 0.75 * edge_error(haloed, truth)


def test_half_a_halo_is_half_as_strong() -> None:
    found = find_fringe(with_halo(character("drawn"), (255, 255, 255), 0.55))
    assert found is not None
    assert found.kind == WHITE
    assert 0.4 < found.strength < 0.7


def test_a_hard_white_rim_becomes_a_soft_edge() -> None:
    truth = placed(character("drawn"), 2.0, 0, 0, 1024, 1024)
    hard = cut_hard(truth, (255, 255, 255))
    found = find_fringe(hard)
    assert found is not None
    assert (found.kind, found.hard) == (WHITE, True)
    cleaned, _ = clean_fringe(hard, found)
    assert edge_error(cleaned, truth) < 0.8 * edge_error(hard, truth)
    assert (cleaned[..., 3] <= hard[..., 3]).all()


@pytest.mark.parametrize("size", [1, 4, 30])
def test_small_pictures_have_no_rim(size: int) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (size, size, 4), dtype=np.uint8)
    found = find_fringe(picture)
    assert found is None or clean_fringe(picture, found)[0].shape == picture.shape
