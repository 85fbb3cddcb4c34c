"""The text frames of iFacialMocap (versions 1 and 2) and Facemotion3d: one parser for all three.

Grammar, from both makers' pages for developers: shapes as ``name-25|`` (version 1, names with _L and _R) or
``name&25|`` (version 2 and Facemotion3d, ARKit's own names) in percent, then
``=head#x,y,z,px,py,pz|rightEye#...|leftEye#...|``. Over TCP each frame ends with ``___iFacialMocap``. The order of
shapes is arbitrary and unknown names are common.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from core.pose.mapping.arkit_names import BY_SPELLING, NAMES, VOCABULARY
from core.pose.sample import HeadAngles, Position

from .arkit import ShapeMemory
from .base import Decoder, Drop, Hint, TrackerSample

MAXIMUM_FRAME_BYTES = 8192
MAXIMUM_TOKENS = 400
MAXIMUM_BUFFER_BYTES = 64 * 1024
TERMINATOR = b"___iFacialMocap"
REPEATED_NS = 500_000_000
"""Apps that lost the face send the last frame again and again: after this long it is lost."""
HEAD_KEPT_NS = 500_000_000
SWITCHED_OFF_NS = 5_000_000_000
"""Half of a face that stays exactly at 0 for so long was switched off in the app."""

_NUMBER = re.compile(rb"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER = 24
_PLACES: dict[bytes, int] = {}
"""Index by the name as it stands in packets; both spellings as the apps write them, so that most need no lower case."""
for _name, _place in BY_SPELLING.items():
    _PLACES[_name.encode()] = _place
for _place, _written in enumerate(NAMES):
    _PLACES[_written.encode()] = _place
    for _side in ("Left", "Right"):
        if _written.endswith(_side) and _written not in ("mouthLeft", "mouthRight", "jawLeft", "jawRight"):
            _PLACES[f"{_written[: -len(_side)]}_{_side[0]}".encode()] = _place
_MOUTH = frozenset(place for place, name in enumerate(NAMES) if name.startswith(("mouth", "jaw")))
_EYES = frozenset(place for place, name in enumerate(NAMES) if name.startswith(("eyeBlink", "eyeLook", "brow")))


@dataclass(slots=True)
class TextFrame:
    """What one frame says."""

    shapes: dict[int, float]
    """Value by the shape's index, 1.0 = full."""
    head: tuple[float, ...] | None = None
    """Three angles in degrees and three places in metres."""
    is_tracked: bool = True


def parse_text(frame: bytes) -> TextFrame | Drop:
    """One frame. Pure; never raises. What is broken in it is left out."""
    if len(frame) > MAXIMUM_FRAME_BYTES:
        return Drop.WRONG_SIZE
    tokens = frame.split(b"|", MAXIMUM_TOKENS)
    found = TextFrame({})
    shapes, places = found.shapes, _PLACES
    for token in tokens[:MAXIMUM_TOKENS]:
        name, separator, text = token.partition(b"&")
        if not separator:
            name, separator, text = token.partition(b"-")
        place = places.get(name)
        if place is not None and text.isdigit() and len(text) < 6:
            shapes[place] = int(text) / 100.0
        elif separator or b"#" in token:
            _other(token.strip(), found)
    if not shapes and found.head is None and found.is_tracked:
        return Drop.WRONG_FORMAT
    return found


def _other(token: bytes, found: TextFrame) -> None:
    """Whatever is not a shape with a plain number."""
    if b"#" in token:
        name, _, numbers = token.partition(b"#")
        if name.lstrip(b"=").strip() == b"head":
            found.head = _vector(numbers) or found.head
        return
    name, separator, text = token.partition(b"&")
    if not separator:
        name, _, text = token.partition(b"-")
    value = _number(text)
    if value is None:
        return
    if name == b"trackingStatus":
        found.is_tracked = value != 0.0
        return
    place = _PLACES.get(name)
    if place is None:
        place = _PLACES.get(name.lower())
    if place is not None:
        found.shapes[place] = value / 100.0


def _vector(numbers: bytes) -> tuple[float, ...] | None:
    parts = [_number(part) for part in numbers.split(b",", 6)[:6]]
    whole = [part for part in parts if part is not None]
    return tuple(whole) if len(whole) == 6 else None


def _number(text: bytes) -> float | None:
    """Only plain decimal numbers: ``float`` would also take nan, inf, underscores and other alphabets' digits."""
    text = text.strip()
    if len(text) > _LONGEST_NUMBER or _NUMBER.fullmatch(text) is None:
        return None
    value = float(text)
    return value if math.isfinite(value) else None


class TextDecoder(Decoder):
    """One frame per packet."""

    def __init__(self) -> None:
        self._shapes = ShapeMemory()
        self._head: HeadAngles = (0.0, 0.0, 0.0)
        self._position: Position | None = None
        self._head_ns = -HEAD_KEPT_NS
        self._last = b""
        self._changed_ns = 0
        self._mouth_still_ns = self._eyes_still_ns = 0
        self._arrival_ns = 0

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        if datagram == self._last:
            if arrival_ns - self._changed_ns >= REPEATED_NS:
                return Drop.NO_FACE
        else:
            self._changed_ns = arrival_ns
        frame = parse_text(datagram)
        if isinstance(frame, Drop):
            return frame
        self._last = datagram
        if not frame.is_tracked:
            return Drop.NO_FACE
        self._look_for_halves(frame, arrival_ns)
        if frame.head is not None:
            pitch, yaw, roll = (min(max(angle, -180.0), 180.0) for angle in frame.head[:3])
            x, y, z = (min(max(place, -10.0), 10.0) for place in frame.head[3:])
            self._head, self._position, self._head_ns = (pitch, yaw, roll), (x, y, z), arrival_ns
        elif arrival_ns - self._head_ns >= HEAD_KEPT_NS:
            self._head, self._position = (0.0, 0.0, 0.0), None
        values = self._shapes.merge(list(frame.shapes), list(frame.shapes.values()), arrival_ns)
        return TrackerSample(arrival_ns, VOCABULARY, values, self._head, self._position)

    def hints(self, now_ns: int) -> tuple[Hint, ...]:
        """That a half of the face is switched off in the app: it comes as zeros, without a mark."""
        mouth_off, eyes_off = self._mouth_still_ns > SWITCHED_OFF_NS, self._eyes_still_ns > SWITCHED_OFF_NS
        if mouth_off == eyes_off or now_ns - self._arrival_ns > SWITCHED_OFF_NS:
            return ()
        return (Hint("mouth_off" if mouth_off else "eyes_off", warning=True),)

    def _look_for_halves(self, frame: TextFrame, arrival_ns: int) -> None:
        # only time in which packets come says anything
        passed = arrival_ns - self._arrival_ns
        passed = passed if 0 < passed < REPEATED_NS else 0
        self._arrival_ns = arrival_ns
        moving = {place for place, value in frame.shapes.items() if value != 0.0}
        self._mouth_still_ns = self._mouth_still_ns + passed if _MOUTH.isdisjoint(moving) else 0
        self._eyes_still_ns = self._eyes_still_ns + passed if _EYES.isdisjoint(moving) else 0


class TextStreamDecoder(Decoder):
    """Frames out of a TCP stream, however it was cut."""

    def __init__(self) -> None:
        self._frames = TextDecoder()
        self._pending = b""

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One piece of the stream; the newest of the frames that it completes."""
        *frames, self._pending = (self._pending + datagram).split(TERMINATOR)
        if len(self._pending) > MAXIMUM_BUFFER_BYTES:
            self._pending = b""
            return Drop.WRONG_SIZE
        newest: TrackerSample | Drop | None = None
        for frame in frames[-8:]:
            result = self._frames.feed(frame, arrival_ns)
            if not isinstance(result, Drop) or not isinstance(newest, TrackerSample):
                newest = result
        return newest

    def hints(self, now_ns: int) -> tuple[Hint, ...]:
        """See :class:`TextDecoder`."""
        return self._frames.hints(now_ns)
