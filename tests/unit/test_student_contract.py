"""A THA4 student's weights: the same from either kind of file, and what the networks' author computes with them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper

from core.wire.errors import ModelFileBad
from models.student.folder import StudentFiles, load_student_weights, student_files
from models.student.weights import Layer, StudentWeights
from tests.data import data
from tests.unit.torch_files import Array, torch_file

LAMBDA = "models/tha4_student/lambda_00"
FACE = [41, 8, 8, 4]
BODY = [[47, 12, 6], [6 + 47, 5, 7]]
random = np.random.default_rng(4)


def random_layer(inputs: int, outputs: int) -> tuple[Array, Array]:
    return random.normal(size=(outputs, inputs)).astype(np.float32), random.normal(size=outputs).astype(np.float32)


def tensors_of(name: str, inputs: int, outputs: int, flat: bool = False) -> dict[str, Array]:
    weight, bias = random_layer(inputs, outputs)
    return {f"{name}.weight": weight if flat else weight[:, :, None, None].copy(), f"{name}.bias": bias}


def face_tensors(widths: list[int] | None = None, **options: Any) -> dict[str, Array]:
    widths = widths or FACE
    made: dict[str, Array] = {}
    for number, (inputs, outputs) in enumerate(itertools.pairwise(widths[:-1])):
        made |= tensors_of(f"siren.sine_layers.{number}.linear", inputs, outputs, **options)
    return made | tensors_of("siren.last_linear", widths[-2], widths[-1], **options)


def body_tensors(levels: Iterable[list[int]] | None = None, last: int = 7, **options: Any) -> dict[str, Array]:
    made: dict[str, Array] = {}
    outputs = 0
    for level, widths in enumerate(levels or BODY):
        for number, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            made |= tensors_of(f"siren_layers.{level}.{number}.linear", inputs, outputs, **options)
    return made | tensors_of("last_linear", outputs, last, **options)


def student(
    folder: Path, face: bytes | dict[str, Array] | None = None, body: bytes | dict[str, Array] | None = None
) -> StudentFiles:
    """A student of these networks: PyTorch's tensors, or the bytes of an ONNX file."""
    folder.mkdir(exist_ok=True)
    paths = []
    for name, content in (("face", face or face_tensors()), ("body", body or body_tensors())):
        paths.append(folder / (f"{name}.onnx" if isinstance(content, bytes) else f"{name}.pt"))
        paths[-1].write_bytes(content if isinstance(content, bytes) else torch_file(content))
    return StudentFiles(folder / "character.png", paths[0], paths[1])


def all_layers(weights: StudentWeights) -> list[Layer]:
    networks = weights.face, weights.body
    return [layer for network in networks for layer in (*itertools.chain(*network.levels), network.output)]


def same(first: StudentWeights, second: StudentWeights) -> bool:
    return [len(level) for level in first.body.levels] == [len(level) for level in second.body.levels] and all(
        np.array_equal(one.weight, other.weight) and np.array_equal(one.bias, other.bias)
        for one, other in zip(all_layers(first), all_layers(second), strict=True)
    )


def refused_weights(files: StudentFiles) -> tuple[Any, Any]:
    with pytest.raises(ModelFileBad) as caught:
        load_student_weights(files)
    return caught.value.parameters["file"], caught.value.parameters["reason"]


def real() -> StudentWeights:
    files = student_files(data(LAMBDA))
    assert files is not None
    return load_student_weights(files)


def test_the_authors_own_files_and_those_made_from_them_hold_the_same() -> None:
    weights = real()
    converted = [data(f"{LAMBDA}/{name}_morpher.onnx") for name in ("face", "body")]
    assert same(weights, load_student_weights(StudentFiles(data(f"{LAMBDA}/character.png"), *converted)))
    assert [[layer.weight.shape for layer in level] for level in weights.face.levels] == [
        [(128, 41), *[(128, 128)] * 7]
    ]
    assert weights.face.output.weight.shape == (4, 128)
    assert [[layer.weight.shape for layer in level] for level in weights.body.levels] == [
        [(360, 47), (360, 360), (180, 360)],
        [(180, 227), (180, 180), (90, 180)],
        [(90, 137), (90, 90), (90, 90)],
    ]
    assert weights.body.output.weight.shape == (7, 90)
    assert all(layer.weight.flags.c_contiguous and layer.weight.dtype == np.float32 for layer in all_layers(weights))


def position(indices: Array, size: int) -> Array:
    """Columns x and y of (row, column) points."""
    return (2.0 * indices[:, ::-1] + 1.0) / size - 1.0


def applied(layer: Layer, values: Array) -> Array:
    return values @ layer.weight.T.astype(np.float64) + layer.bias


def joined(*columns: Array) -> Array:
    count = max(len(column) for column in columns)
    return np.concatenate([np.broadcast_to(column, (count, column.shape[1])) for column in columns], axis=1)


def test_the_faces_layers_are_sines_of_position_and_pose() -> None:
    weights, poses = real(), json.loads(data(f"{LAMBDA}/reference/poses.json").read_text(encoding="utf-8"))
    points = np.random.default_rng(1).integers(0, 128, (40, 2))
    with np.load(data(f"{LAMBDA}/reference/raw_f16.npz")) as reference:
        for name, pose in poses.items():
            values = joined(position(points, 128), np.array(pose[:39])[None])
            for layer in weights.face.levels[0]:
                values = np.sin(applied(layer, values))
            wanted = reference[f"face_{name}"][:, points[:, 0], points[:, 1]].T
            assert np.abs(applied(weights.face.output, values) - wanted).max() < 1e-4, name


def enlarged(values: Array, points: Array, coarse_points: Array, size: int) -> Array:
    """Bilinear, half-pixel centres, at (row, column) points of a square twice as large as ``size``."""
    rows = {tuple(point): row for row, point in enumerate(coarse_points.tolist())}
    place = np.clip((points + 0.5) / 2.0 - 0.5, 0, size - 1)
    low = np.floor(place).astype(int)
    part = place - low
    total = np.zeros((len(points), values.shape[1]))
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        corner = np.minimum(low + np.array([down, right]), size - 1)
        share = np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1])
        total += share[:, None] * values[[rows[tuple(point)] for point in corner.tolist()]]
    return total


def around(points: Array, size: int) -> Array:
    """The points of a square of ``size`` that enlarging to these points needs."""
    low = np.floor(np.clip((points + 0.5) / 2.0 - 0.5, 0, size - 1)).astype(int)
    corners = [np.minimum(low + shift, size - 1) for shift in ((0, 0), (0, 1), (1, 0), (1, 1))]
    return np.unique(np.concatenate(corners), axis=0)


def premultiplied_picture() -> Array:
    """The character as the networks' author reads it: linear light, premultiplied, -1..1, RGBA (512, 512, 4)."""
    content = np.frombuffer(data(f"{LAMBDA}/character.png").read_bytes(), np.uint8)
    decoded = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    straight = np.asarray(decoded)[:, :, [2, 1, 0, 3]] / 255.0
    colour, alpha = straight[:, :, :3], straight[:, :, 3:]
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return np.concatenate([linear * alpha, alpha], axis=2) * 2.0 - 1.0


def sampled(picture: Array, places: Array) -> Array:
    """Bilinear, at (x, y) places in -1..1 that end with the pixels' outer edges; outside is as the edge."""
    size = len(picture)
    place = np.clip((places[:, ::-1] + 1.0) * size / 2.0 - 0.5, 0, size - 1)
    low = np.minimum(np.floor(place).astype(int), size - 2)
    down, right = (place - low)[:, :1], (place - low)[:, 1:]
    row, column = low.T
    upper = picture[row, column] * (1 - right) + picture[row, column + 1] * right
    lower = picture[row + 1, column] * (1 - right) + picture[row + 1, column + 1] * right
    return np.asarray(upper * (1 - down) + lower * down)


def test_the_bodys_layers_take_features_then_position_then_pose() -> None:
    weights, poses = real(), json.loads(data(f"{LAMBDA}/reference/poses.json").read_text(encoding="utf-8"))
    points = np.stack(np.meshgrid(np.arange(90, 330, 12), np.arange(200, 320, 12)), axis=-1).reshape(-1, 2)
    middle = around(points, 256)
    coarse = around(middle, 128)
    with np.load(data(f"{LAMBDA}/reference/raw_f16.npz")) as reference:
        for name in ("neutral", "mixed"):
            pose = np.array(poses[name])[None]
            values, before = np.zeros((1, 0)), coarse
            for level, at, size in zip(weights.body.levels, (coarse, middle, points), (128, 256, 512), strict=True):
                if size > 128:
                    values = enlarged(values, at, before, size // 2)
                values, before = joined(values, position(at, size), pose), at
                for layer in level:
                    values = np.sin(applied(layer, values))
            fields = applied(weights.body.output, values)
            picture = premultiplied_picture()
            picture[80:208, 192:320] = reference[f"face_{name}"].transpose(1, 2, 0)
            blend = fields[:, 2:3]
            result = (1 - blend) * sampled(picture, position(points, 512) + fields[:, :2]) + blend * fields[:, 3:]
            wanted = reference[name][:, points[:, 0], points[:, 1]].T.astype(np.float64)
            assert np.abs(result - wanted).max() < 2e-3, name
            assert np.ptp(fields, axis=0).min() > 0.01


@pytest.mark.parametrize("flat", [False, True])
def test_the_sines_factor_goes_into_the_weights(tmp_path: Path, flat: bool) -> None:
    face, body = face_tensors(flat=flat), body_tensors(flat=flat)
    weights = load_student_weights(student(tmp_path, face, body))
    assert [len(level) for level in weights.body.levels] == [2, 2]
    kept = [*list(face.values()), *list(body.values())]
    for layer, weight, bias in zip(all_layers(weights), kept[::2], kept[1::2], strict=True):
        factor = np.float32(1 if layer is weights.face.output or layer is weights.body.output else 30)
        assert np.array_equal(layer.weight, weight.reshape(weight.shape[:2]) * factor)
        assert np.array_equal(layer.bias, bias * factor)


@pytest.mark.parametrize("levels", [[[47, 9]], [[47, 1024, 3], [50, 1]], [[47, 2], [49, 2], [49, 2], [49, 2, 2, 2, 2]]])
def test_levels_and_widths_are_taken_as_they_come(tmp_path: Path, levels: list[list[int]]) -> None:
    weights = load_student_weights(student(tmp_path, face_tensors([41, 3, 4]), body_tensors(levels)))
    assert [
        [level[0].weight.shape[1], *(len(layer.bias) for layer in level)] for level in weights.body.levels
    ] == levels


def without(tensors: dict[str, Array], *names: str) -> dict[str, Array]:
    return {name: array for name, array in tensors.items() if name not in names}


def extra(tensors: dict[str, Array], name: str, *shape: int) -> dict[str, Array]:
    return {**tensors, name: np.ones(shape, np.float32)}


LAST, SECOND = "siren.last_linear", "siren.sine_layers.1.linear"
WRONG: dict[str, tuple[str, dict[str, Array]]] = {
    "a body": ("face", body_tensors()),
    "a face": ("body", face_tensors()),
    "something else": ("face", {"conv.weight": np.ones((3, 3), np.float32)}),
    "no output": ("face", without(face_tensors(), f"{LAST}.weight", f"{LAST}.bias")),
    "an output without bias": ("face", without(face_tensors(), f"{LAST}.bias")),
    "a layer without bias": ("face", without(face_tensors(), f"{SECOND}.bias")),
    "a layer without weight": ("face", without(face_tensors(), f"{SECOND}.weight")),
    "a gap": ("face", without(face_tensors([41, 8, 8, 8, 4]), f"{SECOND}.weight", f"{SECOND}.bias")),
    "only an output": ("face", without(face_tensors([41, 8, 4]), "siren.sine_layers.0.linear.weight")),
    "a tensor more": ("face", extra(face_tensors(), "siren.scale", 1)),
    "a number with zeros before it": ("face", extra(face_tensors(), "siren.sine_layers.02.linear.weight", 8, 8)),
    "3x3 convolutions": ("face", extra(face_tensors(), f"{SECOND}.weight", 8, 8, 3, 3)),
    "a weight of one dimension": ("face", extra(face_tensors(), f"{SECOND}.weight", 8)),
    "a bias of two dimensions": ("face", extra(face_tensors(), f"{SECOND}.bias", 8, 1)),
    "a bias of another width": ("face", extra(face_tensors(), f"{SECOND}.bias", 9)),
    "too many pose values": ("face", face_tensors([47, 8, 4])),
    "too few outputs": ("face", face_tensors([41, 8, 3])),
    "a layer that does not follow": ("face", extra(face_tensors(), f"{SECOND}.weight", 8, 9)),
    "a wide layer": ("face", face_tensors([41, 1025, 4])),
    "many layers": ("face", face_tensors([41, *[2] * 66, 4])),
    "a body without output": ("body", without(body_tensors(), "last_linear.weight")),
    "a body of the face's values": ("body", body_tensors([[41, 8]])),
    "a level without features": ("body", body_tensors([[47, 8], [47, 8]])),
    "a level without position": ("body", body_tensors([[47, 8], [53, 8]])),
    "a level that is missing": (
        "body", without(body_tensors([[47, 6], [53, 6], [53, 6]]), "siren_layers.1.0.linear.weight"),
    ),
    "an output of one more": ("body", body_tensors(last=8)),
    "too many levels": ("body", body_tensors([[47, 2], *[[49, 2]] * 6])),
    "weights that leave the range": (
        "body", {**body_tensors(), "siren_layers.0.0.linear.bias": np.full(12, 3e38, np.float32)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(WRONG))
def test_what_is_no_such_network_is_refused(tmp_path: Path, case: str) -> None:
    place, tensors = WRONG[case]
    files = student(tmp_path, **{place: tensors})
    assert refused_weights(files) == (f"{place}.pt", "wrong_contract")


def test_the_authors_files_in_each_others_place_are_refused() -> None:
    files = student_files(data(LAMBDA))
    assert files is not None
    assert refused_weights(StudentFiles(files.picture, files.body, files.face)) == ("body_morpher.pt", "wrong_contract")
    converted = [data(f"{LAMBDA}/{name}_morpher.onnx") for name in ("body", "face")]
    assert refused_weights(StudentFiles(files.picture, *converted)) == ("body_morpher.onnx", "wrong_contract")


def test_a_damaged_network_is_told_by_its_file(tmp_path: Path) -> None:
    files = student(tmp_path)
    files.body.write_bytes(files.body.read_bytes()[:-30])
    assert refused_weights(files) == ("body.pt", "damaged")
    files.face.write_bytes(b"weights")
    assert refused_weights(files) == ("face.pt", "not_a_torch_file")
    files.face.unlink()
    assert refused_weights(files) == ("face.pt", "unreadable")


# -- weights from graphs ----------------------------------------------------------------------------------------------


class Graph:
    """An ONNX graph of layers, as an exporter writes them."""

    def __init__(self, constant_nodes: bool = False) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._as_nodes = constant_nodes

    def constant(self, name: str, value: Array) -> str:
        tensor = onnx.numpy_helper.from_array(value, name)
        if self._as_nodes:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        else:
            self.initializers.append(tensor)
        return name

    def convolution(self, layer: tuple[Array, Array], **attributes: Any) -> str:
        at = len(self.nodes)
        weight, bias = layer
        names = [self.constant(f"w{at}", weight[:, :, None, None]), self.constant(f"b{at}", bias)]
        self.nodes.append(helper.make_node("Conv", [f"x{at}", *names], [f"c{at}"], **attributes))
        return f"c{at}"

    def node(self, kind: str, *inputs: str) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [f"{kind}{len(self.nodes)}"]))
        return str(self.nodes[-1].output[0])

    def content(self) -> bytes:
        picture = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "graph", [], [picture], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
        return bytes(model.SerializeToString())


def face_layers() -> list[tuple[Array, Array]]:
    return [random_layer(inputs, outputs) for inputs, outputs in itertools.pairwise(FACE)]


@pytest.mark.parametrize("factors", [[], [30.0], [3.0, 10.0]])
@pytest.mark.parametrize("constant_nodes", [False, True])
def test_a_factor_behind_the_convolution_goes_into_the_weights(
    tmp_path: Path, factors: list[float], constant_nodes: bool
) -> None:
    layers, graph = face_layers(), Graph(constant_nodes)
    for number, layer in enumerate(layers[:-1]):
        name = graph.convolution(layer, kernel_shape=[1, 1], strides=[1, 1], pads=[0] * 4, group=1, dilations=[1, 1])
        for step, factor in enumerate(factors):
            times = graph.constant(f"t{number}{step}", np.array(factor, np.float32))
            name = graph.node("Mul", *((name, times) if number else (times, name)))
        graph.node("Sin", name)
    graph.convolution(layers[-1])
    weights = load_student_weights(student(tmp_path, graph.content()))
    for found_layer, (weight, bias) in zip((*weights.face.levels[0], weights.face.output), layers, strict=True):
        multiplier = np.float32(np.prod(factors) if found_layer is not weights.face.output else 1)
        assert np.array_equal(found_layer.weight, weight * multiplier)
        assert np.array_equal(found_layer.bias, bias * multiplier)


def graph_with(kind: str) -> bytes:
    """The face's graph with one thing that is not as it should be."""
    graph = Graph()
    attributes: dict[str, dict[str, Any]] = {
        "strides": {"strides": [2, 2]}, "pads": {"pads": [1] * 4}, "dilations": {"dilations": [3, 3]},
        "group": {"group": 2}, "an unknown attribute": {"colours": [7]},
    }  # fmt: skip
    layers = face_layers()
    for layer in layers[:-1]:
        name = graph.convolution(layer, **attributes.get(kind, {}))
        if kind == "another factor for each":
            name = graph.node("Mul", name, graph.constant(f"t{name}", np.ones(8, np.float32)))
        if kind == "a factor that is computed":
            name = graph.node("Mul", name, name)
        if kind == "a circle":
            graph.nodes.append(
                helper.make_node("Mul", [name, graph.constant(f"t{name}", np.array([1], np.float32))], [name])
            )
        if kind == "a sum":
            name = graph.node("Add", name, name)
        graph.node("Cos" if kind == "cosines" else "Sin", name)
    name = graph.convolution(layers[-1])
    if kind == "a sine at the end":
        graph.node("Sin", name)
    if kind == "a factor at the end":
        graph.node("Mul", name, graph.constant("t", np.array([2], np.float32)))
    if kind == "one convolution":
        graph.nodes = graph.nodes[:1]
    if kind == "weights from elsewhere":
        del graph.initializers[0]
    if kind == "no bias":
        del graph.nodes[0].input[2]
    if kind == "no output":
        del graph.nodes[0].output[:]
    return graph.content()


@pytest.mark.parametrize(
    "kind",
    [
        "strides", "pads", "dilations", "group", "an unknown attribute", "another factor for each", "a circle", "a sum",
        "a factor that is computed", "cosines", "a sine at the end", "a factor at the end", "one convolution",
        "weights from elsewhere", "no bias", "no output",
    ],
)  # fmt: skip
def test_a_graph_of_another_kind_is_refused(tmp_path: Path, kind: str) -> None:
    assert refused_weights(student(tmp_path, graph_with(kind))) == ("face.onnx", "wrong_contract")


def test_the_graph_that_those_are_made_from_is_read(tmp_path: Path) -> None:
    assert len(load_student_weights(student(tmp_path, graph_with("nothing wrong"))).face.levels[0]) == len(FACE) - 2
