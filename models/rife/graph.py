"""From a plain RIFE network to one that takes and gives premultiplied pictures.

The network finds flow and shares from colour; the same flow and shares are then applied to all four channels of the
premultiplied pictures, so that alpha moves exactly as the colour does and no colour bleeds in from outside the figure.

The colour that the network looks at is the picture over black, or over white where the figure is dark on average:
what is as dark as its background cannot be told from it. On a THA4 student's recorded motions black was nearer to the
truth than grey by 0.5 dB; with the same pictures at an eighth of their brightness white was nearer than black by 1.4.
Grey was best for none of eight figures of different brightness, on average over their motions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from accel.base import HALF, Network
from core.wire.errors import ModelFileBad
from models.tha.graphs import NetworkGraph, sample_in_float32

from .ending import Ending, Warp, find_ending
from .files import NEWER_IMAGE, OLDER_IMAGE, PICTURE_SIDE, TIMESTEP, RifeFile, load_plain
from .half import convolve_in_half

OLDER, NEWER, SHARE, PICTURE = "older", "newer", "share", "picture"
"""Inputs uint8 [1, 512, 512, 4] (premultiplied BGRA) twice and float32 [1] (0 is older, 1 is newer); output as the
first two."""
_COLOUR, _ALPHA, _WEIGHTS = "colour/", "alpha/", "weights/"
"""In front of a foreign graph's names: those of the network that looks at colour, of the one that looks at alpha, and
of what both share."""
_DARK = 0.3
"""Average luminance of the figure (0..1, gamma-encoded) below which white is the better background."""
_DECIDED = 1e4
_LUMINANCE = (0.114, 0.587, 0.299)
"""Of B, G, R (Rec. 601)."""
_OLDEST_IR_VERSION = 8
"""From before weights no longer need be inputs as well; GridSample came with it."""


@dataclass(frozen=True, slots=True)
class RifeGraph:
    """What a runtime opens."""

    network: Network
    bends_alpha: bool
    """Whether alpha goes through the colour's own warps. If not, the network's end was not recognised: it runs twice,
    once for colour and once for alpha as a grey picture, and edges may tremble."""


def build_graph(file: RifeFile, precision: str) -> RifeGraph:
    """Read a plain network and make ours of it. ``precision``: ``full`` computes in what the file computes in, ``half``
    in float16 wherever that is exact enough. Raises ModelFileBad."""
    model = load_plain(file)
    result = model.graph.output[0].name
    try:
        _fix_sizes(model)
        if precision == HALF:
            convolve_in_half(model)
        sample_in_float32(model)
        graph = NetworkGraph(model)
        ending = find_ending(graph, result)
        made = _Assembly(graph).build(ending, result)
    except ModelFileBad as problem:
        raise ModelFileBad(f"{file.relative}: {problem.detail}", file=file.relative, reason="damaged") from problem
    return RifeGraph(Network("RIFE", made.SerializeToString()), ending is not None)


def _fix_sizes(model: ModelProto) -> None:
    """One picture of 512 x 512: then everything that only depends on sizes is a constant to every runtime."""
    side = PICTURE_SIDE
    sizes = {OLDER_IMAGE: (1, 3, side, side), NEWER_IMAGE: (1, 3, side, side), TIMESTEP: (1, 1, 1, 1)}
    for value in model.graph.input:
        if value.name in sizes:
            _set_shape(value, sizes[value.name])
    _set_shape(model.graph.output[0], (1, 3, side, side))
    del model.graph.value_info[:]


def _set_shape(value: Any, shape: tuple[int, ...]) -> None:
    value.CopyFrom(helper.make_tensor_value_info(value.name, value.type.tensor_type.elem_type, shape))


class _Assembly:
    """Our graph around the network's nodes. Methods that add a node give the name of the tensor it makes."""

    def __init__(self, graph: NetworkGraph) -> None:
        self._foreign = graph
        self._own_weights = {tensor.name for tensor in graph.model.graph.initializer}
        self._type = (graph.type_of(OLDER_IMAGE) or (TensorProto.FLOAT, ()))[0]
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def build(self, ending: Ending | None, result: str) -> ModelProto:
        """The whole model; without an ending the network runs twice."""
        planes = [self._planes(name) for name in (OLDER, NEWER)]
        light = self._light(*planes)
        seen = [self._over(picture, light) for picture in planes]
        self._put_network(_COLOUR, seen)
        if ending is not None:
            older, newer = (
                self._warped(picture, warp) for picture, warp in zip(planes, (ending.older, ending.newer), strict=True)
            )
            made = self._node("Add", older, newer)
            colour, alpha = self._channels(made, 0, 1, 2), self._channels(made, 3)
        else:
            self._put_network(_ALPHA, [self._channels(picture, 3, 3, 3) for picture in planes])
            alpha = self._limited(self._channels(self._as_float(_ALPHA + result), 1))
            over = self._channels(self._as_float(_COLOUR + result), 2, 1, 0)
            colour = self._node("Sub", over, self._background(alpha, light))
        self._put_picture(colour, alpha)
        return self._model()

    def _planes(self, name: str) -> str:
        """Float [1, 4, 512, 512], B, G, R, A, 0..1."""
        planes = self._node("Transpose", self._node("Cast", name, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
        return self._node("Mul", planes, self._number(1.0 / 255.0))

    def _light(self, older: str, newer: str) -> str:
        """Float [1, 1, 1, 1]: 1 where the background shall be white, 0 where black."""
        averages = (self._node("GlobalAveragePool", picture) for picture in (older, newer))
        weights = np.array([*(-part for part in _LUMINANCE), _DARK], np.float32) * np.float32(_DECIDED)
        darkness = self._node("Conv", self._node("Add", *averages), self._constant(weights.reshape(1, 4, 1, 1)))
        return self._limited(darkness)

    def _background(self, alpha: str, light: str) -> str:
        return self._node("Mul", self._node("Sub", self._number(1.0), alpha), light)

    def _over(self, planes: str, light: str) -> str:
        """Float [1, 3, 512, 512], R, G, B: the picture over its background."""
        return self._node("Add", self._channels(planes, 2, 1, 0), self._background(self._channels(planes, 3), light))

    def _put_network(self, prefix: str, images: list[str]) -> None:
        """The foreign nodes under names of their own, so that none can be one of ours."""
        timestep = self._node("Reshape", SHARE, self._constant(np.array([1, 1, 1, 1], np.int64)))
        for name, source in ((OLDER_IMAGE, images[0]), (NEWER_IMAGE, images[1]), (TIMESTEP, timestep)):
            self._nodes.append(helper.make_node("Cast", [source], [prefix + name], to=self._type))
        for original in self._foreign.model.graph.node:
            node = NodeProto()
            node.CopyFrom(original)
            node.name = ""
            for names in (node.input, node.output):
                names[:] = [self._renamed(name, prefix) for name in names]
            self._nodes.append(node)

    def _renamed(self, name: str, prefix: str) -> str:
        if not name:
            return name
        return (_WEIGHTS if name in self._own_weights else prefix) + name

    def _warped(self, planes: str, warp: Warp) -> str:
        """One picture's part of the result, all four channels."""
        grid = self._as_float(self._renamed(warp.sample.input[1], _COLOUR))
        settings = [attribute for attribute in warp.sample.attribute if attribute.type != AttributeProto.GRAPH]
        bent = self._node("GridSample", planes, grid)
        self._nodes[-1].attribute.extend(settings)
        return self._node("Mul", bent, self._as_float(self._renamed(warp.weight, _COLOUR)))

    def _put_picture(self, colour: str, alpha: str) -> None:
        """No colour above its alpha. The conversion to bytes cuts off the fraction; TensorRT wants it last."""
        pixels = self._node("Concat", self._node("Min", colour, alpha), alpha, axis=1)
        scaled = self._node("Mul", self._limited(pixels), self._number(255.0))
        rounded = self._node("Add", scaled, self._number(0.5))
        shape = self._constant(np.array([1, PICTURE_SIDE, PICTURE_SIDE, 4], np.int64))
        picture = self._node("Reshape", self._node("Transpose", rounded, perm=[0, 2, 3, 1]), shape)
        self._nodes.append(helper.make_node("Cast", [picture], [PICTURE], to=TensorProto.UINT8))

    def _model(self) -> ModelProto:
        picture = [1, PICTURE_SIDE, PICTURE_SIDE, 4]
        foreign = self._foreign.model
        for tensor in foreign.graph.initializer:
            weight = TensorProto()
            weight.CopyFrom(tensor)
            weight.name = _WEIGHTS + tensor.name
            self._weights.append(weight)
        graph = helper.make_graph(
            self._nodes,
            "rife",
            [
                helper.make_tensor_value_info(OLDER, TensorProto.UINT8, picture),
                helper.make_tensor_value_info(NEWER, TensorProto.UINT8, picture),
                helper.make_tensor_value_info(SHARE, TensorProto.FLOAT, [1]),
            ],
            [helper.make_tensor_value_info(PICTURE, TensorProto.UINT8, picture)],
            self._weights,
        )
        whole = ModelProto()
        whole.ir_version = max(foreign.ir_version, _OLDEST_IR_VERSION)
        whole.opset_import.extend(foreign.opset_import)
        whole.functions.extend(foreign.functions)
        whole.graph.CopyFrom(graph)
        # the network's own end, and weights that were replaced
        return NetworkGraph(whole).cut([OLDER, NEWER, SHARE], [PICTURE])

    def _channels(self, planes: str, *channels: int) -> str:
        return self._node("Gather", planes, self._constant(np.array(channels, np.int64)), axis=1)

    def _limited(self, tensor: str) -> str:
        return self._node("Clip", tensor, self._number(0.0), self._number(1.0))

    def _as_float(self, tensor: str) -> str:
        return self._node("Cast", tensor, to=TensorProto.FLOAT)

    def _number(self, value: float) -> str:
        return self._constant(np.array(value, np.float32))

    def _constant(self, content: NDArray[Any]) -> str:
        self._weights.append(numpy_helper.from_array(content, f"constant_{len(self._weights)}"))
        return self._weights[-1].name

    def _node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name
