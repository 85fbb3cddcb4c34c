"""Small networks in the form of THA3's and THA4's: the same files, inputs, outputs and joints, a handful of weights.

Every value of a pose shows in the picture. What the real graphs are made of is there too: crops by Slice, pastes by
ScatterND with constant indices, GridSample, sigmoid and tanh, the conversions between bytes, sRGB and linear light.
Weights come from a fixed seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

from models.tha.contract import VARIANTS, GraphContract, Variant
from models.tha.files import ThaFiles, variant_files

OPSET, IR_VERSION = 16, 8
Array = NDArray[Any]


@dataclass(frozen=True)
class Traits:
    """What can be different about a set of files."""

    clamped: bool = True
    """Whether the file's own conversion to bytes clamps alpha."""
    overshoot: float = 1.0
    """How far the last network's alpha is stretched around its middle: above 1 it leaves 0..1."""
    crop_is_pasted: bool = True
    """Whether the morpher pastes a crop into the picture, or changes the whole of it."""
    ends_in_blend: bool = True
    """Whether the last network ends in warp, blend and colour."""
    batched_bytes: bool = False
    """Whether the decomposer's picture has a batch dimension."""


class _Nodes:
    """Nodes and weights of one graph. Each method gives the name of what it made."""

    def __init__(self, dtype: type[np.floating], seed: int) -> None:
        self.dtype = dtype
        self.onnx_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.random = np.random.default_rng(seed)
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def __call__(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def weight(self, value: Any, dtype: Any = None) -> str:
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.asarray(value, dtype or self.dtype), name))
        return name

    def indices(self, *values: int) -> str:
        return self.weight(values, np.int64)

    def part(self, tensor: str, axes: tuple[int, ...], starts: tuple[int, ...], ends: tuple[int, ...]) -> str:
        return self("Slice", tensor, self.indices(*starts), self.indices(*ends), self.indices(*axes))

    def reshape(self, tensor: str, *shape: int) -> str:
        return self("Reshape", tensor, self.indices(*shape))

    def cast(self, tensor: str, kind: int) -> str:
        return tensor if kind == TensorProto.FLOAT and self.dtype == np.float32 else self("Cast", tensor, to=kind)

    def convolution(self, tensor: str, inputs: int, outputs: int, scale: float, kernel: int = 1) -> str:
        weights = self.random.normal(0.0, scale / np.sqrt(inputs * kernel**2), (outputs, inputs, kernel, kernel))
        bias = self.random.normal(0.0, 0.1 * scale, outputs)
        return self("Conv", tensor, self.weight(weights), self.weight(bias), pads=[kernel // 2] * 4)

    def of_pose(self, pose: str, kind: int, inputs: int, outputs: int, scale: float) -> str:
        """A few numbers [1, outputs, 1, 1] in which every value of the pose shows."""
        own = pose if kind == self.onnx_type else self("Cast", pose, to=self.onnx_type)
        weights = self.random.uniform(0.5, 1.0, (inputs, outputs)) * self.random.choice((-1, 1), (inputs, outputs))
        return self.reshape(self("MatMul", own, self.weight(scale * weights)), 1, outputs, 1, 1)

    def paste(self, whole: str, part: str, area: tuple[slice, ...], shape: tuple[int, ...]) -> str:
        """``whole[area] = part`` as exporters write it: every element's place spelt out."""
        places = np.stack(np.meshgrid(*(np.arange(size)[cut] for size, cut in zip(shape, area, strict=True)),
                                      indexing="ij"), axis=-1)  # fmt: skip
        return self("ScatterND", whole, self.weight(places, np.int64), self.reshape(part, *places.shape[:-1]))

    def sample(self, image: str, grid_change: str, side: int) -> str:
        """The image resampled at the identity plus a change [1, 2, side, side]."""
        centres = (2.0 * np.arange(side) + 1.0) / side - 1.0
        identity = np.stack(np.meshgrid(centres, centres), axis=-1)[None]
        flat = self("Transpose", self.reshape(grid_change, 1, 2, side * side), perm=[0, 2, 1])
        grid = self("Add", self.weight(identity), self.reshape(flat, 1, side, side, 2))
        return self("GridSample", image, grid, align_corners=0, mode="bilinear", padding_mode="border")

    def blend(self, share: str, colour: str, image: str) -> str:
        """``colour * share + image * (1 - share)``."""
        rest = self("Sub", self.weight(1.0), share)
        return self("Add", self("Mul", colour, share), self("Mul", image, rest))

    def resize(self, tensor: str, channels: int, side: int, mode: str = "linear") -> str:
        sizes = self.indices(1, channels, side, side)
        return self("Resize", tensor, "", "", sizes, mode=mode, coordinate_transformation_mode="pytorch_half_pixel"
                    if mode == "linear" else "asymmetric", nearest_mode="floor")  # fmt: skip

    def finish(self, contract: GraphContract, precision: str, outputs: dict[str, str], batched: bool) -> ModelProto:
        for name, tensor in outputs.items():
            self("Identity", tensor, name=name)
        inputs = [_value(tensor.name, tensor.shape, tensor.dtypes(precision)[0]) for tensor in contract.inputs]
        if batched:
            picture = contract.inputs[0]
            inputs = [_value(picture.name, (1, *picture.shape), picture.dtypes(precision)[0])]
        results = [_value(tensor.name, tensor.shape, tensor.dtypes(precision)[0]) for tensor in contract.outputs]
        graph = helper.make_graph(self._nodes, contract.name, inputs, results, self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _value(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)


class _Builder:
    def __init__(self, files: ThaFiles, traits: Traits) -> None:
        self.variant, self.precision, self.traits = files.variant, files.precision, traits
        self.dtype = np.float32 if files.precision == "full" else np.float16
        self.pose_type = self._type_of(files.variant.combiner)
        self.cut = files.variant.morpher.inputs[3].name if len(files.variant.morpher.inputs) > 3 else ""

    def _type_of(self, contract: GraphContract) -> int:
        return helper.np_dtype_to_tensor_dtype(contract.inputs[-1].dtypes(self.precision)[0])

    def model(self, contract: GraphContract) -> ModelProto:
        seed = 100 * sum(self.variant.name.encode()) + sum(contract.name.encode())
        nodes = _Nodes(self.dtype, seed)
        outputs: dict[str, str] = getattr(self, contract.name)(nodes)
        batched = self.traits.batched_bytes and contract.name == "decomposer"
        return nodes.finish(contract, self.precision, outputs, batched)

    def decomposer(self, n: _Nodes) -> dict[str, str]:
        levels = n.reshape("input_image", 512, 512, 4) if self.traits.batched_bytes else "input_image"
        shares = n("Div", n("Cast", levels, to=n.onnx_type), n.weight(255.0))
        colour = n.part(shares, (2,), (0,), (3,))
        dark = n("LessOrEqual", colour, n.weight(0.04045))
        bright = n("Pow", n("Div", n("Add", colour, n.weight(0.055)), n.weight(1.055)), n.weight(2.4))
        linear = n("Where", dark, n("Div", colour, n.weight(12.92)), bright)
        pixels = n("Concat", linear, n.part(shares, (2,), (3,), (4,)), axis=2)
        planes = n("Transpose", n("Gather", pixels, n.indices(2, 1, 0, 3), axis=2), perm=[2, 0, 1])
        batched = n("Unsqueeze", planes, n.indices(0))
        prepared = n("Sub", n("Mul", batched, n.weight(2.0)), n.weight(1.0))
        brows = n.part(prepared, (2, 3), (64, 192), (192, 320))
        return {
            "background_layer": n("Tanh", n.convolution(brows, 4, 4, 1.0)),
            "eyebrow_layer": n("Tanh", n.convolution(brows, 4, 4, 1.0, kernel=3)),
            "image_prepared": prepared,
        }

    def combiner(self, n: _Nodes) -> dict[str, str]:
        moved = n("Add", "eyebrow_layer", n.of_pose("eyebrow_pose", self.pose_type, 12, 4, 0.2))
        morphed = n("Tanh", n("Add", moved, "eyebrow_background_layer"))
        crop = n.part("image_prepared", (2, 3), (32, 160), (224, 352))
        area = (slice(None), slice(None), slice(32, 160), slice(32, 160))
        pasted = n.paste(crop, morphed, area, (1, 4, 192, 192))
        outputs = {"eyebrow_image": pasted}
        if self.cut:
            outputs[self.cut] = self._encoded(n, pasted)
        return outputs

    def _encoded(self, n: _Nodes, crop: str) -> str:
        small = n("AveragePool", crop, kernel_shape=[8, 8], strides=[8, 8])
        return n("Relu", n.convolution(small, 4, 512, 1.0))

    def morpher(self, n: _Nodes) -> dict[str, str]:
        encoded = self.cut or self._encoded(n, "im_morpher_crop")
        face = n.of_pose("face_pose", self.pose_type, 27, 4, 0.3)
        small = n("Add", n.convolution(encoded, 512, 4, 1.0), face)
        if not self.traits.crop_is_pasted:
            full = n("Tanh", n("Add", "image_prepared", n.resize(n("Mul", small, n.weight(0.3)), 4, 512)))
            return {"face_morphed_full": full, "face_morphed_half": n.resize(full, 4, 256)}
        feature = n.resize(small, 4, 192, "nearest")
        grid_change = n("Mul", n("Tanh", n.convolution(feature, 4, 2, 1.0)), n.weight(0.04))
        bent = n.sample("im_morpher_crop", grid_change, 192)
        painted = n.blend(n("Sigmoid", n.convolution(feature, 4, 1, 1.0)), n("Tanh", feature), bent)
        area = (slice(None), slice(None), slice(32, 224), slice(160, 352))
        full = n.paste("image_prepared", painted, area, (1, 4, 512, 512))
        return {"face_morphed_full": full, "face_morphed_half": n.resize(full, 4, 256)}

    def _turned(self, n: _Nodes, image: str, side: int, scale: float) -> str:
        """A grid change [1, 2, side, side] that differs from place to place and in which all six values show."""
        rotation = n.of_pose("rotation_pose", self._type_of(self.variant.body), 6, 2, scale)
        waves = np.sin(np.linspace(0.0, 3.0, side))[None, None, :, None] * np.linspace(0.5, 1.0, side)
        return n("Add", n("Mul", rotation, n.weight(waves)), n.convolution(image, 4, 2, 0.3 * scale))

    def rotator(self, n: _Nodes) -> dict[str, str]:
        grid_change = self._turned(n, "face_morphed_half", 256, 0.03)
        warped = n.sample("face_morphed_half", grid_change, 256)
        return {"full_warped_image": n.resize(warped, 4, 512), "full_grid_change": n.resize(grid_change, 2, 512)}

    def body_morpher(self, n: _Nodes) -> dict[str, str]:
        grid_change = self._turned(n, "face_morphed_half", 256, 0.03)
        share = n("Sigmoid", n.convolution("face_morphed_half", 4, 1, 1.0))
        warped = n.sample("face_morphed_half", grid_change, 256)
        posed = n.blend(share, n.convolution(warped, 4, 4, 0.5), warped)
        return {"half_res_posed_image": posed, "half_res_grid_change": grid_change}

    def editor(self, n: _Nodes) -> dict[str, str]:
        pose = n.reshape(n("Cast", "rotation_pose", to=n.onnx_type), 1, 6, 1, 1)
        tiled = n("Tile", pose, n.indices(1, 1, 512, 512))
        seen = n("Concat", "morphed_image", "rotated_warped_image", "rotated_grid_change", tiled, axis=1)
        feature = n("LeakyRelu", n.convolution(seen, 16, 4, 1.0), alpha=0.1)
        change = n("Add", "rotated_grid_change", n.convolution(feature, 4, 2, 0.01))
        colour = n("Tanh", n.convolution(feature, 4, 4, 1.0, kernel=3))
        share = n("Sigmoid", n.convolution(feature, 4, 4, 2.0))
        return self._result(n, self._composed(n, share, colour, n.sample("morphed_image", change, 512)))

    def upscaler(self, n: _Nodes) -> dict[str, str]:
        coarse_change = n.resize("half_res_grid_change", 2, 512)
        coarse = n.sample("rest_image", coarse_change, 512)
        seen = n("Concat", n.resize("half_res_posed_image", 4, 512), coarse, coarse_change, axis=1)
        rotation = n.of_pose("rotation_pose", self.pose_type, 6, 4, 0.05)
        made = n.convolution(n("Add", n.convolution(seen, 10, 4, 1.0), rotation), 4, 7, 1.0)
        direct = n.part(made, (1,), (0,), (4,))
        fine = n("Mul", n.part(made, (1,), (4,), (6,)), n.weight(0.01))
        share = n("Sigmoid", n.part(made, (1,), (6,), (7,)))
        bent = n.sample("rest_image", n("Add", coarse_change, fine), 512)
        return self._result(n, self._composed(n, share, direct, bent))

    def _composed(self, n: _Nodes, share: str, colour: str, bent: str) -> str:
        if self.traits.ends_in_blend:
            return n.blend(share, colour, bent)
        return n("Add", bent, n("Mul", n("Sub", colour, bent), share))

    def _result(self, n: _Nodes, composed: str) -> dict[str, str]:
        stretch = n.weight(np.array([1.0, 1.0, 1.0, self.traits.overshoot]).reshape(1, 4, 1, 1))
        output = n("Add", n("Div", n("Mul", composed, stretch), n.weight(2.0)), n.weight(0.5))
        colour = n("Clip", n.part(output, (1,), (0,), (3,)), n.weight(0.0), n.weight(1.0))
        dark = n("LessOrEqual", colour, n.weight(0.0031308))
        bright = n("Sub", n("Mul", n("Pow", colour, n.weight(1.0 / 2.4)), n.weight(1.055)), n.weight(0.055))
        encoded = n("Where", dark, n("Mul", colour, n.weight(12.92)), bright)
        if self.variant.family == "tha4":  # its exporter writes into the picture in place
            area = (slice(None), slice(0, 3), slice(None), slice(None))
            result = n.paste(output, encoded, area, (1, 4, 512, 512))
        else:
            result = n("Concat", encoded, n.part(output, (1,), (3,), (4,)), axis=1)
        result = n.cast(result, TensorProto.FLOAT)
        pixels = n.reshape(n("Transpose", n.reshape(result, 4, 512 * 512), perm=[1, 0]), 512, 512, 4)
        levels = n("Mul", n("Gather", pixels, n.indices(2, 1, 0, 3), axis=2), n.weight(255.0, np.float32))
        if self.traits.clamped:
            levels = n("Clip", levels, n.weight(0.0, np.float32), n.weight(255.0, np.float32))
        return {"result": result, "cv_result": n("Cast", levels, to=TensorProto.UINT8)}


def small_model(files: ThaFiles, contract: GraphContract, traits: Traits | None = None) -> ModelProto:
    """One network of a set."""
    return _Builder(files, traits or Traits()).model(contract)


def write_small_files(
    folder: Path, family: str, variant: str, precision: str, traits: Traits | None = None
) -> ThaFiles:
    """Write a whole set below ``folder``, in the layout of the folder of weights."""
    files = variant_files(family, variant, precision, folder)
    for contract in files.variant.graphs:
        path = files.path(contract)
        path.parent.mkdir(parents=True, exist_ok=True)
        save(small_model(files, contract, traits), str(path))
    return files


def all_variants() -> list[Variant]:
    """Every set there is."""
    return list(VARIANTS.values())
