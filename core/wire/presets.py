"""What each preset sets. ``custom`` leaves the user's own values alone."""

from __future__ import annotations

from typing import Dict, Mapping

from .settings import PRESETS, Value

PRESET_VALUES: Dict[str, Dict[str, Value]] = {
    "low": {"output_size": 384, "render_rate": 20, "quality": "fast", "simplify": "higher", "ram_cache": 256,
            "vram_cache": 64},
    "medium": {"output_size": 512, "render_rate": 30, "quality": "balanced", "simplify": "high", "ram_cache": 512,
               "vram_cache": 128},
    "high": {"output_size": 512, "render_rate": 0, "quality": "balanced", "simplify": "low", "ram_cache": 512,
             "vram_cache": 128},
    "ultra": {"output_size": 768, "render_rate": 0, "quality": "full", "simplify": "off", "ram_cache": 1024,
              "vram_cache": 256},
    "automatic": {},
    "custom": {},
}  # fmt: skip
"""Settings a preset decides; ``render_rate`` 0 renders a picture for every frame. ``automatic`` becomes one of the
others once this machine was measured."""

AUTOMATIC = "automatic"
UNRATED = "high"
"""What ``automatic`` is until the machine was measured."""


def resolve(settings: Mapping[str, Value], rated: str = UNRATED) -> Dict[str, Value]:
    """The settings with the chosen preset's values put over them. ``rated``: what ``automatic`` means here."""
    preset = str(settings.get("preset"))
    return {**settings, **PRESET_VALUES.get(rated if preset == AUTOMATIC else preset, {})}


def neighbour(preset: str, step: int) -> str:
    """The preset ``step`` places along, round the end (for the next/previous hotkeys)."""
    place = PRESETS.index(preset) if preset in PRESETS else 0
    return PRESETS[(place + step) % len(PRESETS)]
