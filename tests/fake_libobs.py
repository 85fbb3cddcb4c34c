"""libobs without libobs: keeps what is pushed into sources, and counts the references it hands out."""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set, Tuple

from core.obs.libobs import LibObs, SourceFrame

_CREATE = ctypes.CFUNCTYPE(ctypes.c_void_p)
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Pushed(NamedTuple):
    """One picture that libobs got."""

    source: int
    width: int
    height: int
    line_bytes: int
    format: int
    full_range: bool
    timestamp: int
    pixels: bytes


class FakeLib(LibObs):
    """A stand-in for the calls of :class:`core.obs.libobs.LibObs`. Sources are numbers, known by name."""

    def __init__(self) -> None:
        self.sources: Dict[str, int] = {}
        self.references: Dict[int, int] = {}
        self.removed: Set[int] = set()
        self.flags: Dict[int, Set[str]] = {}
        self.pushed: List[Pushed] = []
        self.emptied: List[int] = []
        """Sources that were told to show nothing."""
        self.while_pushing: Callable[[], None] = lambda: None
        """Called in the middle of every push, when libobs has not copied the picture yet."""
        self.tasks: List[Callable[[], None]] = []
        self.dialogs_updated: List[int] = []
        self.clock: Optional[Tuple[int, int]] = (1_000, 16_666_666)
        self.registered: List[str] = []
        self.refuses_types = False
        self.dialog: List[Tuple[str, ...]] = []
        """What was put into the last properties dialog: kind, name, text or label, level."""
        self.buttons: Dict[str, int] = {}
        self.obs_data_create = _CREATE(lambda: None)
        self.obs_data_release = _RELEASE(lambda _: None)
        self._lock = threading.Lock()

    # -- what tests look at ----------------------------------------------------------------------------------------

    def add_source(self, name: str) -> int:
        self.sources[name] = 1000 + len(self.references)
        self.references[self.sources[name]] = 0
        return self.sources[name]

    def leaks(self) -> Dict[int, int]:
        """References that were not given back (positive) or given back too often (negative)."""
        return {source: count for source, count in self.references.items() if count}

    def run_tasks(self) -> None:
        """What OBS's UI thread does when it comes to it."""
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            task()

    # -- libobs ----------------------------------------------------------------------------------------------------

    def frame_clock(self) -> Optional[Tuple[int, int]]:
        return self.clock

    def run_on_ui_thread(self, function: Callable[[], None]) -> None:
        self.tasks.append(function)

    def os_gettime_ns(self) -> int:
        return 42

    def obs_get_source_by_name(self, name: bytes) -> Optional[int]:
        source = self.sources.get(name.decode("utf-8"))
        if source is not None:
            with self._lock:
                self.references[source] += 1
        return source

    def obs_source_release(self, source: int) -> None:
        with self._lock:
            self.references[source] -= 1

    def obs_source_removed(self, source: int) -> bool:
        assert self.references[source] > 0, "asked about a source that is not held"
        return source in self.removed

    def obs_source_set_async_unbuffered(self, source: int, on: bool) -> None:
        self.flags.setdefault(source, set()).add("unbuffered" if on else "buffered")

    def obs_source_set_async_decoupled(self, source: int, on: bool) -> None:
        self.flags.setdefault(source, set()).add("decoupled" if on else "coupled")

    def obs_source_update_properties(self, source: int) -> None:
        self.dialogs_updated.append(source)

    def obs_source_output_video(self, source: int, reference: Any) -> None:
        assert self.references[source] > 0, "pushed into a source that is not held"
        if reference is None:
            self.emptied.append(source)
            return
        frame: SourceFrame = reference._obj
        self.while_pushing()
        size = frame.linesize[0] * frame.height
        self.pushed.append(
            Pushed(
                source,
                frame.width,
                frame.height,
                frame.linesize[0],
                frame.format,
                frame.full_range,
                frame.timestamp,
                ctypes.string_at(frame.data[0], size),
            )
        )

    # -- the source type and its dialog ----------------------------------------------------------------------------

    def obs_register_source_s(self, info: Any, size: int) -> None:
        self.registered.append(info._obj.id.decode())

    def obs_source_get_display_name(self, type_id: bytes) -> Optional[bytes]:
        return b"EasyVtuber Avatar" if type_id.decode() in self.registered and not self.refuses_types else None

    def obs_properties_create(self) -> int:
        self.dialog, self.buttons = [], {}
        return 7

    def obs_properties_add_text(self, properties: int, name: bytes, text: bytes, kind: int) -> int:
        self.dialog.append(("text", name.decode(), text.decode()))
        return len(self.dialog) - 1

    def obs_property_text_set_info_type(self, shown: int, kind: int) -> None:
        self.dialog[shown] += (("normal", "warning", "error")[kind],)

    def obs_properties_add_button2(self, properties: int, name: bytes, label: bytes, callback: Any, data: None) -> int:
        self.dialog.append(("button", name.decode(), label.decode()))
        self.buttons[name.decode()] = callback.value
        return len(self.dialog) - 1
