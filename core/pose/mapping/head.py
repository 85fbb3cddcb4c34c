"""Head angles to the six rotation values, the same for every tracker."""

from __future__ import annotations

from core.pose.parameters import Pose, PoseVector
from core.pose.sample import HeadAngles

FULL_PITCH_DEGREES = 15.0
FULL_YAW_DEGREES = 15.0
FULL_ROLL_DEGREES = 15.0
"""How far a head must turn for the avatar's full turn. (The THA demos use 15, 10 and 15; 10 is reached by a glance
at a second monitor.)"""


def turn_head(pose: PoseVector, head: HeadAngles) -> None:
    """Write head and body rotation. ``head`` is pitch, yaw, roll in degrees relative to the neutral, ARKit's sense."""
    pitch, yaw, roll = head
    pose[Pose.HEAD_X] = -pitch / FULL_PITCH_DEGREES
    pose[Pose.HEAD_Y] = -yaw / FULL_YAW_DEGREES
    pose[Pose.NECK_Z] = roll / FULL_ROLL_DEGREES
    pose[Pose.BODY_Y] = pose[Pose.HEAD_Y]
    pose[Pose.BODY_Z] = pose[Pose.NECK_Z]
