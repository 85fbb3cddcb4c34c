"""Where the avatar is seen: which output, which kind of source, found, made and kept right in the user's scenes.

UI thread, unless said otherwise.
"""

from __future__ import annotations

import sys
from typing import Any, List, Mapping, Optional, Set, Tuple

import obspython as obs

from ..wire.settings import Value
from . import outputs, scene
from .engine import Engine
from .status import OutputChoice
from .translate import Translator


class Stage:
    """Knows OBS's scenes; what the worker does it reads from the engine's view."""

    def __init__(self, engine: Engine, say: Translator, own_type_registered: bool) -> None:
        self._engine = engine
        self._say = say
        self._own_source = outputs.OWN_SOURCE if own_type_registered else outputs.MEDIA_SOURCE
        self._spout_plugin = obs.obs_source_get_display_name(outputs.SPOUT_TYPE_ID) is not None
        self._shown: Optional[scene.SourceKind] = None
        self._blended: Set[Tuple[str, int]] = set()

    @property
    def own_type_refused(self) -> bool:
        """Did OBS refuse our own source type, so that a media source shows the avatar?"""
        return self._own_source is outputs.MEDIA_SOURCE

    @property
    def source_type(self) -> str:
        """The type of source that shows the avatar when Spout2 does not."""
        return self._own_source.type_id

    def choose(self, wanted: str, capabilities: Mapping[str, Any]) -> OutputChoice:
        """Any thread. The output that the setting means, with what the worker said it can."""
        return outputs.choose(
            wanted, windows=sys.platform == "win32", spout_plugin=self._spout_plugin, capabilities=capabilities
        )

    def output(self, settings: Mapping[str, Value]) -> OutputChoice:
        """Any thread. The output in use, as far as it is known now."""
        return self.choose(str(settings["output"]), self._engine.view.capabilities)

    def show(self, settings: Mapping[str, Value]) -> None:
        """Have a source for the output in use, made in the current scene if there is none anywhere."""
        kind = self._kind(settings)
        self._shown = kind
        if kind is not None:
            names = scene.ensure(kind, self._name(kind))
            if self.own_type_refused:
                scene.silence(names)
        self.follow(settings)

    def add_to_current_scene(self, settings: Mapping[str, Value]) -> None:
        """Put the avatar into the scene that is on."""
        kind = self._kind(settings)
        if kind is not None:
            scene.add_to_current_scene(kind, self._name(kind))
            self.follow(settings)

    def follow(self, settings: Mapping[str, Value]) -> None:
        """Follow what the user did to the sources (added, removed, renamed, shown elsewhere), and repair what is
        ours."""
        kind = self._kind(settings)
        if kind is not None and (self._shown is None or kind.type_id != self._shown.type_id):
            # the worker has told only now what it can, or the output was changed
            self.show(settings)
            return
        names: List[str] = scene.names_of(self._own_source)
        if kind is not None and kind.type_id == outputs.SPOUT_TYPE_ID:
            for name in scene.names_of(kind):
                scene.update_settings(name, outputs.spout_settings(self._sender(settings)))
        if kind is self._own_source:
            self._engine.pusher.set_sources(names)
        else:
            self._engine.pusher.clear_sources(names)
        scene.make_blending_exact(self._own_source, self._blended)

    def _kind(self, settings: Mapping[str, Value]) -> Optional[scene.SourceKind]:
        """The kind of source that belongs to the output in use; None for outputs outside OBS, or while undecided."""
        output = self.output(settings).output
        if output == "spout":
            return outputs.spout_source(self._sender(settings))
        return self._own_source if output == "obs_source" else None

    def _name(self, kind: scene.SourceKind) -> str:
        return self._say("source.spout_name" if kind.type_id == outputs.SPOUT_TYPE_ID else "source.default_name")

    def _sender(self, settings: Mapping[str, Value]) -> str:
        """The sender's real name: Spout adds a number when the wanted one is taken."""
        state = self._engine.view.state
        real = state.get("output_description") if state.get("output") == "spout" else ""
        return str(real or settings["spout_name"])
