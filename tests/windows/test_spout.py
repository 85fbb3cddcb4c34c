"""The Spout publisher and a whole worker process against the real SpoutGL and its Spout.dll.

Wine cannot open shared textures, so no receiver can read the picture back there. What is compared is what
``sendImage`` of the real sender was handed and took, and what Spout tells receivers: names, sizes, signals.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from core.publish import registry, spout
from core.publish.base import Frame, Picture, PublishContext
from core.publish.spout import SpoutPublisher
from core.wire.errors import OutputFailed
from core.wire.folders import PROJECT
from core.wire.ring import FrameRing
from core.wire.settings import Value, defaults
from tests.contract.fake_outputs import publisher_threads, wait_until
from tests.crash.worker_process import WorkerProcess
from tests.unit.other_side import Heard

if sys.platform != "win32":
    pytest.skip("Spout is for Windows", allow_module_level=True)

import SpoutGL

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAME = f"EasyVtuber {os.getpid()}"
LIMIT_S = 90.0
GL_BGRA_EXT = 0x80E1
FRAMES = 120
FIGURES = PROJECT / "build" / "windows" / "spout.json"
HOLD = """import sys, time
from tests.windows.test_spout import open_one
print(open_one(sys.argv[1]).description, flush=True)
time.sleep(600)
"""
STILL: dict[str, Value] = {
    "tracker": "manual", "idle_strength": 0, "breath_rate": 0, "blink": "never", "preset": "custom", "output_size": 320,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def opengl() -> None:
    """Spout's sender draws with OpenGL."""
    sender = SpoutGL.SpoutSender()
    if not sender.createOpenGL():
        pytest.skip("no OpenGL here: Spout needs a display (under Wine: Xvfb with +extension GLX)")
    sender.closeOpenGL()


class Sent(NamedTuple):
    """One call of sendImage that succeeded."""

    pixels: bytes
    width: int
    height: int
    gl_format: int
    invert: bool
    thread: int


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """What the real sender took; every one is signalled to receivers that wait."""
    taken: list[Sent] = []

    class KeepingSender(SpoutGL.SpoutSender):
        """The real sender."""

        def sendImage(
            self, pixels: Buffer, width: int, height: int, gl_format: int, invert: bool, host_fbo: int, /
        ) -> bool:
            done = super().sendImage(pixels, width, height, gl_format, invert, host_fbo)
            if done:
                picture = bytes(memoryview(pixels))
                taken.append(Sent(picture, width, height, gl_format, invert, threading.get_ident()))
            return done

    monkeypatch.setattr(SpoutGL, "SpoutSender", KeepingSender)
    return taken


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """After every test: no thread, and no sender of ours on Spout's list."""
    yield
    assert publisher_threads() == []
    assert wait_until(lambda: not [name for name in senders() if name.startswith(NAME)], LIMIT_S), senders()


def senders() -> list[str]:
    return SpoutGL.SpoutReceiver().getSenderList()


def size_of(name: str) -> tuple[int, int] | None:
    info = SpoutGL.SpoutReceiver().getSenderInfo(name)
    return None if info is None else (info.width, info.height)


def open_one(name: str = NAME) -> SpoutPublisher:
    publisher = registry.open_publisher("spout", {**defaults(), "spout_name": name}, PublishContext())
    assert isinstance(publisher, SpoutPublisher)
    return publisher


def premultiplied(width: int, height: int) -> Picture:
    random = np.random.default_rng(1)
    alpha = random.integers(0, 256, (height, width, 1))
    colour = random.integers(0, 256, (height, width, 3)) * alpha // 255
    return np.ascontiguousarray(np.concatenate((colour, alpha), 2).astype(np.uint8))


def test_the_registry_says_that_it_works_here() -> None:
    assert spout.unavailable() is None
    assert registry.unavailable("spout") is None


def test_receivers_find_the_sender_before_the_first_picture(sent: list[Sent]) -> None:
    publisher = open_one()
    assert publisher.description == NAME
    assert NAME in senders()
    assert size_of(NAME) == (512, 512)
    assert not any(sent[0].pixels)
    publisher.close()
    publisher.close()
    assert publisher.failure is None


def test_premultiplied_bytes_arrive_unchanged_in_every_size(sent: list[Sent]) -> None:
    publisher = open_one()
    for width, height in ((512, 512), (640, 384), (1024, 1024), (256, 256), (1, 1)):
        picture = premultiplied(width, height)
        before = len(sent)
        publisher.publish(Frame(picture, 1))
        assert wait_until(lambda before=before: len(sent) > before)  # type: ignore[misc,unused-ignore]
        assert sent[-1] == Sent(picture.tobytes(), width, height, GL_BGRA_EXT, False, sent[0].thread)
        assert size_of(NAME) == (width, height)
    assert sent[0].thread != threading.get_ident()
    publisher.close()


def test_a_hidden_avatar_is_sent_once_and_transparent(sent: list[Sent]) -> None:
    publisher = open_one()
    for sequence in range(5):
        publisher.publish(Frame(np.zeros((256, 256, 4), np.uint8), sequence, visible=False))
        assert wait_until(lambda: len(sent) == 2)
    publisher.publish(Frame(premultiplied(256, 256), 9))
    assert wait_until(lambda: any(sent[-1].pixels))
    assert len(sent) == 3
    publisher.close()


def test_a_taken_name_gets_a_number_that_goes_with_its_sender() -> None:
    first, second = open_one(), open_one()
    assert second.description == f"{NAME} 2"
    second.close()
    assert f"{NAME} 2" not in senders()
    assert NAME in senders()
    first.close()


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((64, 64, 4), np.float32),
        np.zeros((64, 64, 4), np.int8),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((64, 64), np.uint8),
        np.zeros((0, 64, 4), np.uint8),
        np.zeros((1, 16385, 4), np.uint8),
    ],
    ids=lambda picture: f"{picture.dtype} {picture.shape}",
)
def test_what_is_no_picture_for_spout_never_reaches_it(wrong: Picture, sent: list[Sent]) -> None:
    publisher = open_one()
    publisher.publish(Frame(wrong, 1))
    assert wait_until(lambda: isinstance(publisher.failure, OutputFailed))
    assert len(sent) == 1
    publisher.close()


def test_a_picture_with_gaps_between_its_rows_is_sent_whole(sent: list[Sent]) -> None:
    publisher = open_one()
    wide = premultiplied(512, 256)
    publisher.publish(Frame(wide[:, ::2], 1))
    publisher.close()
    assert sent[-1].pixels == wide[:, ::2].tobytes()


def test_without_opengl_pictures_go_through_main_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithoutOpenGL(SpoutGL.SpoutSender):
        """A PC whose OpenGL cannot be used."""

        def createOpenGL(self) -> bool:
            return False

    monkeypatch.setattr(SpoutGL, "SpoutSender", WithoutOpenGL)
    publisher = open_one()
    publisher.publish(Frame(premultiplied(320, 320), 1))
    assert wait_until(lambda: size_of(NAME) == (320, 320)), publisher.failure
    publisher.close()


def test_after_a_kill_the_name_is_free_again() -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD, NAME], cwd=PROJECT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline().decode().strip() == NAME
    assert NAME in senders()
    child.kill()
    child.wait(LIMIT_S)
    child.stdout.close()
    assert wait_until(lambda: NAME not in senders(), LIMIT_S)
    publisher = open_one()
    assert publisher.description == NAME
    publisher.close()


class SpoutWorker(WorkerProcess):
    """A whole worker process; ``kept`` is the ring with what its Spout sender took."""

    def __init__(self, home: Path) -> None:
        self.kept = FrameRing.create(1024 * 1024 * 4)
        self.shown = FrameRing.create(1024 * 1024 * 4)
        script = Path(__file__).with_name("spout_worker.py")
        super().__init__(home, (sys.executable, "-I", str(script), self.kept.locator))

    def begin(self, **settings: Value) -> None:
        """Put it to work; where it shows pictures in OBS is the ring ``shown``."""
        wanted = {**defaults(), "spout_name": NAME, **settings}
        self.tell("configure", settings=wanted, rung="rig", visible=True, ring=self.shown.locator)

    def sender(self) -> str:
        """The name that it tells OBS's side, once its sender is open."""

        def is_open(message: Heard) -> bool:
            return message["type"] == "state" and message["output"] == "spout" and bool(message["output_description"])

        return str(self.hear(is_open)["output_description"])

    def sent_until(self, holds: Callable[[int], bool]) -> int:
        """How many pictures Spout took, once that is as wanted."""
        assert wait_until(lambda: holds(self.kept.newest), LIMIT_S), (self.kept.newest, self.stderr)
        return self.kept.newest

    def close(self) -> None:
        """End the process and let go of the rings."""
        super().close()
        self.kept.close()
        self.shown.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[SpoutWorker]:
    running = SpoutWorker(tmp_path / "Jörg 用户")
    yield running
    running.close()


def picture_in(ring: FrameRing) -> Picture:
    """The newest picture."""
    pictures: list[Picture] = []

    def whole() -> bool:
        header = ring.header(ring.newest)
        pixels = ring.read(ring.newest)
        if header is None or pixels is None:
            return False
        pictures.append(np.frombuffer(pixels, np.uint8).reshape(header.height, header.width, 4))
        return True

    assert wait_until(whole)
    return pictures[-1]


def test_a_whole_worker_sends_its_pictures_and_takes_its_sender_away(worker: SpoutWorker) -> None:
    worker.begin(tracker="debug", output="spout", preset="custom", output_size=256)
    assert worker.sender() == NAME
    count = worker.sent_until(lambda frames: frames >= FRAMES)
    picture = picture_in(worker.kept)
    assert picture[..., 3].any()
    assert (picture[..., :3] <= picture[..., 3:]).all()
    assert size_of(NAME) == (256, 256)
    assert worker.ask("set", settings={"output_size": 384})["ok"]
    assert wait_until(lambda: picture_in(worker.kept).shape == (384, 384, 4), LIMIT_S)
    assert size_of(NAME) == (384, 384)
    worker.sent_until(lambda frames: frames > count)
    worker.tell("stop", id=99)
    assert worker.exit_code() == 0
    assert NAME not in senders()
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps({"spout_frames_sent": worker.kept.newest}) + "\n", encoding="utf-8")


def test_what_spout_gets_is_the_picture_that_obs_gets(worker: SpoutWorker) -> None:
    worker.begin(**STILL, output="obs_source")
    worker.hear("frame")
    assert wait_until(lambda: bool(picture_in(worker.shown)[..., 3].any()), LIMIT_S)
    settled = picture_in(worker.shown)
    assert worker.ask("set", settings={"output": "spout"})["ok"]
    # the sender's first picture is empty, those after it are the avatar
    worker.sent_until(lambda frames: frames > 1 and bool(picture_in(worker.kept).any()))
    straight = picture_in(worker.shown).astype(np.float64)
    assert np.array_equal(straight, settled)
    expected = np.concatenate((straight[..., :3] * straight[..., 3:] / 255.0, straight[..., 3:]), 2)
    assert float(np.abs(picture_in(worker.kept) - expected).max()) <= 1.0


def test_a_worker_whose_name_is_taken_tells_the_name_it_has(worker: SpoutWorker) -> None:
    other = open_one()
    try:
        worker.begin(output="spout", tracker="debug")
        assert worker.sender() == f"{NAME} 2"
        assert f"{NAME} 2" in senders()
    finally:
        other.close()


def test_after_a_worker_was_killed_the_next_has_its_name(worker: SpoutWorker, tmp_path: Path) -> None:
    worker.begin(output="spout", tracker="debug")
    assert worker.sender() == NAME
    worker.process.kill()
    worker.exit_code()
    assert wait_until(lambda: NAME not in senders(), LIMIT_S)
    second = SpoutWorker(tmp_path / "second")
    second.begin(output="spout", tracker="debug")
    assert second.sender() == NAME
    second.close()
