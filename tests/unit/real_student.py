"""A THA4 student of the test data, opened on the processor, and poses to look at it in."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from core.pose.parameters import POSE_SIZE, Pose, PoseVector
from models.character import read_picture
from models.student.composition import blue_first, linear_picture
from models.student.folder import load_student_weights, student_files
from models.student.model import StudentModel
from models.student.regions import Regions, Split
from models.student.weights import StudentWeights
from tests.data import data
from tests.unit.student_networks import SIZE
from tests.unit.student_runtime import processor


def open_real_student(face: Split) -> StudentModel:
    """Every pixel that the figure may ever reach, all but the last level at half size; the face as told. Skips the
    test where the files are not."""
    files = student_files(data("models/tha4_student/lambda_00"))
    assert files is not None
    weights, picture = load_student_weights(files), read_picture(files.picture)
    seen = cv2.dilate((picture[..., 3] > 0).astype(np.uint8), np.ones((61, 61), np.uint8)).astype(np.bool_)
    regions = Regions(Split.mixed(np.zeros_like(seen), seen), face)
    turned = StudentWeights(blue_first(weights.face), blue_first(weights.body))
    return StudentModel(turned, linear_picture(picture), regions, processor(2), SIZE)


def poses_of(start: Mapping[str, float], movement: Mapping[str, float]) -> tuple[PoseVector, PoseVector]:
    """A pose by the names of its values, and the one after some of them changed."""
    first = np.zeros(POSE_SIZE, np.float32)
    for name, value in start.items():
        first[Pose[name]] = value
    second = first.copy()
    for name, value in movement.items():
        second[Pose[name]] = value
    return first, second
