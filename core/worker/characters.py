"""The character that is shown, and the way from a name in the settings to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from accel.base import Runtime
from core.render.pipeline import Pipeline
from core.wire.errors import AccelError, BuildStopped, EasyVtuberError, ModelError
from core.wire.rungs import RIG
from models.base import CharacterModel
from models.character import Character, load_character
from models.enhancing import WHOLE, Box, reach
from models.family import Family
from models.opener import ModelOpener
from models.registry import open_rig
from models.wish import ModelWish, Running

Progress = Callable[[str, float], None]
PipelineFor = Callable[[CharacterModel, str], Pipeline]
"""Makes a pipeline for a model whose pictures depend on what the text names, and draws its first picture."""


@dataclass(frozen=True, slots=True)
class ShownCharacter:
    """A character that was read and can be posed."""

    name: str
    model: CharacterModel
    running: Running
    pipeline: Pipeline
    box: Box = WHOLE
    """Where in its 512 x 512 picture it may be: top, left, height, width."""
    network: Callable[[], ShownCharacter] | None = None
    """Makes the one that shall take over: the rig is there at once, a network may take minutes the first time."""

    def close(self) -> None:
        """Give back what the model holds on its device; the picture at hand is waited for."""
        self.pipeline.close()
        self.model.close()


class CharacterMaker:
    """Reads characters and opens models. Used on one thread; :meth:`gave_out` and :meth:`end` from any."""

    def __init__(
        self, tell: Callable[[EasyVtuberError | None], None], progress: Progress, pipeline_for: PipelineFor
    ) -> None:
        """``tell`` hears what does not work of the chosen runtimes, ``progress`` of long work."""
        self._opener = ModelOpener(tell)
        self._pipeline_for = pipeline_for
        self._progress = progress
        self.devices: dict[str, list[str]] = {}
        """Runtimes by the name of the device, once they were looked for."""
        self.made_character = ""
        """Name of the character that was made of a picture last."""

    def make(self, name: str, wish: ModelWish, is_wanted: Callable[[], bool], shown: str) -> ShownCharacter:
        """The character; the rig first when the network takes long and ``shown`` is another character."""
        character = load_character(name)
        try:
            family = self._opener.family(character, wish)
            if family is None:
                return self._as_rig(character, wish)
            if name == shown or self._opener.is_quick(family, wish):
                return self._with_network(character, family, wish, is_wanted)
        except BuildStopped:
            raise
        except (ModelError, AccelError):
            if name == shown:
                raise
            # the picture is good, so it moves; making the network, later, says what is wrong with it
        first = self._as_rig(character, wish)
        return replace(first, network=lambda: self._network(name, wish, is_wanted))

    def _network(self, name: str, wish: ModelWish, is_wanted: Callable[[], bool]) -> ShownCharacter:
        character = load_character(name)
        family = self._opener.family(character, wish)
        if family is None:
            return self._as_rig(character, wish)
        return self._with_network(character, family, wish, is_wanted)

    def look_for_devices(self) -> None:
        """Fill :attr:`devices`; may load drivers."""
        found: dict[str, list[str]] = {}
        for device in self._opener.devices:
            found.setdefault(device.name, []).append(device.runtime)
        self.devices = found

    def import_picture(self, picture: Path) -> EasyVtuberError | None:
        """Make a character of any picture; what went wrong, or None. :attr:`made_character` is its name then."""
        from models.picture_import import create_character

        self._progress("importing", 0.0)
        try:
            self.made_character = create_character(picture, "").name
        except EasyVtuberError as problem:
            return problem
        finally:
            self._progress("", 1.0)
        return None

    def runtime_beside(self, running: Running, wish: ModelWish) -> Runtime:
        """Where something may be computed beside what is shown. Raises RuntimeUnavailable, RuntimeFailed."""
        return self._opener.runtime_beside(running, wish)

    def gave_out(self, running: Running, problem: EasyVtuberError) -> None:
        """What draws now stopped working: it is not used again. Safe from any thread."""
        device = self._opener.device_of(running)
        if device is not None:
            self._opener.gave_out(device, running.precision, problem)

    def end(self) -> None:
        """The process is about to end because somebody wants it to. Safe from any thread."""
        self._opener.end()

    def close(self) -> None:
        """Give the runtimes back."""
        self._opener.close()

    def _with_network(
        self, character: Character, family: Family, wish: ModelWish, is_wanted: Callable[[], bool]
    ) -> ShownCharacter:
        def report(task: str, share: float) -> None:
            if not is_wanted():
                raise BuildStopped(network=task)
            self._progress(task, share)

        try:
            model, running = self._opener.open(family, wish, report)
        finally:
            self._progress("", 1.0)
        try:
            return self._shown(character, model, running, family.key)
        except AccelError as problem:
            # it drew when it was checked and does not any more: the next best is tried
            model.close()
            self.gave_out(running, problem)
            raise

    def _as_rig(self, character: Character, wish: ModelWish) -> ShownCharacter:
        return self._shown(character, open_rig(character, wish.size), Running(RIG), str(character.parts))

    def _shown(self, character: Character, model: CharacterModel, running: Running, key: str) -> ShownCharacter:
        picture = hashlib.sha256(character.picture.tobytes()).hexdigest()
        name = f"{picture}|{key}|{running.variant}|{running.precision}|{running.runtime}|{running.device}|{model.size}"
        return ShownCharacter(character.name, model, running, self._pipeline_for(model, name), reach(character.picture))
