"""A whole worker whose every frame is looked at, and what is made beside its character, in place of networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from core.pose.parameters import PoseVector
from core.publish.base import Frame, Publisher
from core.wire.errors import EasyVtuberError, ModelMissing, RuntimeFailed
from core.wire.ring import FrameRing
from core.wire.settings import Value, defaults
from models.base import Picture
from models.enhancing import Box
from models.motion import CELLS, Displacement
from tests.contract.fake_outputs import wait_until
from tests.unit.fake_families import CARD
from tests.unit.other_side import Heard
from tests.unit.small_model import SmallModel
from tests.unit.worker_in_thread import RunningWorker

MISSING = ModelMissing(model="waifu2x", file="waifu2x/noise0_scale2x_fp32.onnx")
FAILED = RuntimeFailed("the driver was reset", runtime=CARD.runtime, network="waifu2x")


class OpaqueModel(SmallModel):
    """All of its picture is visible, whatever the pose."""

    def render(self, pose: PoseVector, out: Picture) -> None:
        out[:] = (*(round(abs(float(pose[place])) * 100) for place in (26, 39, 40)), 255)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        return np.zeros((CELLS, CELLS, 2), np.float32)


class FakeUpscaler:
    """Enlarges by repeating pixels, whatever the box; fails while the fixture's studio says so."""

    size = 1024

    def __init__(self, desk: Desk, kind: str, box: Box) -> None:
        self.desk, self.kind, self.box = desk, kind, box
        self.applied = self.closings = 0

    def apply(self, picture: Picture, out: Picture) -> None:
        assert not self.closings, "used after it was closed"
        if self.desk.upscaler_fails:
            raise FAILED
        self.applied += 1
        np.copyto(out, picture.repeat(2, axis=0).repeat(2, axis=1))

    def close(self) -> None:
        self.closings += 1


class FakeRife:
    """Draws copies of the older picture."""

    def __init__(self, desk: Desk, factor: int) -> None:
        self.desk, self.factor = desk, factor
        self.drawn = self.closings = 0

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture]) -> None:
        assert not self.closings, "used after it was closed"
        assert len(out) == self.factor - 1
        if self.desk.rife_fails:
            raise FAILED
        self.drawn += len(out)
        for picture in out:
            np.copyto(picture, older)

    def close(self) -> None:
        self.closings += 1


class Desk:
    """What is made beside the character, in place of networks."""

    def __init__(self) -> None:
        self.upscalers: list[FakeUpscaler] = []
        self.rifes: list[FakeRife] = []
        self.upscaler_missing = self.upscaler_fails = self.rife_fails = False
        self.at_open: Callable[[], None] = lambda: None

    def open_upscaling(self, kind: str, runtime: Any, precision: str, box: Box, progress: Any = None) -> FakeUpscaler:
        self.at_open()
        if self.upscaler_missing:
            raise MISSING
        assert progress("upscaling", 0.5)
        self.upscalers.append(made := FakeUpscaler(self, kind, box))
        return made

    def open_rife(self, runtime: Any, precision: str, factor: int, progress: Any = None) -> FakeRife:
        self.at_open()
        self.rifes.append(made := FakeRife(self, factor))
        return made

    def opens(self, kind: str) -> None:
        """Wait until this kind was opened last."""
        assert wait_until(lambda: bool(self.upscalers) and self.upscalers[-1].kind == kind)

    @property
    def open_now(self) -> int:
        """How many of them nobody closed."""
        upscalers, rifes = ([made.closings for made in all_made] for all_made in (self.upscalers, self.rifes))
        return (upscalers + rifes).count(0)


class Shown:
    """What was published: number, size, whether any of it is transparent."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int, bool]] = []
        self.in_betweens = 0

    def add(self, frame: Frame) -> None:
        self.in_betweens += frame.in_between
        self.frames.append((frame.sequence, len(frame.picture), bool((frame.picture[::16, ::16, 3] < 255).any())))


class Watched:
    """A publisher that notes what each picture shows."""

    def __init__(self, publisher: Publisher, shown: Shown) -> None:
        self._publisher, self._shown = publisher, shown
        self.description = publisher.description

    @property
    def failure(self) -> EasyVtuberError | None:
        return self._publisher.failure

    def publish(self, frame: Frame) -> None:
        self._shown.add(frame)
        self._publisher.publish(frame)

    def close(self) -> None:
        self._publisher.close()


class DrawingWorker(RunningWorker):
    """A worker whose every frame is looked at."""

    def __init__(self, ring: FrameRing, shown: Shown) -> None:
        super().__init__(ring)
        self.shown = shown

    def begin(self, rung: str = "tensorrt", **settings: Value) -> None:
        """Put it to work at the networks' own size; frames flow when this returns."""
        own: dict[str, Value] = {"tracker": "debug", "output": "obs_source", "preset": "high", "ram_cache": 0}
        self.tell("configure", settings={**defaults(), **own, **settings}, rung=rung, ring=self.ring.locator)
        self.goes_on()

    @property
    def size(self) -> int:
        """Of the newest picture."""
        return self.shown.frames[-1][1]

    def goes_on(self, count: int = 5) -> None:
        """Frames and heartbeats keep coming from now on."""
        before, beats = len(self.shown.frames), self.count("heartbeat")
        assert wait_until(lambda: len(self.shown.frames) > before + count), "frames stopped"
        assert wait_until(lambda: self.count("heartbeat") > beats), "heartbeats stopped"

    def shows(self, size: int) -> None:
        """Wait until pictures have this size."""
        assert wait_until(lambda: self.size == size), self.size

    def shows_in_betweens(self) -> None:
        """Wait for some frames between two others, from now on."""
        before = self.shown.in_betweens
        assert wait_until(lambda: self.shown.in_betweens > before + 2)

    def is_whole(self) -> None:
        """Every frame so far has the number after the last one's, and nothing of any is transparent."""
        frames = list(self.shown.frames)
        assert [after[0] - before[0] for before, after in pairwise(frames)] == [1] * (len(frames) - 1)
        assert not [frame for frame in frames if frame[2]]
        stages = [message["stage"] for message in self.all("heartbeat")]
        assert "warming" not in stages[stages.index("running") :], "it never stops running"

    def count(self, type_: str) -> int:
        return len(self.all(type_))

    def all(self, type_: str, **fields: object) -> list[Heard]:
        """Everything of this type so far."""
        self.listen()
        heard = list(self.heard)
        return [
            message
            for message in heard
            if message["type"] == type_ and all(message.get(key) == value for key, value in fields.items())
        ]

    def is_told(self, **wanted: object) -> Heard:
        """Wait until the newest state has these values."""

        def newest() -> Heard:
            return self.all("state")[-1]

        assert wait_until(lambda: all(newest()[key] == value for key, value in wanted.items())), newest()
        return newest()

    def figures(self, *names: str) -> Mapping[str, Any]:
        """The next figures in which these are."""
        found: Mapping[str, Any] = self.hear(lambda m: m["type"] == "stats" and set(names) <= m["figures"].keys())
        return dict(found["figures"])
