"""The figures that are told once a second, and the picture of the last minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core.wire import folders
from core.wire.clock import now_ns
from core.wire.settings import defaults
from core.worker import figures as figures_module
from core.worker.clock import Pacer
from core.worker.drawing import Drawing
from core.worker.figures import Figures
from core.worker.stats import Stats
from trackers.base import TrackerState, TrackerStatus


class Parts:
    """What is there, and jobs that run when the test wants."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []
        nothing: Any = type("Nothing", (), {"current": None})
        self.microphone = self.character = self.upscaler = self.rife = nothing

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def run(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


@pytest.fixture
def parts() -> Parts:
    return Parts()


@pytest.fixture
def figures(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Figures]:
    monkeypatch.setattr(figures_module, "user_cache", lambda: tmp_path)
    monkeypatch.setattr(folders, "user_cache", lambda: tmp_path)
    stats = Stats()
    drawing = Drawing(parts, stats)  # type: ignore[arg-type]
    drawing.configure(drawing.resolved(defaults()), 60.0)
    now = now_ns()
    for number in range(30):
        at = now - number * 16_666_667
        stats.work(at, [("key", 4_000_000)])
        stats.frame(at, publish_ns=500_000, packet_ns=at - 12_000_000, sampled_ns=at - 5_000_000)
    yield Figures(stats, Pacer(), drawing, parts)  # type: ignore[arg-type]
    drawing.close()


def test_everything_is_told_together(figures: Figures) -> None:
    status = TrackerStatus(TrackerState.TRACKING, 59.94, {})
    told = figures.now("openseeface", status)
    assert told["pose_age_ms"] == pytest.approx(12.0, abs=0.1)
    assert told["sample_age_ms"] == pytest.approx(5.0, abs=0.1)
    assert told["render_ms"] == 4.0
    assert (told["tracker_state"], told["tracker_fps"]) == ("tracking", 59.9)
    assert {"late", "work_ms", "hit_rate", "cache_megabytes", "budget", "device_share"} <= set(told)


def test_the_microphones_delay_is_the_poses_age_and_the_trackers_own(figures: Figures) -> None:
    camera, phone, none = (figures.now(name, None)["audio_delay_ms"] for name in ("webcam", "ifacialmocap", "mouse"))
    assert (camera, phone, none) == (80, 70, 20)


def test_the_picture_of_the_last_minute_is_drawn_beside_the_loop(figures: Figures, parts: Parts) -> None:
    figures.now("mouse", None)
    assert figures.minute_picture == ""
    paths = []
    for _ in range(3):
        figures.draw_minute()
        parts.run()
        paths.append(figures.minute_picture)
        picture = cv2.imdecode(np.fromfile(paths[-1], np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.shape == (240, 480, 3)
    assert paths[0] != paths[1] != paths[2], "whoever shows one must not see it change"


def test_a_disk_that_refuses_costs_the_picture_only(
    figures: Figures, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, picture: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(figures_module, "write", refuse)
    figures.draw_minute()
    parts.run()
    assert figures.minute_picture == ""
