"""MeowFace: an Android app that sends the same JSON as VTube Studio, with names and quirks of its own.

Facts: regzo2's VRCFaceTracking-MeowFace and virtual-puppet-project's meowface-tracker. It says that it sees a face even
when it does not, its eye angles are of no use, and the head is told as shapes besides the angles. Nothing is broadcast.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.pose.mapping.arkit_names import SHAPE, VOCABULARY
from core.pose.sample import HeadAngles, Position
from core.wire.settings import Value

from .arkit import ShapeMemory
from .base import Decoder, Drop, TrackerSample
from .in_order import InOrder
from .json_face import Shapes, arkit_shapes, milliseconds, read_object, read_shapes, vector
from .phone import Requests, listen_for, phone_of
from .udp import UdpTracker
from .vts import PHONE_PORT, head_of, request

_HEAD_SHAPES = frozenset(("headup", "headdown", "headleft", "headright", "headrollleft", "headrollright"))
_HEAD_DEGREES = 90.0
_FRAME_METRES = 0.6
"""How wide the picture is where the face is, taken for a head half a metre from a phone's camera."""


class MeowFaceDecoder(Decoder):
    """One face per packet."""

    def __init__(self) -> None:
        self._shapes = ShapeMemory()
        self._order = InOrder()

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        content = read_object(datagram)
        if isinstance(content, Drop):
            return content
        shapes = read_shapes(content.get("BlendShapes"))
        if not shapes:
            return Drop.WRONG_FORMAT
        if content.get("FaceFound") is not True:
            return Drop.NO_FACE
        turned = vector(content.get("Rotation"))
        head = head_of(turned) if turned is not None else None
        if turned is None or not any(turned):
            head = _head_of_shapes(shapes) or head
        if head is None:
            return Drop.WRONG_FORMAT
        if self._order.is_late(milliseconds(content.get("Timestamp"))):
            return Drop.OUT_OF_ORDER
        places, values = arkit_shapes(shapes)
        raised = [shapes[name] for name in ("browinnerupleft", "browinnerupright") if name in shapes]
        if raised and "browinnerup" not in shapes:
            places.append(SHAPE["browInnerUp"])
            values.append(sum(raised) / len(raised))
        position = _position(vector(content.get("VNyanPos")))
        return TrackerSample(arrival_ns, VOCABULARY, self._shapes.merge(places, values, arrival_ns), head, position)


def _head_of_shapes(shapes: Shapes) -> HeadAngles | None:
    """None when there are no such shapes."""
    if _HEAD_SHAPES.isdisjoint(shapes):
        return None

    def both(plus: str, minus: str) -> float:
        amount = shapes.get(plus, 0.0) - shapes.get(minus, 0.0)
        return min(max(amount, -2.0), 2.0) * _HEAD_DEGREES

    return both("headdown", "headup"), both("headleft", "headright"), both("headrollright", "headrollleft")


def _position(place: tuple[float, float, float] | None) -> Position | None:
    """``VNyanPos`` counts in parts of the picture, to the right, up and toward the camera."""
    if place is None:
        return None
    x, y, z = (min(max(part, -3.0), 3.0) * _FRAME_METRES for part in place)
    return x, y, z


def unavailable() -> str | None:
    """Always there: it needs a phone, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> MeowFaceDecoder:
    """A decoder for packets from wherever, for the replay."""
    return MeowFaceDecoder()


def open_tracker(settings: Mapping[str, Value]) -> UdpTracker:
    """Wait on ``meowface_port`` for what the app sends by itself, and ask it too where the phone's address is known."""
    phone, port = phone_of(settings, PHONE_PORT), int(settings["meowface_port"])
    asking = None
    if phone.address:
        asking = Requests((phone.address, phone.port), [request(port)], while_heard_s=1.0)
    return listen_for("meowface", phone, port, new_decoder(settings), asking, also_sends_unasked=True)
