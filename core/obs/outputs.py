"""Which output shows the avatar, which kind of OBS source belongs to it, and why."""

from __future__ import annotations

from typing import Any, Dict, Mapping

from .avatar_source import TYPE_ID
from .scene import SourceKind
from .status import OutputChoice

SPOUT_TYPE_ID = "spout_capture"
_PREMULTIPLIED = 4
"""``compositemode`` of the Spout2 plug-in 1.5 and later: (ONE, INVSRCALPHA), right for our premultiplied pixels."""
_LOOK_UP_MS = 100
"""``tickspeedlimit``: how often the plug-in looks for a sender that is missing, in milliseconds."""

OWN_SOURCE = SourceKind(TYPE_ID, exact_blending=True)

MEDIA_SOURCE = SourceKind(
    "ffmpeg_source",
    {
        "is_local_file": True,
        "local_file": "",
        "restart_on_activate": False,
        "clear_on_media_end": False,
        "close_when_inactive": False,
        "looping": False,
        "hw_decode": False,
        "log_changes": False,
        "easyvtuber": True,
    },
    marks=(("easyvtuber", True),),
    exact_blending=True,
)
"""The host when OBS refuses our own type: an empty media source takes pictures as well."""


UNDECIDED = OutputChoice("", "undecided")
"""What a worker that has not spoken yet can do is not known."""


def spout_settings(sender: str) -> Dict[str, object]:
    """What a Spout2 source must have to show this sender right."""
    return {"spoutsenders": sender, "compositemode": _PREMULTIPLIED, "tickspeedlimit": _LOOK_UP_MS}


def spout_source(sender: str) -> SourceKind:
    """The Spout2 source for this sender: one that we made, or one that the user made for it."""
    marks = (("easyvtuber", True), ("spoutsenders", sender))
    return SourceKind(SPOUT_TYPE_ID, {**spout_settings(sender), "easyvtuber": True}, marks)


def choose(wanted: str, *, windows: bool, spout_plugin: bool, capabilities: Mapping[str, Any]) -> OutputChoice:
    """What "automatic" means here: Spout2 when both its ends are there, else our own source. Else what was chosen."""
    if wanted != "automatic":
        return OutputChoice(wanted, "chosen")
    if not windows:
        return OutputChoice("obs_source", "not_windows")
    if not spout_plugin:
        return OutputChoice("obs_source", "spout_plugin_missing")
    if not capabilities:
        return UNDECIDED
    outputs = capabilities.get("outputs")
    if not isinstance(outputs, dict) or outputs.get("spout", "unknown") is not None:
        return OutputChoice("obs_source", "spout_sender_unavailable")
    return OutputChoice("spout", "spout_plugin_found")
