"""Text frames as iFacialMocap and Facemotion3d send them, written from their pages for developers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

REQUEST_V1 = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719"
REQUEST_V2 = b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"
REQUEST_TCP = b"iFacialMocap_UDPTCP_sahuasouryya9218sauhuiayeta91555dy3719|sendDataVersion=v2"
STOP_TCP = b"iFacialMocap_UDPTCPSTOP_sahuasouryya9218sauhuiayeta91555dy3719"
FACEMOTION3D_REQUEST = b"FACEMOTION3D_OtherStreaming"
FACEMOTION3D_REQUEST_TCP = b"FACEMOTION3D_OtherStreaming|protocol=tcp"
FACEMOTION3D_STOP = b"StopStreaming_FACEMOTION3D"
TERMINATOR = b"___iFacialMocap"

_SIDED = (
    "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp",
    "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile", "mouthStretch",
    "mouthUpperUp", "noseSneer",
)  # fmt: skip
_SINGLE = (
    "browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel",
    "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "tongueOut",
)  # fmt: skip
V1_OF = {name: name for name in _SINGLE}
"""Version 1's name of each shape by ARKit's: only names with two sides differ."""
for _stem in _SIDED:
    V1_OF[f"{_stem}Left"], V1_OF[f"{_stem}Right"] = f"{_stem}_L", f"{_stem}_R"
SHAPES = tuple(sorted(V1_OF))

HEAD = (7.5, -0.4, -11.7, 0.0006, -0.006, -0.28)
"""Angles in degrees, place in metres: a head that looks a little down, 28 cm before the phone."""
EYES = (0.45, 0.2, 0.0)


def vector(name: str, numbers: Sequence[object]) -> str:
    return f"{name}#{','.join(str(number) for number in numbers)}|"


def poses(head: Sequence[object] = HEAD) -> str:
    return "=" + vector("head", head) + vector("rightEye", EYES) + vector("leftEye", EYES)


def text_v1(shapes: Mapping[str, object], head: Sequence[object] = HEAD, status: object | None = 1) -> bytes:
    """Shapes by ARKit's names, in percent; those that are not given are 0."""
    first = "" if status is None else f"trackingStatus-{status}|"
    told = "".join(f"{V1_OF[name]}-{shapes.get(name, 0)}|" for name in SHAPES)
    return (first + told + "hapihapi-0|" + poses(head)).encode()


def text_v2(shapes: Mapping[str, object], head: Sequence[object] = HEAD, status: object | None = 1) -> bytes:
    """The same in version 2, which is Facemotion3d's form too."""
    told = "".join(f"{name}&{shapes.get(name, 0)}|" for name in reversed(SHAPES))
    last = "" if status is None else f"trackingStatus&{status}|"
    return (told + last + poses(head)).encode()


def only(*tokens: str, head: Sequence[object] | None = None) -> bytes:
    """Nothing but these."""
    return ("".join(f"{token}|" for token in tokens) + ("" if head is None else "=" + vector("head", head))).encode()
