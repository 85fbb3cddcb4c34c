"""Pictures between two others: both kinds of files, one picture or all of them, and what is left behind."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from accel.base import FULL, HALF
from benchmarks import _rife
from core.wire.errors import ModelFileBad
from models.base import Picture
from models.rife.files import PLAIN, TILED, RifeFile, find_rife
from models.rife.interpolator import Rife

from ..data import data
from .rife_networks import Traits, difference, figure, plain_network, tiled_network, write
from .student_runtime import WatchedRuntime

PICTURE = (1, 512, 512, 4)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write(plain_network(), folder, "ifnet_fp32")
    return folder


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write(tiled_network(2), folder, "rife_x2_fp32")
    write(tiled_network(3, first_package=True), folder, "rife_x3_fp32")
    write(tiled_network(4, open_batch=True), folder, "rife_x4_fp32")
    return folder


def _pictures(count: int) -> list[Picture]:
    return [np.full((512, 512, 4), 77, np.uint8) for _ in range(count)]


def _open(folder: Path, factor: int, runtime: WatchedRuntime, precision: str = FULL) -> Rife:
    return Rife(find_rife(precision, factor, folder), runtime, precision, factor)


@pytest.mark.parametrize("precision", [FULL, HALF])
def test_one_picture_is_drawn_at_any_share(weights: Path, precision: str) -> None:
    rife = _open(weights, 2, WatchedRuntime(), precision)
    assert rife.bends_alpha
    for share, column in ((0.25, 202), (0.5, 204), (0.875, 207)):
        (out,) = _pictures(1)
        rife.draw(figure(200), figure(208), share, out)
        assert difference(out, figure(column)) <= 1
    rife.close()


@pytest.mark.parametrize("on_host", [True, False])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_all_pictures_are_evenly_spaced(weights: Path, factor: int, on_host: bool) -> None:
    runtime = WatchedRuntime(on_host)
    rife = _open(weights, factor, runtime)
    assert rife.factor == factor
    for start in (200, 100):  # what lies on the device is replaced
        out = _pictures(factor - 1)
        rife.draw_all(figure(start), figure(start + 8), out)
        for number, drawn in enumerate(out, start=1):
            (wanted,) = _pictures(1)
            rife.draw(figure(start), figure(start + 8), number / factor, wanted)
            assert np.array_equal(drawn, wanted)
        means = [float((picture.sum(axis=(0, 2)) * np.arange(512)).sum() / picture.sum()) for picture in out]
        assert np.allclose(np.diff(means), 8 / factor, atol=0.05)
    rife.close()


def test_two_pictures_cross_to_a_card_once(weights: Path) -> None:
    runtime = WatchedRuntime(on_host=False)
    rife = _open(weights, 4, runtime)
    runtime.crossed.clear()
    rife.draw_all(figure(200), figure(208), _pictures(3))
    assert runtime.crossed == {("write", PICTURE): 2, ("share", (1,)): 3, ("picture", PICTURE): 3}
    rife.close()


def test_the_ends_are_the_pictures_themselves(weights: Path, tiled: Path) -> None:
    older, newer = figure(200), figure(208)
    for folder in (weights, tiled):
        runtime = WatchedRuntime()
        rife = _open(folder, 2, runtime)
        for share, wanted in ((0.0, older), (-1.0, older), (1.0, newer), (2.0, newer)):
            (out,) = _pictures(1)
            rife.draw(older, newer, share, out)
            assert np.array_equal(out, wanted)
        assert not runtime.runs
        rife.close()


# EasyVtuber's files


def _faded(share: float) -> Picture:
    """What the small network makes of straight alpha, by another way than ours."""
    straight = []
    for picture in (figure(200), figure(208)):
        alpha = picture[..., 3:].astype(np.float64)
        colour = np.rint(picture[..., :3] * 255.0 / np.maximum(alpha, 1.0))
        straight.append(np.concatenate([colour, alpha], axis=2))
    mixed = np.floor(straight[0] * (1.0 - share) + straight[1] * share)
    mixed[..., :3] *= mixed[..., 3:] / 255.0
    return np.rint(mixed).astype(np.uint8)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_easyvtubers_files_take_and_give_straight_alpha(tiled: Path, factor: int) -> None:
    runtime = WatchedRuntime()
    rife = _open(tiled, factor, runtime)
    assert not rife.bends_alpha
    out = _pictures(factor - 1)
    rife.draw_all(figure(200), figure(208), out)
    assert sum(runtime.taken_runs().values()) == 1
    for number, drawn in enumerate(out, start=1):
        assert difference(drawn, _faded(number / factor)) <= 2
        assert (drawn[..., :3] <= drawn[..., 3:]).all()
    # fading premultiplied pictures would give something else
    plain = cv2.addWeighted(figure(200), 1 - 1 / factor, figure(208), 1 / factor, 0)
    assert difference(out[0], np.asarray(plain, np.uint8)) > 4
    rife.close()


def test_the_nearest_share_is_drawn(tiled: Path) -> None:
    rife = _open(tiled, 4, WatchedRuntime())
    for share, wanted in ((0.2, 0.25), (0.3, 0.25), (0.45, 0.5), (0.7, 0.75)):
        (out,) = _pictures(1)
        rife.draw(figure(200), figure(208), share, out)
        assert difference(out, _faded(wanted)) <= 2
    for share, picture in ((0.1, figure(200)), (0.95, figure(208))):
        rife.draw(figure(200), figure(208), share, out)
        assert np.array_equal(out, picture)
    rife.close()


# Life


def test_closing_twice_is_safe_and_leaves_nothing_open(weights: Path, tiled: Path) -> None:
    for folder in (weights, tiled):
        runtime = WatchedRuntime()
        rife = _open(folder, 2, runtime)
        assert runtime.open_sessions == 1
        rife.close()
        rife.close()
        assert runtime.open_sessions == 0
        with pytest.raises(ValueError, match="closed"):
            rife.draw(figure(200), figure(208), 0.5, _pictures(1)[0])


def test_a_refused_network_is_told_and_leaves_nothing_open(weights: Path) -> None:
    runtime = WatchedRuntime()
    runtime.fails_at = 1
    with pytest.raises(MemoryError):
        _open(weights, 2, runtime)
    assert runtime.open_sessions == 0


def test_memory_that_is_not_there_leaves_nothing_open(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = WatchedRuntime(on_host=False)

    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(runtime, "allocate", refuse)
    with pytest.raises(MemoryError):
        _open(weights, 2, runtime)
    assert runtime.open_sessions == 0


def test_engines_are_built_with_their_progress(weights: Path) -> None:
    runtime, told = WatchedRuntime(), list[tuple[str, float]]()

    def progress(task: str, share: float) -> bool:
        told.append((task, share))
        return True

    Rife(find_rife(FULL, 2, weights), runtime, FULL, 2, progress).close()
    assert [network.name for network in runtime.prepared] == ["RIFE"]
    assert ("building", 1.0) in told


@pytest.mark.parametrize("shape", [(256, 256, 4), (512, 512, 3), (1, 512, 512, 4)])
def test_pictures_of_another_size_are_refused(weights: Path, shape: tuple[int, ...]) -> None:
    rife = _open(weights, 2, WatchedRuntime())
    wrong = np.zeros(shape, np.uint8)
    for older, newer, out in (
        (wrong, figure(1), figure(1)),
        (figure(1), wrong, figure(1)),
        (figure(1), figure(1), wrong),
    ):
        with pytest.raises(ValueError, match="expected pictures"):
            rife.draw(older, newer, 0.5, out)
        with pytest.raises(ValueError, match="expected pictures"):
            rife.draw_all(older, newer, [out])
    rife.close()


def test_the_number_of_pictures_must_fit(weights: Path) -> None:
    rife = _open(weights, 3, WatchedRuntime())
    with pytest.raises(ValueError, match="expected 2 pictures"):
        rife.draw_all(figure(200), figure(208), _pictures(1))
    with pytest.raises(ValueError, match="expected a factor"):
        Rife(find_rife(FULL, 2, weights), WatchedRuntime(), FULL, 5)
    rife.close()


def test_a_file_for_another_factor_or_of_another_kind_is_refused(weights: Path, tiled: Path) -> None:
    with pytest.raises(ModelFileBad):
        Rife(find_rife(FULL, 2, tiled), WatchedRuntime(), FULL, 3)
    with pytest.raises(ModelFileBad):
        Rife(RifeFile(TILED, find_rife(FULL, 2, weights).path, "given"), WatchedRuntime(), FULL, 2)


def test_an_unknown_ending_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(plain_network(Traits(ends_in_blend=False)), tmp_path, "given")
    with caplog.at_level(logging.WARNING):
        rife = Rife(RifeFile(PLAIN, path, "rife/given.onnx"), WatchedRuntime(), FULL, 2)
    assert not rife.bends_alpha
    assert "rife/given.onnx ends in its own way" in caplog.text
    rife.close()


@pytest.mark.parametrize("kind", [_rife.OWN, _rife.UPSTREAM])
def test_benchmarks_open_the_real_files(kind: str) -> None:
    data("models/rife/reference/img0.png")
    rife = _rife.open_rife(kind, 1)
    (out,) = _pictures(1)
    rife.draw(figure(200), figure(204), 0.5, out)
    assert (out[..., :3] <= out[..., 3:]).all()
    assert np.abs(out.astype(int) - figure(202)).mean() < 4.0
    rife.close()
