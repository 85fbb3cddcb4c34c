"""All trackers by name: one line each.

Each module offers ``unavailable() -> str | None`` (None, or the key of a reason: ``reason.<key>`` in the locale
tables), ``open_tracker(settings) -> Tracker`` and, when its packets can be recorded and replayed,
``new_decoder(settings, recording="") -> Decoder`` (``recording`` is the recording's file name).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.wire.errors import InputUnavailable
from core.wire.settings import Value

from .base import Decoder, Tracker


@dataclass(frozen=True, slots=True)
class Entry:
    """A tracker's module beside this one, and how names of its recordings begin (none: not recorded)."""

    module: str
    recordings: tuple[str, ...] = ()


TRACKERS: dict[str, Entry] = {
    "webcam": Entry("webcam", ("webcam",)),
    "ifacialmocap": Entry("ifacialmocap", ("ifacialmocap", "fmv3")),
    "facemotion3d": Entry("facemotion3d", ("facemotion3d",)),
    "openseeface": Entry("openseeface", ("openseeface",)),
    "vts": Entry("vts", ("vts",)),
    "meowface": Entry("meowface", ("meowface",)),
    "livelinkface": Entry("livelinkface", ("livelinkface",)),
    "vmc": Entry("vmc", ("vmc",)),
    "rhylive": Entry("rhylive", ("rhylive",)),
    "mouse": Entry("mouse", ("mouse",)),
    "manual": Entry("manual"),
    "replay": Entry("replay"),
    "debug": Entry("debug"),
    "idle": Entry("idle"),
}
"""Tracker name (the value of the ``tracker`` setting) and where it lives."""


def availability() -> dict[str, str | None]:
    """For every tracker None when it can work on this machine, else the key of the reason."""
    return {name: _module(name).unavailable() for name in TRACKERS}


def open_tracker(name: str, settings: Mapping[str, Value]) -> Tracker:
    """Open an input. Raises an InputError that says why when it cannot."""
    if name not in TRACKERS:
        raise InputUnavailable(tracker=name, reason="unknown")
    reason = _module(name).unavailable()
    if reason is not None:
        raise InputUnavailable(tracker=name, reason=reason)
    tracker: Tracker = _module(name).open_tracker(settings)
    return tracker


def protocol_of_recording(file_name: str) -> str | None:
    """The tracker a recording belongs to, told by the first part of its file name; None when no tracker claims it."""
    lowered = file_name.lower()
    for name, entry in TRACKERS.items():
        if lowered.startswith(entry.recordings):
            return name
    return None


def decoder_factory(name: str, settings: Mapping[str, Value], recording: str = "") -> Callable[[], Decoder] | None:
    """Makes fresh decoders for a tracker's recordings; None when it has no such packets."""
    entry = TRACKERS.get(name)
    if entry is None or not entry.recordings:
        return None
    module = _module(name)
    return lambda: module.new_decoder(settings, recording)


def _module(name: str) -> Any:
    return importlib.import_module(f".{TRACKERS[name].module}", __package__)
