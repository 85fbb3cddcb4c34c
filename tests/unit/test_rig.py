"""The built-in rig: at rest it is the picture, every value moves what it should, and nothing ever tears."""

from __future__ import annotations

import functools
import json
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import rig as benchmark
from benchmarks import rig_sheet
from core.pose.parameters import MAXIMUM, MINIMUM, POSE_SIZE, Pose, PoseVector, mirror, neutral
from core.wire.folders import CHARACTERS
from models.base import Picture
from models.character import load_character
from models.face_parts import FaceParts, find_face_parts
from models.motion import CELLS
from models.rig import Rig
from models.rigging.mouth_shapes import MouthValues
from tests.contract.fake_outputs import LIMIT_S

from ..data import data
from .bent import bent, error
from .drawn_character import HAIR, INK, IRIS, MOUTH, PARTS, SKIN, coloured, drawn_character

SIDES = ("_LEFT", "_RIGHT")


@functools.cache
def _picture(name: str) -> tuple[Picture, FaceParts | None]:
    if name == "drawn":
        return drawn_character(), PARTS
    if name == "lambda_00":
        file = data("models/tha4_student/lambda_00/character.png")
        decoded = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        return np.asarray(decoded, np.uint8), None
    character = load_character(name, CHARACTERS)
    return character.picture, find_face_parts(character.picture, FaceParts.from_json(character.parts))


@functools.cache
def _rig(name: str = "drawn", size: int = 512) -> Rig:
    picture, parts = _picture(name)
    return Rig(picture, size, parts)


def _pose(**values: float) -> PoseVector:
    pose = neutral()
    for name, value in values.items():
        for index in Pose:
            if index.name in (name, *(name + side for side in SIDES)):
                pose[index] = value
    return pose


def _drawn(pose: PoseVector, name: str = "drawn", size: int = 512) -> Picture:
    out = np.full((size, size, 4), 77, np.uint8)
    _rig(name, size).render(pose, out)
    return out


def _random_poses(count: int, seed: int = 5) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return random.uniform(MINIMUM, MAXIMUM, (count, POSE_SIZE)).astype(np.float32)


def _premultiplied(picture: Picture) -> NDArray[np.float64]:
    exact = picture.astype(np.float64)
    exact[..., :3] *= exact[..., 3:] / 255.0
    return exact


def _centroid(mask: NDArray[np.bool_]) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    assert len(rows) > 0
    return float(columns.mean()), float(rows.mean())


def _irises(picture: Picture) -> tuple[tuple[float, float], tuple[float, float]]:
    """Centroids of the iris in the picture's left and right half (the character's right and left eye)."""
    mask = coloured(picture, IRIS)
    left, right = mask.copy(), mask.copy()
    left[:, 256:] = False
    right[:, :256] = False
    return _centroid(left), _centroid(right)


def _around(picture: Picture, x: float, y: float, half_width: float, half_height: float) -> Picture:
    return picture[round(y - half_height) : round(y + half_height), round(x - half_width) : round(x + half_width)]


def _ink_row(picture: Picture, x: float, y: float, reach: float) -> float:
    """The row, relative to the first one, of the darkest stroke in a narrow column around (x, y)."""
    column = _around(picture, x, y, 1.5, reach).astype(np.float64)[..., :3].sum(axis=2).mean(axis=1)
    weight = np.clip(column.max() - column - 0.5 * np.ptp(column), 0, None)
    return float((weight * np.arange(len(column))).sum() / weight.sum())


# At rest


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti", "lambda_00"])
def test_at_rest_it_is_the_picture(name: str) -> None:
    picture, _ = _picture(name)
    away = np.abs(_drawn(neutral(), name) - _premultiplied(picture))
    assert away.max() <= 2
    assert away.mean() < 0.1


@pytest.mark.parametrize("size", [256, 300, 384, 512, 640, 700, 768, 1000, 1024])
def test_every_size_shows_the_same_picture(size: int) -> None:
    picture, _ = _picture("drawn")
    shown = cv2.resize(_drawn(neutral(), size=size), (256, 256), interpolation=cv2.INTER_AREA).astype(np.float64)
    wanted = cv2.resize(_premultiplied(picture), (256, 256), interpolation=cv2.INTER_AREA)
    assert np.abs(shown - wanted).mean() < 1.0
    turned = _drawn(_pose(HEAD_Y=1.0, NECK_Z=-1.0, MOUTH_AAA=1.0, EYE_WINK=1.0), size=size)
    assert turned.shape == (size, size, 4)
    assert (turned[..., :3].max(axis=2) <= turned[..., 3]).all()


def test_a_wrong_picture_or_size_is_refused() -> None:
    picture, parts = _picture("drawn")
    with pytest.raises(ValueError, match="512"):
        Rig(picture[:256], 512, parts)
    with pytest.raises(ValueError, match="256"):
        Rig(picture, 128, parts)


def test_it_says_what_it_is() -> None:
    assert _rig().family == "rig"
    assert _rig("drawn", 384).size == 384


# Head and body: which way things go


@pytest.mark.parametrize(
    ("value", "axis", "sign"),
    [("HEAD_Y", 0, -1.0), ("HEAD_X", 1, -1.0), ("NECK_Z", 0, -1.0), ("BODY_Y", 0, -1.0), ("BODY_Z", 0, -1.0)],
)
def test_positive_turns_go_up_and_to_the_characters_right(value: str, axis: int, sign: float) -> None:
    rest = np.mean(_irises(_drawn(neutral())), axis=0)
    plus = np.mean(_irises(_drawn(_pose(**{value: 1.0}))), axis=0) - rest
    minus = np.mean(_irises(_drawn(_pose(**{value: -1.0}))), axis=0) - rest
    assert plus[axis] * sign > 2.0
    assert minus[axis] * sign < -2.0


def test_roll_lowers_the_eye_on_the_side_it_leans_to() -> None:
    right_eye, left_eye = _irises(_drawn(_pose(NECK_Z=1.0)))
    assert right_eye[1] - left_eye[1] > 5.0
    right_eye, left_eye = _irises(_drawn(_pose(NECK_Z=-1.0)))
    assert left_eye[1] - right_eye[1] > 5.0


def test_a_turned_head_looks_round() -> None:
    rest, turned = _irises(_drawn(neutral())), _irises(_drawn(_pose(HEAD_Y=1.0)))
    mouth = [
        _centroid(coloured(_around(_drawn(pose), 256, 174, 26, 8), MOUTH, 40))[0]
        for pose in (neutral(), _pose(HEAD_Y=1.0))
    ]
    eyes_moved = np.mean([turned[side][0] - rest[side][0] for side in (0, 1)])
    alpha_rest, alpha_turned = (_drawn(pose)[100, :, 3] > 128 for pose in (neutral(), _pose(HEAD_Y=1.0)))
    outline_moved = np.flatnonzero(alpha_turned)[[0, -1]] - np.flatnonzero(alpha_rest)[[0, -1]]
    assert mouth[1] - mouth[0] < eyes_moved < -4.0
    assert np.abs(outline_moved).max() < abs(eyes_moved) / 2
    # The eye on the far side comes out narrower than the one on the near side.
    width = [
        np.ptp(np.nonzero(coloured(_drawn(_pose(HEAD_Y=1.0)), IRIS)[:, half])[1])
        for half in (slice(0, 248), slice(248, 512))
    ]
    assert width[0] < width[1]


def test_the_shoulders_stay_when_the_head_tilts() -> None:
    rest, tilted = (_drawn(pose)[260:512] for pose in (neutral(), _pose(NECK_Z=1.0, HEAD_Y=1.0, HEAD_X=-1.0)))
    clothes = coloured(rest, (150, 60, 60), 40)
    hair_far = cv2.dilate((~clothes).astype(np.uint8), np.ones((61, 61), np.uint8)) == 0
    assert hair_far.any()
    assert np.abs(rest.astype(int) - tilted.astype(int))[hair_far].max() <= 2


def test_hanging_hair_follows_the_head() -> None:
    rest, turned = (coloured(_drawn(pose), HAIR, 40) for pose in (neutral(), _pose(NECK_Z=1.0)))
    assert (rest[212:250] != turned[212:250]).sum() > 100


def test_breathing_lifts_the_shoulders_a_little() -> None:
    rest, full = (_drawn(pose)[..., 3] > 128 for pose in (neutral(), _pose(BREATHING=1.0)))
    column = 200
    lifted = int(np.argmax(rest[230:, column])) - int(np.argmax(full[230:, column]))
    assert rest[:, 256].sum() < full[:, 256].sum() <= rest[:, 256].sum() + 6
    assert 0 <= lifted <= 6


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti", "lambda_00"])
def test_the_bottom_edge_never_moves(name: str) -> None:
    rest = _drawn(neutral(), name)[-1]
    for pose in _random_poses(12):
        assert np.abs(_drawn(pose, name)[-1].astype(int) - rest.astype(int)).max() <= 6


# Eyes


@pytest.mark.parametrize("value", ["EYE_WINK", "EYE_HAPPY_WINK"])
def test_closed_eyes_show_no_iris_and_no_white(value: str) -> None:
    closed = _drawn(_pose(**{value: 1.0}))
    for eye in (PARTS.eye_left, PARTS.eye_right):
        part = _around(closed, eye.centre.x, eye.centre.y, 15, 12)
        assert not coloured(part, IRIS).any()
        assert not coloured(part, (255, 255, 255), 12).any()
        assert coloured(part, INK, 70).sum() > 20
        assert coloured(part, SKIN, 45).mean() > 0.6


def test_winks_combine_to_closed() -> None:
    for wink, happy in ((0.5, 0.5), (1.0, 1.0), (0.3, 0.9)):
        assert not coloured(_drawn(_pose(EYE_WINK=wink, EYE_HAPPY_WINK=happy)), IRIS).any()


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti", "lambda_00"])
def test_a_blink_closes_downward_and_a_laugh_upward(name: str) -> None:
    parts = _picture(name)[1] or find_face_parts(_picture(name)[0])
    eye = parts.eye_left
    reach = 0.95 * eye.half_height
    for value, sign in (("EYE_WINK", 1.0), ("EYE_HAPPY_WINK", -1.0)):
        closed = _drawn(_pose(**{value: 1.0}), name)
        middle = _ink_row(closed, eye.centre.x, eye.centre.y, reach)
        sides = [
            _ink_row(closed, eye.centre.x + offset * eye.half_width, eye.centre.y, reach) for offset in (-0.75, 0.75)
        ]
        assert sign * (middle - np.mean(sides)) > 0.5, value


def test_left_and_right_eyes_are_the_characters_own() -> None:
    winking = coloured(_drawn(_pose(EYE_WINK_LEFT=1.0)), IRIS)
    assert winking[:, :256].any()
    assert not winking[:, 256:].any()
    winking = coloured(_drawn(_pose(EYE_WINK_RIGHT=1.0)), IRIS)
    assert winking[:, 256:].any()
    assert not winking[:, :256].any()


def test_lashes_stay_as_thick_while_the_eye_closes() -> None:
    eye = PARTS.eye_left
    for share in (0.0, 0.3, 0.6, 1.0):
        picture = _drawn(_pose(EYE_WINK=share))
        column = coloured(_around(picture, eye.centre.x + 10.0, eye.centre.y, 0.6, 14), INK, 110)
        assert 1 <= column.sum() / column.shape[1] <= 6, share


def _seen_iris(**values: float) -> int:
    return int(coloured(_drawn(_pose(**values)), IRIS).sum())


def test_lids_hide_and_show_the_iris() -> None:
    rest = _seen_iris()
    assert 0.2 * rest < _seen_iris(EYE_RELAXED=1.0) < 0.9 * rest
    assert 0.2 * rest < _seen_iris(EYE_UNIMPRESSED=1.0) < 0.9 * rest
    assert _seen_iris(EYE_RAISED_LOWER_EYELID=1.0) < 0.95 * rest
    assert _seen_iris(EYE_WINK=0.5) < 0.8 * rest
    assert _seen_iris(IRIS_SMALL=1.0) < 0.6 * rest


def test_surprise_opens_the_eye() -> None:
    white = [int(coloured(_drawn(pose), (250, 250, 250), 14).sum()) for pose in (neutral(), _pose(EYE_SURPRISED=1.0))]
    assert white[1] > 1.15 * white[0]


@pytest.mark.parametrize(("value", "axis", "sign"), [("IRIS_ROTATION_X", 1, -1.0), ("IRIS_ROTATION_Y", 0, -1.0)])
def test_the_gaze_goes_up_and_to_the_characters_right(value: str, axis: int, sign: float) -> None:
    rest = _irises(_drawn(neutral()))
    for amount in (-1.0, 1.0):
        moved = _irises(_drawn(_pose(**{value: amount})))
        for side in (0, 1):
            assert (moved[side][axis] - rest[side][axis]) * sign * amount > 0.8


def test_the_iris_stays_inside_the_eye() -> None:
    for x, y in ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (0.8, -0.8)):
        seen = coloured(_drawn(_pose(IRIS_ROTATION_X=x, IRIS_ROTATION_Y=y)), IRIS)
        for eye in (PARTS.eye_left, PARTS.eye_right):
            rows, columns = np.mgrid[0:512, 0:512] + 0.5
            away = np.hypot(
                (columns - eye.centre.x) / (eye.half_width + 1), (rows - eye.centre.y) / (eye.half_height + 1)
            )
            near = np.abs(columns - eye.centre.x) < 22
            assert not (seen & near & (away > 1.0)).any()


# Mouth


@pytest.mark.parametrize("name", ["AAA", "III", "UUU", "EEE", "OOO", "DELTA"])
def test_every_vowel_opens_the_mouth_in_its_own_way(name: str) -> None:
    part = _around(_drawn(_pose(**{f"MOUTH_{name}": 1.0})), 256, 176, 14, 14)
    unlike_skin = ~coloured(part, SKIN, 40)
    rows, columns = np.nonzero(unlike_skin[:24])
    width, height = np.ptp(columns) + 1, np.ptp(rows) + 1
    widest = {"AAA": 18, "III": 21, "UUU": 11, "EEE": 19, "OOO": 13, "DELTA": 18}
    highest = {"AAA": 14, "III": 7, "UUU": 8, "EEE": 10, "OOO": 13, "DELTA": 10}
    assert abs(width - widest[name]) <= 3
    assert abs(height - highest[name]) <= 3


def test_teeth_show_in_iii_only_where_they_should() -> None:
    def teeth(name: str) -> int:
        return int(coloured(_around(_drawn(_pose(**{name: 1.0})), 256, 176, 10, 10), (238, 240, 242), 12).sum())

    assert teeth("MOUTH_III") > 8
    assert teeth("MOUTH_UUU") == 0
    assert teeth("MOUTH_OOO") == 0


@pytest.mark.parametrize(("value", "sign"), [("MOUTH_RAISED_CORNER", -1.0), ("MOUTH_LOWERED_CORNER", 1.0)])
def test_corners_bend_the_closed_mouth(value: str, sign: float) -> None:
    def corner(pose: PoseVector, x: float) -> float:
        part = _around(_drawn(pose), x, 173, 2, 8).astype(np.float64)
        weight = np.clip(np.array(SKIN, np.float64).sum() - 60 - part[..., :3].sum(axis=2), 0, None)
        return float((weight * np.arange(16)[:, None]).sum() / weight.sum())

    for x, side in ((263.0, "_LEFT"), (249.0, "_RIGHT")):
        assert (corner(_pose(**{value + side: 1.0}), x) - corner(neutral(), x)) * sign > 0.5
        other = 512.0 - x
        assert abs(corner(_pose(**{value + side: 1.0}), other) - corner(neutral(), other)) < 1.2


def test_a_smirk_is_crooked() -> None:
    smirk = coloured(_around(_drawn(_pose(MOUTH_SMIRK=1.0)), 256, 173, 12, 10), MOUTH, 70)
    left, right = smirk[:, :10], smirk[:, 14:]
    assert _centroid(left)[1] - _centroid(right)[1] > 0.5


def test_the_own_mouth_is_gone_when_another_is_painted() -> None:
    own = coloured(_around(_drawn(neutral()), 256, 174, 12, 8), MOUTH, 40)
    own[:, 6:19] = False
    assert own.any()
    assert coloured(_around(_drawn(_pose(MOUTH_UUU=1.0)), 256, 174, 12, 8), SKIN, 40)[own].all()


# Brows


def _brow(pose: PoseVector, x: float) -> float:
    part = _around(_drawn(pose), x, 126, 2, 8)
    return _centroid(coloured(part, INK, 110))[1]


@pytest.mark.parametrize(
    ("value", "inner", "outer"),
    [
        ("RAISED", -1.0, -1.0),
        ("LOWERED", 1.0, 1.0),
        ("ANGRY", 1.0, 0.0),
        ("TROUBLED", -1.0, 0.0),
        ("HAPPY", -1.0, -1.0),
        ("SERIOUS", 1.0, 0.0),
    ],
)
def test_brows_move_as_they_are_named(value: str, inner: float, outer: float) -> None:
    pose = _pose(**{f"EYEBROW_{value}": 1.0})
    for outward in (1.0, -1.0):
        middle = 256 + outward * 22
        inner_moved = _brow(pose, middle - outward * 7) - _brow(neutral(), middle - outward * 7)
        outer_moved = _brow(pose, middle + outward * 7) - _brow(neutral(), middle + outward * 7)
        if inner:
            assert inner_moved * inner > 0.5
        if outer:
            assert outer_moved * outer > 0.5
        else:
            assert inner_moved * inner > outer_moved * inner


def test_one_brow_moves_alone() -> None:
    changed = np.abs(_drawn(_pose(EYEBROW_RAISED_LEFT=1.0)).astype(int) - _drawn(neutral())).max(axis=2) > 8
    assert changed[:, 256:].any()
    assert not changed[:, :256].any()


def test_no_ghost_stays_where_a_brow_was() -> None:
    raised = _drawn(_pose(EYEBROW_RAISED=1.0))
    was = coloured(_drawn(neutral()), INK, 60) & (np.arange(512)[:, None] < 132) & (np.arange(512)[:, None] > 120)
    still = coloured(raised, INK, 90) & was
    assert still.sum() < 0.25 * was.sum()


# Promises about every picture


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti", "lambda_00"])
def test_pictures_are_premultiplied_and_solid(name: str) -> None:
    picture, _ = _picture(name)
    solid = cv2.erode((picture[..., 3] == 255).astype(np.uint8), np.ones((9, 9), np.uint8))
    for pose in _random_poses(12):
        shown = _drawn(pose, name)
        assert (shown[..., :3].max(axis=2).astype(int) <= shown[..., 3].astype(int) + 1).all()
        # A tear would be a see-through hole that the picture does not have: count what closing the gaps would fill.
        opaque = (shown[..., 3] > 250).astype(np.uint8)
        holes = (cv2.morphologyEx(opaque, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0) & (shown[..., 3] < 200)
        at_rest = (picture[..., 3] > 250).astype(np.uint8)
        own = (cv2.morphologyEx(at_rest, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0) & (picture[..., 3] < 200)
        assert holes.sum() <= 2.0 * own.sum() + 60
        assert opaque.sum() > 0.9 * solid.sum()


def test_the_middle_of_the_figure_never_becomes_see_through() -> None:
    picture, _ = _picture("drawn")
    core = cv2.erode((picture[..., 3] == 255).astype(np.uint8), np.ones((75, 75), np.uint8)) > 0
    assert core.any()
    for pose in _random_poses(25, seed=9):
        assert (_drawn(pose)[..., 3][core] == 255).all()


def test_the_border_of_the_picture_stays_clean() -> None:
    for pose in _random_poses(12):
        shown = _drawn(pose)
        assert not shown[0].any()
        assert not shown[:, 0].any()
        assert not shown[:, -1].any()


@pytest.mark.parametrize("name", ["drawn", "mothlight"])
def test_no_fringe_around_the_silhouette(name: str) -> None:
    picture, _ = _picture(name)
    edge = (picture[..., 3] > 60) & (picture[..., 3] < 200)
    straight = picture[edge][:, :3].astype(np.float64)
    for pose in _random_poses(4):
        shown = _drawn(pose, name)
        soft = (shown[..., 3] > 60) & (shown[..., 3] < 200)
        restored = shown[soft][:, :3] * (255.0 / shown[soft][:, 3:])
        assert abs(restored.mean() - straight.mean()) < 22


def test_the_same_pose_is_the_same_picture() -> None:
    first, second, third = (pose for pose in _random_poses(3))
    once = _drawn(first)
    _drawn(second)
    _drawn(third)
    assert (_drawn(first) == once).all()
    picture, parts = _picture("drawn")
    fresh = np.zeros((512, 512, 4), np.uint8)
    Rig(picture, 512, parts).render(first, fresh)
    assert (fresh == once).all()


def test_hours_of_motion_leave_no_trace() -> None:
    before = _drawn(neutral())
    for pose in _random_poses(60, seed=2):
        _drawn(pose)
    assert (_drawn(neutral()) == before).all()


def test_poses_out_of_range_are_clamped() -> None:
    wild = neutral()
    wild[:] = 7.0
    assert (_drawn(wild) == _drawn(MAXIMUM.copy())).all()
    wild[:] = -7.0
    assert (_drawn(wild) == _drawn(MINIMUM.copy())).all()
    wild[:] = np.nan
    assert (_drawn(wild) == _drawn(neutral())).all()
    wild[:] = np.inf
    assert (_drawn(wild) == _drawn(MAXIMUM.copy())).all()


def test_it_has_no_look_at_a_face_apart() -> None:
    assert _rig().face_change(neutral(), _pose(MOUTH_AAA=1.0)) is None


def test_the_caller_keeps_its_pose() -> None:
    pose = _random_poses(1)[0]
    before = pose.copy()
    shown = _drawn(pose)
    moved = _rig().motion([pose], _pose(HEAD_Y=1.0))
    assert (pose == before).all()
    pose[:] = 0
    assert (_drawn(before) == shown).all()
    assert (_rig().motion([before], _pose(HEAD_Y=1.0)) == moved).all()


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti"])
def test_a_small_change_is_a_small_change(name: str) -> None:
    random = np.random.default_rng(11)
    pose = random.uniform(MINIMUM, MAXIMUM).astype(np.float32)
    last = _drawn(pose, name).astype(np.int16)
    for _ in range(60):
        pose = np.clip(pose + random.uniform(-0.01, 0.01, POSE_SIZE), MINIMUM, MAXIMUM).astype(np.float32)
        shown = _drawn(pose, name).astype(np.int16)
        change = np.abs(shown - last)
        assert change.mean() < 1.2
        assert (change > 100).sum() < 400
        last = shown


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti"])
def test_the_first_touch_of_a_face_value_is_not_seen(name: str) -> None:
    rest = _drawn(neutral(), name).astype(int)
    for value in range(Pose.HEAD_X):
        pose = neutral()
        pose[value] = 0.01
        assert np.abs(_drawn(pose, name) - rest).max() <= 14, Pose(value)


@pytest.mark.parametrize("value", list(Pose))
def test_every_value_moves_smoothly_from_rest(value: Pose) -> None:
    pose, last = neutral(), _drawn(neutral(), "mothlight").astype(np.int16)
    for amount in (0.01, 0.02, 0.03, 0.05, 0.06, 0.07, 0.09, 0.10):
        pose[value] = amount
        shown = _drawn(pose, "mothlight").astype(np.int16)
        change = np.abs(shown - last)
        assert change.mean() < 1.5
        assert (change > 90).sum() < 1500 if value in (Pose.NECK_Z, Pose.BODY_Z) else (change > 90).sum() < 60
        last = shown
    assert (shown != _drawn(neutral(), "mothlight")).any()


def test_a_symmetric_face_moves_symmetrically() -> None:
    for pose in _random_poses(6, seed=4):
        pose[Pose.MOUTH_SMIRK] = 0.0
        shown, mirrored = _drawn(pose), _drawn(mirror(pose))[:, ::-1]
        assert np.abs(shown.astype(int) - mirrored.astype(int)).mean() < 1.5


# To a pose that was not drawn


MOVEMENTS = [
    {"HEAD_Y": 1.0}, {"HEAD_X": -1.0}, {"NECK_Z": 1.0}, {"BODY_Y": -1.0}, {"BODY_Z": 1.0}, {"BREATHING": 1.0},
    {"HEAD_Y": -0.6, "NECK_Z": 0.7, "BODY_Z": -0.8, "HEAD_X": 0.4, "BREATHING": 0.5},
]  # fmt: skip


@pytest.mark.parametrize("name", ["drawn", "mothlight", "nocti"])
@pytest.mark.parametrize("movement", MOVEMENTS, ids=" ".join)
def test_a_bent_picture_is_what_would_be_drawn(name: str, movement: dict[str, float]) -> None:
    for start in (neutral(), _pose(HEAD_Y=-0.3, NECK_Z=-0.2, BODY_Y=0.3, BREATHING=0.2)):
        wanted = start.copy()
        for value, amount in movement.items():
            wanted[Pose[value]] = amount
        moved = _rig(name).motion([start], wanted)
        given, drawn = _drawn(start, name), _drawn(wanted, name)
        assert error(bent(given, moved), drawn) < 0.05 * error(given, drawn)


def test_the_face_of_a_bent_picture_stays() -> None:
    """It only goes where the head goes."""
    start, wanted = _pose(EYE_WINK=1.0), _pose(HEAD_Y=0.8)
    moved = _rig().motion([start], wanted)
    found = bent(_drawn(start), moved)
    assert not coloured(found, IRIS).any()
    assert error(found, _drawn(_pose(EYE_WINK=1.0, HEAD_Y=0.8))) < 0.05 * error(found, _drawn(wanted))


@pytest.mark.parametrize("size", [256, 300, 384, 512, 700, 1000, 1024])
def test_bending_works_at_every_size(size: int) -> None:
    start, wanted = _pose(HEAD_Y=-0.5, BODY_Z=0.3), _pose(HEAD_Y=0.5, NECK_Z=0.6, BODY_Z=-0.3, BREATHING=1.0)
    moved = _rig("drawn", size).motion([start], wanted)
    assert moved.shape == (CELLS, CELLS, 2)
    assert moved.dtype == np.float32
    drawn, given = _drawn(wanted, size=size), _drawn(start, size=size)
    assert error(bent(given, moved), drawn) < 0.05 * error(given, drawn)


@pytest.mark.parametrize(("value", "axis"), [("HEAD_Y", 0), ("HEAD_X", 1), ("NECK_Z", 0), ("BODY_Y", 0), ("BODY_Z", 0)])
def test_what_moves_is_found_where_it_was(value: str, axis: int) -> None:
    """A head that goes up or to its own right (the picture's left) is found below, to the right."""
    face = slice(16, 22), slice(29, 35)
    for sign in (1.0, -1.0):
        moved = _rig().motion([neutral()], _pose(**{value: sign}))
        assert sign * moved[face][..., axis].mean() * 512 > 2.0
        back = _rig().motion([_pose(**{value: sign})], neutral())
        assert sign * back[face][..., axis].mean() * 512 < -2.0


def test_where_nothing_changes_nothing_is_bent() -> None:
    for pose in _random_poses(3):
        assert not _rig().motion([pose], pose.copy()).any()


def test_only_the_jaw_of_a_face_moves_the_figure() -> None:
    start = _pose(HEAD_Y=0.2)
    for value in range(Pose.HEAD_X):
        wanted = start.copy()
        wanted[value] = 1.0
        moved = np.abs(_rig().motion([start], wanted)) * 512
        if MouthValues.of(wanted).jaw == 0.0:
            assert not moved.any(), Pose(value)
        else:
            # the chin, at row 190, and nothing farther than it is wide and high
            assert 0.3 < moved.max() < 4.0, Pose(value)
            moved[20:28, 24:40] = 0.0
            assert moved.max() < 0.05, Pose(value)
    assert MouthValues.of(_pose(MOUTH_AAA=1.0)).jaw > 0.0


def test_the_last_picture_is_bent_whatever_came_before() -> None:
    first, second, wanted = _random_poses(3, seed=12)
    moved = _rig().motion([second], wanted)
    assert (_rig().motion([first, second], wanted) == moved).all()
    assert (_rig().motion([wanted, first, second], wanted) == moved).all()
    assert (_rig().motion([first], wanted) != moved).any()


def test_poses_to_bend_to_are_clamped() -> None:
    far = _pose(HEAD_Y=9.0, NECK_Z=-9.0, BREATHING=9.0)
    near = _pose(HEAD_Y=1.0, NECK_Z=-1.0, BREATHING=1.0)
    given = far.copy()
    assert (_rig().motion([neutral()], far) == _rig().motion([neutral()], near)).all()
    assert (_rig().motion([far], neutral()) == _rig().motion([near], neutral())).all()
    assert (far == given).all()
    far[Pose.BODY_Z] = np.nan
    assert (_rig().motion([neutral()], far) == _rig().motion([neutral()], near)).all()


def test_bending_leaves_the_next_picture_right() -> None:
    wanted = _drawn(_pose(MOUTH_AAA=1.0, HEAD_X=0.5))
    _rig().motion([_pose(HEAD_Y=1.0)], _pose(EYE_WINK=1.0, NECK_Z=1.0))
    assert (_drawn(_pose(MOUTH_AAA=1.0, HEAD_X=0.5)) == wanted).all()


def test_pictures_may_be_bent_while_others_are_drawn() -> None:
    rig = Rig(_picture("drawn")[0], 256, PARTS)
    drawn: list[Picture] = []
    poses = _random_poses(4, seed=3)
    wanted = [_drawn(pose, size=256) for pose in poses]
    moved = [_rig("drawn", 256).motion([pose], poses[0]) for pose in poses]
    ended = threading.Event()

    def draw() -> None:
        while not ended.is_set():
            for pose in poses:
                drawn.append(np.zeros((256, 256, 4), np.uint8))
                rig.render(pose, drawn[-1])
                if len(drawn) > 400:
                    return

    drawing = threading.Thread(target=draw)
    drawing.start()
    try:
        bent_to = [rig.motion([pose], poses[0]) for _ in range(150) for pose in poses]
    finally:
        ended.set()
        drawing.join(LIMIT_S)
    assert not drawing.is_alive()
    assert len(drawn) >= 4
    for number, found in enumerate(bent_to):
        assert (found == moved[number % 4]).all()
    for number, picture in enumerate(drawn):
        assert (picture == wanted[number % 4]).all()


def test_there_is_nothing_to_remember_or_to_close() -> None:
    before = _drawn(_pose(MOUTH_AAA=1.0))
    for size in (0, 1 << 30):
        _rig().remember_up_to(size)
        assert (_drawn(_pose(MOUTH_AAA=1.0)) == before).all()
    _rig().close()
    _rig().close()
    assert (_drawn(_pose(MOUTH_AAA=1.0)) == before).all()


# Any picture


def _strange(name: str) -> Picture:
    random = np.random.default_rng(1)
    drawn = drawn_character()
    blank = np.zeros((512, 512, 4), np.uint8)
    if name == "one pixel":
        blank[5, 7] = 255
    elif name == "white":
        blank[:] = 255
    elif name == "noise":
        blank[:] = random.integers(0, 256, blank.shape, dtype=np.uint8)
    elif name == "photo":
        blank[..., :3] = cv2.GaussianBlur(random.integers(0, 256, (512, 512, 3), dtype=np.uint8), (0, 0), 9)
        blank[..., 3] = 255
    elif name == "upside down":
        return np.ascontiguousarray(drawn[::-1])
    elif name == "off the edge":
        return np.ascontiguousarray(np.roll(drawn, (300, -230), (0, 1)))
    elif name == "small in a corner":
        blank[400:510, 400:510] = cv2.resize(drawn, (110, 110))
    return blank


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize(
    "name", ["blank", "one pixel", "white", "noise", "photo", "upside down", "off the edge", "small in a corner"]
)
def test_no_picture_fails(name: str, size: int) -> None:
    picture = _strange(name)
    rig = Rig(picture, size)
    out = np.full((size, size, 4), 3, np.uint8)
    for pose in (neutral(), MAXIMUM.copy(), MINIMUM.copy(), *_random_poses(3)):
        rig.render(pose, out)
        assert (out[..., :3].max(axis=2) <= out[..., 3]).all()
    rig.render(neutral(), out)
    if size == 512:
        assert np.abs(out - _premultiplied(picture)).max() <= 2


def test_a_picture_that_fills_its_frame_leaves_no_gap() -> None:
    rig = Rig(_strange("photo"), 512)
    out = np.zeros((512, 512, 4), np.uint8)
    for pose in _random_poses(6):
        rig.render(pose, out)
        assert (out[..., 3] == 255).all()


def test_the_benchmark_writes_its_figures(tmp_path: Path) -> None:
    file = tmp_path / "rig.json"
    assert benchmark.main(["--frames", "8", "--json", str(file), "--character", str(CHARACTERS / "mothlight")]) == 0
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert figures["ms_per_frame_median"] > 0
    assert figures["ms_per_frame_p95"] >= figures["ms_per_frame_median"]
    assert figures["ms_between_median"] > 0


def test_the_sheet_of_poses_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "sheet.png"
    assert rig_sheet.main([str(CHARACTERS / "nocti"), "--out", str(file)]) == 0
    assert cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR) is not None
