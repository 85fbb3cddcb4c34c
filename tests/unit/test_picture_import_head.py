"""Finding the head: at any size and place, with and without a background, drawn in any colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.base import Picture
from models.picture_import.head import SURE, FoundHead, find_heads

from .picture_import_pictures import GREEN, WHITE, character, composed, placed

ALL = ("nocti", "mothlight", "lambda", "drawn")
WHERE_IT_IS = (192.0, 63.0, 320.0, 191.0)


def corners(head: FoundHead) -> tuple[float, float, float, float]:
    return head.box.left, head.box.top, head.box.right, head.box.bottom


def recoloured(picture: Picture, hue: int, saturation: float, value: float) -> Picture:
    tones = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2HSV).astype(np.float32)
    tones[..., 0] = (tones[..., 0] + hue) % 180
    tones[..., 1:] = np.clip(tones[..., 1:] * (saturation, value), 0, 255)
    colour = cv2.cvtColor(np.rint(tones).astype(np.uint8), cv2.COLOR_HSV2BGR)
    return np.dstack([colour, picture[..., 3]])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("scale", "right", "down", "height", "width"),
    [
        (1.0, 0, 0, 512, 512),
        (0.5, 100, 37, 293, 640),
        (2.0, -100, 50, 1074, 900),
        (3.0, -500, -60, 700, 700),
        (0.3, 700, 500, 653, 1024),
        (4.0, 0, 0, 2048, 2048),
    ],
    ids=["as it is", "half", "twice", "close", "tiny", "2048"],
)
def test_a_head_is_found_wherever_it_is(
    name: str, scale: float, right: int, down: int, height: int, width: int
) -> None:
    heads = find_heads(placed(character(name), scale, right, down, height, width))
    assert len(heads) == 1
    assert heads[0].sureness >= SURE
    back = [(value - shift) / scale for value, shift in zip(corners(heads[0]), (right, down) * 2, strict=True)]
    assert np.abs(np.array(back) - WHERE_IT_IS).max() < 8.0
    assert abs((heads[0].eyes_y - down) / scale - 148.0) < 5.0


@pytest.mark.parametrize("colour", [WHITE, GREEN], ids=["white", "green"])
@pytest.mark.parametrize("name", ALL)
def test_a_head_is_found_before_its_background_is_gone(name: str, colour: tuple[int, int, int]) -> None:
    heads = find_heads(composed(placed(character(name), 2.0, -100, 50, 1074, 900), colour))
    assert heads[0].sureness >= SURE
    assert abs(heads[0].centre_x - 412.0) < 12.0
    assert abs(heads[0].box.bottom - 432.0) < 30.0


@pytest.mark.parametrize("name", ["nocti", "mothlight", "drawn"])
@pytest.mark.parametrize(
    ("hue", "saturation", "value"), [(60, 1.0, 1.0), (120, 1.0, 1.0), (0, 0.0, 1.0), (0, 1.0, 0.55), (0, 1.6, 1.0)]
)
def test_skin_may_have_any_colour(name: str, hue: int, saturation: float, value: float) -> None:
    heads = find_heads(recoloured(character(name), hue, saturation, value))
    assert heads[0].sureness >= SURE
    assert np.abs(np.array(corners(heads[0])) - WHERE_IT_IS).max() < 14.0


@pytest.mark.parametrize("rows", [215, 300])
@pytest.mark.parametrize("name", ALL)
def test_a_bust_and_a_head_alone_are_found_too(name: str, rows: int) -> None:
    heads = find_heads(np.ascontiguousarray(character(name)[:rows]))
    assert heads[0].sureness >= SURE
    assert np.abs(np.array(corners(heads[0])) - WHERE_IT_IS).max() < 8.0


def test_two_figures_have_two_heads() -> None:
    both = placed(character("nocti"), 1.0, 0, 0, 512, 1000)
    both[:, 450:962] = np.where(character("mothlight")[..., 3:] > 0, character("mothlight"), both[:, 450:962])
    heads = find_heads(both)
    assert len(heads) == 2
    assert sorted(round(head.centre_x / 10) for head in heads) == pytest.approx([26, 71], abs=1)


def test_without_a_face_the_outline_is_asked() -> None:
    """A grey figure, seen from behind: a ball of a head on a neck on shoulders."""
    picture = np.zeros((600, 400, 4), np.uint8)
    cv2.circle(picture, (200, 120), 60, (90, 90, 90, 255), -1)
    cv2.rectangle(picture, (185, 170), (215, 210), (90, 90, 90, 255), -1)
    cv2.rectangle(picture, (110, 205), (290, 600), (90, 90, 90, 255), -1)
    heads = find_heads(picture)
    assert len(heads) == 1
    assert heads[0].sureness < SURE
    assert abs(heads[0].centre_x - 200) < 5
    assert abs(heads[0].box.top - 60) < 12
    assert abs(heads[0].box.bottom - 185) < 30


def test_nothing_has_no_head() -> None:
    assert find_heads(np.zeros((100, 100, 4), np.uint8)) == []
    assert find_heads(np.full((300, 300, 4), 255, np.uint8)) == []


def test_heads_move_and_grow_with_their_picture() -> None:
    head = find_heads(character("drawn"))[0]
    again = head.scaled(2.0).moved(10.0, -5.0).moved(-10.0, 5.0).scaled(0.5)
    assert corners(again) == pytest.approx(corners(head))
    assert again.eyes_y == pytest.approx(head.eyes_y)
    assert head.scaled(3.0).height == pytest.approx(3.0 * head.height)
