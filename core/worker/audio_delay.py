"""How much later the voice must come in OBS so that sound and mouth fit: the number for the microphone's sync offset.

The mouth on screen is as old as the pose it shows, plus what the tracker took before its packet reached us, plus half
of a frame on average until OBS draws it. What the trackers take is assumed, not measured: nobody but a camera before
the phone and the screen could tell.
"""

from __future__ import annotations

from types import MappingProxyType

from core.wire.settings import PHONES

_PHONE_MS = 50
_CAMERA_MS = 60

TRACKER_DELAY_MS = MappingProxyType(
    {
        # half of the exposure, the phone's own face tracking at 60 pictures a second, and a wireless network
        **dict.fromkeys(PHONES, _PHONE_MS),
        # exposure and transfer of a picture at 30 a second; finding the face is in the pose's age for the webcam, and
        # about as long in OpenSeeFace, whose camera thread hands pictures over sooner
        "webcam": _CAMERA_MS,
        "openseeface": _CAMERA_MS,
        # the programs that speak it look through a webcam as a rule
        "vmc": _CAMERA_MS,
        # no camera before them
        **dict.fromkeys(("mouse", "microphone", "manual", "replay", "debug", "idle"), 0),
    }
)
"""Milliseconds from the face's movement to the arrival of its packet, by tracker: assumptions. ``microphone`` is the
mouth that moves by sound alone."""

LONGEST_MS = 1000
"""A mouth that is later than this does not come from a tracker that works."""
_ROUNDED_TO_MS = 5
_WORTH_TELLING_MS = 10


def audio_delay_ms(pose_age_ms: float, tracker: str, frame_interval_ms: float) -> int:
    """Milliseconds to put on the microphone in OBS, a multiple of 5, 0..``LONGEST_MS``.

    ``pose_age_ms``: from the packet's arrival until its frame is handed over, the median of the last seconds.
    ``tracker``: a value of the setting, or ``microphone``; one that is not known adds nothing.
    ``frame_interval_ms``: from one of OBS's frames to the next.
    """
    delay_ms = pose_age_ms + TRACKER_DELAY_MS.get(tracker, 0) + frame_interval_ms / 2.0
    return round(min(max(delay_ms, 0.0), LONGEST_MS) / _ROUNDED_TO_MS) * _ROUNDED_TO_MS


class SteadyDelay:
    """The delay as it is shown: a number that flickered by 5 ms would be typed into OBS again and again."""

    def __init__(self) -> None:
        self._shown_ms: int | None = None

    def show(self, delay_ms: int) -> int:
        """The number to show when ``delay_ms`` is the newest: the last one unless they differ by 10 ms or more."""
        if self._shown_ms is None or abs(delay_ms - self._shown_ms) >= _WORTH_TELLING_MS:
            self._shown_ms = delay_ms
        return self._shown_ms
