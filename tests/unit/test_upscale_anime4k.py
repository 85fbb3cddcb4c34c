"""Anime4K's library: which processor is taken, what becomes of one that gives rubbish, and the pictures it makes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from core.wire.errors import RuntimeFailed, RuntimeUnavailable
from core.wire.folders import PROJECT
from models.base import Picture
from models.upscale import anime4k, anime4k_process
from models.upscale.box import WHOLE, Box

from .upscale_networks import disc, is_clean, noise

ORANGE = (20, 120, 250)
STAND_IN = """
import importlib, os, runpy, sys, time, types
import numpy as np

WORKS, GIVEN = {works!r}, {given!r}

def doubled(colours):
    return colours.repeat(2, axis=0).repeat(2, axis=1)

def green(colours):
    made = np.zeros_like(doubled(colours))
    made[..., 1] = 255
    return made

def rubbish(colours):
    return np.random.default_rng(0).integers(0, 256, doubled(colours).shape).astype(np.uint8)

def large_only(then):
    return lambda colours: then() if colours.shape[0] > 128 else doubled(colours)

HOW = dict(
    doubled=doubled, green=green, rubbish=rubbish, too_small=lambda colours: colours,
    ends=lambda colours: os._exit(7),
    ends_later=large_only(lambda: os._exit(7)), hangs_later=large_only(lambda: time.sleep(60)),
)

class Processor:
    def __init__(self, kind, device, model):
        assert (device, model) == (0, "acnet-gan")
        print("drivers say what they like")
        self._process = WORKS.get(kind)

    def ok(self):
        return self._process is not None

    def error(self):
        return "NO ERROR" if self.ok() else "CL_DEVICE_NOT_FOUND"

    def name(self):
        return "test"

    def process(self, colours, factor):
        assert factor == 2.0 and colours.flags.c_contiguous, "the real one reads views wrongly"
        np.save(os.path.join(GIVEN, str(time.monotonic_ns())), colours)
        return HOW[self._process](colours)

def imported(name):
    assert name == "pyanime4k.pyac.pyac.core"
    if WORKS.get("import"):
        raise dict(ModuleNotFoundError=ModuleNotFoundError, ImportError=ImportError)[WORKS["import"]]("why not")
    module = types.ModuleType("core")
    module.Processor = Processor
    return module

importlib.import_module = imported
runpy.run_path({program!r}, run_name="__main__")
"""


class Library:
    """The program with a stand-in for ``pyanime4k``. ``works``: what each processor gives; none that does not work."""

    def __init__(self, folder: Path, works: dict[str, str]) -> None:
        self._given = folder / "given"
        self._given.mkdir()
        self.program = folder / "program.py"
        text = STAND_IN.format(works=works, given=str(self._given), program=str(anime4k_process.PROGRAM))
        self.program.write_text(text, encoding="utf-8")

    def given(self) -> list[Picture]:
        """What it got to enlarge since the last call."""
        files = sorted(self._given.iterdir())
        found = [np.load(file) for file in files]
        for file in files:
            file.unlink()
        return found


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., tuple[anime4k.Anime4K, Library]]]:
    """Opens Anime4K with a stand-in."""
    made = []

    def open_(box: Box = WHOLE, **works: str) -> tuple[anime4k.Anime4K, Library]:
        library = Library(tmp_path, works)
        upscaler = anime4k.Anime4K(box, library.program)
        made.append(upscaler)
        return upscaler, library

    yield open_
    for upscaler in made:
        upscaler.close()


Open = Callable[..., tuple[anime4k.Anime4K, Library]]


def doubled(colours: Picture) -> Picture:
    return colours.repeat(2, axis=0).repeat(2, axis=1)


def enlarged(upscaler: Any, picture: Picture) -> Picture:
    out = np.full((1024, 1024, 4), 77, np.uint8)
    upscaler.apply(picture, out)
    assert (out[..., :3].max(axis=2) <= out[..., 3]).all()
    return out


def test_opencl_is_taken_where_it_works(opened: Open) -> None:
    upscaler, _ = opened(opencl="doubled", cpu="rubbish")
    assert upscaler.processor == "opencl"


@pytest.mark.parametrize("opencl", [None, "rubbish", "green"])
def test_else_the_processor_is(opened: Open, opencl: str | None) -> None:
    upscaler, _ = opened(cpu="doubled", **({} if opencl is None else {"opencl": opencl}))
    assert upscaler.processor == "cpu"
    assert is_clean(enlarged(upscaler, disc(ORANGE)), ORANGE)


@pytest.mark.parametrize(("cpu", "detail"), [
    (None, "CL_DEVICE_NOT_FOUND"), ("rubbish", "cpu: "), ("too_small", "(128, 128, 3)"), ("ends", "status 7"),
])  # fmt: skip
def test_where_nothing_works_it_says_so(opened: Open, cpu: str | None, detail: str) -> None:
    with pytest.raises(RuntimeFailed) as caught:
        opened(**({} if cpu is None else {"cpu": cpu}))
    assert caught.value.parameters == {"runtime": "anime4k", "network": "acnet-gan"}
    assert detail in caught.value.detail


@pytest.mark.parametrize(("problem", "reason"), [
    ("ModuleNotFoundError", "package_missing"), ("ImportError", "package_broken"),
])  # fmt: skip
def test_a_package_that_does_not_load_is_told(opened: Open, problem: str, reason: str) -> None:
    with pytest.raises(RuntimeUnavailable) as caught:
        opened(**{"import": problem})
    assert caught.value.parameters == {"runtime": "anime4k", "reason": reason}


def test_a_missing_package_is_known_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.upscale.anime4k.importlib.util.find_spec", lambda name: None)
    assert anime4k.unavailable() == "package_missing"
    monkeypatch.setattr("models.upscale.anime4k.importlib.util.find_spec", lambda name: name == "pyanime4k" or None)
    assert anime4k.unavailable() is None


def test_it_sees_red_first_and_only_the_box(opened: Open) -> None:
    upscaler, library = opened((128, 128, 256, 240), opencl="doubled")
    library.given()
    found = enlarged(upscaler, disc(ORANGE))
    (given,) = library.given()
    assert given.shape == (256, 240, 3)
    assert np.abs(given.astype(int) - ORANGE[::-1]).max() <= 3, "no black goes in"
    assert is_clean(found, ORANGE)


def test_an_opaque_picture_is_what_the_library_made(opened: Open) -> None:
    upscaler, _ = opened(opencl="doubled")
    picture = noise()
    picture[..., 3] = 255
    assert np.array_equal(enlarged(upscaler, picture), doubled(picture))


def test_what_leaves_the_box_is_enlarged_plainly(opened: Open) -> None:
    upscaler, _ = opened((0, 0, 512, 256), opencl="doubled")
    aside = disc(ORANGE, (400, 256), 60)
    found = enlarged(upscaler, aside)
    assert np.array_equal(found[..., 3], cv2.resize(aside[..., 3], (1024, 1024), interpolation=cv2.INTER_CUBIC))


def test_nothing_visible_runs_nothing_and_what_is_closed_stays_closed(opened: Open) -> None:
    upscaler, library = opened(opencl="doubled")
    library.given()
    assert not enlarged(upscaler, np.zeros((512, 512, 4), np.uint8)).any()
    assert not library.given()
    upscaler.close()
    upscaler.close()
    with pytest.raises(RuntimeFailed):
        enlarged(upscaler, disc(ORANGE))


def test_a_program_that_ends_fails_this_picture_and_all_later_ones(opened: Open) -> None:
    upscaler, _ = opened(opencl="ends_later")
    for _ in range(2):
        with pytest.raises(RuntimeFailed, match="status 7"):
            enlarged(upscaler, disc(ORANGE))


def test_a_program_that_hangs_is_ended(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anime4k_process, "DRAW_LIMIT_S", 0.5)
    upscaler, _ = opened(opencl="hangs_later")
    with pytest.raises(RuntimeFailed):
        enlarged(upscaler, disc(ORANGE))
    with pytest.raises(RuntimeFailed, match="ended with status"):
        enlarged(upscaler, disc(ORANGE))


def test_other_threads_run_while_the_library_keeps_its_lock(opened: Open) -> None:
    """The reason for the program: in this process, the hanging library would let nobody else run."""
    upscaler, library = opened(opencl="hangs_later")
    library.given()
    told = []

    def draw() -> None:
        try:
            enlarged(upscaler, disc(ORANGE))
        except RuntimeFailed as problem:
            told.append(problem.code)

    drawing = threading.Thread(target=draw)
    drawing.start()
    limit = time.monotonic() + 10.0
    while not library.given() and time.monotonic() < limit:
        time.sleep(0.02)
    assert drawing.is_alive(), "it is being drawn, and this thread runs"
    upscaler.close()
    drawing.join(10.0)
    assert told == ["runtime_failed"]


def test_no_program_is_left_behind_by_a_process_that_was_killed(tmp_path: Path) -> None:
    library = Library(tmp_path, {"opencl": "doubled"})
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(library.program)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        program = psutil.Process(int(owner.stdout.readline()))
        owner.kill()
        owner.wait(10.0)
    gone, alive = psutil.wait_procs([program], 10.0)
    assert gone and not alive


OWNER = """
import sys, time
from pathlib import Path
from models.upscale.anime4k import Anime4K
upscaler = Anime4K((0, 0, 512, 512), Path(sys.argv[1]))
print(upscaler._library._process.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (0, 8, 16, 16)])
def test_what_is_no_box_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="no box"):
        anime4k.Anime4K(box)


# -- the library itself -----------------------------------------------------------------------------------------------

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("pyanime4k") is None, reason="the package pyanime4k is not installed"
)


@needs_library
def test_the_real_library_makes_clean_pictures() -> None:
    with closing(anime4k.Anime4K((128, 128, 256, 256))) as upscaler:
        picture = disc(ORANGE)
        found = enlarged(upscaler, picture)
        # it computes in other colours than red, green and blue, which rounds once more
        assert is_clean(found, ORANGE, 4.0)
        assert np.array_equal(found, enlarged(upscaler, picture))


@needs_library
def test_the_real_library_says_nothing(tmp_path: Path) -> None:
    program = (
        "import logging, numpy as np\n"
        "from models.upscale.anime4k import Anime4K\n"
        "out = np.zeros((1024, 1024, 4), np.uint8)\n"
        "upscaler = Anime4K((0, 0, 512, 512))\n"
        "upscaler.apply(np.full((512, 512, 4), 255, np.uint8), out)\n"
        "upscaler.close()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
