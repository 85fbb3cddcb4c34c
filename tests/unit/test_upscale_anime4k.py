"""Anime4K's library: which processor is taken, what becomes of one that gives rubbish, and the pictures it makes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.wire.errors import RuntimeFailed, RuntimeUnavailable
from core.wire.folders import PROJECT
from models.base import Picture
from models.upscale import anime4k
from models.upscale.box import WHOLE, Box
from models.upscale.registry import open_upscaler

from .student_runtime import ForbiddenRuntime
from .upscale_networks import disc, is_clean, noise

ORANGE = (20, 120, 250)
Colours = NDArray[np.uint8]


class Library:
    """Stands in for ``pyanime4k.pyac.pyac.core``. ``works``: what each processor says of itself and gives."""

    def __init__(self, **works: Callable[[Colours], Colours] | None) -> None:
        self.asked: list[tuple[str, int, str]] = []
        self.given: list[Colours] = []
        library = self

        class Processor:
            def __init__(self, kind: str, device: int, model: str) -> None:
                library.asked.append((kind, device, model))
                self._process = works[kind]

            def ok(self) -> bool:
                return self._process is not None

            def error(self) -> str:
                return "NO ERROR" if self.ok() else "CL_DEVICE_NOT_FOUND"

            def name(self) -> str:
                return "test"

            def process(self, colours: Colours, factor: float) -> Colours:
                assert self._process is not None and factor == 2.0
                assert colours.flags.c_contiguous, "the real one reads views wrongly"
                library.given.append(colours.copy())
                return self._process(colours)

        self.module = types.ModuleType("core")
        self.module.Processor = Processor  # type: ignore[attr-defined]


def doubled(colours: Colours) -> Colours:
    return colours.repeat(2, axis=0).repeat(2, axis=1)


def rubbish(colours: Colours) -> Colours:
    return np.random.default_rng(0).integers(0, 256, doubled(colours).shape).astype(np.uint8)


def green(colours: Colours) -> Colours:
    made = np.zeros_like(doubled(colours))
    made[..., 1] = 255
    return made


def too_small(colours: Colours) -> Colours:
    return colours


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Put a module, or what an import raises, in the library's place."""

    def put(found: Any) -> None:
        def imported(name: str) -> Any:
            assert name == "pyanime4k.pyac.pyac.core"
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr("models.upscale.anime4k.importlib.import_module", imported)

    return put


def enlarged(upscaler: Any, picture: Picture) -> Picture:
    out = np.full((1024, 1024, 4), 77, np.uint8)
    upscaler.apply(picture, out)
    assert (out[..., :3].max(axis=2) <= out[..., 3]).all()
    return out


def test_opencl_is_taken_where_it_works(install: Callable[[Any], None]) -> None:
    library = Library(opencl=doubled, cpu=rubbish)
    install(library.module)
    assert anime4k.Anime4K(WHOLE).processor == "opencl"
    assert library.asked == [("opencl", 0, "acnet-gan")]


@pytest.mark.parametrize("opencl", [None, rubbish, green], ids=["no device", "rubbish", "green"])
def test_else_the_processor_is(install: Callable[[Any], None], opencl: Callable[[Colours], Colours] | None) -> None:
    library = Library(opencl=opencl, cpu=doubled)
    install(library.module)
    upscaler = anime4k.Anime4K(WHOLE)
    assert upscaler.processor == "cpu"
    assert is_clean(enlarged(upscaler, disc(ORANGE)), ORANGE)


@pytest.mark.parametrize("cpu", [None, rubbish, too_small])
def test_where_nothing_works_it_says_so(
    install: Callable[[Any], None], cpu: Callable[[Colours], Colours] | None
) -> None:
    install(Library(opencl=None, cpu=cpu).module)
    with pytest.raises(RuntimeFailed) as caught:
        anime4k.Anime4K(WHOLE)
    assert caught.value.parameters == {"runtime": "anime4k", "network": "acnet-gan"}


@pytest.mark.parametrize(("problem", "reason"), [
    (ModuleNotFoundError("pyanime4k"), "package_missing"), (ImportError("OpenCL.dll"), "package_broken"),
])  # fmt: skip
def test_a_package_that_does_not_load_is_told(install: Callable[[Any], None], problem: Exception, reason: str) -> None:
    install(problem)
    with pytest.raises(RuntimeUnavailable) as caught:
        open_upscaler("anime4k", ForbiddenRuntime(), "full", WHOLE)
    assert caught.value.parameters == {"runtime": "anime4k", "reason": reason}


def test_a_missing_package_is_known_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.upscale.anime4k.importlib.util.find_spec", lambda name: None)
    assert anime4k.unavailable() == "package_missing"
    monkeypatch.setattr("models.upscale.anime4k.importlib.util.find_spec", lambda name: name == "pyanime4k" or None)
    assert anime4k.unavailable() is None


def test_it_sees_red_first_and_only_the_box(install: Callable[[Any], None]) -> None:
    library = Library(opencl=doubled)
    install(library.module)
    upscaler = anime4k.Anime4K((128, 128, 256, 240))
    library.given.clear()
    found = enlarged(upscaler, disc(ORANGE))
    (given,) = library.given
    assert given.shape == (256, 240, 3)
    assert np.abs(given.astype(int) - ORANGE[::-1]).max() <= 3, "no black goes in"
    assert is_clean(found, ORANGE)


def test_what_leaves_the_box_and_what_is_opaque(install: Callable[[Any], None]) -> None:
    library = Library(opencl=doubled)
    install(library.module)
    picture = noise()
    picture[..., 3] = 255
    assert np.array_equal(enlarged(anime4k.Anime4K(WHOLE), picture), doubled(picture))
    aside = disc(ORANGE, (400, 256), 60)
    found = enlarged(anime4k.Anime4K((0, 0, 512, 256)), aside)
    assert np.array_equal(found[..., 3], cv2.resize(aside[..., 3], (1024, 1024), interpolation=cv2.INTER_CUBIC))


def test_nothing_visible_runs_nothing_and_what_is_closed_stays_closed(install: Callable[[Any], None]) -> None:
    library = Library(opencl=doubled)
    install(library.module)
    upscaler = anime4k.Anime4K(WHOLE)
    library.given.clear()
    assert not enlarged(upscaler, np.zeros((512, 512, 4), np.uint8)).any()
    assert not library.given
    upscaler.close()
    upscaler.close()
    with pytest.raises(RuntimeFailed):
        enlarged(upscaler, disc(ORANGE))


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
    upscaler = anime4k.Anime4K((128, 128, 256, 256))
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
        "Anime4K((0, 0, 512, 512)).apply(np.full((512, 512, 4), 255, np.uint8), out)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
