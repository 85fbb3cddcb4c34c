"""Colours beyond the silhouette: no black reaches a network, and what comes back has a clean alpha."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.base import Picture
from models.upscale.colour import Bleeding, Cutting, Enlarging

from .upscale_networks import disc, is_clean, noise

GREY = (128, 128, 128)
COLOURS = [GREY, (255, 255, 255), (0, 0, 0), (20, 120, 250)]


def bled(picture: Picture) -> Picture:
    return Bleeding(*picture.shape[:2])(picture).copy()


@pytest.mark.parametrize("colour", COLOURS)
def test_one_colour_goes_on_everywhere(colour: tuple[int, int, int]) -> None:
    found = bled(disc(colour))
    assert np.abs(found[..., :3].astype(int) - colour).max() <= 3
    assert (found[..., 3] == 255).all()


def test_the_nearest_colour_goes_on() -> None:
    picture = np.zeros((512, 512, 4), np.uint8)
    picture[200:300, 200:256] = (0, 0, 255, 255)
    picture[200:300, 256:312] = (255, 0, 0, 255)
    found = bled(picture)[250].astype(int)
    assert (found[200:255] == (0, 0, 255, 255)).all(), "opaque pixels are left alone"
    for distance, most in ((1, 24), (4, 48), (8, 80)):
        assert np.abs(found[200 - distance] - (0, 0, 255, 255)).max() <= most
        assert np.abs(found[311 + distance] - (255, 0, 0, 255)).max() <= most


def test_far_away_is_the_mean_colour() -> None:
    picture = np.zeros((512, 512, 4), np.uint8)
    picture[200:300, 200:300] = (40, 80, 160, 255)
    picture[200:300, 300:400] = (80, 80, 80, 255)
    assert np.abs(bled(picture)[0, 0].astype(int) - (60, 80, 120, 255)).max() <= 2


def test_half_transparent_pixels_are_mixed_with_what_is_around_them() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:, :32] = (200, 200, 200, 255)
    picture[:, 32] = (64, 64, 64, 128)
    assert 128 < bled(picture)[32, 32, 0] < 200


def test_opaque_pictures_are_left_alone() -> None:
    picture = noise()
    picture[..., 3] = 255
    assert np.array_equal(bled(picture), picture)


def test_the_alpha_is_told_and_nothing_is_left_of_the_picture_before() -> None:
    bleeding, picture = Bleeding(512, 512), disc((10, 200, 30))
    bleeding(noise())
    first = bleeding(picture)
    assert np.array_equal(bleeding.alpha, picture[..., 3])
    assert np.array_equal(first, bled(picture))
    assert bleeding(picture) is first or np.shares_memory(bleeding(picture), first), "no picture is made anew"


@pytest.mark.parametrize("size", [(16, 16), (48, 304), (496, 16)])
def test_every_box_can_be_filled(size: tuple[int, int]) -> None:
    picture = np.ascontiguousarray(noise()[: size[0], : size[1]])
    assert bled(picture).shape == (*size, 4)
    assert not bled(np.zeros((*size, 4), np.uint8))[..., :3].any()


def test_what_is_cut_out_has_the_alpha_enlarged_by_cubic_interpolation() -> None:
    picture = disc(GREY)
    straight = np.full((1024, 1024, 4), 90, np.uint8)
    cut = Cutting(512, 512)(straight, np.ascontiguousarray(picture[..., 3]))
    expected = cv2.resize(picture[..., 3], (1024, 1024), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(cut[..., 3], expected)
    assert is_clean(cut, (90, 90, 90), 0.1)


def test_plainly_enlarged_pictures_stay_premultiplied() -> None:
    enlarged = Enlarging(512, 512)(noise())
    assert enlarged.shape == (1024, 1024, 4)
    assert (enlarged[..., :3].max(axis=2) <= enlarged[..., 3]).all()
    small = Enlarging(512, 512)(noise()[:64, :32])
    assert np.array_equal(small[:100, :40], enlarged[:100, :40])
