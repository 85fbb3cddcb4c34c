"""Facemotion3d: an iPhone app of iFacialMocap's maker; the same text frames, other requests and ports, or FMV3.

Requests: facemotion3d.net, pages for developers. Its "Other" licence is needed, else the app sends ten seconds only.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.settings import Value

from . import fmv3
from .base import Decoder, Tracker
from .ifacialmocap import decoder_of, open_text, open_text_tcp
from .phone import phone_of

PHONE_PORT, OWN_PORTS = 49993, (49983, 49993)
"""Its pages name the one here and the other there: the second is tried when nothing comes to the first."""
REQUEST = b"FACEMOTION3D_OtherStreaming"
REQUEST_TCP = REQUEST + b"|protocol=tcp"
STOP = b"StopStreaming_FACEMOTION3D"


def unavailable() -> str | None:
    """Always there: it needs a phone, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> Decoder:
    """A decoder for a recording, told by its name."""
    return decoder_of(recording)


def open_tracker(settings: Mapping[str, Value]) -> Tracker:
    """Ask the phone and listen, in the way ``phone_protocol`` says."""
    way = str(settings["phone_protocol"])
    if way in ("fmv3", "fmv3_tcp"):
        return fmv3.open_fmv3("facemotion3d", phone_of(settings, fmv3.UDP_PORT), over_tcp=way == "fmv3_tcp")
    phone = phone_of(settings, PHONE_PORT)
    if way == "text_tcp" and phone.address:
        return open_text_tcp("facemotion3d", phone, REQUEST_TCP, STOP)
    return open_text("facemotion3d", phone, OWN_PORTS, [REQUEST], (STOP,))
