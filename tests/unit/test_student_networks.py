"""Networks at lists of points, against the same networks computed over whole canvases with numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accel.base import FULL, HALF, Network
from models.onnx_graph import OPSET, GraphBuilder
from models.student.composition import linear_picture
from models.student.graphs import face_network, fields_network, paste_network, pixels_network
from models.student.networks import PointNetworks
from models.student.points import Indices, Mask, points_of
from models.student.regions import Split
from models.student.weights import SineNetwork
from tests.unit.student_networks import (
    BODY_WIDTHS,
    FACE_VALUES,
    FACE_WIDTHS,
    POSE_VALUES,
    Array,
    dense,
    dense_sharp,
    dense_soft,
    small_network,
    small_picture,
    some_poses,
)
from tests.unit.student_runtime import processor

NEWEST_IR = 9
DIRECTML_HAS = {
    "Add", "Cast", "Clip", "Concat", "Div", "Gather", "Gemm", "GridSample", "Less", "MatMul", "Max", "Min", "Mul",
    "Pow", "Reshape", "Sin", "Slice", "Sub", "Transpose", "Where",
}  # fmt: skip
"""Operators of the standard set that ONNX Runtime's DirectML provider has a kernel for, as far as we use them."""

LEVELS = {1: FACE_WIDTHS, 2: ((47, 9, 9), (56, 7, 7)), 3: BODY_WIDTHS}
SIZE = 32
POSE = some_poses(1, seed=8)[0]

Points = Callable[[PointNetworks], tuple[str, Indices]]


def network_of(levels: int) -> SineNetwork:
    return small_network(LEVELS[levels], pose_values(levels), 5, seed=levels)


def pose_values(levels: int) -> int:
    return FACE_VALUES if levels == 1 else POSE_VALUES


def graph_of(network: SineNetwork, points: Points, precision: str = FULL, chunk: int = 0) -> tuple[bytes, Indices]:
    """The graph of a network at the points that ``points`` adds to it."""
    graph = GraphBuilder()
    values = network.levels[0][0].weight.shape[1] - 2
    tensor, made = points(PointNetworks(graph, graph.input("pose", (1, values)), network, precision, chunk))
    graph.output("points", tensor, (len(made), len(network.output.bias)))
    return graph.build("test"), made


def computed(
    network: SineNetwork, points: Points, precision: str = FULL, pose: Array = POSE, chunk: int = 0
) -> tuple[Array, Indices]:
    """What a network gives at points for a pose, in ONNX Runtime."""
    content, made = graph_of(network, points, precision, chunk)
    values = network.levels[0][0].weight.shape[1] - 2
    session = processor().open(Network("test", content))
    result = session.run({"pose": pose[None, :values]})["points"]
    assert result.dtype == np.float32 and len(result) == len(made)
    return result, made


def random_mask(seed: int, share: float, size: int = SIZE) -> Mask:
    return np.asarray(np.random.default_rng(seed).random((size, size)) < share, np.bool_)


def blob(size: int = SIZE) -> Mask:
    """Round, cut off by the left and the lower border."""
    rows, columns = np.mgrid[:size, :size]
    return np.asarray((rows - 0.8 * size) ** 2 + (columns - 0.2 * size) ** 2 < (0.45 * size) ** 2, np.bool_)


EVERYWHERE = np.ones((SIZE, SIZE), np.bool_)
NOWHERE = ~EVERYWHERE


@pytest.mark.parametrize("levels", LEVELS)
@settings(max_examples=16)
@given(
    seed=st.integers(0, 999),
    share=st.sampled_from([0.002, 0.05, 0.6, 1.0]),
    size=st.sampled_from([8, 24, 40]),
    chunk=st.sampled_from([0, 7, 100]),
)
def test_exact_points_are_the_dense_networks(levels: int, seed: int, share: float, size: int, chunk: int) -> None:
    network, mask = network_of(levels), random_mask(seed, share, size)
    mask[seed % size, -1] = True
    pose = some_poses(1, seed)[0]
    found, points = computed(network, lambda made: made.exact(mask), pose=pose, chunk=chunk)
    assert np.array_equal(points, points_of(mask))
    assert np.abs(found - dense(network, pose[: pose_values(levels)], size)[mask]).max() < 1e-4


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("mask", [EVERYWHERE, blob(), random_mask(1, 0.03)], ids=["everywhere", "blob", "scattered"])
def test_soft_points_are_those_of_half_the_size_upsampled(levels: int, mask: Mask) -> None:
    network = network_of(levels)
    found, points = computed(network, lambda made: made.mixed(NOWHERE, mask))
    assert np.array_equal(points, points_of(mask))
    expected = dense_soft(network, POSE[: pose_values(levels)], SIZE)
    assert np.abs(found - expected[mask]).max() < 1e-4


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("mask", [EVERYWHERE, blob(), random_mask(2, 0.03)], ids=["everywhere", "blob", "scattered"])
def test_sharp_points_have_only_the_last_level_at_full_size(levels: int, mask: Mask) -> None:
    network = network_of(levels)
    found, points = computed(network, lambda made: made.mixed(mask, NOWHERE))
    assert np.array_equal(points, points_of(mask))
    expected = dense_sharp(network, POSE[: pose_values(levels)], SIZE)
    assert np.abs(found - expected[mask]).max() < 1e-4


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("chunk", [0, 1, 20, 1000])
def test_mixed_points_come_in_the_pictures_order_each_of_its_kind(levels: int, chunk: int) -> None:
    network, wanted, sharp = network_of(levels), blob(), random_mask(3, 0.2)
    sharp, soft = sharp & wanted, wanted & ~sharp
    found, points = computed(network, lambda made: made.mixed(sharp, soft), chunk=chunk)
    assert np.array_equal(points, points_of(wanted))
    pose = POSE[: pose_values(levels)]
    expected = np.where(sharp[..., None], dense_sharp(network, pose, SIZE), dense_soft(network, pose, SIZE))
    assert np.abs(found - expected[wanted]).max() < 1e-4


def test_the_three_kinds_are_not_the_same() -> None:
    network = network_of(3)
    kinds = [kind(network, POSE, SIZE) for kind in (dense, dense_sharp, dense_soft)]
    assert np.abs(kinds[0] - kinds[1]).max() > 1e-3
    assert np.abs(kinds[1] - kinds[2]).max() > 1e-3


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("kind", ["exact", "sharp", "soft"])
def test_half_precision_stays_near(levels: int, kind: str) -> None:
    network = network_of(levels)
    points: dict[str, Points] = {
        "exact": lambda made: made.exact(blob()),
        "sharp": lambda made: made.mixed(blob(), NOWHERE),
        "soft": lambda made: made.mixed(NOWHERE, blob()),
    }
    full, _ = computed(network, points[kind])
    half, _ = computed(network, points[kind], HALF)
    assert np.abs(half - full).max() < 0.02 * np.ptp(full)
    content, _ = graph_of(network, points[kind], HALF)
    hidden = [constant for constant in onnx.load_from_string(content).graph.initializer if constant.data_type == 10]
    assert hidden  # it does compute in float16


def all_networks() -> dict[str, bytes]:
    """Everything the student opens, at a few points."""
    face, body = small_network(FACE_WIDTHS, FACE_VALUES, 4), small_network(BODY_WIDTHS, POSE_VALUES, 7)
    few = np.zeros((512, 512), np.bool_)
    few[100:104, 250:260] = True
    few_face, points = few[80:208, 192:320].copy(), points_of(few)
    made = {"pixels": pixels_network(points).content, "paste": paste_network(linear_picture(small_picture())).content}
    for precision in (FULL, HALF):
        for name, mask, of in (("fields", few, fields_network), ("face", few_face, face_network)):
            network = body if name == "fields" else face
            made[f"{name} exact {precision}"] = of(network, Split.exactly(mask), precision)[0].content
            mixed = Split.mixed(mask & (np.arange(len(mask)) % 2 == 0), mask & (np.arange(len(mask)) % 2 == 1))
            made[f"{name} mixed {precision}"] = of(network, mixed, precision)[0].content
    return made


def test_every_graph_is_one_that_all_runtimes_read() -> None:
    used = set()
    for name, content in all_networks().items():
        model = onnx.load_from_string(content)
        onnx.checker.check_model(model, full_check=True)
        assert model.ir_version <= NEWEST_IR, name
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
        used |= {node.op_type for node in model.graph.node}
    assert OPSET == 17
    assert used <= DIRECTML_HAS


def test_the_same_content_gives_the_same_bytes() -> None:
    first, second = all_networks(), all_networks()
    assert first == second
    assert len(set(first.values())) == len(first)


# -- graphs, node by node --------------------------------------------------------------------------------------------


def test_the_same_constant_is_stored_once() -> None:
    graph = GraphBuilder()
    ones = np.ones((2, 3), np.float32)
    same, turned = graph.constant(ones), graph.constant(np.ones((3, 2), np.float32).T)
    others = {graph.constant(ones.astype(np.float16)), graph.constant(ones.reshape(3, 2)), graph.constant(ones * 2)}
    assert same == turned and len(others | {same}) == 4


def test_an_output_that_is_read_again_keeps_one_name() -> None:
    graph = GraphBuilder()
    given_ = graph.input("x", (2, 3))
    doubled = graph.node("Add", given_, given_)
    graph.output("doubled", doubled, (2, 3))
    graph.output("part", graph.columns(graph.node("Mul", doubled, graph.number(10.0)), 1, 3), (2, 2))
    graph.output("row", graph.rows(doubled, 1, 2), (1, 3))
    graph.output("picked", graph.gather(doubled, np.array([1, 1, 0])), (3, 3))
    session = processor().open(Network("test", graph.build("test")))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    results = session.run({"x": x})
    assert list(results) == ["doubled", "part", "row", "picked"]
    assert np.array_equal(results["doubled"], x * 2)
    assert np.array_equal(results["part"], x[:, 1:] * 20)
    assert np.array_equal(results["row"], x[1:] * 2)
    assert np.array_equal(results["picked"], x[[1, 1, 0]] * 2)
