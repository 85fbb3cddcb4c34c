"""The Spout2 plug-in of OBS: whether it is there, and where it is had. It is never downloaded by us.

With it the picture stays on the graphics card; without it our own source shows it, which needs no plug-in.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Mapping, Optional

from .console import Console
from .install_record import record_declined, was_declined
from .obs.places import ObsPlace

PAGE = "https://github.com/Off-World-Live/obs-spout2-plugin/releases"
OFFER = "spout"
_LIBRARY = "win-spout.dll"


def find_spout_plugin(place: ObsPlace, environment: Optional[Mapping[str, str]] = None) -> Optional[Path]:
    """The plug-in's library: in OBS's own folder, where all users' plug-ins are, or in the settings folder."""
    machine = (os.environ if environment is None else environment).get("ProgramData", "")
    inside = place.root / "obs-plugins/64bit" / _LIBRARY
    if inside.is_file():
        return inside
    folders = [place.config / "plugins"] if place.is_portable else []
    if machine:
        folders.append(Path(machine) / "obs-studio/plugins")
    for folder in folders:
        found = next(iter(sorted(folder.glob(f"*/bin/64bit/{_LIBRARY}"))), None)
        if found is not None:
            return found
    return None


def offer_spout_plugin(console: Console, place: ObsPlace) -> None:
    """Windows: say what the plug-in is good for and open its page when the user wants it. Never stops the rest."""
    if sys.platform != "win32":
        return
    found = find_spout_plugin(place)
    if found is not None:
        record_declined(OFFER, False)
        console.say(f"ready: OBS has the Spout2 plug-in ({found})")
        return
    console.say("OBS has no Spout2 plug-in. The avatar works without it, through its own source in OBS.")
    if was_declined(OFFER):
        return
    if not console.attended:
        console.say(f"With the plug-in the picture stays on the graphics card, which is cheaper: {PAGE}")
        return
    record_declined(OFFER)  # asked once is enough, whatever the answer; the plug-in is noticed when it is there
    if not console.ask(
        "With it the picture stays on the graphics card, which is cheaper. Open the plug-in's page now? (Take its "
        "installer there, close OBS for it, and start OBS again: it is used by itself.)"
    ):
        console.say(f"Any time later: {PAGE}")
    elif not _opened():
        console.say(f"No browser could be opened. The page is {PAGE}")


def _opened() -> bool:
    try:
        return webbrowser.open(PAGE)
    except (OSError, webbrowser.Error):
        return False
