"""The student as EasyVtuber runs it: both networks over their whole canvas, every frame, in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.onnx_graph import GraphBuilder
from models.student.folder import StudentFiles
from models.student.points import points_of, position
from models.student.weights import SineNetwork, StudentWeights


class DenseStudent:
    """EasyVtuber's two graphs where the character's folder has them, else graphs of the same shape from the weights."""

    def __init__(self, files: StudentFiles, weights: StudentWeights, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        face, body = _content(files.face, weights.face, _face), _content(files.body, weights.body, _body)
        providers = ["CPUExecutionProvider"]
        self._face: Any = onnxruntime.InferenceSession(face, options, providers=providers)
        self._body: Any = onnxruntime.InferenceSession(body, options, providers=providers)
        picture = cv2.imdecode(np.frombuffer(files.picture.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        rank = len(self._body.get_inputs()[0].shape)
        self._picture = np.asarray(picture, np.uint8).reshape((1,) * (rank - 3) + (512, 512, 4))

    def render(self, pose: NDArray[np.float32]) -> Picture:
        """Shape (512, 512, 4) uint8 BGRA as EasyVtuber has it, for a pose (45)."""
        face = self._face.run(None, {"pose": pose[None, :39]})[0]
        inputs = {"input_image": self._picture, "face_morphed": face, "pose": pose[None]}
        return np.asarray(self._body.run(["cv_result"], inputs)[0], np.uint8)


def _content(file: Path, network: SineNetwork, build: Any) -> bytes:
    exported = file.with_suffix(".onnx")
    return exported.read_bytes() if exported.is_file() else build(network)


def _sines(graph: GraphBuilder, values: str, layers: Any) -> str:
    for layer in layers:
        kernel = graph.constant(layer.weight[:, :, None, None])
        values = graph.node("Sin", graph.node("Conv", values, kernel, graph.constant(layer.bias)))
    return values


def _given(graph: GraphBuilder, pose: str, count: int, size: int) -> list[str]:
    """Position and pose at every point."""
    everywhere = points_of(np.ones((size, size), np.bool_))
    place = position(everywhere, size).T.reshape(1, 2, size, size)
    spread = graph.node("Expand", graph.reshape(pose, 1, count, 1, 1), graph.constant(np.array([1, count, size, size])))
    return [graph.constant(np.ascontiguousarray(place)), spread]


def _face(network: SineNetwork) -> bytes:
    graph = GraphBuilder()
    pose = graph.input("pose", (1, 39))
    values = _sines(graph, graph.node("Concat", *_given(graph, pose, 39, 128), axis=1), network.levels[0])
    last = graph.constant(network.output.weight[:, :, None, None])
    face = graph.node("Conv", values, last, graph.constant(network.output.bias))
    graph.output("face_morphed", face, (1, 4, 128, 128))
    return graph.build("face")


def _body(network: SineNetwork) -> bytes:
    graph = GraphBuilder()
    picture = graph.input("input_image", (512, 512, 4), np.uint8)
    face = graph.input("face_morphed", (1, 4, 128, 128))
    pose = graph.input("pose", (1, 45))
    values = ""
    for number, layers in enumerate(network.levels):
        size = 512 >> (len(network.levels) - 1 - number)
        given = _given(graph, pose, 45, size)
        if values:
            scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
            given.insert(0, graph.node("Resize", values, "", scales, mode="linear"))
        values = _sines(graph, graph.node("Concat", *given, axis=1), layers)
    last = graph.constant(network.output.weight[:, :, None, None])
    fields = graph.node("Conv", values, last, graph.constant(network.output.bias))
    graph.output("cv_result", _composed(graph, picture, face, fields), (512, 512, 4), np.uint8)
    return graph.build("body")


def _composed(graph: GraphBuilder, picture: str, face: str, fields: str) -> str:
    def channels(first: int, last: int) -> str:
        ends = (graph.constant(np.array([end], np.int64)) for end in (first, last, 1))
        return graph.node("Slice", fields, *ends)

    unit = graph.node("Div", graph.node("Cast", picture, to=1), graph.number(255.0))
    colour = graph.node("Pow", graph.gather(unit, np.array([2, 1, 0]), axis=2), graph.number(2.4))
    both = graph.node("Concat", colour, graph.gather(unit, np.array([3]), axis=2), axis=2)
    scaled = graph.node("Sub", graph.node("Mul", both, graph.number(2.0)), graph.number(1.0))
    image = graph.reshape(graph.node("Transpose", scaled, perm=[2, 0, 1]), 1, 4, 512, 512)
    rows, columns = np.meshgrid(np.arange(80, 208), np.arange(192, 320), indexing="ij")
    places = np.stack(np.broadcast_arrays(0, np.arange(4)[:, None, None], rows[None], columns[None]), axis=-1)
    image = graph.node("ScatterND", image, graph.constant(places[None].astype(np.int64)), face)
    identity = position(points_of(np.ones((512, 512), np.bool_)), 512).reshape(1, 512, 512, 2)
    grid = graph.node("Add", graph.constant(identity), graph.node("Transpose", channels(0, 2), perm=[0, 2, 3, 1]))
    warped = graph.node("GridSample", image, grid, mode="bilinear", padding_mode="border", align_corners=0)
    kept = graph.node("Mul", graph.node("Sub", graph.number(1.0), channels(2, 3)), warped)
    result = graph.node("Add", kept, graph.node("Mul", channels(2, 3), channels(3, 7)))
    half = graph.node("Add", graph.node("Mul", result, graph.number(0.5)), graph.number(0.5))
    encoded = graph.node("Pow", graph.node("Clip", half, graph.number(0.0), graph.number(1.0)), graph.number(1 / 2.4))
    last = graph.node("Transpose", graph.reshape(encoded, 4, 512, 512), perm=[1, 2, 0])
    swapped = graph.gather(last, np.array([2, 1, 0, 3]), axis=2)
    return graph.node("Cast", graph.node("Mul", swapped, graph.number(255.0)), to=2)
