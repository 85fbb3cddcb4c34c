"""The avatar in a real OBS: there, transparent, moving, and exact over what lies behind it."""

from __future__ import annotations

import numpy as np
import pytest

from core.install.obs.config import colour_source

from .avatar import SOURCE, Avatar
from .desktop import wait_for
from .harness import StartObs

pytestmark = pytest.mark.obs


def test_the_script_loads_and_puts_a_moving_transparent_avatar_into_the_current_scene(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    assert avatar.items() == ["Red", SOURCE]
    assert avatar.items("Other") == []
    picture = avatar.picture()
    assert picture is not None
    assert picture.shape == (512, 512, 4)
    assert picture[0, 0, 3] == 0
    assert picture[256, 256, 3] == 255
    assert avatar.moves()
    assert any("easyvtuber_avatar" in line for line in avatar.obs.script_log_lines("EasyVtuber"))


def test_it_stands_at_the_bottom_centre_and_the_background_is_seen_beside_it(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs)
    scene = avatar.obs.screenshot("Scene").astype(int)
    painted = np.abs(scene[:, :, :3] - (255, 0, 0)).max(axis=2) > 8
    columns = np.flatnonzero(painted.any(axis=0))
    assert abs((columns[0] + columns[-1]) / 2 - scene.shape[1] / 2) < 25
    assert painted[-1].any(), "its legs run off the bottom edge"
    assert not painted[:, :60].any()


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (20, 200, 90)])
def test_over_a_coloured_background_it_is_exact(start_obs: StartObs, colour: tuple[int, int, int]) -> None:
    background = colour_source("Background", (*colour, 255), 640, 640)
    avatar = Avatar.start(start_obs, size=(640, 640), scenes={"Scene": ["Background"]}, sources=[background])
    avatar.own_size_at(64, 64)
    avatar.stand_still()
    try:
        wait_for(lambda: not avatar.moves(), 5.0, "the picture to stand still")
        source = avatar.obs.screenshot(SOURCE).astype(float)
        scene = avatar.obs.screenshot("Scene").astype(float)[64:576, 64:576, :3]
    finally:
        avatar.go_on()
    alpha = source[:, :, 3:] / 255.0
    expected = source[:, :, :3] * alpha + np.array(colour) * (1.0 - alpha)
    assert np.abs(scene - expected).max() <= 1.0
    assert ((alpha > 0.02) & (alpha < 0.98)).sum() > 500, "there were soft edges to be wrong at"


def test_a_picture_of_another_size_keeps_its_place_in_the_scene(start_obs: StartObs) -> None:
    avatar = Avatar.start(start_obs, {"preset": "custom", "output_size": 320})
    picture = avatar.picture()
    assert picture is not None
    assert picture.shape == (320, 320, 4)
    scene = avatar.obs.screenshot("Scene").astype(int)
    painted = np.abs(scene[:, :, :3] - (255, 0, 0)).max(axis=2) > 8
    assert painted[-1].any()
    assert np.flatnonzero(painted.any(axis=1))[0] < 80
