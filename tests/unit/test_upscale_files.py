"""An upscaler's files: found in their places, held against their contracts, refused when they are something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from core.wire.errors import ModelFileBad, ModelMissing
from models.upscale.base import KINDS
from models.upscale.files import NETWORK_KINDS, candidates, check_network, find_network, is_there
from models.upscale.graphs import Contract
from models.upscale.registry import availability, unavailable

from ..data import data
from .upscale_networks import (
    BYTES,
    ESRGAN_BYTES,
    ESRGAN_PLAIN,
    FLOAT,
    HALF,
    WAIFU2X_BYTES,
    WAIFU2X_PLAIN,
    Shape,
    cropping_bytes,
    model,
    repeating,
    whole_bytes,
    write,
)


def test_plain_networks_come_first_and_then_the_wanted_precision() -> None:
    assert candidates("waifu2x", "half") == (
        "waifu2x/upconv7_noise0_scale2x_fp16.onnx",
        "waifu2x/upconv7_noise0_scale2x_fp32.onnx",
        "waifu2x/noise0_scale2x_fp16.onnx",
        "waifu2x/noise0_scale2x_fp32.onnx",
    )
    assert candidates("real_esrgan", "full") == (
        "Real-ESRGAN/realesr_animevideov3_x4_fp32.onnx",
        "Real-ESRGAN/realesr_animevideov3_x4_fp16.onnx",
        "Real-ESRGAN/exported_256_fp32.onnx",
        "Real-ESRGAN/exported_256_fp16.onnx",
    )
    assert candidates("real_esrgan_head", "full") == candidates("real_esrgan", "full")


@pytest.mark.parametrize(("kind", "precision"), [("off", "full"), ("anime4k", "full"), ("waifu2x", "fp16"), ("", "")])
def test_there_are_no_other_networks(kind: str, precision: str) -> None:
    with pytest.raises(ValueError, match="there is no network"):
        candidates(kind, precision)


def test_the_best_file_that_is_there_is_taken(tmp_path: Path) -> None:
    names = []
    for stem, made, precision in (
        (WAIFU2X_BYTES, whole_bytes(), "fp16"),
        (WAIFU2X_BYTES, whole_bytes(), "fp32"),
        (WAIFU2X_PLAIN, repeating(2, HALF), "fp16"),
        (WAIFU2X_PLAIN, repeating(2), "fp32"),
    ):
        write(tmp_path, stem, made, precision)
        found = find_network("waifu2x", "full", tmp_path)
        names.append(found.file)
        assert found.contract is (Contract.BYTES if stem == WAIFU2X_BYTES else Contract.PLAIN)
    assert names == [
        "waifu2x/noise0_scale2x_fp16.onnx",
        "waifu2x/noise0_scale2x_fp32.onnx",
        "waifu2x/upconv7_noise0_scale2x_fp16.onnx",
        "waifu2x/upconv7_noise0_scale2x_fp32.onnx",
    ]


def test_what_is_missing_is_named_as_it_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        find_network("real_esrgan_head", "half", tmp_path)
    assert caught.value.parameters == {"model": "Real-ESRGAN", "file": "Real-ESRGAN/exported_256_fp16.onnx"}


def test_without_a_folder_the_folder_of_weights_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path))
    assert not is_there("waifu2x")
    write(tmp_path / "weights", WAIFU2X_BYTES, whole_bytes())
    assert is_there("waifu2x") and not is_there("real_esrgan")
    assert find_network("waifu2x", "full").name == "waifu2x"


def test_what_can_work_is_told_by_kind(tmp_path: Path) -> None:
    assert list(availability(tmp_path)) == list(KINDS)
    assert unavailable("off", tmp_path) is None
    assert unavailable("sharp", tmp_path) == "unknown"
    assert {kind: unavailable(kind, tmp_path) for kind in NETWORK_KINDS} == {
        "waifu2x": "waifu2x_missing",
        "real_esrgan": "real_esrgan_missing",
        "real_esrgan_head": "real_esrgan_missing",
    }
    write(tmp_path, ESRGAN_PLAIN, repeating(4))
    write(tmp_path, WAIFU2X_BYTES, whole_bytes(), "fp16")
    assert [unavailable(kind, tmp_path) for kind in NETWORK_KINDS] == [None] * 3


@pytest.mark.parametrize("made", [repeating(2), repeating(4), repeating(2, HALF), whole_bytes(), cropping_bytes(9, 7)])
def test_the_store_takes_networks_of_either_contract(tmp_path: Path, made: onnx.ModelProto) -> None:
    check_network(write(tmp_path, "any", made))


def cropping(border: int) -> onnx.ModelProto:
    """Like a network without padding: twice the size, less a border."""
    nodes = [
        helper.make_node("Resize", ["x", "", "scales"], ["large"], mode="nearest"),
        helper.make_node("Slice", ["large", "starts", "ends", "axes"], ["y"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "scales": np.array([1, 1, 2, 2], np.float32),
        "starts": np.array([border, border], np.int64),
        "ends": np.array([-border, -border], np.int64),
        "axes": np.array([2, 3], np.int64),
    }
    return model(nodes, (FLOAT, ["n", 3, "h", "w"]), (FLOAT, ["n", 3, "h2", "w2"]), constants)


def passing(given: tuple[int, Shape], made: tuple[int, Shape]) -> onnx.ModelProto:
    return model([helper.make_node("Identity", ["x"], ["y"])], given, made)


OPEN: Shape = ["n", 3, "h", "w"]


@pytest.mark.parametrize(
    ("made", "detail"),
    [
        (cropping(14), "(1, 3, 36, 36)"),
        (repeating(1), "(1, 3, 32, 32)"),
        (repeating(4), "(1, 3, 128, 128)"),
        (repeating(2, opset=12), "operator set 12"),
        (passing((FLOAT, [1, 3, 512, 512]), (FLOAT, [1, 3, 1024, 1024])), "512"),
        (passing((FLOAT, ["n", 4, "h", "w"]), (FLOAT, OPEN)), "4"),
        (passing((FLOAT, [2, 3, "h", "w"]), (FLOAT, OPEN)), "2"),
        (passing((TensorProto.DOUBLE, OPEN), (TensorProto.DOUBLE, OPEN)), "float64"),
        (passing((BYTES, ["n", 512, 512, 4]), (BYTES, ["n", 512, 512, 4])), "512"),
        (passing((BYTES, ["n", 256, 256, 4]), (BYTES, ["n", 1024, 1024, 4])), "256"),
        (passing((BYTES, ["n", 512, 512, 3]), (BYTES, ["n", 1024, 1024, 3])), "3"),
    ],
)
def test_another_network_is_refused(tmp_path: Path, made: onnx.ModelProto, detail: str) -> None:
    write(tmp_path, WAIFU2X_PLAIN, made)
    with pytest.raises(ModelFileBad) as caught:
        find_network("waifu2x", "full", tmp_path)
    assert caught.value.parameters == {"file": "waifu2x/upconv7_noise0_scale2x_fp32.onnx", "reason": "wrong_contract"}
    assert detail in caught.value.detail


def test_a_second_input_or_output_is_refused(tmp_path: Path) -> None:
    for group in ("input", "output"):
        made = repeating(2)
        getattr(made.graph, group).append(helper.make_tensor_value_info("scales", FLOAT, [4]))
        if group == "input":
            del made.graph.initializer[1:]
        write(tmp_path, WAIFU2X_PLAIN, made)
        with pytest.raises(ModelFileBad, match="instead of one each"):
            find_network("waifu2x", "full", tmp_path)


def shape_lost() -> onnx.ModelProto:
    made = repeating(2)
    made.graph.input[0].type.tensor_type.ClearField("shape")
    return made


def elsewhere() -> onnx.ModelProto:
    made = repeating(2)
    tensor = made.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secret")
    return made


def foreign() -> onnx.ModelProto:
    made = repeating(2)
    made.graph.node[0].domain = "evil"
    made.opset_import.append(helper.make_opsetid("evil", 1))
    return made


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not_onnx"),
        (b"<html>not found</html>", "not_onnx"),
        (repeating(2).SerializeToString()[:-9], "damaged"),
        (elsewhere().SerializeToString(), "external_data"),
        (foreign().SerializeToString(), "custom_operators"),
        (shape_lost().SerializeToString(), "wrong_contract"),
    ],
    ids=["empty", "text", "cut short", "external", "custom operators", "no shape"],
)
@pytest.mark.parametrize("stem", [ESRGAN_PLAIN, ESRGAN_BYTES])
def test_hostile_files_are_refused(tmp_path: Path, content: bytes, reason: str, stem: str) -> None:
    file = write(tmp_path, stem, repeating(4))
    file.write_bytes(content)
    with pytest.raises(ModelFileBad) as caught:
        find_network("real_esrgan", "full", tmp_path)
    assert caught.value.parameters == {"file": f"{stem}_fp32.onnx", "reason": reason}
    with pytest.raises(ModelFileBad):
        check_network(file)


@pytest.mark.parametrize(
    ("path", "contract"),
    [
        ("waifu2x/upconv7_noise0_scale2x_f32_dyn.onnx", Contract.PLAIN),
        ("waifu2x/noise0_scale2x_fp32.onnx", Contract.BYTES),
        ("Real-ESRGAN/realesr_animevideov3_x4_f32_dyn.onnx", Contract.PLAIN),
        ("Real-ESRGAN/exported_256_fp32.onnx", Contract.BYTES),
    ],
)
def test_real_files_are_taken(tmp_path: Path, path: str, contract: Contract) -> None:
    file, is_waifu2x = data(f"models/{path}"), path.startswith("waifu2x")
    target = tmp_path / candidates("waifu2x" if is_waifu2x else "real_esrgan", "full")[0]
    target.parent.mkdir()
    target.write_bytes(file.read_bytes())
    assert find_network("waifu2x" if is_waifu2x else "real_esrgan", "full", tmp_path).contract is contract
