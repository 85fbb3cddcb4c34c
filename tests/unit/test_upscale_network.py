"""Upscaling by networks: exact where it can be, clean at the silhouette, and nothing is lost outside of the box."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from accel.base import Array, DeviceTensor, Network, Progress
from core.wire.errors import EasyVtuberError, ModelFileBad, ModelMissing, PictureWrong
from models.base import Picture
from models.upscale.base import Upscaler
from models.upscale.box import HEAD, WHOLE, Box, part
from models.upscale.canvas import SEAM
from models.upscale.network import NetworkUpscaler
from models.upscale.registry import open_upscaler

from .student_runtime import WatchedRuntime, WatchedSession, processor
from .upscale_networks import (
    ESRGAN_BYTES,
    ESRGAN_PLAIN,
    HALF,
    WAIFU2X_BYTES,
    WAIFU2X_PLAIN,
    cropping_bytes,
    disc,
    is_clean,
    noise,
    repeating,
    whole_bytes,
    write,
)

GREY, ORANGE = (128, 128, 128), (20, 120, 250)
SETS: dict[str, tuple[str, str, onnx.ModelProto]] = {
    "waifu2x plain": ("waifu2x", WAIFU2X_PLAIN, repeating(2)),
    "waifu2x bytes": ("waifu2x", WAIFU2X_BYTES, whole_bytes()),
    "esrgan plain": ("real_esrgan", ESRGAN_PLAIN, repeating(4)),
    "esrgan bytes": ("real_esrgan", ESRGAN_BYTES, whole_bytes(halves=True)),
    "esrgan cropping": ("real_esrgan", ESRGAN_BYTES, cropping_bytes(31, 133)),
    "head plain": ("real_esrgan_head", ESRGAN_PLAIN, repeating(4)),
    "head bytes": ("real_esrgan_head", ESRGAN_BYTES, whole_bytes(halves=True)),
    "head cropping": ("real_esrgan_head", ESRGAN_BYTES, cropping_bytes(0, 256)),
}
every_set = pytest.mark.parametrize("name", SETS)


def opened(
    folder: Path, name: str, box: Box = WHOLE, runtime: WatchedRuntime | None = None, precision: str = "full"
) -> Upscaler:
    kind, stem, made = SETS[name]
    write(folder, stem, made)
    return open_upscaler(kind, runtime or processor(), precision, box, None, folder)


def enlarged(upscaler: Upscaler, picture: Picture) -> Picture:
    before = picture.copy()
    out = np.full((1024, 1024, 4), 77, np.uint8)
    upscaler.apply(picture, out)
    assert np.array_equal(picture, before)
    assert (out[..., :3].max(axis=2) <= out[..., 3]).all()
    return out


def cubic(picture: Picture) -> Picture:
    made = np.asarray(cv2.resize(picture, (1024, 1024), interpolation=cv2.INTER_CUBIC), np.uint8)
    made[..., :3] = np.minimum(made[..., :3], made[..., 3:])
    return made


def repeated(picture: Picture, halved: bool = False) -> Picture:
    factor = 2
    if halved:
        picture, factor = np.asarray(cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA), np.uint8), 4
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def opaque() -> Picture:
    picture = noise()
    picture[..., 3] = 255
    return picture


# -- what the network makes -------------------------------------------------------------------------------------------


@every_set
def test_opaque_pictures_are_the_networks_own(tmp_path: Path, name: str) -> None:
    picture = opaque()
    found = enlarged(opened(tmp_path, name), picture).astype(int)
    inside = (slice(2 * SEAM, 512 - 2 * SEAM), slice(256 + 2 * SEAM, 768 - 2 * SEAM))
    if name.startswith("head"):
        assert np.array_equal(found[inside], repeated(picture)[inside])
        assert np.array_equal(found[512:], cubic(picture)[512:])
    else:
        assert np.abs(found - repeated(picture, halved="esrgan" in name)).max() <= 1


@every_set
@pytest.mark.parametrize("colour", [GREY, ORANGE])
def test_there_is_no_rim(tmp_path: Path, name: str, colour: tuple[int, int, int]) -> None:
    picture = disc(colour, centre=(230, 200), radius=110)
    found = enlarged(opened(tmp_path, name, (48, 96, 304, 304)), picture)
    assert is_clean(found, colour)
    assert np.abs(found[..., 3].astype(int) - cubic(picture)[..., 3]).max() <= 1


@every_set
def test_no_colour_is_larger_than_its_alpha(tmp_path: Path, name: str) -> None:
    enlarged(opened(tmp_path, name), noise())


@every_set
def test_nothing_is_left_of_the_picture_before(tmp_path: Path, name: str) -> None:
    upscaler, picture = opened(tmp_path, name), disc(ORANGE)
    first = enlarged(upscaler, picture)
    enlarged(upscaler, noise())
    assert np.array_equal(enlarged(upscaler, picture), first)


def test_half_precision_is_near(tmp_path: Path) -> None:
    kept = open_upscaler("waifu2x", processor(), "full", WHOLE, None, _with(tmp_path / "a", repeating(2), "fp32"))
    for folder, made, precision in (
        ("b", repeating(2), "fp32"),
        ("c", repeating(2, HALF), "fp16"),
    ):
        half = open_upscaler("waifu2x", processor(), "half", WHOLE, None, _with(tmp_path / folder, made, precision))
        difference = enlarged(half, disc(ORANGE)).astype(int) - enlarged(kept, disc(ORANGE))
        assert np.abs(difference).max() <= 1


def _with(folder: Path, made: onnx.ModelProto, precision: str) -> Path:
    write(folder, WAIFU2X_PLAIN, made, precision)
    return folder


# -- boxes ------------------------------------------------------------------------------------------------------------


def test_only_bytes_of_the_box_travel_to_the_device(tmp_path: Path) -> None:
    runtime = WatchedRuntime(on_host=False)
    upscaler = opened(tmp_path, "waifu2x plain", (48, 96, 304, 208), runtime)
    runtime.crossed.clear()
    enlarged(upscaler, disc(GREY, (200, 200), 40))
    assert set(runtime.crossed) == {("upscale_picture", (304, 208, 4)), ("upscale_result", (608, 416, 4))}


@pytest.mark.parametrize(("box", "seen"), [
    (WHOLE, (256, 256)), ((32, 96, 480, 320), (224, 256)), ((128, 192, 96, 96), (96, 96)),
    ((400, 0, 96, 96), (256, 256)),
])  # fmt: skip
def test_of_the_head_only_what_is_in_the_box_is_computed(tmp_path: Path, box: Box, seen: tuple[int, int]) -> None:
    runtime = WatchedRuntime()
    enlarged(opened(tmp_path, "head plain", box, runtime), opaque())
    assert [shape for name, shape in runtime.crossed if name == "upscale_picture"] == [(*seen, 4)]


def test_nothing_visible_runs_nothing(tmp_path: Path) -> None:
    runtime = WatchedRuntime()
    upscaler = opened(tmp_path, "waifu2x plain", runtime=runtime)
    runtime.taken_runs()
    assert not enlarged(upscaler, np.zeros((512, 512, 4), np.uint8)).any()
    assert runtime.taken_runs() == {}


def test_what_leaves_the_box_is_enlarged_plainly(tmp_path: Path) -> None:
    runtime = WatchedRuntime()
    upscaler = opened(tmp_path, "waifu2x plain", (0, 0, 512, 256), runtime)
    runtime.taken_runs()
    aside = disc(ORANGE, (400, 256), 60)
    assert np.array_equal(enlarged(upscaler, aside), cubic(aside))
    assert runtime.taken_runs() == {}, "the network has nothing to see"


@pytest.mark.parametrize("colour", [GREY, ORANGE])
def test_no_line_is_seen_where_the_box_ends(tmp_path: Path, colour: tuple[int, int, int]) -> None:
    upscaler = opened(tmp_path, "waifu2x plain", (192, 160, 128, 192))
    assert is_clean(enlarged(upscaler, disc(colour)), colour)


def test_at_the_boxs_edge_one_picture_fades_into_the_other(tmp_path: Path) -> None:
    """A network that makes everything darker shows how much of it there is."""
    write(tmp_path, WAIFU2X_PLAIN, repeating(2, tint=0.96))
    upscaler = open_upscaler("waifu2x", processor(), "full", (128, 128, 256, 384), None, tmp_path)
    white = np.full((512, 512, 4), 255, np.uint8)
    red = enlarged(upscaler, white)[512, :, 2].astype(int)
    assert (red[:256] == 255).all()
    inner = red[256 + 2 * SEAM :]
    assert np.abs(inner - 0.96 * 255).max() <= 1, "to the right the picture ends too"
    steps = np.diff(red[250 : 256 + 2 * SEAM])
    assert (steps <= 0).all() and steps.min() >= -2


def test_the_head_is_in_its_place_and_the_rest_is_kept(tmp_path: Path) -> None:
    write(tmp_path, ESRGAN_PLAIN, repeating(4, tint=0.96))
    upscaler = open_upscaler("real_esrgan_head", processor(), "full", WHOLE, None, tmp_path)
    red = enlarged(upscaler, np.full((512, 512, 4), 255, np.uint8))[..., 2]
    touched = red < 255
    assert np.abs(np.argwhere(touched).min(axis=0) - (0, 256)).max() <= 2, "the seam begins with next to nothing"
    assert np.abs(np.argwhere(touched).max(axis=0) - (511, 767)).max() <= 2
    assert touched.sum() > 0.95 * part(red[..., None], HEAD, 2).size


def test_what_is_no_box_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no box"):
        opened(tmp_path, "waifu2x plain", (0, 0, 500, 512))


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    upscaler = opened(tmp_path, "waifu2x plain")
    assert upscaler.size == 1024
    right, small = np.zeros((1024, 1024, 4), np.uint8), np.zeros((512, 512, 4), np.uint8)
    for picture, out in ((right, right), (small, small), (small[..., :3], right), (small.astype(np.float32), right)):
        with pytest.raises(ValueError, match="uint8 picture"):
            upscaler.apply(picture, out)  # type: ignore[arg-type]


# -- opening ----------------------------------------------------------------------------------------------------------


@every_set
def test_sizes_are_fixed_and_everything_is_given_back(tmp_path: Path, name: str) -> None:
    runtime = WatchedRuntime()
    upscaler = opened(tmp_path, name, (32, 96, 480, 320), runtime)
    (network,) = runtime.networks
    assert runtime.prepared == [network], "engines are built with one progress"
    graph = onnx.load_from_string(network.content).graph
    assert all(size.dim_value for value in graph.input for size in value.type.tensor_type.shape.dim)
    assert runtime.open_sessions == 1
    upscaler.close()
    upscaler.close()
    assert runtime.open_sessions == 0


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[str] = []

    def progress(task: str, share: float) -> bool:
        told.append(task)
        return True

    write(tmp_path, WAIFU2X_PLAIN, repeating(2))
    open_upscaler("waifu2x", WatchedRuntime(), "full", WHOLE, progress, tmp_path)
    assert {"building", "waifu2x"} <= set(told)


class Spoiling(WatchedRuntime):
    """Computes as a broken driver does."""

    def __init__(self, colour: tuple[int, int, int, int] | None) -> None:
        super().__init__()
        self._colour = colour

    def open(self, network: Network, progress: Progress | None = None) -> WatchedSession:
        made, colour = super().open(network, progress), self._colour
        run = made.run

        def spoiled(
            inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
        ) -> dict[str, Array]:
            results = run(inputs, into)
            for result in results.values():
                result[...] = colour if colour is not None else np.random.default_rng(0).integers(0, 256, result.shape)
            return results

        made.run = spoiled  # type: ignore[method-assign]
        return made


@every_set
@pytest.mark.parametrize("colour", [(0, 255, 0, 255), (0, 0, 0, 0), None], ids=["green", "nothing", "noise"])
def test_a_driver_that_computes_wrongly_is_found_out(
    tmp_path: Path, name: str, colour: tuple[int, int, int, int] | None
) -> None:
    runtime = Spoiling(colour)
    with pytest.raises(PictureWrong) as caught:
        opened(tmp_path, name, runtime=runtime)
    assert caught.value.parameters["runtime"] == "onnxruntime_cpu"
    assert caught.value.parameters["reason"] in ("wrong_colours", "distorted", "nothing_drawn")
    assert runtime.open_sessions == 0


def lying() -> onnx.ModelProto:
    """Says 1024 x 1024 and gives 512 x 512."""
    made = whole_bytes()
    made.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.ones(4, np.float32), "scales"))
    return made


def test_a_network_that_gives_something_else_than_it_says_is_refused(tmp_path: Path) -> None:
    write(tmp_path, WAIFU2X_BYTES, lying())
    runtime = WatchedRuntime()
    with pytest.raises(EasyVtuberError) as caught:
        open_upscaler("waifu2x", runtime, "full", WHOLE, None, tmp_path)
    if isinstance(caught.value, ModelFileBad):
        assert caught.value.parameters == {"file": "waifu2x/noise0_scale2x_fp32.onnx", "reason": "wrong_contract"}
    assert runtime.open_sessions == 0


def test_a_missing_network_is_told_and_off_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        open_upscaler("real_esrgan", processor(), "full", WHOLE, None, tmp_path)
    for kind in ("off", "sharp"):
        with pytest.raises(ValueError, match=kind):
            open_upscaler(kind, processor(), "full", WHOLE, None, tmp_path)


def test_a_runtime_that_refuses_is_told(tmp_path: Path) -> None:
    runtime = WatchedRuntime()
    runtime.fails_at = 1
    with pytest.raises(MemoryError):
        opened(tmp_path, "waifu2x plain", runtime=runtime)


def test_it_is_an_upscaler(tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, "head cropping"), NetworkUpscaler)
