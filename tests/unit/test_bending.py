"""Pictures between two, made by bending both towards the pose in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.pose.parameters import PoseVector, neutral
from core.render.bending import BentPictures
from models.base import Picture
from models.motion import CELLS, Displacement, FaceChange

SIZE = 64


class Slider:
    """Its picture is a soft spot that stands the farther to the right the larger the pose's first value is; what it
    paints there is the brighter the larger the second one is."""

    family = "small"
    size = SIZE

    def render(self, pose: PoseVector, out: Picture) -> None:
        across = np.arange(SIZE) - (16.0 + 32.0 * float(pose[0]))
        alpha = 200.0 * np.exp(-((across / 4.0) ** 2))[None, :] * np.ones((SIZE, 1))
        out[..., 3] = np.rint(alpha)
        out[..., :3] = np.rint(alpha * float(pose[1]))[..., None]

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        moved = np.zeros((CELLS, CELLS, 2), np.float32)
        moved[..., 0] = (float(rendered[-1][0]) - float(pose[0])) * 32.0 / SIZE
        return moved

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        return None

    def remember_up_to(self, bytes_: int) -> None: ...

    def close(self) -> None: ...


class Lively(Slider):
    """Knows how much darker another pose's face is, in the middle of its picture."""

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        if rendered[1] == pose[1]:
            return None
        paint = np.zeros((SIZE, SIZE, 4), np.int16)
        paint[..., :3] = round(float(pose[1] - rendered[1]) * 200.0)
        return FaceChange(paint, 0, 0, SIZE)


class Stiff(Slider):
    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        return None


def _pose(where: float, bright: float = 1.0) -> PoseVector:
    pose = neutral()
    pose[:2] = where, bright
    return pose


def _picture(model: Slider, pose: PoseVector) -> Picture:
    out: Picture = np.zeros((SIZE, SIZE, 4), np.uint8)
    model.render(pose, out)
    return out


def _drawn(model: Slider, poses: Sequence[PoseVector]) -> list[Picture]:
    out = [np.full((SIZE, SIZE, 4), 77, np.uint8) for _ in poses[1:-1]]
    BentPictures(model).draw_all(_picture(model, poses[0]), _picture(model, poses[-1]), out, poses)
    return out


@pytest.mark.parametrize("way", [(0.0, 0.5, 1.0), (0.2, 0.1, 0.9, 0.3), (1.0, 0.8, 0.5, 0.4, 0.0)])
def test_each_picture_shows_the_pose_there_really_was(way: tuple[float, ...]) -> None:
    model = Slider()
    for made, where in zip(_drawn(model, [_pose(each) for each in way]), way[1:-1], strict=True):
        assert np.abs(made.astype(int) - _picture(model, _pose(where))).max() <= 3


def test_what_does_not_move_passes_from_one_to_the_other_in_even_steps() -> None:
    made = _drawn(Slider(), [_pose(0.5, bright) for bright in (0.0, 0.2, 0.9, 1.0)])
    middle = [int(picture[32, 32, 0]) for picture in made]
    assert middle == pytest.approx([200 / 3, 400 / 3], abs=2)
    assert all(picture[32, 32, 3] == 200 for picture in made)


def test_a_face_is_that_of_the_pose_there_really_was() -> None:
    brightness = (0.5, 0.2, 0.9, 0.6)
    made = _drawn(Lively(), [_pose(0.5, bright) for bright in brightness])
    assert [int(picture[32, 32, 0]) for picture in made] == pytest.approx([200 * each for each in (0.2, 0.9)], abs=2)
    assert all(picture[32, 32, 3] == 200 for picture in made)


def test_where_motion_is_not_known_pictures_fade_into_one_another() -> None:
    model, poses = Stiff(), [_pose(0.0), _pose(0.5), _pose(1.0)]
    first, last = (_picture(model, poses[place]).astype(int) for place in (0, -1))
    assert np.abs(_drawn(model, poses)[0] - (first + last) / 2).max() <= 1


def test_colour_is_never_more_than_its_alpha() -> None:
    for picture in _drawn(Slider(), [_pose(each) for each in (0.0, 0.13, 0.41, 0.9)]):
        assert (picture[..., :3] <= picture[..., 3:]).all()
