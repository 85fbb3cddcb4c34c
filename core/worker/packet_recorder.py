"""Raw packets of the input into a file, from the panel: for bug reports, tests, and to play them again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from core.wire.errors import EasyVtuberError, NothingToRecord
from trackers.base import Tracker
from trackers.recording import RecordingWriter

Job = Callable[[], None]


class PacketRecorder:
    """Used by the render loop; files are opened and closed on the thread that ``submit`` runs jobs on."""

    def __init__(
        self, folder: Path, submit: Callable[[Job], None], report: Callable[[str, EasyVtuberError | None], None]
    ) -> None:
        self._folder, self._submit, self._report = folder, submit, report
        self._tracker: Tracker | None = None
        self._recording: RecordingWriter | None = None
        self._finished = ""

    def state(self) -> dict[str, object]:
        """For OBS: what is being recorded, or what was recorded last."""
        recording = self._recording
        return {
            "recording": str(recording.path) if recording is not None else "",
            "recorded_packets": recording.packets if recording is not None else 0,
            "recorded": self._finished,
        }

    def toggle(self, tracker: Tracker | None) -> EasyVtuberError | None:
        """Begin or end. Returns why it cannot begin."""
        if self._tracker is not None:
            self.end()
            return None
        if tracker is None or not tracker.recording_prefix:
            return NothingToRecord()
        self._tracker = tracker
        self._submit(lambda: self._begin(tracker))
        return None

    def follow(self, tracker: Tracker | None) -> None:
        """The input was exchanged: its recording ends."""
        if self._tracker is not None and tracker is not self._tracker:
            self.end()

    def end(self) -> None:
        """Close the file, if there is one."""
        tracker, self._tracker = self._tracker, None
        if tracker is not None:
            tracker.record(None)
            self._submit(self._close)

    def close(self) -> None:
        """The process ends: close the file at once."""
        if self._tracker is not None:
            self._tracker.record(None)
            self._tracker = None
        self._close()

    def _begin(self, tracker: Tracker) -> None:
        path = self._folder / f"{tracker.recording_prefix}_{time.strftime('%Y%m%d_%H%M%S')}.rec"
        try:
            self._recording = RecordingWriter(path)
        except EasyVtuberError as problem:
            self._tracker = None
            self._report("recording", problem)
            return
        self._report("recording", None)
        if self._tracker is tracker:
            tracker.record(self._recording)

    def _close(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            recording.close()
            self._finished = str(recording.path)
