"""VTube Studio on a phone: it sends while it is asked, over UDP, one JSON object per frame.

Layout: DenchiSoft's VTubeStudioBlendshapeUDPReceiverTest. The app needs "3rd Party PC Clients" switched on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.pose.mapping.arkit_names import VOCABULARY
from core.pose.sample import HeadAngles, Position
from core.wire.settings import Value

from .arkit import ShapeMemory
from .base import Decoder, Drop, Hint, TrackerSample
from .in_order import InOrder
from .json_face import arkit_shapes, milliseconds, read_object, read_shapes, vector
from .phone import Requests, listen_for, phone_of
from .udp import UdpTracker

PHONE_PORT = 21412
ASKED_FOR_S = 5.0
"""How long one request holds; it is repeated every second."""
_HOTKEYS = 8


class VtsDecoder(Decoder):
    """One face per packet."""

    def __init__(self) -> None:
        self._shapes = ShapeMemory()
        self._order = InOrder()

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet; see :class:`trackers.base.Decoder`."""
        content = read_object(datagram)
        if isinstance(content, Drop):
            return content
        if "FaceFound" not in content or "BlendShapes" not in content:
            return Drop.WRONG_FORMAT
        if content["FaceFound"] is not True:
            return Drop.NO_FACE
        shapes, turned = read_shapes(content["BlendShapes"]), vector(content.get("Rotation"))
        if shapes is None or turned is None:
            return Drop.WRONG_FORMAT
        if self._order.is_late(milliseconds(content.get("Timestamp"))):
            return Drop.OUT_OF_ORDER
        hotkey = content.get("Hotkey")
        return TrackerSample(
            arrival_ns,
            VOCABULARY,
            self._shapes.merge(*arkit_shapes(shapes), arrival_ns),
            head_of(turned),
            position_of(vector(content.get("Position"))),
            hotkey=hotkey if type(hotkey) is int and 0 < hotkey <= _HOTKEYS else 0,
        )


def head_of(turned: tuple[float, float, float]) -> HeadAngles:
    """Pitch, yaw, roll of VTube Studio's ``Rotation``: x turns to the subject's left, y looks up, z rolls."""
    yaw, up, roll = (min(max(angle, -180.0), 180.0) for angle in turned)
    return -up, yaw, roll


def position_of(place: tuple[float, float, float] | None) -> Position | None:
    """Metres from ``Position``, which looks like tenths of a metre with z away from the camera."""
    if place is None:
        return None
    x, y, away = (min(max(part, -100.0), 100.0) / 10.0 for part in place)
    return x, y, -away


def request(port: int) -> bytes:
    """What asks the app to send to ``port`` of the computer that asks."""
    wanted = {"messageType": "iOSTrackingDataRequest", "time": ASKED_FOR_S, "sentBy": "EasyVtuber", "ports": [port]}
    return json.dumps(wanted, separators=(",", ":")).encode("ascii")


class VtsRequests(Requests):
    """Also reminds of the app's own switch."""

    def hints(self, now_ns: int, heard_ns: int) -> tuple[Hint, ...]:
        """See :class:`trackers.phone.Requests`."""
        found = super().hints(now_ns, heard_ns)
        return (*found, Hint("vts_switch", warning=True)) if found else ()


def unavailable() -> str | None:
    """Always there: it needs a phone, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> VtsDecoder:
    """A decoder for packets from wherever, for the replay."""
    return VtsDecoder()


def open_tracker(settings: Mapping[str, Value]) -> UdpTracker:
    """Ask the phone again and again, and wait on ``vts_port``."""
    phone, port = phone_of(settings, PHONE_PORT), int(settings["vts_port"])
    asking = None
    if phone.address:
        asking = VtsRequests((phone.address, phone.port), [request(port)], while_heard_s=1.0)
    return listen_for("vts", phone, port, new_decoder(settings), asking)
