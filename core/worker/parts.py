"""The three parts of a worker that can be exchanged while it runs: the input, the character, the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.publish import registry as outputs
from core.publish.base import PublishContext, Publisher
from core.wire.errors import EasyVtuberError
from core.wire.settings import Value
from models.base import CharacterModel
from models.character import load_character
from models.registry import open_model
from trackers import registry as trackers
from trackers.base import Tracker

from .preparer import Part, Preparer

_CLOSE_LIMIT_S = 1.5
_TRACKER_KEYS = ("tracker", "osf_address", "osf_port", "replay_path", "replay_protocol", "replay_loop")
_CHARACTER_KEYS = ("character", "output_size")
_OUTPUT_KEYS = ("output", "spout_name", "file_path", "camera_device", "camera_alpha_split")
_SHOWN_ELSEWHERE_KEYS = ("frame_rate", "output_size", "background_colour")
"""What outputs outside OBS must be opened with; the frame ring takes every size and rate as it comes."""


@dataclass(frozen=True, slots=True)
class ShownCharacter:
    """A character that was read and can be posed."""

    name: str
    model: CharacterModel

    def close(self) -> None:
        """Models hold nothing but memory."""


class Parts:
    """Holds what is in use and has the preparer make what the settings want instead."""

    def __init__(self, report: Callable[[str, EasyVtuberError | None], None]) -> None:
        self._preparer = Preparer()
        self.tracker: Part[Tracker] = Part("tracker", self._preparer, report, exclusive=True)
        self.character: Part[ShownCharacter] = Part("character", self._preparer, report)
        self.output: Part[Publisher] = Part("output", self._preparer, report, exclusive=True)

    def want(self, settings: Mapping[str, Value], rung: str, context: PublishContext) -> None:
        """Make anew whatever these settings (presets resolved) would have different."""
        self.tracker.want(
            _values(settings, _TRACKER_KEYS), lambda: trackers.open_tracker(str(settings["tracker"]), settings)
        )
        self.character.want(
            (rung, *_values(settings, _CHARACTER_KEYS)),
            lambda: _open_character(str(settings["character"]), int(settings["output_size"]), rung),
        )
        output = str(settings["output"])
        if output == "automatic":
            # OBS's side decides before it asks; alone, the ring is the better guess
            output = "obs_source" if context.ring_locator else "null"
        keys = _OUTPUT_KEYS if output == "obs_source" else _OUTPUT_KEYS + _SHOWN_ELSEWHERE_KEYS
        self.output.want(
            (context.ring_locator, output, *_values(settings, keys)),
            lambda: outputs.open_publisher(output, settings, context),
        )

    def close(self) -> None:
        """Give everything back, within the time OBS grants."""
        self.output.close()
        self.tracker.close()
        self._preparer.close(_CLOSE_LIMIT_S)


def _open_character(name: str, size: int, rung: str) -> ShownCharacter:
    return ShownCharacter(name, open_model(load_character(name), size, rung))


def _values(settings: Mapping[str, Value], keys: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple(settings[key] for key in keys)
