"""RIFE's files: found where they belong, and each held against what must go in and out of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from core.wire.errors import ModelFileBad, ModelMissing
from models.rife.files import (
    PLAIN,
    TILED,
    RifeFile,
    check_file,
    find_rife,
    load_plain,
    load_tiled,
    rife_precisions,
)

from ..data import data
from .rife_networks import BYTES, FLOAT, Traits, plain_network, tiled_network, write


def _there(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / "rife" / f"{name}.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not looked at")
    return folder


def _plain(path: Path) -> RifeFile:
    return RifeFile(PLAIN, path, "rife/ifnet_fp32.onnx")


def _refusal(model: Any, folder: Path, kind: str = PLAIN, factor: int = 2) -> ModelFileBad:
    file = RifeFile(kind, write(model, folder, "given"), "rife/given.onnx")
    with pytest.raises(ModelFileBad) as caught:
        load_plain(file) if kind == PLAIN else load_tiled(file, factor)
    assert caught.value.parameters["file"] == "rife/given.onnx"
    with pytest.raises(ModelFileBad):
        check_file(file.path, kind)
    return caught.value


@pytest.mark.parametrize(
    ("precision", "there", "found"),
    [
        ("full", ["ifnet_fp32", "ifnet_fp16", "rife_x2_fp32"], "ifnet_fp32"),
        ("full", ["rife_x2_fp32", "rife_x2_fp16", "ifnet_fp16"], "rife_x2_fp32"),
        ("half", ["ifnet_fp32", "ifnet_fp16", "rife_x2_fp16"], "ifnet_fp16"),
        ("half", ["ifnet_fp32", "rife_x2_fp16"], "ifnet_fp32"),
        ("half", ["rife_x2_fp32", "rife_x2_fp16"], "rife_x2_fp16"),
    ],
)
def test_the_plain_network_is_preferred(tmp_path: Path, precision: str, there: list[str], found: str) -> None:
    file = find_rife(precision, 2, _there(tmp_path, *there))
    assert file.relative == f"rife/{found}.onnx"
    assert file.path == tmp_path / "rife" / f"{found}.onnx"
    assert file.kind == (PLAIN if found.startswith("ifnet") else TILED)


def test_easyvtubers_files_are_one_for_each_factor(tmp_path: Path) -> None:
    _there(tmp_path, "rife_x3_fp32")
    assert find_rife("full", 3, tmp_path).relative == "rife/rife_x3_fp32.onnx"
    with pytest.raises(ModelMissing):
        find_rife("full", 2, tmp_path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        find_rife("half", 4, tmp_path)
    assert caught.value.parameters == {"model": "RIFE x4 half", "file": "rife/rife_x4_fp16.onnx"}
    assert "rife/ifnet_fp16.onnx" in caught.value.detail


def test_the_precisions_that_are_there(tmp_path: Path) -> None:
    assert rife_precisions(2, tmp_path) == ()
    assert rife_precisions(2, _there(tmp_path, "rife_x2_fp16")) == ("half",)
    assert rife_precisions(3, tmp_path) == ()
    assert rife_precisions(3, _there(tmp_path, "ifnet_fp32")) == ("full", "half")


@pytest.mark.parametrize(("precision", "factor"), [("fp16", 2), ("full", 1), ("full", 5)])
def test_there_are_no_others(tmp_path: Path, precision: str, factor: int) -> None:
    with pytest.raises(ValueError, match="there is no"):
        find_rife(precision, factor, tmp_path)


def test_without_a_folder_the_folder_of_weights_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path))
    _there(tmp_path / "weights", "ifnet_fp32")
    assert find_rife("full", 2).path == tmp_path / "weights" / "rife" / "ifnet_fp32.onnx"


# Contracts


@pytest.mark.parametrize("traits", [Traits(), Traits(side=512), Traits(dtype=np.float16)])
def test_plain_networks_are_taken(tmp_path: Path, traits: Traits) -> None:
    path = write(plain_network(traits), tmp_path, "ifnet_fp32")
    assert len(load_plain(_plain(path)).graph.input) == 3
    check_file(path, PLAIN)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_easyvtubers_networks_are_taken_in_every_form(tmp_path: Path, factor: int) -> None:
    pictures = [f"interpo_{number}" for number in range(factor - 1)]
    for model, names in (
        (tiled_network(factor), ["result"]),
        (tiled_network(factor, open_batch=True), ["result"]),
        (tiled_network(factor, first_package=True), [*pictures, "tha_res"]),
    ):
        path = write(model, tmp_path, "given")
        assert list(load_tiled(RifeFile(TILED, path, "given"), factor)[1]) == names
        check_file(path, TILED)


def test_real_files_are_taken_in_their_own_places_only() -> None:
    plain, tiled = (data(f"models/rife/{name}.onnx") for name in ("ifnet425lite_f32w16_dyn", "rife_x2_fp32w16"))
    check_file(plain, PLAIN)
    check_file(tiled, TILED)
    for path, kind in ((plain, TILED), (tiled, PLAIN)):
        with pytest.raises(ModelFileBad):
            check_file(path, kind)


@pytest.mark.parametrize("first_package", [False, True])
def test_another_factors_network_is_told_apart(tmp_path: Path, first_package: bool) -> None:
    path = write(tiled_network(3, first_package=first_package), tmp_path, "given")
    with pytest.raises(ModelFileBad) as caught:
        load_tiled(RifeFile(TILED, path, "given"), 2)
    assert caught.value.parameters["reason"] == "wrong_contract"


def _change_input(number: int, shape: list[Any], kind: int = FLOAT) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        value = model.graph.input[number]
        value.CopyFrom(helper.make_tensor_value_info(value.name, kind, shape))

    return change


def _change_output(shape: list[Any], kind: int = FLOAT) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        value = model.graph.output[0]
        value.CopyFrom(helper.make_tensor_value_info(value.name, kind, shape))

    return change


def _add_input(model: Any) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", FLOAT, [1]))


def _add_output(model: Any) -> None:
    model.graph.output.append(helper.make_tensor_value_info("img0", FLOAT, [1, 3, 512, 512]))


def _drop_input(model: Any) -> None:
    del model.graph.input[2]


def _old(model: Any) -> None:
    model.opset_import[0].version = 11


def _branch(model: Any) -> None:
    inner = helper.make_graph([helper.make_node("Identity", ["img0"], ["y"])], "inner", [], [])
    model.graph.node.append(helper.make_node("If", ["condition"], ["chosen"], then_branch=inner, else_branch=inner))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_change_input(0, [1, 3, 256, 256]), "input img0 is float32 [1, 3, 256, 256] instead of"),
        (_change_input(1, ["n", 4, "h", "w"]), "input img1 is float32 ['?', 4, '?', '?'] instead of"),
        (_change_input(0, [3, 512, 512]), "input img0 is float32 [3, 512, 512] instead of"),
        (_change_input(0, ["n", 3, "h", "w"], BYTES), "input img0 is uint8"),
        (_change_input(1, ["n", 3, "h", "w"], onnx.TensorProto.FLOAT16), "its inputs are of different types"),
        (_change_input(2, [1]), "input timestep is float32 [1] instead of"),
        (_change_output(["n", 1, "h", "w"]), "output out is float32"),
        (_change_output(["n", 3, "h", "w"], onnx.TensorProto.INT64), "output out is int64"),
        (_add_input, "input more is not expected"),
        (_add_output, "it has 2 outputs instead of 1"),
        (_drop_input, "input timestep is missing"),
        (_old, "operator set 11 is older"),
        (_branch, "it branches"),
    ],
)  # fmt: skip
def test_other_networks_are_refused_in_words(tmp_path: Path, change: Callable[[Any], None], words: str) -> None:
    model = plain_network()
    change(model)
    error = _refusal(model, tmp_path)
    assert words in error.detail
    assert error.parameters["reason"] == "wrong_contract"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_change_input(0, [1, 1024, 1024, 4], BYTES), "input tha_img_0 is uint8 [1, 1024, 1024, 4] instead of"),
        (_change_input(1, [1, 512, 512, 4], FLOAT), "input tha_img_1 is float32"),
        (_change_output([5, 512, 512, 4], BYTES), "output result is uint8 [5, 512, 512, 4] instead of"),
        (_change_output([2, "h", "w", 4], BYTES), "output result is uint8 [2, '?', '?', 4] instead of"),
        (_add_input, "input more is not expected"),
    ],
)
def test_other_tiled_networks_are_refused_in_words(tmp_path: Path, change: Callable[[Any], None], words: str) -> None:
    model = tiled_network(2)
    change(model)
    assert words in _refusal(model, tmp_path, TILED).detail


@pytest.mark.parametrize("kind", [PLAIN, TILED])
@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "not_onnx"), (b"<html>404</html>", "not_onnx"), (None, "damaged")]
)
def test_what_is_no_network_is_refused(tmp_path: Path, kind: str, content: bytes | None, reason: str) -> None:
    path = write(plain_network(), tmp_path, "given")
    path.write_bytes(path.read_bytes()[:-300] if content is None else content)
    with pytest.raises(ModelFileBad) as caught:
        check_file(path, kind)
    assert caught.value.parameters == {"file": "given.onnx", "reason": reason}


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    path = write(plain_network(), tmp_path, "given")
    onnx.save(onnx.load(str(path)), str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(ModelFileBad) as caught:
        check_file(path, PLAIN)
    assert caught.value.parameters["reason"] == "external_data"


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileBad) as caught:
        load_plain(_plain(tmp_path / "gone.onnx"))
    assert caught.value.parameters["reason"] == "unreadable"
