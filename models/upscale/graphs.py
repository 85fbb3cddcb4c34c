"""What an upscaling network must be, and the graph around it that takes and gives bytes."""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from accel.base import Network
from core.wire.errors import ModelFileBad
from models.tha.graphs import OLDEST_OPSET, NetworkGraph, declared_tensors, opset

from .base import FACTOR, SIDE, SIZE

Model: TypeAlias = ModelProto
PICTURE, RESULT = "upscale_picture", "upscale_result"
"""Names of the finished graph's input and output."""
_PREFIX = "upscale/"
_PROBED_SIDE = 32
_CUBIC = -0.75
"""The coefficient that OpenCV has, so that alpha goes on evenly where the plain picture begins."""


class Contract(Enum):
    """What goes in and out of a file."""

    PLAIN = "plain"
    """float [n, 3, height, width] of any size, R, G, B, 0..1; the same, larger by a whole factor, comes out."""
    BYTES = "bytes"
    """EasyVtuber's: uint8 [n, 512, 512, 4], B, G, R, A; uint8 [n, 1024, 1024, 4] comes out."""


def contract_of(model: Model, file: str, factors: tuple[int, ...]) -> Contract:
    """Which contract a model fulfils. ``factors``: by how much a plain one may enlarge.

    Raises ModelFileBad, reason ``wrong_contract``.
    """
    problem = ""
    inputs, outputs = (list(tensors.values()) for tensors in declared_tensors(model))
    if opset(model) < OLDEST_OPSET:
        problem = f"its operator set {opset(model)} is older than {OLDEST_OPSET}"
    elif (len(inputs), len(outputs)) != (1, 1):
        problem = f"{len(inputs)} inputs and {len(outputs)} outputs instead of one each"
    elif _is_bytes(*inputs[0], SIDE) and _is_bytes(*outputs[0], SIZE):
        return Contract.BYTES
    elif not (_is_plain(*inputs[0], any_size=True) and _is_plain(*outputs[0])):
        problem = f"from {inputs[0]} to {outputs[0]}"
    else:
        made = _output_shape(fixed_size(model, _PROBED_SIDE, _PROBED_SIDE), file)
        if made is None or made in [(1, 3, _PROBED_SIDE * factor, _PROBED_SIDE * factor) for factor in factors]:
            return Contract.PLAIN
        problem = f"{_PROBED_SIDE} x {_PROBED_SIDE} pixels become {made}, not {factors} times as many each way"
    raise ModelFileBad(problem, file=file, reason="wrong_contract")


def fixed_size(model: Model, height: int, width: int) -> Model:
    """A copy of a plain model for pictures of one size."""
    made = ModelProto()
    made.CopyFrom(model)
    _fix(made, (1, 3, height, width))
    for output in made.graph.output:
        for size in output.type.tensor_type.shape.dim[2:]:
            size.Clear()
    return made


def bytes_network(model: Model, name: str) -> Network:
    """A model of EasyVtuber's contract for one picture at a time."""
    made = ModelProto()
    made.CopyFrom(model)
    _fix(made, (1, SIDE, SIDE, 4))
    made.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    return Network(name, made.SerializeToString())


def region_network(model: Model, name: str, height: int, width: int, halve_first: bool, halve_last: bool) -> Network:
    """A plain model as a graph from ``upscale_picture`` to ``upscale_result`` for one size.

    ``upscale_picture``: uint8 [height, width, 4], B, G, R of straight colours that go on beyond the silhouette, and
    the alpha that the picture has. ``upscale_result``: uint8 [2 * height, 2 * width, 4], premultiplied BGRA, its alpha
    by cubic interpolation. ``halve_first``, ``halve_last``: take the mean of 2 x 2 pixels before or after the network.
    """
    shrink = 2 if halve_first else 1
    made = fixed_size(model, height // shrink, width // shrink)
    inner = next(iter(declared_tensors(made)[0]))
    result = made.graph.output[0].name
    is_half = made.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT16
    nodes = _Nodes()
    pixels = nodes.add("Cast", PICTURE, to=TensorProto.FLOAT)
    batch = nodes.add("Reshape", pixels, nodes.constant(np.array([1, height, width, 4], np.int64)))
    planes = nodes.add("Mul", nodes.add("Transpose", batch, perm=[0, 3, 1, 2]), nodes.number(1.0 / 255.0))
    colours = nodes.add("Gather", planes, nodes.constant(np.array([2, 1, 0], np.int64)), axis=1)
    if halve_first:
        colours = _halved(nodes, colours)
    kind = TensorProto.FLOAT16 if is_half else TensorProto.FLOAT
    nodes.add("Cast", colours, output=inner, to=kind)
    before = nodes.taken()
    colours = nodes.add("Cast", result, to=TensorProto.FLOAT)
    if halve_last:
        colours = _halved(nodes, colours)
    straight = nodes.add("Gather", _clipped(nodes, colours), nodes.constant(np.array([2, 1, 0], np.int64)), axis=1)
    alpha = _enlarged_alpha(nodes, planes)
    picture = nodes.add("Concat", nodes.add("Mul", straight, alpha), alpha, axis=1)
    pixels = nodes.add("Transpose", picture, perm=[0, 2, 3, 1])
    shape = (height * FACTOR, width * FACTOR, 4)
    rounded = nodes.add("Add", nodes.add("Mul", pixels, nodes.number(255.0)), nodes.number(0.5))
    unbatched = nodes.add("Reshape", rounded, nodes.constant(np.array(shape, np.int64)))
    # the conversion to bytes comes last and cuts off the fraction: TensorRT allows bytes as an output only
    nodes.add("Cast", unbatched, output=RESULT, to=TensorProto.UINT8)
    _enclose(made, before, nodes)
    made.graph.input.append(helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, [height, width, 4]))
    made.graph.output.append(helper.make_tensor_value_info(RESULT, TensorProto.UINT8, shape))
    return Network(name, made.SerializeToString())


class _Nodes:
    """Nodes and constants under names that no file has."""

    def __init__(self) -> None:
        self.constants: list[TensorProto] = []
        self._nodes: list[NodeProto] = []
        self._count = 0

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or self._name()
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, content: NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(content, self._name()))
        return self.constants[-1].name

    def number(self, value: float) -> str:
        return self.constant(np.asarray(value, np.float32))

    def taken(self) -> list[NodeProto]:
        """The nodes since the last call."""
        nodes, self._nodes = self._nodes, []
        return nodes

    def _name(self) -> str:
        self._count += 1
        return f"{_PREFIX}{self._count}"


def _halved(nodes: _Nodes, planes: str) -> str:
    return nodes.add("AveragePool", planes, kernel_shape=[2, 2], strides=[2, 2])


def _clipped(nodes: _Nodes, planes: str) -> str:
    return nodes.add("Clip", planes, nodes.number(0.0), nodes.number(1.0))


def _enlarged_alpha(nodes: _Nodes, planes: str) -> str:
    """Cubic interpolation as a convolution: DirectML has no cubic Resize."""
    alpha = nodes.add("Gather", planes, nodes.constant(np.array([3], np.int64)), axis=1)
    padding = nodes.constant(np.array([0, 0, 2, 2, 0, 0, 2, 2], np.int64))
    padded = nodes.add("Pad", alpha, padding, mode="edge")
    phases = _cubic_phases()
    kernels = np.einsum("ay,bx->abyx", phases, phases).reshape(4, 1, 5, 5).astype(np.float32)
    quarters = nodes.add("Conv", padded, nodes.constant(kernels), kernel_shape=[5, 5])
    return _clipped(nodes, nodes.add("DepthToSpace", quarters, blocksize=FACTOR))


def _cubic_phases() -> NDArray[np.float64]:
    """Shape (2, 5): weights of five neighbouring pixels for the two that each becomes, a quarter to either side
    (R. Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981)."""
    distances = np.abs(np.arange(-2, 3)[None, :] - np.array([[-0.25], [0.25]]))
    near = ((_CUBIC + 2) * distances - (_CUBIC + 3)) * distances**2 + 1
    far = ((_CUBIC * distances - 5 * _CUBIC) * distances + 8 * _CUBIC) * distances - 4 * _CUBIC
    return np.where(distances <= 1, near, np.where(distances < 2, far, 0.0))


def _enclose(model: Model, before: list[NodeProto], nodes: _Nodes) -> None:
    graph = model.graph
    after, inside = nodes.taken(), list(graph.node)
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend([*before, *inside, *after])
    graph.initializer.extend(nodes.constants)


def _fix(model: Model, shape: tuple[int, ...]) -> None:
    """Write a size into a model's only input; what was known of sizes further on is forgotten."""
    weights = {tensor.name for tensor in model.graph.initializer}
    given = next(value for value in model.graph.input if value.name not in weights)
    for size, known in zip(given.type.tensor_type.shape.dim, shape, strict=True):
        size.dim_value = known
    del model.graph.value_info[:]


def _output_shape(model: Model, file: str) -> tuple[int, ...] | None:
    try:
        found = NetworkGraph(model).type_of(model.graph.output[0].name)
    except ModelFileBad as problem:
        raise ModelFileBad(problem.detail, file=file, reason="damaged") from problem
    return None if found is None else found[1]


def _is_bytes(shape: tuple[int, ...], dtype: np.dtype[Any], side: int) -> bool:
    fits = len(shape) == 4 and shape[0] in (-1, 1)
    return (
        fits
        and dtype == np.uint8
        and all(size in (-1, wanted) for size, wanted in zip(shape[1:], (side, side, 4), strict=True))
    )


def _is_plain(shape: tuple[int, ...], dtype: np.dtype[Any], any_size: bool = False) -> bool:
    fits = len(shape) == 4 and shape[0] in (-1, 1) and shape[1] in (-1, 3)
    return fits and dtype in (np.float32, np.float16) and not (any_size and shape[2:] != (-1, -1))
