"""Runs the Spout publisher against the real SpoutGL and Spout.dll (on Windows or under Wine) and says what it saw.

Exit status 0: everything as promised; 1: something is not. See README.md beside this file.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from unittest import mock

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.publish import registry, spout
from core.publish.base import Frame, Picture, PublishContext
from core.publish.spout import SpoutPublisher
from core.wire.errors import OutputFailed
from core.wire.settings import defaults

if os.name != "nt":
    sys.exit("this needs Windows' Python: see README.md")

import SpoutGL

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAME = "EasyVtuber check"
LIMIT_S = 10.0
GL_BGRA_EXT = 0x80E1
failed: list[str] = []


def check(what: str, holds: bool, seen: object = "") -> None:
    print(f"{'ok  ' if holds else 'BAD '} {what}{f': {seen}' if seen != '' else ''}", flush=True)  # noqa: T201
    if not holds:
        failed.append(what)


def wait_for(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


class Sent(NamedTuple):
    """One call of sendImage."""

    pixels: bytes
    width: int
    height: int
    gl_format: int
    invert: bool
    thread: int


sent: list[Sent] = []
signalled: list[str] = []


class RecordingSender(SpoutGL.SpoutSender):
    """The real sender; what it was given is remembered in ``sent`` and ``signalled``."""

    def sendImage(
        self, pixels: Buffer, width: int, height: int, gl_format: int, invert: bool, host_fbo: int, /
    ) -> bool:
        done = super().sendImage(pixels, width, height, gl_format, invert, host_fbo)
        sent.append(Sent(bytes(memoryview(pixels)), width, height, gl_format, invert, threading.get_ident()))
        return done

    def setFrameSync(self, name: str, /) -> None:
        super().setFrameSync(name)
        signalled.append(name)


class SenderWithoutOpenGL(SpoutGL.SpoutSender):
    """A PC whose OpenGL cannot be used."""

    def createOpenGL(self) -> bool:
        return False


def senders() -> list[str]:
    return SpoutGL.SpoutReceiver().getSenderList()


def size_of(name: str) -> tuple[int, int] | None:
    info = SpoutGL.SpoutReceiver().getSenderInfo(name)
    return None if info is None else (info.width, info.height)


def open_one(name: str = NAME) -> SpoutPublisher:
    publisher = registry.open_publisher("spout", {**defaults(), "spout_name": name}, PublishContext())
    assert isinstance(publisher, SpoutPublisher)
    return publisher


def spout_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("publish-")]


def premultiplied(width: int, height: int) -> Picture:
    random = np.random.default_rng(1)
    alpha = random.integers(0, 256, (height, width, 1))
    colour = random.integers(0, 256, (height, width, 3)) * alpha // 255
    return np.ascontiguousarray(np.concatenate((colour, alpha), 2).astype(np.uint8))


def hold() -> int:
    """The child that is going to be killed: a sender that never says goodbye."""
    publisher = open_one()
    sys.stdout.write(publisher.description + "\n")
    sys.stdout.flush()
    time.sleep(60)
    return 0


def show(publisher: SpoutPublisher, picture: Picture) -> Sent | None:
    """Publish, and what arrived at Spout for it; None when nothing did."""
    before = len(sent)
    publisher.publish(Frame(picture, 1))
    return sent[-1] if wait_for(lambda: len(sent) > before) else None


def life_of_one_sender() -> None:
    publisher = open_one()
    check("the sender has the wanted name", publisher.description == NAME, publisher.description)
    check("Spout lists it before the first frame", NAME in senders(), senders())
    check("in the configured size, transparent", size_of(NAME) == (512, 512) and not any(sent[0].pixels), size_of(NAME))

    for width, height in ((512, 512), (640, 384), (1024, 1024), (256, 256)):
        picture = premultiplied(width, height)
        expected = Sent(picture.tobytes(), width, height, GL_BGRA_EXT, False, sent[0].thread)
        check(
            f"{width}x{height}: premultiplied bytes unchanged, BGRA, top row first",
            show(publisher, picture) == expected,
        )
        check("  and Spout tells receivers this size", size_of(NAME) == (width, height), size_of(NAME))
    check("one thread sent everything, and not ours", sent[0].thread != threading.get_ident())
    check("every frame was signalled", wait_for(lambda: signalled == [NAME] * len(sent)), len(signalled))

    before = len(sent)
    for sequence in range(5):
        publisher.publish(Frame(np.zeros((256, 256, 4), np.uint8), sequence, visible=False))
        time.sleep(0.05)
    publisher.publish(Frame(premultiplied(256, 256), 9))
    wait_for(lambda: any(sent[-1].pixels))
    hidden = sent[before:-1]
    check("a hidden avatar is sent once and transparent", len(hidden) == 1 and not any(hidden[0].pixels), len(hidden))

    second = open_one()
    check("a taken name gets a number", second.description == f"{NAME} 2", senders())
    second.close()
    check("which goes with its sender", f"{NAME} 2" not in senders() and NAME in senders(), senders())

    publisher.close()
    publisher.close()
    check("closed: the sender is gone", NAME not in senders(), senders())
    check("closed: its thread is gone", not spout_threads(), spout_threads())
    check("closed: no failure", publisher.failure is None, publisher.failure)


def wrong_picture(what: str, wrong: Picture) -> None:
    publisher = open_one()
    before = len(sent)
    publisher.publish(Frame(wrong, 1))
    refused = wait_for(lambda: isinstance(publisher.failure, OutputFailed))
    check(f"{what} is refused and never reaches Spout", refused and len(sent) == before, publisher.failure)
    publisher.close()
    check("  the thread has ended, the sender is gone", not spout_threads() and NAME not in senders())


def without_opengl() -> None:
    publisher = open_one()
    publisher.publish(Frame(premultiplied(320, 320), 1))
    check("without OpenGL it sends all the same", wait_for(lambda: size_of(NAME) == (320, 320)), publisher.failure)
    publisher.close()


def after_a_kill() -> None:
    child = subprocess.Popen([sys.executable, __file__, "hold"], stdout=subprocess.PIPE)
    assert child.stdout is not None
    name = child.stdout.readline().decode().strip()
    check("another process has the name", name == NAME and NAME in senders(), senders())
    child.kill()
    child.wait(LIMIT_S)
    child.stdout.close()
    publisher = open_one()
    check("after a kill the same name is free again", publisher.description == NAME, publisher.description)
    publisher.close()


def main() -> int:
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING)
    if sys.argv[1:] == ["hold"]:
        return hold()
    check("the registry says Spout can work", spout.unavailable() is None, registry.unavailable("spout"))
    with mock.patch.object(SpoutGL, "SpoutSender", RecordingSender):
        life_of_one_sender()
        wrong_picture("a float picture", np.zeros((64, 64, 4), np.float32))
        wrong_picture("a picture without alpha", np.zeros((64, 64, 3), np.uint8))
        wrong_picture("a picture without pixels", np.zeros((0, 64, 4), np.uint8))
    after_a_kill()
    with mock.patch.object(SpoutGL, "SpoutSender", SenderWithoutOpenGL):
        without_opengl()
    check("no sender is left behind", senders() == [], senders())
    print(f"{len(failed)} failed", flush=True)  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
