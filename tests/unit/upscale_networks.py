"""Networks that enlarge by repeating pixels, so that what comes out can be told exactly, and pictures for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.base import Picture

FLOAT, HALF, BYTES = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8
Shape = Sequence[int | str]
WAIFU2X_PLAIN, WAIFU2X_BYTES = "waifu2x/upconv7_noise0_scale2x", "waifu2x/noise0_scale2x"
ESRGAN_PLAIN, ESRGAN_BYTES = "Real-ESRGAN/realesr_animevideov3_x4", "Real-ESRGAN/exported_256"


def model(
    nodes: list[onnx.NodeProto],
    given: tuple[int, Shape],
    made: tuple[int, Shape],
    constants: dict[str, NDArray[Any]] | None = None,
    opset: int = 16,
) -> onnx.ModelProto:
    """From ``x`` to ``y``."""
    graph = helper.make_graph(
        nodes,
        "upscale",
        [helper.make_tensor_value_info("x", *given)],
        [helper.make_tensor_value_info("y", *made)],
        [numpy_helper.from_array(content, name) for name, content in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def repeating(factor: int, kind: int = FLOAT, tint: float = 1.0, opset: int = 16) -> onnx.ModelProto:
    """A plain network: every pixel becomes ``factor`` x ``factor`` of it. ``tint``: red is multiplied by it."""
    dtype = np.float16 if kind == HALF else np.float32
    nodes = [
        helper.make_node("Mul", ["x", "tint"], ["tinted"]),
        helper.make_node("Resize", ["tinted", "", "scales"], ["y"], **NEAREST),
    ]
    constants: dict[str, NDArray[Any]] = {
        "tint": np.array([tint, 1.0, 1.0], dtype).reshape(1, 3, 1, 1),
        "scales": np.array([1, 1, factor, factor], np.float32),
    }
    return model(nodes, (kind, ["n", 3, "h", "w"]), (kind, ["n", 3, "h2", "w2"]), constants, opset)


NEAREST: dict[str, Any] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}


def whole_bytes(halves: bool = False) -> onnx.ModelProto:
    """EasyVtuber's contract; ``halves``: by way of 256 x 256. Its alpha is nonsense."""
    nodes = [
        helper.make_node("Cast", ["x"], ["float"], to=FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["half"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Resize", ["half" if halves else "planes", "", "scales"], ["large"], **NEAREST),
    ]
    factor = 4 if halves else 2
    return _as_bytes(nodes, factor)


def cropping_bytes(top: int, left: int) -> onnx.ModelProto:
    """EasyVtuber's contract, but it enlarges 256 x 256 pixels of the picture fourfold."""
    nodes = [
        helper.make_node("Slice", ["x", "starts", "ends", "axes"], ["crop"]),
        helper.make_node("Cast", ["crop"], ["float"], to=FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Resize", ["planes", "", "scales"], ["large"], **NEAREST),
    ]
    corner = np.array([top, left], np.int64)
    return _as_bytes(nodes, 4, {"starts": corner, "ends": corner + 256, "axes": np.array([1, 2], np.int64)})


def _as_bytes(nodes: list[onnx.NodeProto], factor: int, more: dict[str, NDArray[Any]] | None = None) -> onnx.ModelProto:
    nodes += [
        helper.make_node("Mul", ["large", "visible"], ["nonsense"]),
        helper.make_node("Transpose", ["nonsense"], ["pixels"], perm=[0, 2, 3, 1]),
        helper.make_node("Cast", ["pixels"], ["y"], to=BYTES),
    ]
    constants = {
        "scales": np.array([1, 1, factor, factor], np.float32),
        "visible": np.array([1, 1, 1, 0.25], np.float32).reshape(1, 4, 1, 1),
        **(more or {}),
    }
    return model(nodes, (BYTES, ["batch", 512, 512, 4]), (BYTES, ["batch", 1024, 1024, 4]), constants)


def write(folder: Path, stem: str, made: onnx.ModelProto, precision: str = "fp32") -> Path:
    """Put a network in its place below a folder of weights."""
    file = folder / f"{stem}_{precision}.onnx"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(made.SerializeToString())
    return file


def premultiplied(straight: NDArray[Any]) -> Picture:
    """Straight BGRA as it is shown."""
    values = straight.astype(np.float64)
    values[..., :3] *= values[..., 3:] / 255.0
    return np.rint(values).astype(np.uint8)


def disc(colour: tuple[int, int, int], centre: tuple[int, int] = (256, 256), radius: int = 90) -> Picture:
    """A disc with a soft edge in a 512 x 512 picture, premultiplied. ``centre``: across, down."""
    alpha = np.zeros((512, 512), np.uint8)
    cv2.circle(alpha, centre, radius, 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 2.0), np.uint8)
    return premultiplied(np.dstack([*(np.full_like(alpha, part) for part in colour), alpha]))


def noise(seed: int = 3) -> Picture:
    """Random premultiplied pixels."""
    return premultiplied(np.random.default_rng(seed).integers(0, 256, (512, 512, 4)))


def is_clean(picture: Picture, colour: tuple[int, int, int], levels: float = 2.0) -> bool:
    """Is the straight colour this one within so many levels wherever alpha is 16 or more? A level and a quarter more
    is what rounding takes: of the colour, of the alpha, and once more where two pictures are blended."""
    alpha = picture[..., 3:].astype(np.float64)
    off = np.abs(picture[..., :3] - alpha * np.array(colour) / 255.0)
    return bool((off <= levels * alpha / 255.0 + 1.25)[picture[..., 3] >= 16].all())
