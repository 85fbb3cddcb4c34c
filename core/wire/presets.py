"""What each preset sets. ``custom`` leaves the user's own values alone."""

from __future__ import annotations

from typing import Dict, Mapping

from .settings import PRESETS, Value

PRESET_VALUES: Dict[str, Dict[str, Value]] = {
    "low": {"output_size": 384, "render_rate": 20, "quality": "fast"},
    "medium": {"output_size": 512, "render_rate": 30, "quality": "balanced"},
    "high": {"output_size": 512, "render_rate": 0, "quality": "balanced"},
    "ultra": {"output_size": 768, "render_rate": 0, "quality": "full"},
    "custom": {},
}
"""Settings a preset decides; ``render_rate`` 0 renders a picture for every frame."""


def resolve(settings: Mapping[str, Value]) -> Dict[str, Value]:
    """The settings with the chosen preset's values put over them."""
    return {**settings, **PRESET_VALUES.get(str(settings.get("preset")), {})}


def neighbour(preset: str, step: int) -> str:
    """The preset ``step`` places along, round the end (for the next/previous hotkeys)."""
    place = PRESETS.index(preset) if preset in PRESETS else 0
    return PRESETS[(place + step) % len(PRESETS)]
