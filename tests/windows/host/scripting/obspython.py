"""What scripts import as ``obspython`` in the host: the tests' own stand-in, whose sources are known to obs.dll too."""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Optional

from tests.fake_obs import FakeObs, Source
from tests.fake_obs_panel import Data


class HostObs(FakeObs):
    """A source that a script makes is one that libobs finds by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.libobs: Any = ctypes.CDLL("obs")

    def obs_source_create(self, type_id: str, name: str, settings: Optional[Data], hotkeys: None) -> Source:
        self.libobs.host_add_source(name.encode("utf-8"))
        return super().obs_source_create(type_id, name, settings, hotkeys)


sys.modules[__name__] = HostObs()  # type: ignore[assignment]
