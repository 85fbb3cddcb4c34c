"""The 52 blend shapes of ARKit's face tracking, and every way trackers spell them.

Order: alphabetical in ARKit's own spelling, which is the order of RhyLive's packets and of MediaPipe's scores.
"""

from __future__ import annotations

VOCABULARY = "arkit"
"""What a sample is called whose values are these 52 shapes, 1.0 = full, in this order."""

NAMES: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
SHAPE_COUNT = len(NAMES)
SHAPE: dict[str, int] = {name: place for place, name in enumerate(NAMES)}
"""Index of each shape by ARKit's spelling."""


def _spellings() -> dict[str, int]:
    found: dict[str, int] = {}
    for name, place in SHAPE.items():
        found[name.lower()] = place
        for side in ("Left", "Right"):
            stem = name.removesuffix(side)
            if stem not in (name, "mouth", "jaw"):
                found[f"{stem}_{side[0]}".lower()] = place
    return found


BY_SPELLING: dict[str, int] = _spellings()
"""Index by the name in lower case: ``eyeBlinkLeft``, ``EyeBlinkLeft`` and ``eyeBlink_L`` are one shape. ``mouthLeft``
and ``jawLeft`` are movements, not sides, and have one spelling only."""
