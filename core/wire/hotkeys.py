"""Names of the hotkeys: OBS's side registers them, and the documentation lists them.

A binding is kept in the user's scene collection under ``easyvtuber.`` and the name: a name never changes.
"""

from __future__ import annotations

from .expressions import SLOTS

EXPRESSIONS = tuple(f"expression_{slot}" for slot in range(1, SLOTS + 1))
NAMES = (
    "start_stop", "interpolation", "next_preset", "previous_preset", "calibrate", "show_hide", "calibrate_reach",
    "record", *EXPRESSIONS, "no_expression",
)  # fmt: skip
