"""Stand-ins for cards, runtimes and networks, whose pictures can be wrong, empty, late or not there at all.

A :class:`Machine` has devices and says what goes wrong on each; its families ask it at every step and note what they
were asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from accel.base import FULL, PRECISIONS, Device, DeviceTensor, Network, Progress, Runtime, Session
from core.pose.parameters import PoseVector
from core.wire.errors import BuildStopped, EasyVtuberError, RuntimeFailed
from core.wire.rungs import RIG
from models.base import Picture
from models.character import Character
from models.family import Report
from models.motion import Displacement, FaceChange
from models.opener import ModelOpener
from models.self_check import Verdicts, check_poses
from models.wish import ModelWish
from tests.contract.fake_outputs import LIMIT_S

PROCESSOR = Device("onnxruntime_cpu", 0, "Processor")
CARD = Device("onnxruntime_directml", 0, "Card", 8 << 30, "31.0")
RTX = Device("tensorrt_rtx", 0, "RTX", 12 << 30, "581.80")
SIZE = 16
SLOW_S = 0.02
"""So much longer than a quick picture that a busy machine does not turn the two round."""
SLOW = {(CARD.runtime, FULL): SLOW_S, (PROCESSOR.runtime, FULL): 2 * SLOW_S}
"""The card in half precision is the fastest, the processor the slowest."""

Place = tuple[str, str]
"""Runtime and precision."""
Spoil = Callable[[Picture], Picture]


def right_picture(pose: PoseVector, size: int = SIZE) -> Picture:
    """An opaque square in nothing, more red than blue, in which every value of the pose shows; premultiplied."""
    out: Picture = np.zeros((size, size, 4), np.uint8)
    inside = slice(size // 8, size - size // 8)
    shade = np.add.outer(np.arange(size), np.arange(size))[inside, inside] * 2
    for channel, level in enumerate((40, 90, 170)):
        out[inside, inside, channel] = np.minimum(level + shade, 255)
    out[inside, inside, 3] = 255
    out[size // 2, inside, 1] = round(127 + 100 * float(np.sin(pose @ np.arange(1, len(pose) + 1))))
    return out


def empty(picture: Picture) -> Picture:
    """Nothing drawn."""
    return np.zeros_like(picture)


def swapped(picture: Picture) -> Picture:
    """Red and blue the wrong way round."""
    return np.ascontiguousarray(picture[:, :, [2, 1, 0, 3]])


def torn(picture: Picture) -> Picture:
    """Every row somewhere else, its colours as they were."""
    return np.stack([np.roll(row, 5 * number, axis=0) for number, row in enumerate(picture)])


def noisy(picture: Picture, levels: float = 1.0) -> Picture:
    """About what float16 does to a picture."""
    noise = np.random.default_rng(5).normal(0.0, levels, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


@dataclass
class Machine:
    """The devices of a computer and what goes wrong on them. Faults are by runtime and precision."""

    devices: list[Device] = field(default_factory=lambda: [CARD, PROCESSOR])
    spoils: dict[Place, Spoil] = field(default_factory=dict)
    """What happens to its pictures."""
    slow: Mapping[Place, float] = field(default_factory=dict)
    """Seconds that a picture takes longer than the others when a model that is compared is timed."""
    not_opening: dict[Place, Exception] = field(default_factory=dict)
    """What the model that is shown raises when it is opened."""
    not_checking: dict[Place, Exception] = field(default_factory=dict)
    """The same for the model that is compared."""
    not_starting: dict[str, Exception] = field(default_factory=dict)
    """What a runtime raises when it is opened, by its name."""
    failing: set[Place] = field(default_factory=set)
    """Raises when a picture is shown."""
    failures: list[Place] = field(default_factory=list)
    """Where that happened, each time."""
    at_check: Callable[[Place], None] = lambda place: None
    """Called before a model that is compared is there."""
    at_open: Callable[[Place, Report], None] = lambda place, report: None
    """Called before a model that is shown is there."""
    networks: dict[str, Exception | None] = field(default_factory=dict)
    """Characters that have networks, by name; what is wrong with their files, if anything is."""
    quick: bool = False
    """Whether opening them is done within a second, once they were checked."""
    lists: int = 0
    """How often the devices were looked for."""
    checks: list[Place] = field(default_factory=list)
    opened: list[Place] = field(default_factory=list)
    runtimes: list[FakeRuntime] = field(default_factory=list)
    models: list[FakeModel] = field(default_factory=list)

    def list_devices(self) -> list[Device]:
        """In place of the registry's."""
        self.lists += 1
        return list(self.devices)

    def open_runtime(self, device: Device, threads: int = 0) -> Runtime:
        """In place of the registry's."""
        if device.runtime in self.not_starting:
            raise self.not_starting[device.runtime]
        self.runtimes.append(runtime := FakeRuntime(device, threads))
        return runtime

    @property
    def judged(self) -> list[Place]:
        """What was compared with the processor's picture, without the processor's own."""
        return [place for place in self.checks if place[0] != PROCESSOR.runtime]

    @property
    def open_models(self) -> list[FakeModel]:
        """Those that nobody closed."""
        return [model for model in self.models if not model.closings]


class FakeRuntime:
    """A runtime that is only opened and closed; networks are none of its business."""

    on_host = False
    lanes = 1
    builds_engines = False

    def __init__(self, device: Device, threads: int) -> None:
        self.device, self.threads, self.name = device, threads, device.runtime
        self.closings = 0

    def prepare(self, networks: Sequence[Network], progress: Progress | None = None) -> None:
        raise AssertionError("families in tests prepare no networks")

    def open(self, network: Network, progress: Progress | None = None) -> Session:
        raise AssertionError(f"{network.name}: families in tests open no networks")

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DeviceTensor:
        raise AssertionError("families in tests allocate nothing")

    def close(self) -> None:
        self.closings += 1


class FakeOpener(ModelOpener):
    """An opener on a machine, to whose networks nothing but the character's name leads."""

    def __init__(self, machine: Machine, tell: Callable[[EasyVtuberError | None], None], verdicts: Path) -> None:
        super().__init__(tell, Verdicts(verdicts), machine.list_devices, machine.open_runtime)
        self._machine = machine

    def family(self, character: Character, wish: ModelWish) -> FakeFamily | None:
        """As the real one decides, if the character has networks."""
        if RIG in (wish.family, wish.rung) or character.name not in self._machine.networks:
            return None
        problem = self._machine.networks[character.name]
        if problem is not None:
            raise problem
        return FakeFamily(self._machine, variant=wish.quality, key=character.name, quick=self._machine.quick)


class FakeModel:
    """Draws :func:`right_picture`, or what the machine makes of it at this place."""

    def __init__(self, machine: Machine, family: str, place: Place, size: int, is_shown: bool) -> None:
        self._machine, self.family, self._place, self.size = machine, family, place, size
        self._is_shown = is_shown
        self._renders = 0
        self.closings = 0
        machine.models.append(self)

    def render(self, pose: PoseVector, out: Picture) -> None:
        assert not self.closings, "drawn with after it was closed"
        if self._is_shown and self._place in self._machine.failing:
            self._machine.failures.append(self._place)
            raise RuntimeFailed("the driver was reset", runtime=self._place[0], network="fake body")
        self._renders += 1
        if not self._is_shown and self._renders > len(check_poses()):
            time.sleep(self._machine.slow.get(self._place, 0.0))
        spoil = self._machine.spoils.get(self._place)
        picture = right_picture(pose, self.size)
        out[:] = picture if spoil is None else spoil(picture)

    def motion(self, rendered: Sequence[PoseVector], pose: PoseVector) -> Displacement | None:
        return None

    def face_change(self, rendered: PoseVector, pose: PoseVector) -> FaceChange | None:
        return None

    def remember_up_to(self, bytes_: int) -> None:
        pass

    def close(self) -> None:
        self.closings += 1


@dataclass
class FakeFamily:
    """A character's networks on a machine."""

    machine: Machine
    name: str = "tha4_student"
    variant: str = "balanced"
    key: str = "networks of nobody"
    precisions: tuple[str, ...] = PRECISIONS
    quick: bool = False

    def open_for_check(self, runtime: Runtime, precision: str) -> FakeModel:
        place = runtime.name, precision
        self.machine.checks.append(place)
        self.machine.at_check(place)
        if place in self.machine.not_checking:
            raise self.machine.not_checking[place]
        return FakeModel(self.machine, self.name, place, SIZE, is_shown=False)

    def is_quick(self) -> bool:
        return self.quick

    def open(self, runtime: Runtime, precision: str, size: int, report: Report) -> FakeModel:
        place = runtime.name, precision
        self.machine.opened.append(place)
        self.machine.at_open(place, report)
        if place in self.machine.not_opening:
            raise self.machine.not_opening[place]
        return FakeModel(self.machine, self.name, place, size, is_shown=True)


class Examination:
    """Work that takes long: it tells how far it is, again and again, until it is let go."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.gave_up = threading.Event()
        """Somebody told it to stop."""

    def __call__(self, place: Place, report: Report) -> None:
        self.begun.set()
        end = time.monotonic() + 2 * LIMIT_S
        while not self.may_end.is_set() and time.monotonic() < end:
            try:
                report("examining", 0.5)
            except BuildStopped:
                self.gave_up.set()
                raise
            self.may_end.wait(0.005)
