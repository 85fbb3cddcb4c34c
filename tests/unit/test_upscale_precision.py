"""One file for both precisions: what is converted computes the same, and what must stay stays."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from accel.base import Network
from models.upscale.precision import in_precision

from ..data import data
from .student_runtime import processor
from .upscale_networks import FLOAT, HALF, model, repeating


def run(made: onnx.ModelProto, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sizes left open are 1 for our sessions, so they are written in."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(made)
    for size, known in zip(fixed.graph.input[0].type.tensor_type.shape.dim, picture.shape, strict=True):
        size.dim_value = known
    session = processor().open(Network("small", fixed.SerializeToString()))
    dtype = session.inputs["x"].dtype
    result = session.run({"x": picture.astype(dtype)})["y"]
    assert result.dtype == dtype
    return result.astype(np.float32)


def picture(side: int = 8) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((1, 3, side, side)).astype(np.float32)


@pytest.mark.parametrize(("kind", "precision", "wanted"), [(FLOAT, "half", HALF), (HALF, "full", FLOAT)])
def test_the_other_precision_computes_the_same(kind: int, precision: str, wanted: int) -> None:
    original = repeating(2, kind, tint=0.7)
    converted = in_precision(original, precision)
    weights = {tensor.name: tensor.data_type for tensor in converted.graph.initializer}
    assert weights == {"tint": wanted, "scales": FLOAT}, "scales are float32 in every network"
    assert original.graph.initializer[0].data_type == kind, "the original is left alone"
    assert np.abs(run(converted, picture()) - run(original, picture())).max() < 2e-3


@pytest.mark.parametrize(("kind", "precision"), [(FLOAT, "full"), (HALF, "half")])
def test_what_is_right_already_comes_back(kind: int, precision: str) -> None:
    original = repeating(2, kind)
    assert in_precision(original, precision) is original


def mixed() -> onnx.ModelProto:
    """Bytes-like: floats outside, float16 inside, by casts and a constant node."""
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], to=HALF),
        helper.make_node("Constant", [], ["two"], value=numpy_helper.from_array(np.array(2.0, np.float16))),
        helper.make_node("Mul", ["half", "two"], ["doubled"]),
        helper.make_node("Cast", ["doubled"], ["y"], to=FLOAT),
    ]
    return model(nodes, (FLOAT, ["n", 3, "h", "w"]), (FLOAT, ["n", 3, "h", "w"]))


def test_a_network_with_float16_inside_becomes_float32_throughout() -> None:
    converted = in_precision(mixed(), "full")
    assert HALF not in [attribute.i for node in converted.graph.node for attribute in node.attribute]
    assert np.array_equal(run(converted, picture()), picture() * 2)


def test_what_its_maker_has_mixed_stays_mixed() -> None:
    original = mixed()
    assert in_precision(original, "half") is original


def test_a_network_with_branches_is_left_alone() -> None:
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "branch", [], [
        helper.make_tensor_value_info("z", FLOAT, None)
    ])  # fmt: skip
    yes = numpy_helper.from_array(np.array(True), "yes")
    original = model(
        [helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)],
        (FLOAT, ["n", 3, "h", "w"]),
        (FLOAT, ["n", 3, "h", "w"]),
    )
    original.graph.initializer.append(yes)
    assert in_precision(original, "half") is original


def test_weights_too_large_for_float16_do_not_stop_it() -> None:
    converted = in_precision(repeating(2, tint=1e6), "half")
    assert converted.graph.initializer[0].data_type == TensorProto.FLOAT16


@pytest.mark.parametrize(
    "path", ["waifu2x/upconv7_noise0_scale2x_f32_dyn.onnx", "Real-ESRGAN/realesr_animevideov3_x4_f32_dyn.onnx"]
)
def test_real_networks_compute_the_same_in_half(path: str) -> None:
    original = onnx.load(data(f"models/{path}"))
    difference = run(in_precision(original, "half"), picture(24)) - run(original, picture(24))
    assert np.abs(difference).mean() < 1e-3
    assert np.abs(difference).max() < 2e-2
