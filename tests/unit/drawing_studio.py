"""A drawing with stand-ins for the parts it looks at, told and observed as the worker does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

from core.pose.mixer import PoseMoment
from core.pose.parameters import PoseVector, neutral
from core.render.frame_cache import FrameCache
from core.wire.clock import now_ns
from core.wire.errors import AccelError, EasyVtuberError, RuntimeFailed
from core.wire.settings import Value, defaults
from core.worker.characters import ShownCharacter
from core.worker.drawing import Drawing
from core.worker.machine_rating import KEY_FRAMES
from core.worker.parts import Parts
from core.worker.preparer import Part, Preparer
from core.worker.stats import Stats
from models.base import Picture
from models.wish import Running
from tests.unit.small_model import SmallModel

SECOND = 1_000_000_000
CARD = Running("tha4_student", "balanced", "full", "tensorrt_rtx", "RTX")
OTHER_CARD = dataclasses.replace(CARD, device="Old card")
PROCESSOR = Running("tha4_student", "balanced", "full", "onnxruntime_cpu", "Processor")
BY_RIG = Running("rig")
FAILED = RuntimeFailed("the driver was reset", runtime="tensorrt_rtx", network="waifu2x")
LEVEL = 90
"""What a network fills its pictures with."""


class AtOnce:
    """A preparer without a thread."""

    def submit(self, job: Callable[[], None]) -> None:
        job()


class FakeUpscaler:
    """Enlarges by filling; fails when it is told to."""

    size = 1024

    def __init__(self, name: str = "waifu2x") -> None:
        self.name = name
        self.failure: AccelError | None = None
        self.applied = self.closings = 0

    def apply(self, picture: Picture, out: Picture) -> None:
        self.applied += 1
        out[:] = LEVEL

    def close(self) -> None:
        self.closings += 1


class BrokenNetwork(FakeUpscaler):
    """Fails at every picture."""

    def apply(self, picture: Picture, out: Picture) -> None:
        raise FAILED


class FakeRife:
    """Draws by filling; fails when it is told to."""

    name = "rife"
    any_size = False

    def __init__(self, steps: int = 2) -> None:
        self.steps = steps
        self.failure: AccelError | None = None
        self.closings = 0

    def draw_all(self, older: Picture, newer: Picture, out: Sequence[Picture], poses: Sequence[PoseVector]) -> None:
        for picture in out:
            picture[:] = LEVEL

    def close(self) -> None:
        self.closings += 1


class EagerCache(FrameCache):
    """Keeps every picture at once, whatever it costs."""

    def __init__(self) -> None:
        super().__init__(0)
        self.kept: dict[bytes, Picture] = {}

    def get(self, key: bytes, out: Picture) -> bool:
        found = self.kept.get(key)
        if found is None or found.shape != out.shape:
            return False
        out[:] = found
        return True

    def put(self, key: bytes, picture: Picture, cost_ns: int) -> None:
        self.kept[key] = picture.copy()


class FakeParts:
    """The parts that a drawing looks at; what is wanted of them is there at once."""

    def __init__(self) -> None:
        self.reports: list[tuple[str, EasyVtuberError | None]] = []
        preparer = cast(Preparer, AtOnce())

        def report(name: str, problem: EasyVtuberError | None) -> None:
            self.reports.append((name, problem))

        self.character: Part[ShownCharacter] = Part("character", preparer, report)
        self.upscaler: Part[Any] = Part("super_resolution", preparer, report)
        self.rife: Part[Any] = Part("rife", preparer, report)
        self._jobs: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None]) -> None:
        """What is written down is written elsewhere."""
        self._jobs.append(job)

    def run_jobs(self) -> None:
        """Do what was submitted."""
        while self._jobs:
            self._jobs.pop(0)()


class LoadedStats(Stats):
    """Figures of a device that is as busy as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.share = 0.0

    def device_share(self, now: int) -> float:
        return self.share


class Studio:
    """A drawing, what it works with, and a clock for its observations."""

    def __init__(self) -> None:
        self.parts, self.stats = FakeParts(), LoadedStats()
        self.drawing = Drawing(cast(Parts, self.parts), self.stats)
        self.settings: dict[str, Value] = {**defaults(), "preset": "custom"}
        self.now = 100 * SECOND
        self.late = 0
        self.value = 0.0
        self.model = SmallModel()
        self._serial = 0
        self.set(interpolation=False, ram_cache=0, simplify="off")

    # -- what the worker does ------------------------------------------------------------------------------------------

    def set(self, **changed: Value) -> None:
        """Take over settings, as the worker does."""
        self.settings.update(changed)
        self.drawing.configure(self.drawing.resolved(self.settings), 60.0)

    def show(self, running: Running = CARD, size: int = 512) -> SmallModel:
        """Another character, made and shown as the worker does it."""
        self.model = model = SmallModel(size)
        self._serial += 1
        shown = ShownCharacter("nocti", model, running, self.drawing.pipeline_for(model, f"nocti {self._serial}"))
        self.parts.character.want(self._serial, lambda: shown)
        assert self.parts.character.take(self.now)
        self.drawing.show(shown)
        self.set()
        return model

    def enlarge_with(self, upscaler: FakeUpscaler) -> None:
        self.parts.upscaler.want(id(upscaler), lambda: upscaler)
        self.drawing.exchange(self.now)

    def interpolate_with(self, rife: FakeRife) -> None:
        self.parts.rife.want(id(rife), lambda: rife)
        self.drawing.exchange(self.now)

    def frame(self, moves: bool = True) -> Picture | None:
        """The next frame's picture."""
        self.value += 0.001 * moves

        def sample() -> tuple[PoseMoment, int]:
            pose = neutral()
            pose[0] = self.value
            return PoseMoment(pose, 0, 1.0), now_ns()

        rendered = self.drawing.next(sample)
        return None if rendered is None else rendered.picture.copy()

    def close(self) -> None:
        """End what draws."""
        if self.drawing.pipeline is not None:
            self.drawing.pipeline.close()
        self.drawing.close()

    # -- the governor --------------------------------------------------------------------------------------------------

    def observe(self, share: float, seconds: float = 0.25) -> bool:
        """The device is so busy for a while. True when settings change by it."""
        self.stats.share = share
        changed = False
        for _ in range(round(seconds / 0.25)):
            self.now += SECOND // 4
            changed |= self.drawing.observe(self.now, self.late)
        return changed

    def is_pressed_to(self, step: str, share: float = 0.6) -> None:
        """More than the budget until the governor is at this step."""
        for _ in range(200):
            if self.step == step:
                return
            self.observe(share)
        raise AssertionError(f"it stays at {self.step}")

    @property
    def step(self) -> object:
        return self.drawing.figures().get("governor")

    # -- what comes of it ----------------------------------------------------------------------------------------------

    @property
    def pipeline(self) -> Any:
        assert self.drawing.pipeline is not None
        return self.drawing.pipeline

    @property
    def upscaler(self) -> str:
        """Its name, empty for none."""
        found = self.pipeline.keys.upscaler
        return "" if found is None else str(found.name)

    def is_measured(self, milliseconds: float = 1.0) -> bool:
        """Enough key frames that take so long are noted. True when settings change by it."""
        for _ in range(KEY_FRAMES):
            self.pipeline._times.append(("key", round(milliseconds * 1e6)))
            self.frame(moves=False)
        return self.observe(0.0)
