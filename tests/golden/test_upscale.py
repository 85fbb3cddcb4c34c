"""The real upscaling networks on a real character: as EasyVtuber's files inside the silhouette, cleaner at its edge."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks._golden import golden_pictures
from models.base import Picture
from models.self_check import psnr_db
from models.upscale.box import HEAD, WHOLE, Box, part, visible_box
from models.upscale.registry import open_upscaler
from tests.data import data
from tests.unit.student_runtime import processor
from tests.unit.upscale_networks import ESRGAN_BYTES, ESRGAN_PLAIN, WAIFU2X_BYTES, WAIFU2X_PLAIN

PLAIN = {
    WAIFU2X_PLAIN: "models/waifu2x/upconv7_noise0_scale2x_f32_dyn.onnx",
    ESRGAN_PLAIN: "models/Real-ESRGAN/realesr_animevideov3_x4_f32_dyn.onnx",
}
BYTES = {
    WAIFU2X_BYTES: "models/waifu2x/noise0_scale2x_fp32.onnx",
    ESRGAN_BYTES: "models/Real-ESRGAN/exported_256_fp32.onnx",
}
LEAST_DB = {"waifu2x": 60.0, "real_esrgan": 48.0}


@pytest.fixture(scope="module")
def picture() -> Picture:
    return golden_pictures(data("models/tha4_student/lambda_00/reference"))["neutral"][1]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with the networks of either contract."""
    folders = {}
    for name, files in (("plain", PLAIN), ("bytes", BYTES)):
        folders[name] = tmp_path_factory.mktemp(name)
        for stem, path in files.items():
            target = folders[name] / f"{stem}_fp32.onnx"
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(data(path), target)
    return folders


def enlarged(kind: str, picture: Picture, folder: Path, box: Box) -> Picture:
    out = np.zeros((1024, 1024, 4), np.uint8)
    upscaler = open_upscaler(kind, processor(2), "full", box, None, folder)
    upscaler.apply(picture, out)
    upscaler.close()
    return out


def of_the_file_alone(stem: str, picture: Picture, folder: Path) -> Picture:
    """EasyVtuber's file on straight alpha, as its author runs it."""
    import onnxruntime

    straight = picture.astype(np.float32)
    straight[..., :3] *= 255.0 / np.maximum(straight[..., 3:], 1.0)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(folder / f"{stem}_fp32.onnx"), options)
    given = {session.get_inputs()[0].name: np.rint(straight).clip(0, 255).astype(np.uint8)[None]}
    return np.asarray(session.run(None, given)[0][0], np.uint8)


def well_inside(picture: Picture, pixels: int) -> NDArray[np.bool_]:
    """What of the enlarged picture is so far from anything transparent."""
    opaque = np.asarray(picture[..., 3] >= 250, np.uint8)
    shrunk = cv2.erode(opaque, np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8), borderValue=1)
    return np.asarray(shrunk.repeat(2, axis=0).repeat(2, axis=1), np.bool_)


@pytest.mark.parametrize("kind", ["waifu2x", "real_esrgan"])
def test_inside_it_is_the_picture_of_easyvtubers_file(kind: str, picture: Picture, weights: dict[str, Path]) -> None:
    box = visible_box(picture)
    assert box is not None
    found = enlarged(kind, picture, weights["plain"], box)
    stem = WAIFU2X_BYTES if kind == "waifu2x" else ESRGAN_BYTES
    expected = of_the_file_alone(stem, picture, weights["bytes"])
    inside = well_inside(picture, 10)
    assert 0.1 < inside.mean() < 0.5
    assert psnr_db(found[inside], expected[inside]) >= LEAST_DB[kind]


@pytest.mark.parametrize("kind", ["waifu2x", "real_esrgan", "real_esrgan_head"])
def test_both_contracts_make_the_same_picture(kind: str, picture: Picture, weights: dict[str, Path]) -> None:
    plain, as_bytes = (enlarged(kind, picture, weights[name], WHOLE) for name in ("plain", "bytes"))
    difference = np.abs(plain.astype(int) - as_bytes)
    assert difference.max() <= 3
    assert difference.mean() < 0.1


@pytest.mark.parametrize("kind", ["waifu2x", "real_esrgan", "real_esrgan_head"])
def test_the_box_makes_no_difference_to_what_is_visible(kind: str, picture: Picture, weights: dict[str, Path]) -> None:
    box = visible_box(picture)
    assert box is not None
    whole, boxed = (enlarged(kind, picture, weights["plain"], each) for each in (WHOLE, box))
    assert psnr_db(whole, boxed) >= 45.0


@pytest.mark.parametrize("kind", ["waifu2x", "real_esrgan", "real_esrgan_head"])
def test_it_is_the_same_character_and_no_darker_at_its_edge(
    kind: str, picture: Picture, weights: dict[str, Path]
) -> None:
    found = enlarged(kind, picture, weights["plain"], WHOLE)
    small = np.asarray(cv2.resize(found, (512, 512), interpolation=cv2.INTER_AREA), np.uint8)
    assert psnr_db(small, picture) >= 30.0
    edge = (picture[..., 3] >= 32) & (picture[..., 3] <= 224)
    brightness = [each[edge][:, :3].sum() / each[edge][:, 3].sum() for each in (small, picture)]
    assert brightness[0] >= brightness[1] * 0.98
    assert (found[..., :3].max(axis=2) <= found[..., 3]).all()


def test_the_head_is_sharper_than_the_rest(picture: Picture, weights: dict[str, Path]) -> None:
    found = enlarged("real_esrgan_head", picture, weights["plain"], WHOLE)
    plainly = np.asarray(cv2.resize(picture, (1024, 1024), interpolation=cv2.INTER_CUBIC), np.uint8)
    sharpness = [cv2.Laplacian(part(each, HEAD, 2)[..., 1], cv2.CV_64F).std() for each in (found, plainly)]
    assert sharpness[0] > 1.2 * sharpness[1]
    below = slice(520, 1024)
    assert np.abs(found[below].astype(int) - plainly[below]).mean() < 0.1
