"""OpenSeeFace: a tracker program for the webcam that sends face records over UDP.

Record layout: ``facetracker.py`` and ``OpenSee.cs`` of emilianavt/OpenSeeFace (BSD-2); 1785 bytes per face,
little-endian, several faces one after another. A fork sends 1809-byte records with six more features at the end, which
are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.pose.mapping.openseeface import VALUE_COUNT, VOCABULARY
from core.pose.sample import HeadAngles, Position
from core.wire.settings import Value

from .base import Decoder, Drop, Hint, TrackerSample
from .udp import UdpTracker

RECORD_BYTES = 1785
FORK_RECORD_BYTES = 1809
MAXIMUM_FACES = 4
MAXIMUM_FIT_ERROR = 100.0
MINIMUM_CONFIDENCE = 0.2
FACE_HELD_NS = 500_000_000
"""A face that was followed stays the one for this long after it vanished, before another is chosen."""
MAXIMUM_STEP_DEGREES = 60.0
REST_DEGREES = (180.0, 0.0, 90.0)
"""The Euler angles of a face that looks straight into the camera: OpenSeeFace hands rows before columns to the solver.
Taken off, so that a turn to the left is a turn to the left and not one of a head that hangs upside down."""

_HEAD = struct.Struct("<di2f2fBf4f3f3f")
_LANDMARKS = 68
_FARTHEST = 100.0
_CONFIDENCE_AT = 73
_POINTS_AT = 889
_FEATURES_AT = 1729
_FEATURES = 14


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """The part of one 1785-byte record that is used."""

    face_id: int
    confidence: float
    """Mean over all landmarks, 0..1."""
    fit_ok: bool
    fit_error: float
    head_degrees: HeadAngles
    """Pitch, yaw, roll in ARKit's sense; at rest they are near 0, but only as near as the camera's place allows."""
    values: np.ndarray[tuple[int], np.dtype[np.float32]]
    """See ``core.pose.mapping.openseeface``."""
    position: Position | None
    """None when it is not told. One of OpenSeeFace's units is about a tenth of a metre: a head fills 190 of 640
    pixels at 4.5 of them."""


def parse(datagram: bytes) -> list[FaceRecord] | Drop:
    """All faces of one datagram, at most four. Pure; never raises."""
    size = RECORD_BYTES
    if not datagram or len(datagram) % size:
        size = FORK_RECORD_BYTES
        if not datagram or len(datagram) % size:
            return Drop.WRONG_SIZE
    faces = []
    for start in range(0, min(len(datagram), MAXIMUM_FACES * size), size):
        with np.errstate(all="ignore"):  # huge numbers are refused below; numpy need not warn of each
            face = _record(datagram, start)
        if face is not None:
            faces.append(face)
    return faces if faces else Drop.NOT_FINITE


def _record(datagram: bytes, start: int) -> FaceRecord | None:
    head = _HEAD.unpack_from(datagram, start)
    face_id, right_open, left_open, fit_ok, fit_error = head[1], head[4], head[5], head[6], head[7]
    euler = np.array(head[12:15]) - REST_DEGREES
    confidence = np.frombuffer(datagram, "<f4", _LANDMARKS, start + _CONFIDENCE_AT)
    points = np.frombuffer(datagram, "<f4", 70 * 3, start + _POINTS_AT).reshape(70, 3)
    features = np.frombuffer(datagram, "<f4", _FEATURES, start + _FEATURES_AT)
    values = np.empty(VALUE_COUNT, np.float32)
    values[0], values[1] = left_open, right_open
    values[2:4] = _gaze(points)
    values[4:] = features
    mean_confidence = float(confidence.mean())
    if not (np.isfinite(values).all() and np.isfinite(euler).all() and np.isfinite((fit_error, mean_confidence)).all()):
        return None
    np.clip(values, -2.0, 2.0, out=values)
    pitch, yaw, roll = (float((angle + 180.0) % 360.0 - 180.0) for angle in euler)
    return FaceRecord(
        face_id, mean_confidence, bool(fit_ok), fit_error, (pitch, yaw, roll), values, _position(head[15:18])
    )


def _position(translation: tuple[float, float, float]) -> Position | None:
    up, right, back = translation
    if not all(abs(part) < _FARTHEST for part in translation):
        return None
    return -right / 10.0, up / 10.0, back / 10.0


def _gaze(points: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> tuple[float, float]:
    """Mean direction of both eyes, x and y of a unit vector; (0, 0) when the points say nothing.

    66 and 67 are the pupils, 68 and 69 the eyeballs' centres (right eye first).
    """
    direction = points[66].astype(np.float64) - points[68] + points[67] - points[69]
    length = float(np.sqrt((direction**2).sum()))
    if not np.isfinite(length) or length < 1e-6:
        return 0.0, 0.0
    return float(direction[0] / length), float(direction[1] / length)


class OpenSeeFaceDecoder(Decoder):
    """Follows one face: the one it knows, else the surest; leaves out bad fits and impossible jumps."""

    def __init__(self) -> None:
        self.locked_face: int | None = None
        self._faces = 0
        self._seen_ns = 0
        self._head: HeadAngles | None = None
        self._jumps = 0

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop:
        """One datagram; see :class:`trackers.base.Decoder`."""
        faces = parse(datagram)
        if isinstance(faces, Drop):
            return faces
        self._faces = len(faces)
        face = self._choose(faces, arrival_ns)
        if isinstance(face, Drop):
            return face
        if self._jumped(face.head_degrees, arrival_ns):
            return Drop.OUTLIER
        self.locked_face, self._seen_ns, self._head = face.face_id, arrival_ns, face.head_degrees
        return TrackerSample(arrival_ns, VOCABULARY, face.values, face.head_degrees, face.position)

    def hints(self, now_ns: int) -> tuple[Hint, ...]:
        """Which face is followed, while there is a choice."""
        if self.locked_face is None or self._faces < 2:
            return ()
        return (Hint("face_locked", {"face": self.locked_face, "faces": self._faces}),)

    def _choose(self, faces: list[FaceRecord], arrival_ns: int) -> FaceRecord | Drop:
        usable = [
            face
            for face in faces
            if face.fit_ok and 0 <= face.fit_error <= MAXIMUM_FIT_ERROR and face.confidence >= MINIMUM_CONFIDENCE
        ]
        if not usable:
            return Drop.POOR_FIT
        for face in usable:
            if face.face_id == self.locked_face:
                return face
        if self.locked_face is not None and arrival_ns - self._seen_ns < FACE_HELD_NS:
            return Drop.OTHER_FACE
        self._head = None
        return max(usable, key=lambda face: face.confidence)

    def _jumped(self, head: HeadAngles, arrival_ns: int) -> bool:
        """One impossible step is a misfit; two in a row are the truth (the face moved while it was not seen)."""
        if self._head is None or arrival_ns - self._seen_ns > FACE_HELD_NS:
            self._jumps = 0
            return False
        step = max(abs((new - old + 180.0) % 360.0 - 180.0) for new, old in zip(head, self._head, strict=True))
        self._jumps = self._jumps + 1 if step > MAXIMUM_STEP_DEGREES else 0
        return self._jumps == 1


def unavailable() -> str | None:
    """Always there: it needs a port, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> OpenSeeFaceDecoder:
    """A decoder for packets from wherever, for the replay."""
    return OpenSeeFaceDecoder()


def open_tracker(settings: Mapping[str, Value]) -> UdpTracker:
    """Listen where the settings say (loopback unless the user opened it)."""
    return UdpTracker("openseeface", str(settings["osf_address"]), int(settings["osf_port"]), new_decoder(settings))
