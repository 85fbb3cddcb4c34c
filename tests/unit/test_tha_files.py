"""THA3's and THA4's files: found where EasyVtuber puts them, and each held against what must go in and out of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from core.wire.errors import ModelFileBad, ModelMissing
from models.tha.contract import VARIANTS, Kind
from models.tha.files import ThaFiles, find_variant_files, variant_files

from ..data import data
from .tha_graphs import Traits, small_model, write_small_files

SETS = [(family, name, precision) for family, name in VARIANTS for precision in ("full", "half")]
PLACES = {
    ("tha3", "separable", "full"): "tha3/seperable/fp32",
    ("tha3", "separable", "half"): "tha3/seperable/fp16",
    ("tha3", "standard", "full"): "tha3/standard/fp32",
    ("tha3", "standard", "half"): "tha3/standard/fp16",
    ("tha4", "", "full"): "tha4/fp32",
    ("tha4", "", "half"): "tha4/fp16",
}
NAMES = {
    "tha3": ["decomposer", "combiner", "morpher", "rotator", "editor"],
    "tha4": ["decomposer", "combiner", "morpher", "body_morpher", "upscaler"],
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All six sets, in a folder with a name that must not matter."""
    folder = tmp_path_factory.mktemp("tha") / "my weights 重み"
    for family, name, precision in SETS:
        write_small_files(folder, family, name, precision)
    return folder


@pytest.fixture
def separable(weights: Path, tmp_path: Path) -> ThaFiles:
    """A set that a test may spoil."""
    shutil.copytree(weights / "tha3/seperable/fp32", tmp_path / "tha3/seperable/fp32")
    return variant_files("tha3", "separable", "full", tmp_path)


def _refusal(files: ThaFiles) -> ModelFileBad:
    with pytest.raises(ModelFileBad) as caught:
        find_variant_files(files.variant.family, files.variant.name, files.precision, files.weights)
    return caught.value


def _check(files: ThaFiles) -> ThaFiles:
    return find_variant_files(files.variant.family, files.variant.name, files.precision, files.weights)


@pytest.mark.parametrize(("family", "name", "precision"), SETS)
def test_every_set_is_found_in_its_place(weights: Path, family: str, name: str, precision: str) -> None:
    files = find_variant_files(family, name, precision, weights)
    folder = PLACES[family, name, precision]
    assert [files.relative(graph) for graph in files.variant.graphs] == [
        f"{folder}/{graph}.onnx" for graph in NAMES[family]
    ]
    assert all(files.path(graph).is_file() for graph in files.variant.graphs)
    assert files.missing() == ()


def test_poses_are_float32_for_tha3_and_of_the_networks_type_for_tha4() -> None:
    for (family, _), variant in VARIANTS.items():
        poses = [tensor for graph in variant.graphs for tensor in graph.inputs if tensor.name.endswith("_pose")]
        assert len(poses) == 4
        assert {tensor.dtypes("half") for tensor in poses} == {
            (np.dtype(np.float32 if family == "tha3" else np.float16),)
        }
        assert {tensor.dtypes("full") for tensor in poses} == {(np.dtype(np.float32),)}


def test_what_goes_into_one_network_comes_out_of_an_earlier_one() -> None:
    for variant in VARIANTS.values():
        made: dict[str, tuple[int, ...]] = {"input_image": (512, 512, 4)}
        for graph in variant.graphs:
            for tensor in graph.inputs:
                if not tensor.name.endswith("_pose"):
                    assert made[tensor.source or tensor.name] == tensor.shape
            made |= {tensor.name: tensor.shape for tensor in graph.outputs}
        assert variant.warped in {tensor.name for tensor in variant.final.inputs}


def test_a_name_shows_people_which_set_it_is(weights: Path) -> None:
    assert variant_files("tha3", "separable", "half", weights).name == "THA3 separable half"
    assert variant_files("tha4", "", "full", weights).name == "THA4 full"


@pytest.mark.parametrize(("family", "name", "precision"), [
    ("tha5", "", "full"), ("tha3", "", "full"), ("tha3", "seperable", "full"), ("tha4", "", "fp16"),
])  # fmt: skip
def test_there_are_no_other_sets(family: str, name: str, precision: str) -> None:
    with pytest.raises(ValueError, match="there is no"):
        variant_files(family, name, precision)


def test_without_a_folder_the_folder_of_weights_is_taken(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYVTUBER_HOME", str(weights.parent / "nowhere"))
    with pytest.raises(ModelMissing):
        find_variant_files("tha4", "", "full")
    assert variant_files("tha4", "", "full").weights == weights.parent / "nowhere" / "weights"


def test_a_missing_file_is_named(separable: ThaFiles) -> None:
    separable.path(separable.variant.morpher).unlink()
    separable.path(separable.variant.final).unlink()
    with pytest.raises(ModelMissing) as caught:
        _check(separable)
    assert caught.value.parameters == {"model": "THA3 separable full", "file": "tha3/seperable/fp32/morpher.onnx"}
    assert "tha3/seperable/fp32/editor.onnx" in caught.value.detail
    assert separable.missing() == ("tha3/seperable/fp32/morpher.onnx", "tha3/seperable/fp32/editor.onnx")


def test_merged_networks_beside_them_are_left_alone(separable: ThaFiles) -> None:
    for name in ("merge.onnx", "merge_no_eyebrow.onnx"):
        separable.path(separable.variant.final).with_name(name).write_bytes(b"not looked at")
    assert _check(separable) == separable


def test_a_file_in_anothers_place_is_named_as_what_it_is(separable: ThaFiles) -> None:
    shutil.copyfile(separable.path(separable.variant.body), separable.path(separable.variant.final))
    error = _refusal(separable)
    assert error.parameters == {"file": "tha3/seperable/fp32/editor.onnx", "reason": "wrong_contract"}
    assert "this is the rotator of THA3 separable full" in error.detail
    assert "input morphed_image is missing" in error.detail


def test_half_precision_in_fulls_place_is_told_apart(weights: Path, separable: ThaFiles) -> None:
    shutil.copyfile(weights / "tha3/seperable/fp16/editor.onnx", separable.path(separable.variant.final))
    error = _refusal(separable)
    assert "this is the editor of THA3 separable half" in error.detail
    assert "input morphed_image is float16 [1, 4, 512, 512] instead of float32 [1, 4, 512, 512]" in error.detail


@pytest.mark.parametrize("graph", ["combiner", "morpher"])
def test_separable_and_standard_do_not_mix(weights: Path, separable: ThaFiles, graph: str) -> None:
    shutil.copyfile(
        weights / f"tha3/standard/fp32/{graph}.onnx", separable.weights / f"tha3/seperable/fp32/{graph}.onnx"
    )
    error = _refusal(separable)
    assert error.parameters["file"] == f"tha3/seperable/fp32/{graph}.onnx"
    assert f"this is the {graph} of THA3 standard full" in error.detail


def test_another_size_or_a_size_left_open_is_a_difference(separable: ThaFiles) -> None:
    path = separable.path(separable.variant.body)
    model = onnx.load(str(path))
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    sizes[3].dim_value = 128
    onnx.save(model, str(path))
    assert "input face_morphed_half is float32 [1, 4, 256, 128] instead of float32 [1, 4, 256, 256]" in (
        _refusal(separable).detail
    )
    sizes[3].dim_param = "width"
    onnx.save(model, str(path))
    assert "float32 [1, 4, 256, '?']" in _refusal(separable).detail


def test_a_network_of_something_else_is_refused(separable: ThaFiles) -> None:
    path = separable.path(separable.variant.body)
    model = onnx.load(str(path))
    model.graph.input.add(name="more").CopyFrom(onnx.helper.make_tensor_value_info("more", 1, [1]))
    onnx.save(model, str(path))
    error = _refusal(separable)
    assert "input more is not expected" in error.detail
    assert "this is" not in error.detail


def test_an_old_operator_set_is_refused(separable: ThaFiles) -> None:
    path = separable.path(separable.variant.body)
    model = onnx.load(str(path))
    model.opset_import[0].version = 9
    onnx.save(model, str(path))
    assert "operator set 9 is older" in _refusal(separable).detail


@pytest.mark.parametrize("content", [b"", b"<html>404 not found</html>"], ids=["empty", "page"])
def test_what_is_no_network_is_refused(separable: ThaFiles, content: bytes) -> None:
    separable.path(separable.variant.combiner).write_bytes(content)
    assert _refusal(separable).parameters == {"file": "tha3/seperable/fp32/combiner.onnx", "reason": "not_onnx"}


def test_a_truncated_network_is_refused(separable: ThaFiles) -> None:
    path = separable.path(separable.variant.morpher)
    path.write_bytes(path.read_bytes()[:-1000])
    assert _refusal(separable).parameters == {"file": "tha3/seperable/fp32/morpher.onnx", "reason": "damaged"}


def test_weights_in_other_files_are_refused(separable: ThaFiles) -> None:
    path = separable.path(separable.variant.body)
    onnx.save(onnx.load(str(path)), str(path), save_as_external_data=True, location="weights.bin", size_threshold=64)
    assert _refusal(separable).parameters["reason"] == "external_data"


def test_the_decomposers_picture_may_have_a_batch_dimension(separable: ThaFiles) -> None:
    contract = separable.variant.decomposer
    onnx.save(small_model(separable, contract, Traits(batched_bytes=True)), str(separable.path(contract)))
    assert _check(separable) == separable
    assert contract.inputs[0].kind is Kind.BYTES


def test_the_real_editor_is_accepted_in_its_place_and_in_no_other(separable: ThaFiles) -> None:
    editor = data("models/tha3/seperable/fp32/editor.onnx")
    shutil.copyfile(editor, separable.path(separable.variant.final))
    assert _check(separable) == separable
    shutil.copyfile(editor, separable.path(separable.variant.body))
    assert "this is the editor of THA3" in _refusal(separable).detail
