"""Where the face is: descriptions are read strictly, pictures are read generously."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.errors import CharacterDescriptionBad
from core.wire.folders import CHARACTERS
from models.base import Picture
from models.character import load_character
from models.face_parts import EyePlace, FaceParts, FacePartsGiven, HeadBox, Point, find_face_parts

from ..data import data
from .drawn_character import PARTS, drawn_character

FULL: dict[str, Any] = {
    "head": [190, 60.5, 322, 195],
    "chin": [256, 191],
    "neck": [256, 205],
    "eye_left": {
        "centre": [280, 147],
        "half_width": 14,
        "half_height": 12,
        "iris": {"centre": [279, 148], "radius": [8, 10]},
    },
    "eye_right": {"centre": [232, 147], "iris": {"radius": 9}},
    "mouth": {"centre": [256, 175], "half_width": 7},
    "brow_left": {"centre": [280, 126], "half_width": 12, "half_height": 3},
    "brow_right": {"half_height": 4},
}


def test_a_description_is_read_as_it_stands() -> None:
    known = FaceParts.from_json(FULL)
    assert known.head == HeadBox(190.0, 60.5, 322.0, 195.0)
    assert known.chin == Point(256.0, 191.0)
    assert known.neck == Point(256.0, 205.0)
    assert known.eye_left.centre == Point(280.0, 147.0)
    assert (known.eye_left.iris, known.eye_left.iris_radius_x, known.eye_left.iris_radius_y) == (Point(279, 148), 8, 10)
    assert (known.eye_right.iris_radius_x, known.eye_right.iris_radius_y) == (9.0, 9.0)
    assert known.eye_right.half_width is None
    assert known.mouth.half_width == 7.0
    assert known.brow_right.half_height == 4.0
    assert known.brow_right.centre is None


@pytest.mark.parametrize("described", [None, {}, {"mouth": None, "eye_left": {}, "hat": 3}])
def test_everything_may_be_left_out(described: object) -> None:
    assert FaceParts.from_json(described) == FacePartsGiven()


@pytest.mark.parametrize(
    ("described", "field"),
    [
        ([], "parts"),
        ("face", "parts"),
        ({"head": [1, 2, 3]}, "parts.head"),
        ({"head": [200, 60, 210, 190]}, "parts.head"),
        ({"head": [300, 60, 200, 190]}, "parts.head"),
        ({"chin": [256, 900]}, "parts.chin"),
        ({"chin": [256, -1]}, "parts.chin"),
        ({"chin": [256, float("nan")]}, "parts.chin"),
        ({"chin": {"x": 1, "y": 2}}, "parts.chin"),
        ({"neck": ["256", "200"]}, "parts.neck"),
        ({"eye_left": 5}, "parts.eye_left"),
        ({"eye_left": {"centre": [True, 3]}}, "parts.eye_left.centre"),
        ({"eye_right": {"half_width": 0}}, "parts.eye_right.half_width"),
        ({"eye_right": {"half_height": 10**400}}, "parts.eye_right.half_height"),
        ({"eye_left": {"iris": {"radius": [1, 2, 3]}}}, "parts.eye_left.iris.radius"),
        ({"eye_left": {"iris": {"radius": "big"}}}, "parts.eye_left.iris.radius"),
        ({"eye_left": {"iris": []}}, "parts.eye_left.iris"),
        ({"mouth": {"half_width": 400}}, "parts.mouth.half_width"),
        ({"brow_left": {"centre": 7}}, "parts.brow_left.centre"),
    ],
)
def test_a_wrong_field_is_named(described: object, field: str) -> None:
    with pytest.raises(CharacterDescriptionBad) as caught:
        FaceParts.from_json(described)
    assert caught.value.parameters == {"field": field}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FULL, "iris", "radius"]), inner),
    max_leaves=12,
)


@given(_json)
def test_any_json_is_read_or_refused(described: object) -> None:
    try:
        FaceParts.from_json(described)
    except CharacterDescriptionBad as refused:
        assert str(refused.parameters["field"]).startswith("parts")


def _close(found: EyePlace, drawn: EyePlace) -> None:
    assert abs(found.centre.x - drawn.centre.x) < 2.5
    assert abs(found.centre.y - drawn.centre.y) < 2.5
    assert abs(found.half_width - drawn.half_width) < 3.0
    assert abs(found.half_height - drawn.half_height) < 3.0
    assert abs(found.iris.x - drawn.iris.x) < 2.0
    assert abs(found.iris_radius_x - drawn.iris_radius_x) < 2.0


def test_the_parts_of_a_drawn_face_are_found() -> None:
    found = find_face_parts(drawn_character())
    _close(found.eye_left, PARTS.eye_left)
    _close(found.eye_right, PARTS.eye_right)
    assert abs(found.mouth.centre.x - PARTS.mouth.centre.x) < 2.0
    assert abs(found.mouth.centre.y - PARTS.mouth.centre.y) < 3.0
    assert abs(found.mouth.half_width - PARTS.mouth.half_width) < 3.0
    assert abs(found.chin.y - PARTS.chin.y) < 3.0
    for brow, drawn in ((found.brow_left, PARTS.brow_left), (found.brow_right, PARTS.brow_right)):
        assert abs(brow.centre.x - drawn.centre.x) < 3.0
        assert abs(brow.centre.y - drawn.centre.y) < 3.0


def test_the_left_eye_is_on_the_right_side_of_the_picture() -> None:
    found = find_face_parts(drawn_character())
    assert found.eye_left.centre.x > 256 > found.eye_right.centre.x
    assert found.brow_left.centre.x > 256 > found.brow_right.centre.x


@pytest.mark.parametrize("name", ["mothlight", "nocti"])
def test_the_characters_we_ship_are_found_without_their_descriptions(name: str) -> None:
    character = load_character(name, CHARACTERS)
    drawn = find_face_parts(character.picture, FaceParts.from_json(character.parts))
    found = find_face_parts(character.picture)
    for side in ("eye_left", "eye_right"):
        eye, place = getattr(found, side), getattr(drawn, side)
        assert abs(eye.centre.x - place.centre.x) < 3.5
        assert abs(eye.centre.y - place.centre.y) < 3.5
        assert abs(eye.iris.x - place.iris.x) < 2.5
    assert abs(found.mouth.centre.y - drawn.mouth.centre.y) < 2.0
    assert abs(found.chin.y - drawn.chin.y) < 3.0


def test_a_face_with_glasses_and_an_open_mouth_is_found() -> None:
    file = data("models/tha4_student/lambda_00/character.png")
    picture = np.asarray(cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
    found = find_face_parts(picture)
    assert abs(found.eye_left.centre.x - 279.5) < 3.0
    assert abs(found.eye_right.centre.x - 232.0) < 3.0
    assert abs(found.mouth.centre.y - 173.0) < 3.0


def test_what_is_given_is_kept() -> None:
    found = find_face_parts(drawn_character(), FaceParts.from_json(FULL))
    assert found.head == HeadBox(190.0, 60.5, 322.0, 195.0)
    assert found.eye_left == EyePlace(Point(280, 147), 14, 12, Point(279, 148), 8, 10)
    assert found.eye_right.centre == Point(232, 147)
    assert (found.mouth.centre, found.mouth.half_width) == (Point(256, 175), 7)
    assert found.brow_right.half_height == 4
    assert find_face_parts(drawn_character(), FULL) == found


def test_a_darker_skin_is_skin_too() -> None:
    picture = drawn_character()
    picture[..., :3] = np.clip(picture[..., :3] * np.array([0.35, 0.45, 0.6]), 0, 255).astype(np.uint8)
    found = find_face_parts(picture)
    assert abs(found.eye_left.centre.x - PARTS.eye_left.centre.x) < 4.0
    assert abs(found.eye_left.centre.y - PARTS.eye_left.centre.y) < 4.0


def _strange() -> dict[str, Picture]:
    random = np.random.default_rng(3)
    drawn = drawn_character()
    blank = np.zeros((512, 512, 4), np.uint8)
    pixel, corner = blank.copy(), blank.copy()
    pixel[5, 7] = 255
    corner[400:510, 400:510] = cv2.resize(drawn, (110, 110))
    return {
        "blank": blank,
        "white": np.full((512, 512, 4), 255, np.uint8),
        "noise": random.integers(0, 256, (512, 512, 4), dtype=np.uint8),
        "one pixel": pixel,
        "small in a corner": corner,
        "upside down": np.ascontiguousarray(drawn[::-1]),
        "off to the side": np.ascontiguousarray(np.roll(drawn, (-90, 200), (0, 1))),
    }


@pytest.mark.parametrize("name", list(_strange()))
def test_no_picture_fails(name: str) -> None:
    found = find_face_parts(_strange()[name])
    assert found.head.right - found.head.left >= 32
    for eye in (found.eye_left, found.eye_right):
        assert np.isfinite([eye.centre.x, eye.centre.y, eye.half_width, eye.half_height, eye.iris.x, eye.iris.y]).all()
        assert eye.half_width > 0
        assert eye.iris_radius_x > 0
    assert found.eye_left.centre.x > found.eye_right.centre.x


def test_a_blank_picture_gets_the_usual_places() -> None:
    found = find_face_parts(np.zeros((512, 512, 4), np.uint8))
    usual = replace(found, head=HeadBox(192.0, 64.0, 320.0, 192.0))
    assert found == usual
    assert 120 < found.eye_left.centre.y < 165
    assert 160 < found.mouth.centre.y < 190
