"""Small networks in the form of RIFE's: the same inputs, outputs and last step, a motion that is known beforehand.

Everything moves ``moved`` pixels to the right from the older to the newer picture. Sizes are computed inside, as
exporters leave it: coordinates by Range from the shape of an input.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

SIDE = 512
OPSET, IR_VERSION = 16, 8
FLOAT, BYTES = TensorProto.FLOAT, TensorProto.UINT8


@dataclass(frozen=True)
class Traits:
    """What can be different about a plain network."""

    dtype: type[np.floating] = np.float32
    """What it takes, gives and computes in."""
    moved: float = 8.0
    share_follows_red: float = 0.0
    """How steeply the older picture's share rises with its own red around one half; 0 gives half of each."""
    ends_in_blend: bool = True
    """Whether the last step is the sum of two products, or the same written in another way."""
    newer_first: bool = False
    """Whether the sigmoid is the newer picture's share, and every product is written the other way round."""
    bounded: bool = True
    """Whether inputs and output are cut off at 0 and 1."""
    side: int | str = "side"
    """Width and height it is declared for; a name leaves them open."""
    names: tuple[str, ...] = ()
    """Names of the first tensors in it."""


class _Nodes:
    """Nodes and weights of one graph; calling it adds a node and gives the name of what that makes."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._names = list(names)

    def __call__(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or (self._names.pop(0) if self._names else f"{operator}_{len(self.nodes)}")
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def weight(self, value: Any, dtype: Any) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), f"weight_{len(self.weights)}"))
        return str(self.weights[-1].name)

    def model(self, inputs: list[Any], outputs: list[Any]) -> ModelProto:
        graph = helper.make_graph(self.nodes, "small", inputs, outputs, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def plain_network(traits: Traits = Traits()) -> ModelProto:
    """``img0``, ``img1``, ``timestep`` to ``out``."""
    nodes, dtype = _Nodes(traits.names), traits.dtype
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def number(value: float) -> str:
        return nodes.weight(value, dtype)

    def coordinates(axis: int, shape: tuple[int, ...]) -> str:
        size = nodes("Gather", nodes("Shape", "img0"), nodes.weight(axis, np.int64), axis=0)
        count = nodes("Range", nodes.weight(0, np.int64), size, nodes.weight(1, np.int64))
        doubled = nodes("Mul", nodes("Cast", count, to=FLOAT), nodes.weight(2.0, np.float32))
        last = nodes("Cast", nodes("Sub", size, nodes.weight(1, np.int64)), to=FLOAT)
        line = nodes("Sub", nodes("Div", doubled, last), nodes.weight(1.0, np.float32))
        return nodes("Reshape", nodes("Cast", line, to=kind), nodes.weight(shape, np.int64))

    def bounded(tensor: str, name: str = "") -> str:
        return nodes("Clip", tensor, number(0.0), number(1.0), name=name)

    def product(first: str, second: str) -> str:
        return nodes("Mul", *((second, first) if traits.newer_first else (first, second)))

    images = [bounded(name) if traits.bounded else name for name in ("img0", "img1")]
    red = np.zeros((4, 6, 3, 3))
    red[:, 0, 1, 1] = 1.0
    both = nodes("Concat", *images, axis=1)
    felt = nodes("Conv", both, nodes.weight(red, dtype), nodes.weight([-0.5] * 4, dtype), pads=[1] * 4)
    felt = nodes("Add", nodes("LeakyRelu", felt, alpha=0.9), nodes("Mul", felt, number(0.1)))
    weight = np.full((1, 4, 1, 1), traits.share_follows_red / 4.0)
    share = nodes("Sigmoid", nodes("Conv", felt, nodes.weight(weight, dtype)))
    rest = nodes("Sub", number(1.0), share)
    nothing = nodes("Mul", share, number(0.0))
    place = [
        nodes("Add", nothing, coordinates(axis, shape)) for axis, shape in ((3, (1, 1, 1, -1)), (2, (1, 1, -1, 1)))
    ]
    step = number(traits.moved * 2.0 / (SIDE - 1))
    late = nodes("Sub", number(1.0), "timestep")
    across = [
        nodes("Sub", place[0], nodes("Mul", "timestep", step)),
        nodes("Add", place[0], nodes("Mul", late, step)),
    ]
    warped = []
    for image, column in zip(images, across, strict=True):
        grid = nodes("Transpose", nodes("Concat", column, place[1], axis=1), perm=[0, 2, 3, 1])
        warped.append(nodes("GridSample", image, grid, align_corners=1, mode="bilinear", padding_mode="border"))
    older, newer = warped
    if traits.newer_first:
        share, rest = rest, share
        # the sum is the same: its terms have changed places too
        made = nodes("Add", product(newer, rest), product(older, share)) if traits.ends_in_blend else ""
    else:
        made = nodes("Add", product(older, share), product(newer, rest)) if traits.ends_in_blend else ""
    if not made:
        made = nodes("Add", newer, nodes("Mul", share, nodes("Sub", older, newer)))
    if traits.bounded:
        bounded(made, "out")
    else:
        nodes("Identity", made, name="out")
    picture: list[str | int | None] = ["n", 3, traits.side, traits.side]
    return nodes.model(
        [
            helper.make_tensor_value_info("img0", kind, picture),
            helper.make_tensor_value_info("img1", kind, picture),
            helper.make_tensor_value_info("timestep", kind, ["n", 1, 1, 1]),
        ],
        [helper.make_tensor_value_info("out", kind, picture)],
    )


def tiled_network(factor: int, *, first_package: bool = False, open_batch: bool = False) -> ModelProto:
    """EasyVtuber's: a cross-fade of ``tha_img_0`` to ``tha_img_1``, in whole numbers; the last is the latter."""
    nodes = _Nodes()
    floats = [nodes("Cast", name, to=FLOAT) for name in ("tha_img_0", "tha_img_1")]
    made = []
    for number in range(1, factor):
        parts = [
            nodes("Mul", picture, nodes.weight(share, np.float32))
            for picture, share in zip(floats, (1.0 - number / factor, number / factor), strict=True)
        ]
        name = f"interpo_{number - 1}" if first_package else ""
        made.append(nodes("Cast", nodes("Add", *parts), to=BYTES, name=name))
    shape: list[Any] = [SIDE, SIDE, 4]
    if first_package:
        # out of order, so that a name must decide
        nodes("Identity", "tha_img_1", name="tha_res")
        outputs = [helper.make_tensor_value_info(name, BYTES, shape) for name in ("tha_res", *made)]
    else:
        nodes("Concat", *made, "tha_img_1", axis=0, name="result")
        leading: Any = "batch" if open_batch else factor
        outputs = [helper.make_tensor_value_info("result", BYTES, [leading, *shape])]
        shape = ["batch" if open_batch else 1, *shape]
    inputs = [helper.make_tensor_value_info(name, BYTES, shape) for name in ("tha_img_0", "tha_img_1")]
    return nodes.model(inputs, outputs)


def write(model: ModelProto, folder: Path, name: str) -> Path:
    """A network's file, ``rife/<name>.onnx`` below the folder of weights."""
    path = folder / "rife" / f"{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    save(model, str(path))
    return path


def figure(column: int, brightness: float = 0.8, seed: int = 3) -> NDArray[np.uint8]:
    """A premultiplied picture: a figure of many colours whose left edge is at ``column``, soft at its sides."""
    random = np.random.default_rng(seed)
    straight = random.uniform(0.6, 1.0, (200, 120, 3)) * brightness
    alpha = np.ones((200, 120, 1))
    alpha[:, :6, 0] = alpha[:, :-7:-1, 0] = np.linspace(0.1, 0.9, 6)
    picture = np.zeros((SIDE, SIDE, 4), np.uint8)
    levels = np.rint(np.concatenate([straight * alpha, alpha], axis=2) * 255.0)
    picture[150:350, column : column + 120] = levels
    return picture


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> int:
    """The largest, in levels."""
    return int(np.abs(first.astype(int) - second.astype(int)).max())
