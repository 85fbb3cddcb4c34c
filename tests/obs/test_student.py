"""A THA4 student in a real OBS: from its folder as it is to the picture in the scene."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from accel.base import FULL, Device
from accel.onnxruntime.options import CPU_NAME, CpuOptions
from accel.onnxruntime.runtime import OrtRuntime
from core.wire.folders import CHARACTERS
from models.character import read_picture
from models.student.composition import blue_first, linear_picture
from models.student.folder import load_student_weights, student_files
from models.student.model import StudentModel
from models.student.preparation import Preparation, find_known, keep
from models.student.refined import Refined
from models.student.regions import everywhere
from models.student.visible import random_poses
from models.student.weights import StudentWeights
from tests.data import data

from .avatar import Avatar, shows_something
from .desktop import wait_for
from .harness import StartObs

pytestmark = pytest.mark.obs

NETWORK_LIMIT_S = 60.0
FILES = ("character_model.yaml", "character.png", "face_morpher.pt", "body_morpher.pt")


@pytest.fixture
def student() -> Iterator[str]:
    """The name of a student that lies among the characters while the test runs, as its author ships it."""
    source = data("models/tha4_student/lambda_00")
    folder = CHARACTERS / "student of a test é"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        for name in FILES:
            shutil.copy(source / name, folder / name)
        yield folder.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def examined(student: str, cache: Path) -> None:
    """Put a quick examination into the cache: what a few poses show. The real one takes a minute."""
    files = student_files(CHARACTERS / student)
    assert files is not None
    read = load_student_weights(files)
    weights = StudentWeights(blue_first(read.face), blue_first(read.body))
    picture = linear_picture(read_picture(files.picture))
    runtime = OrtRuntime(CPU_NAME, Device(CPU_NAME, 0, "processor"), CpuOptions(2))
    model = StudentModel(weights, picture, everywhere(), runtime, 512, FULL)
    seen = np.zeros((512, 512), np.bool_)
    out = np.zeros((512, 512, 4), np.uint8)
    for pose in random_poses(np.random.default_rng(1), 8, sparse=True):
        model.render(pose, out)
        seen |= out[:, :, 3] > 0
    model.close()
    keep(weights, picture, Preparation(seen, Refined.nowhere()), cache)
    assert find_known(weights, picture, cache) is not None


def test_a_student_runs_from_its_folder_as_it_is_and_the_panel_knows_what_draws(
    start_obs: StartObs, student: str, tmp_path: Path
) -> None:
    examined(student, tmp_path / "cache/easyvtuber/students")
    own = {"character": student, "preset": "low"}
    avatar = Avatar.start(start_obs, own, environment={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    wait_for(
        lambda: (avatar.state("running") or {}).get("family") == "tha4_student", NETWORK_LIMIT_S, "the network to draw"
    )
    running = avatar.state("running")
    assert (running["variant"], running["runtime"], running["precision"]) == ("fast", "onnxruntime_cpu", "full")
    assert avatar.facts()["problems"] == []
    picture = avatar.picture()
    assert shows_something(picture)
    assert picture is not None
    assert picture[0, 0, 3] == 0
    assert avatar.moves()


def test_a_damaged_student_moves_by_itself_and_the_panel_says_what_is_wrong(start_obs: StartObs, student: str) -> None:
    (CHARACTERS / student / "body_morpher.pt").write_bytes(b"not weights at all")
    avatar = Avatar.start(start_obs, {"character": student})
    wait_for(lambda: any("model_file_bad" in text for text in avatar.facts()["problems"]), NETWORK_LIMIT_S, "a word")
    assert avatar.state("running")["family"] == "rig"
    assert avatar.moves()
