"""The folders that the store works in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.wire.folders import CHARACTERS, model_weights, user_cache, user_data

from .entry import Place, Root


@dataclass(frozen=True, slots=True)
class Places:
    """Where networks and characters go, where agreements are remembered, and where unfinished downloads wait."""

    weights: Path
    characters: Path
    data: Path
    cache: Path

    @classmethod
    def of_this_user(cls, environment: Mapping[str, str] | None = None) -> Places:
        """The folders of the program (``core.wire.folders``)."""
        return cls(model_weights(environment), CHARACTERS, user_data(environment), user_cache(environment))

    @property
    def downloads(self) -> Path:
        """What is on its way; safe to delete."""
        return self.cache / "downloads"

    def root(self, root: Root) -> Path:
        """The folder that paths of this kind are counted from."""
        return self.weights if root is Root.WEIGHTS else self.characters

    def path(self, place: Place) -> Path:
        """Where a file belongs on this computer."""
        return self.root(place.root) / place.path
