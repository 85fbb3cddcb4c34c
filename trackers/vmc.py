"""VMC protocol (Virtual Motion Capture): VSeeFace, VMagicMirror, Warudo, XR Animator and others send it over UDP.

Layout: sh-akira's VirtualMotionCaptureProtocol, version 3.1. OSC messages; a face is complete with
``/VMC/Ext/Blend/Apply``. Nothing that comes from the network is ever opened or carried out: only blend values and bones
are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.pose import rotation
from core.pose.mapping import arkit_names, vrm
from core.pose.rotation import Quaternion
from core.pose.sample import HeadAngles
from core.wire.settings import Value

from .addresses import LOOPBACK
from .arkit import ShapeMemory
from .base import Decoder, Drop, TrackerSample
from .osc import Argument, OscMessage, read_osc
from .udp import UdpTracker

APPLIED_AFTER_NS = 50_000_000
"""Values are taken after this long even if the sender never says that they are complete."""
KEPT_NS = 500_000_000
"""A value or a bone that no longer comes is at rest after this long."""
UNTRACKED_NS = 5_000_000_000
"""So long a sender is believed that it sees no face; another one may have taken its place, and may never tell."""
KIND_KEPT_NS = 5_000_000_000
"""A sender that pauses its values does not become one of another vocabulary."""
_ARKIT_LIDS = frozenset(arkit_names.SHAPE[f"eyeBlink{side}"] for side in ("Left", "Right"))
_LIDS = frozenset((vrm.BLINK, vrm.BLINK_LEFT, vrm.BLINK_RIGHT))
_PERFECT_SYNC_NAMES = 10
"""So many of ARKit's 52 names make it a face of ARKit's; a preset may be called like one of them by accident."""
_EYE_FULL_DEGREES = 35.0
_VALUE_ADDRESS, _APPLY_ADDRESS = "/VMC/Ext/Blend/Val", "/VMC/Ext/Blend/Apply"
_BONE_ADDRESS, _OK_ADDRESS = "/VMC/Ext/Bone/Pos", "/VMC/Ext/OK"
_BODY_BONES = ("spine", "chest", "upperchest")
_HEAD_BONES = ("neck", "head")
_EYE_BONES = ("lefteye", "righteye")
_BONES = frozenset((*_BODY_BONES, *_HEAD_BONES, *_EYE_BONES))


class VmcDecoder(Decoder):
    """Collects values and bones until they are applied."""

    def __init__(self) -> None:
        self._shapes = ShapeMemory()
        self._presets = np.zeros(vrm.VALUE_COUNT, np.float32)
        self._presets_seen_ns = np.zeros(vrm.VALUE_COUNT, np.int64)
        self._bones: dict[str, tuple[Quaternion, int]] = {}
        self._arkit: dict[int, float] = {}
        self._vrm: dict[int, float] = {}
        self._waiting_since_ns: int | None = None
        self._arkit_seen_ns: dict[int, int] = {}
        self._perfect_sync_ns: int | None = None
        self._untracked_ns: int | None = None
        self._lids_ns = -KIND_KEPT_NS

    def feed(self, datagram: bytes, arrival_ns: int) -> TrackerSample | Drop | None:
        """One packet: a bundle or a single message; see :class:`trackers.base.Decoder`."""
        messages = read_osc(datagram)
        if not messages:
            return Drop.WRONG_FORMAT
        known = applied = False
        for message in messages:
            if message.address == _APPLY_ADDRESS:
                known = applied = True
            elif self._read(message, arrival_ns):
                known = True
        if not known:
            return Drop.WRONG_FORMAT
        if self._untracked_ns is not None and arrival_ns - self._untracked_ns < UNTRACKED_NS:
            self._arkit, self._vrm, self._waiting_since_ns = {}, {}, None
            return Drop.NO_FACE
        late = self._waiting_since_ns is not None and arrival_ns - self._waiting_since_ns >= APPLIED_AFTER_NS
        return self._apply(arrival_ns) if applied or late else None

    def _read(self, message: OscMessage, arrival_ns: int) -> bool:
        """Take note of one message. False when it is none of ours."""
        address, arguments = message
        if address == _VALUE_ADDRESS or address.startswith(_VALUE_ADDRESS + "/"):
            # some senders put the name into the address
            named = [address[len(_VALUE_ADDRESS) + 1 :], *arguments] if address != _VALUE_ADDRESS else arguments
            name, value = named[0] if named else None, _number(named[1]) if len(named) > 1 else None
            if isinstance(name, str) and value is not None:
                self._value(name.lower(), value)
                self._wait(arrival_ns)
            return True
        if address == _BONE_ADDRESS:
            bone = arguments[0].lower() if arguments and isinstance(arguments[0], str) else ""
            turned = quaternion_of(arguments[4:8])
            if bone in _BONES and turned is not None:
                self._bones[bone] = turned, arrival_ns
                self._wait(arrival_ns)
            return True
        if address == _OK_ADDRESS:
            # the fourth number, since version 2.7 of the protocol: is the face tracked?
            self._untracked_ns = arrival_ns if len(arguments) > 3 and arguments[3] == 0 else None
            return True
        return address.startswith("/VMC/Ext/")

    def _wait(self, arrival_ns: int) -> None:
        if self._waiting_since_ns is None:
            self._waiting_since_ns = arrival_ns

    def _value(self, name: str, value: float) -> None:
        place = arkit_names.BY_SPELLING.get(name)
        if place is not None:
            self._arkit[place] = value
        preset = vrm.BY_SPELLING.get(name)
        if preset is not None:
            self._vrm[preset] = min(max(value, 0.0), 1.0)

    def _apply(self, arrival_ns: int) -> TrackerSample:
        self._waiting_since_ns = None
        arkit, presets = self._arkit, self._vrm
        self._arkit, self._vrm = {}, {}
        if not (_ARKIT_LIDS.isdisjoint(arkit) and _LIDS.isdisjoint(presets)):
            self._lids_ns = arrival_ns
        self._arkit_seen_ns.update(dict.fromkeys(arkit, arrival_ns))
        if sum(arrival_ns - seen_ns < KEPT_NS for seen_ns in self._arkit_seen_ns.values()) >= _PERFECT_SYNC_NAMES:
            self._perfect_sync_ns = arrival_ns
        shapes = self._shapes.merge(list(arkit), list(arkit.values()), arrival_ns) if arkit else None
        given = list(presets)
        self._presets[given] = list(presets.values())
        self._presets_seen_ns[given] = arrival_ns
        self._presets[self._presets_seen_ns < arrival_ns - KEPT_NS] = 0.0
        head, body = self._turned(_HEAD_BONES, arrival_ns), self._turned(_BODY_BONES, arrival_ns)
        vocabulary, values = vrm.VOCABULARY, self._with_gaze(arrival_ns)
        if self._perfect_sync_ns is not None and arrival_ns - self._perfect_sync_ns < KIND_KEPT_NS:
            if shapes is None:
                shapes = self._shapes.merge([], [], arrival_ns)
            vocabulary, values = arkit_names.VOCABULARY, shapes
        return TrackerSample(
            arrival_ns,
            vocabulary,
            values,
            head or (0.0, 0.0, 0.0),
            body_degrees=body,
            tracks_eyes=arrival_ns - self._lids_ns < KIND_KEPT_NS,
        )

    def _with_gaze(self, arrival_ns: int) -> NDArray[np.float32]:
        values = self._presets.copy()
        eyes = [self._turned((eye,), arrival_ns) for eye in _EYE_BONES]
        seen = [eye for eye in eyes if eye is not None]
        if seen:
            values[vrm.GAZE_UP] = -sum(eye[0] for eye in seen) / len(seen) / _EYE_FULL_DEGREES
            values[vrm.GAZE_RIGHT] = -sum(eye[1] for eye in seen) / len(seen) / _EYE_FULL_DEGREES
        return np.clip(values, -1.5, 1.5)

    def _turned(self, bones: tuple[str, ...], arrival_ns: int) -> HeadAngles | None:
        """The bones' rotations one after another, in ARKit's sense; None when none of them comes."""
        total = rotation.IDENTITY
        found = False
        for bone in bones:
            turned, seen_ns = self._bones.get(bone, (rotation.IDENTITY, -KEPT_NS))
            if arrival_ns - seen_ns < KEPT_NS:
                total, found = rotation.multiply(total, turned), True
        return rotation.to_degrees(total) if found else None


def _number(argument: Argument) -> float | None:
    if isinstance(argument, (bool, int, float)) and math.isfinite(argument):
        return float(min(max(argument, -10.0), 10.0))
    return None


def quaternion_of(arguments: list[Argument]) -> Quaternion | None:
    """A bone's rotation in ARKit's axes (w, x, y, z), normalised; None when it is none.

    Unity's axes are left-handed: x and the sense of turning about y and z are the other way round.
    """
    parts = [_number(argument) for argument in arguments]
    if len(parts) < 4 or any(part is None for part in parts):
        return None
    x, y, z, w = (part or 0.0 for part in parts)
    length = math.sqrt(x * x + y * y + z * z + w * w)
    if not 0.5 < length < 1.5:
        return None
    return w / length, x / length, -y / length, -z / length


def unavailable() -> str | None:
    """Always there: it needs a port, nothing else."""
    return None


def new_decoder(settings: Mapping[str, Value], recording: str = "") -> VmcDecoder:
    """A decoder for packets from wherever, for the replay."""
    return VmcDecoder()


def open_tracker(settings: Mapping[str, Value]) -> UdpTracker:
    """Listen on ``vmc_port``, for this computer only unless ``listen_address`` says otherwise."""
    return UdpTracker(
        "vmc", str(settings["listen_address"]) or LOOPBACK, int(settings["vmc_port"]), new_decoder(settings)
    )
