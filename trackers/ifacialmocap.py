"""iFacialMocap: an iPhone app that sends ARKit's shapes as text (UDP or TCP) or as FMV3 (see ``fmv3``).

Requests and ports: ifacialmocap.com/for-developer. The app answers to the address a request came from, but at a fixed
port, and tells nothing when it is closed or opened: so it is asked again and again.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.wire.settings import Value

from . import fmv3
from .base import Decoder, Tracker
from .ifacialmocap_text import TextDecoder, TextStreamDecoder
from .phone import Phone, Requests, listen_for, phone_of
from .tcp import TcpTracker
from .udp import UdpTracker

UDP_PORT, TCP_PORT = 49983, 49986
_KEY = b"sahuasouryya9218sauhuiayeta91555dy3719"
REQUEST_V1 = b"iFacialMocap_" + _KEY
REQUEST_V2 = REQUEST_V1 + b"|sendDataVersion=v2"
REQUEST_TCP = b"iFacialMocap_UDPTCP_" + _KEY + b"|sendDataVersion=v2"
STOP_TCP = b"iFacialMocap_UDPTCPSTOP_" + _KEY


def unavailable() -> str | None:
    """Always there: it needs a phone, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> Decoder:
    """A decoder for a recording, told by its name: ``fmv3...``, ``..._tcp_...`` or plain text frames."""
    return decoder_of(recording)


def decoder_of(recording: str) -> Decoder:
    """See :func:`new_decoder`; Facemotion3d's recordings are told apart the same way."""
    parts = recording.lower().rpartition(".")[0].split("_")
    if "fmv3" in parts:
        return fmv3.Fmv3StreamDecoder() if "tcp" in parts else fmv3.Fmv3Session()
    return TextStreamDecoder() if "tcp" in parts else TextDecoder()


def open_tracker(settings: Mapping[str, Value]) -> Tracker:
    """Ask the phone and listen, in the way ``phone_protocol`` says."""
    phone, way = phone_of(settings, UDP_PORT), str(settings["phone_protocol"])
    if way in ("fmv3", "fmv3_tcp"):
        return fmv3.open_fmv3("ifacialmocap", phone, over_tcp=way == "fmv3_tcp")
    if way == "text_tcp" and phone.address:
        return open_text_tcp("ifacialmocap", phone, REQUEST_TCP, STOP_TCP)
    # several times at once: a lost request costs a second otherwise
    return open_text("ifacialmocap", phone, UDP_PORT, [REQUEST_V1 if way == "text_v1" else REQUEST_V2] * 3)


def open_text(
    name: str, phone: Phone, port: int | tuple[int, ...], packets: list[bytes], goodbye: tuple[bytes, ...] = ()
) -> UdpTracker:
    """Text frames over UDP, which come to ``port``; also those that nobody asked for."""
    asking = Requests((phone.address, phone.port), packets, goodbye=goodbye) if phone.address else None
    return listen_for(name, phone, port, TextDecoder(), asking)


def open_text_tcp(name: str, phone: Phone, packet: bytes, stop: bytes) -> TcpTracker:
    """Text frames over a connection that the phone makes after it was asked."""
    return TcpTracker(
        name,
        (phone.address, phone.port),
        TextStreamDecoder,
        Requests((phone.address, phone.port), [packet], while_silent_s=2.0, while_heard_s=3600.0, goodbye=[stop]),
        listen_on=(phone.listen_on, TCP_PORT),
        recording_prefix=f"{name}_tcp",
    )
