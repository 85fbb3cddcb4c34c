"""RIFE's networks made over: all four channels go through the flow that the network finds from colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from accel.base import FULL, HALF, PRECISIONS, Array, DeviceTensor
from core.wire.errors import EasyVtuberError, ModelFileBad, RuntimeFailed
from models.base import Picture
from models.rife.files import PLAIN, TILED, RifeFile
from models.rife.graph import RifeGraph, build_graph
from models.rife.interpolator import Rife

from ..data import data
from .rife_networks import Traits, difference, figure, plain_network, write
from .student_runtime import processor

LEAST_HEAD_DB = 30.0
HEAD = np.s_[0:256, 128:384]


def _built(folder: Path, traits: Traits, precision: str = FULL) -> RifeGraph:
    return build_graph(RifeFile(PLAIN, write(plain_network(traits), folder, "small"), "rife/small.onnx"), precision)


def _draw(graph: RifeGraph, older: Picture, newer: Picture, share: float = 0.5) -> Picture:
    session = processor().open(graph.network)
    assert session.outputs["picture"].shape == (1, 512, 512, 4)
    inputs: dict[str, Array | DeviceTensor] = {
        "older": older[None], "newer": newer[None], "share": np.array([share], np.float32)
    }  # fmt: skip
    made = session.run(inputs)["picture"][0]
    session.close()
    return np.asarray(made, np.uint8)


def _operators(graph: RifeGraph) -> list[Any]:
    return list(onnx.load_from_string(graph.network.content).graph.node)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize(
    "traits",
    [
        Traits(),
        Traits(newer_first=True),
        Traits(bounded=False),
        Traits(side=512),
        Traits(names=("older", "newer", "share", "picture", "colour/img0", "constant_0", "add_3", "weights/weight_0")),
    ],
    ids=["plain", "turned round", "unbounded", "fixed", "our names"],
)
def test_alpha_moves_as_the_colour_does(tmp_path: Path, traits: Traits, share: float) -> None:
    graph = _built(tmp_path, traits)
    assert graph.bends_alpha
    drawn = _draw(graph, figure(200), figure(208), share)
    assert difference(drawn, figure(200 + round(8 * share))) <= 1


def test_a_network_of_float16_moves_them_too(tmp_path: Path) -> None:
    # half a float has steps of an eighth of a pixel at the picture's side
    for precision in PRECISIONS:
        graph = _built(tmp_path, Traits(dtype=np.float16), precision)
        assert graph.bends_alpha
        drawn = _draw(graph, figure(200), figure(208)).astype(int)
        assert np.abs(drawn - figure(204)).mean() < 0.25
        assert np.abs(drawn - figure(202)).mean() > 1.0


def test_shares_are_the_networks_own(tmp_path: Path) -> None:
    graph = _built(tmp_path, Traits(moved=0.0, share_follows_red=80.0))
    older, newer = figure(200), figure(200, seed=9)
    older[150:250, 200:320, 2] = 0
    older[250:350, 200:320, 2] = older[250:350, 200:320, 3]
    drawn = _draw(graph, older, newer)
    assert difference(drawn[150:250, 210:310], newer[150:250, 210:310]) <= 1
    assert difference(drawn[250:350, 210:310], older[250:350, 210:310]) <= 1


@pytest.mark.parametrize(("brightness", "seen"), [(0.8, "black"), (0.15, "white")])
def test_the_network_sees_dark_figures_over_white_and_others_over_black(
    tmp_path: Path, brightness: float, seen: str
) -> None:
    graph = _built(tmp_path, Traits(moved=0.0, share_follows_red=80.0))
    older, newer = figure(100, brightness), figure(300, brightness)
    drawn = _draw(graph, older, newer)
    # where the older picture is empty its share follows its background's red
    expected = older if seen == "white" else newer
    assert difference(drawn[:, 300:420], expected[:, 300:420]) <= 1


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("ends_in_blend", [True, False])
def test_no_colour_lies_above_its_alpha(tmp_path: Path, precision: str, ends_in_blend: bool) -> None:
    graph = _built(tmp_path, Traits(moved=5.3, share_follows_red=7.0, ends_in_blend=ends_in_blend), precision)
    random = np.random.default_rng(5)
    pictures = []
    for _ in range(2):
        picture = random.integers(0, 256, (512, 512, 4), dtype=np.uint8)
        picture[..., :3] = picture[..., :3].astype(int) * picture[..., 3:] // 255
        pictures.append(picture)
    drawn = _draw(graph, pictures[0], pictures[1], 0.4)
    assert (drawn[..., :3] <= drawn[..., 3:]).all()
    assert drawn[..., 3].std() > 20.0


def test_nothing_between_two_empty_pictures(tmp_path: Path) -> None:
    empty = np.zeros((512, 512, 4), np.uint8)
    for ends_in_blend in (True, False):
        assert not _draw(_built(tmp_path, Traits(ends_in_blend=ends_in_blend)), empty, empty).any()


@pytest.mark.parametrize("brightness", [0.8, 0.15])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_another_ending_runs_twice(tmp_path: Path, brightness: float, precision: str) -> None:
    graph = _built(tmp_path, Traits(ends_in_blend=False), precision)
    assert not graph.bends_alpha
    drawn = _draw(graph, figure(200, brightness), figure(208, brightness))
    assert difference(drawn, figure(204, brightness)) <= 2
    assert sum(node.op_type == "GridSample" for node in _operators(graph)) == 4


def test_the_networks_own_end_is_gone(tmp_path: Path) -> None:
    nodes = _operators(_built(tmp_path, Traits()))
    assert sum(node.op_type == "GridSample" for node in nodes) == 2


def test_half_precision_convolves_in_float16_and_samples_in_float32(tmp_path: Path) -> None:
    traits = Traits(share_follows_red=4.0)
    graphs = {precision: _built(tmp_path, traits, precision) for precision in PRECISIONS}
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(graphs[HALF].network.content), strict_mode=True)
    types: Mapping[str, int] = {
        **{value.name: value.type.tensor_type.elem_type for value in model.graph.value_info},
        **{tensor.name: tensor.data_type for tensor in model.graph.initializer},
    }
    foreign = [node for node in model.graph.node if node.output[0].startswith("colour/")]
    halves = {node.op_type for node in foreign if types[node.output[0]] == onnx.TensorProto.FLOAT16}
    assert halves == {"Conv", "LeakyRelu", "Mul", "Add", "Cast"}
    for node in model.graph.node:
        kinds = {types[name] for name in node.input if name in types}
        assert node.op_type == "Cast" or len(kinds - {onnx.TensorProto.INT64}) <= 1, node.op_type
        if node.op_type == "GridSample":
            assert kinds == {onnx.TensorProto.FLOAT}
    older, newer = figure(200), figure(208)
    assert difference(_draw(graphs[HALF], older, newer), _draw(graphs[FULL], older, newer)) <= 2


def _wrong_axis(model: Any) -> None:
    next(node for node in model.graph.node if node.op_type == "Concat").attribute[0].i = 7


def _wrong_type(model: Any) -> None:
    weight = model.graph.initializer[0]
    model.graph.input.append(onnx.helper.make_tensor_value_info(weight.name, onnx.TensorProto.STRING, [77]))


def _weight_gone(model: Any) -> None:
    del model.graph.initializer[4]


def _circle(model: Any) -> None:
    model.graph.node[0].input[0] = "out"


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (_wrong_type, ModelFileBad),
        (_wrong_axis, RuntimeFailed),
        (_weight_gone, RuntimeFailed),
        (_circle, RuntimeFailed),
    ],
)
def test_a_network_that_contradicts_itself_is_refused(
    tmp_path: Path, spoil: Callable[[Any], None], error: type[EasyVtuberError], precision: str
) -> None:
    model = plain_network()
    spoil(model)
    file = RifeFile(PLAIN, write(model, tmp_path, "bad"), "rife/bad.onnx")
    with pytest.raises(error):
        processor().open(build_graph(file, precision).network)


# The real architecture


def _premultiplied(name: str) -> Picture:
    path = data(f"models/rife/reference/{name}.png")
    straight = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(cv2.cvtColor(np.asarray(straight), cv2.COLOR_RGBA2mRGBA), np.uint8)


def _over_green(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    colour = picture[..., :3].astype(np.float64)
    colour[..., 1] += 255.0 - picture[..., 3]
    return colour


def _psnr_db(first: Picture, second: Picture) -> float:
    error = float(((_over_green(first)[HEAD] - _over_green(second)[HEAD]) ** 2).mean())
    return float(10.0 * np.log10(255.0**2 / error))


def _alpha_error(drawn: Picture, true: Picture) -> float:
    return float(np.abs(drawn[..., 3].astype(int) - true[..., 3]).mean())


def test_the_real_network_comes_nearer_to_the_truth_than_tiles() -> None:
    """With this pair the expression changes fast: the tiles give 29.8 dB, a cross-fade 23.9."""
    files = [
        RifeFile(PLAIN, data("models/rife/ifnet425lite_f32w16_dyn.onnx"), "own"),
        RifeFile(TILED, data("models/rife/rife_x2_fp32w16.onnx"), "tiled"),
    ]
    older, newer, true = (_premultiplied(name) for name in ("img0", "img1", "true_t0500"))
    drawn = []
    for file in files:
        rife = Rife(file, processor(2), FULL, 2)
        out = np.zeros((512, 512, 4), np.uint8)
        rife.draw(older, newer, 0.5, out)
        rife.close()
        drawn.append(out)
    own, tiled = drawn
    assert (own[..., :3] <= own[..., 3:]).all()
    assert _psnr_db(own, true) >= LEAST_HEAD_DB
    assert _psnr_db(own, true) >= _psnr_db(tiled, true) + 0.5
    assert _alpha_error(own, true) < 0.9 * _alpha_error(tiled, true)
