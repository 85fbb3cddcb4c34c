"""What the user chose about networks, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.wire.rungs import CPU
from core.wire.settings import Value

AUTOMATIC = "automatic"
NETWORK_SIZE = 512
"""Side of the pictures that super-resolution and RIFE take."""


@dataclass(frozen=True, slots=True)
class ModelWish:
    """The settings that decide which network draws a character, and on what."""

    family: str = AUTOMATIC
    variant: str = "separable"
    """Of THA3: ``separable`` or ``standard``."""
    quality: str = "balanced"
    """Of a THA4 student: ``full``, ``balanced`` or ``fast``."""
    precision: str = AUTOMATIC
    runtime: str = AUTOMATIC
    """Name of a runtime."""
    device: str = AUTOMATIC
    """Name of a device."""
    threads: int = 0
    """On the processor; 0 chooses."""
    size: int = 512
    rung: str = CPU
    """The highest rung of the ladder that may be used."""

    @staticmethod
    def of(settings: Mapping[str, Value], rung: str) -> ModelWish:
        """Out of the settings, presets resolved."""
        # both networks know pictures of this size only
        beside = settings["super_resolution"] != "off" or settings["in_between_method"] == "rife"
        return ModelWish(
            str(settings["model"]),
            str(settings["model_variant"]),
            str(settings["quality"]),
            str(settings["precision"]),
            str(settings["runtime"]),
            str(settings["device"]),
            int(settings["cpu_threads"]),
            NETWORK_SIZE if beside else int(settings["output_size"]),
            rung,
        )


@dataclass(frozen=True, slots=True)
class Running:
    """What draws the character now, and why just that."""

    family: str
    variant: str = ""
    precision: str = ""
    runtime: str = ""
    device: str = ""
    reason: str = ""
    """Key of the reason: ``as_wished``, ``fastest_correct``, ``only_one``, ``next_best``."""
    milliseconds: float = 0.0
    """For one picture when it was checked; 0 when it was not timed."""

    def as_state(self) -> dict[str, object]:
        """The form that travels in ``state``."""
        return {
            "family": self.family,
            "variant": self.variant,
            "precision": self.precision,
            "runtime": self.runtime,
            "device": self.device,
            "reason": self.reason,
            "milliseconds": self.milliseconds,
        }
