"""Codecs of finished pictures: exact where they say so, clean edges where not, and nothing that is missing hurts."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.render import codecs
from core.render.codecs import (
    CODECS,
    LZ4,
    RAW,
    TURBOJPEG,
    Codec,
    Measured,
    Packed,
    fastest,
    measure,
    open_codec,
    unavailable,
)
from models.base import Picture
from models.self_check import psnr_db

from .drawn_character import drawn_character

EXACT = [RAW, LZ4]


def _codec(name: str) -> Codec:
    reason = unavailable(name)
    if reason is not None:
        pytest.skip(f"{name} cannot work here: {reason}")
    return open_codec(name)


def _premultiplied(straight: Picture) -> Picture:
    out = straight.copy()
    colour = straight[..., :3].astype(np.uint16) * straight[..., 3:].astype(np.uint16)
    out[..., :3] = (colour + 127) // 255
    return out


def _character() -> Picture:
    return _premultiplied(drawn_character())


def _noise(height: int, width: int, seed: int = 1) -> Picture:
    random = np.random.default_rng(seed)
    return _premultiplied(random.integers(0, 256, (height, width, 4)).astype(np.uint8))


def _in_a_box(top: int, left: int, rows: int, columns: int, height: int = 64, width: int = 48) -> Picture:
    picture = np.zeros((height, width, 4), np.uint8)
    picture[top : top + rows, left : left + columns] = _noise(rows, columns)
    picture[top : top + rows, left : left + columns, 3] |= 1
    return picture


HOSTILE: dict[str, Callable[[], Picture]] = {
    "empty": lambda: np.zeros((64, 48, 4), np.uint8),
    "full": lambda: np.full((64, 48, 4), 255, np.uint8),
    "noise": lambda: _noise(61, 47),
    "one pixel": lambda: _in_a_box(20, 30, 1, 1),
    "one pixel in the first corner": lambda: _in_a_box(0, 0, 1, 1),
    "one pixel in the last corner": lambda: _in_a_box(63, 47, 1, 1),
    "one row": lambda: _in_a_box(5, 0, 1, 48),
    "one column": lambda: _in_a_box(0, 7, 64, 1),
    "a picture of one pixel": lambda: np.full((1, 1, 4), 255, np.uint8),
    "alpha of 1": lambda: np.full((16, 16, 4), 1, np.uint8),
    "black and opaque": lambda: _noise(32, 32) * np.array([0, 0, 0, 1], np.uint8) | np.array([0, 0, 0, 255], np.uint8),
    "a character": _character,
}


def _round_trip(codec: Codec, picture: Picture) -> Picture:
    out = np.full_like(picture, 77)
    codec.decode(codec.encode(picture), out)
    return out


def _damaged(content: Packed) -> Packed:
    return bytes(255 - value for value in content)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_comes_back_is_exact(name: str, kind: str) -> None:
    picture = HOSTILE[kind]()
    before = picture.copy()
    np.testing.assert_array_equal(_round_trip(_codec(name), picture), before)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("name", EXACT)
def test_one_codec_takes_every_size_in_turn_and_random_boxes(name: str) -> None:
    codec, random = _codec(name), np.random.default_rng(3)
    for _ in range(60):
        height, width = (int(side) for side in random.integers(1, 90, 2))
        rows, columns = int(random.integers(1, height + 1)), int(random.integers(1, width + 1))
        top, left = int(random.integers(0, height - rows + 1)), int(random.integers(0, width - columns + 1))
        picture = _in_a_box(top, left, rows, columns, height, width)
        encoded = codec.encode(picture)
        assert (encoded.top, encoded.left, encoded.rows, encoded.columns) == (top, left, rows, columns)
        out = np.full_like(picture, 200)
        codec.decode(encoded, out)
        np.testing.assert_array_equal(out, picture)


@pytest.mark.parametrize("kind", HOSTILE)
def test_jpeg_keeps_alpha_exactly_and_no_colour_exceeds_it(kind: str) -> None:
    picture = HOSTILE[kind]()
    out = _round_trip(_codec(TURBOJPEG), picture)
    np.testing.assert_array_equal(out[..., 3], picture[..., 3])
    assert (out[..., :3] <= out[..., 3:]).all()


def test_jpeg_is_close_where_a_picture_is_one() -> None:
    picture = _character()
    out = _round_trip(_codec(TURBOJPEG), picture)
    assert psnr_db(out, picture) > 38.0
    assert np.abs(out.astype(int) - picture).mean() < 0.6


def test_jpeg_takes_sizes_in_turn_and_remembers_nothing_of_the_last() -> None:
    codec = _codec(TURBOJPEG)
    for kind in ("a character", "one pixel", "noise", "full", "one row", "a character"):
        picture = HOSTILE[kind]()
        np.testing.assert_array_equal(_round_trip(codec, picture)[..., 3], picture[..., 3])


@pytest.mark.parametrize("name", CODECS)
def test_only_the_visible_box_is_kept(name: str) -> None:
    codec = _codec(name)
    small, large = _in_a_box(8, 8, 16, 16, 256, 256), _in_a_box(8, 8, 200, 200, 256, 256)
    assert codec.encode(small).nbytes * 20 < codec.encode(large).nbytes
    assert codec.encode(np.zeros((256, 256, 4), np.uint8)).nbytes == 0


@pytest.mark.parametrize("name", [LZ4, TURBOJPEG])
def test_a_character_becomes_smaller(name: str) -> None:
    codec, picture = _codec(name), _character()
    assert codec.encode(picture).nbytes * 3 < _codec(RAW).encode(picture).nbytes < picture.nbytes


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("shape", [(32, 48, 4), (64, 96, 4), (64, 48, 3)])
def test_a_picture_of_another_size_is_refused_and_left_alone(name: str, shape: tuple[int, ...]) -> None:
    codec = _codec(name)
    for kind in ("noise", "empty"):
        out = np.full(shape, 9, np.uint8)
        with pytest.raises(ValueError, match="does not fit"):
            codec.decode(codec.encode(HOSTILE[kind]()), out)
        assert (out == 9).all()


@pytest.mark.parametrize("name", CODECS)
def test_damaged_data_are_an_exception_and_nothing_worse(name: str) -> None:
    codec, picture = _codec(name), _character()
    good = codec.encode(picture)
    out = np.empty_like(picture)
    for parts in ([part[: len(part) // 3] for part in good.parts], [b"" for _ in good.parts]):
        # libjpeg-turbo only warns of a picture that ends early; a warning is an error here
        with pytest.raises(Exception, match=r"."):
            codec.decode(replace(good, parts=tuple(parts)), out)
    if name != RAW:
        with pytest.raises(Exception, match=r"."):
            codec.decode(replace(good, parts=tuple(map(_damaged, good.parts))), out)
    np.testing.assert_array_equal(_round_trip(codec, picture)[..., 3], picture[..., 3])


def test_a_jpeg_of_another_size_than_the_box_is_refused() -> None:
    codec = _codec(TURBOJPEG)
    whole, other = codec.encode(_noise(32, 32)), codec.encode(_noise(16, 16))
    with pytest.raises(ValueError, match=r"."):
        codec.decode(replace(whole, parts=(other.parts[0], whole.parts[1])), np.empty((32, 32, 4), np.uint8))


def test_raw_is_always_there_and_unknown_names_are_said_to_be_unknown() -> None:
    assert unavailable(RAW) is None
    assert unavailable("brotli") == "unknown"
    with pytest.raises(ValueError, match="brotli"):
        open_codec("brotli")


def _without(monkeypatch: pytest.MonkeyPatch, package: str, problem: Exception) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == package:
            raise problem
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)


@pytest.mark.parametrize(("package", "names"), [("lz4", [LZ4, TURBOJPEG]), ("turbojpeg", [TURBOJPEG])])
def test_a_missing_package_is_a_reason(monkeypatch: pytest.MonkeyPatch, package: str, names: list[str]) -> None:
    _codec(LZ4)
    _without(monkeypatch, package, ImportError(package))
    assert [unavailable(name) for name in names] == ["package_missing"] * len(names)
    assert fastest(_character(), 0) in CODECS


class _NoLibrary:
    """PyTurboJPEG where libjpeg-turbo is missing, or is too old for it."""

    problem: Exception = OSError("no such library")

    def TurboJPEG(self, path: str) -> None:
        raise self.problem


@pytest.mark.parametrize("problem", [OSError("no file"), RuntimeError("2.x"), AttributeError("tj3Init")])
def test_a_missing_library_is_a_reason(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    _codec(LZ4)
    fake = _NoLibrary()
    fake.problem = problem
    monkeypatch.setitem(sys.modules, "turbojpeg", fake)
    assert unavailable(TURBOJPEG) == "library_missing"
    assert unavailable(LZ4) is None


def test_on_windows_the_library_is_looked_for_in_its_place_only(monkeypatch: pytest.MonkeyPatch) -> None:
    _codec(LZ4)
    monkeypatch.setitem(sys.modules, "turbojpeg", _NoLibrary())
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OSError, match="installer"):
        open_codec(TURBOJPEG)
    assert unavailable(TURBOJPEG) == "library_missing"


def _with_times(monkeypatch: pytest.MonkeyPatch, times_us: dict[str, tuple[int, int]]) -> None:
    """Codecs with a size and a time of decoding in microseconds; the ones not named cannot work."""

    def measured(name: str, picture: NDArray[np.uint8]) -> Measured:
        nbytes, decode_us = times_us[name]
        return Measured(name, nbytes, 1, decode_us * 1000)

    monkeypatch.setattr(codecs, "open_codec", lambda name: name)
    monkeypatch.setattr(codecs, "measure", measured)


@pytest.mark.parametrize(
    ("size", "render_us", "times_us", "chosen"),
    [
        (512, 0, {RAW: (600, 30), LZ4: (200, 100), TURBOJPEG: (90, 1300)}, LZ4),
        (512, 0, {RAW: (600, 30), LZ4: (200, 100), TURBOJPEG: (90, 100)}, TURBOJPEG),
        (512, 0, {RAW: (600, 30), LZ4: (200, 101), TURBOJPEG: (90, 1300)}, RAW),
        (512, 0, {RAW: (600, 230), LZ4: (200, 220), TURBOJPEG: (90, 1300)}, LZ4),
        (1024, 0, {RAW: (600, 230), LZ4: (200, 400), TURBOJPEG: (90, 4300)}, LZ4),
        (256, 0, {RAW: (600, 10), LZ4: (200, 40), TURBOJPEG: (90, 300)}, RAW),
        (512, 200, {RAW: (600, 30), LZ4: (200, 100), TURBOJPEG: (90, 1300)}, RAW),
        (512, 0, {RAW: (600, 30)}, RAW),
        (512, 0, {}, RAW),
    ],
)
def test_the_smallest_that_is_fast_enough_is_chosen_else_the_fastest(
    monkeypatch: pytest.MonkeyPatch, size: int, render_us: int, times_us: dict[str, tuple[int, int]], chosen: str
) -> None:
    _with_times(monkeypatch, times_us)
    assert fastest(np.zeros((size, size, 4), np.uint8), render_us * 1000) == chosen


def test_measuring_gives_the_middle_of_several_decodings() -> None:
    clock = iter(range(0, 10**9, 10))
    measured = measure(_codec(RAW), _character(), lambda: next(clock))
    assert measured == Measured(RAW, _codec(RAW).encode(_character()).nbytes, 10, 10)
    started = time.perf_counter_ns()
    real = measure(_codec(RAW), _character())
    assert 0 < real.decode_ns < time.perf_counter_ns() - started
