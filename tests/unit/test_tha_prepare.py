"""What is changed in THA3's and THA4's graphs when they are loaded, and what never is."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from accel.base import Network
from core.wire.errors import ModelFileBad
from models.onnx_graph import OPSET as OWN_OPSET
from models.tha.contract import VARIANTS
from models.tha.files import ThaFiles, variant_files
from models.tha.graphs import NetworkGraph, sample_in_float32
from models.tha.motion import WARP
from models.tha.prepare import ThaNetworks, prepare

from .tha_graphs import OPSET, Traits, small_model, write_small_files

SETS = [("tha3", "separable", "full"), ("tha3", "standard", "half"), ("tha4", "", "full"), ("tha4", "", "half")]


@pytest.fixture(scope="module", params=SETS, ids=[" ".join(filter(None, parts)) for parts in SETS])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ThaFiles:
    return write_small_files(tmp_path_factory.mktemp("tha"), *request.param)


@pytest.fixture(scope="module")
def networks(files: ThaFiles) -> ThaNetworks:
    return prepare(files)


def _model(network: Network) -> ModelProto:
    return onnx.load_from_string(network.content)


def _names(values: object) -> set[str]:
    return {value.name for value in values}  # type: ignore[attr-defined]


def _prepared(tmp_path: Path, family: str, traits: Traits) -> ThaNetworks:
    name = "separable" if family == "tha3" else ""
    return prepare(write_small_files(tmp_path, family, name, "full", traits))


def test_every_network_is_valid_and_keeps_its_operator_set(networks: ThaNetworks) -> None:
    assert len(networks.all) == 7
    for network in networks.all:
        model = _model(network)
        onnx.checker.check_model(model, full_check=True)
        expected = OWN_OPSET if network is networks.coarse else OPSET
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", expected)]


def test_the_files_stay_as_they_are(files: ThaFiles) -> None:
    def digests() -> list[str]:
        return [hashlib.sha256(files.path(graph).read_bytes()).hexdigest() for graph in files.variant.graphs]

    before = digests()
    prepare(files)
    assert digests() == before


def test_networks_have_names_for_people(files: ThaFiles, networks: ThaNetworks) -> None:
    family = files.variant.family.upper()
    assert [network.name for network in networks.all] == [
        f"{family} {name}"
        for name in ("decomposer", "combiner", "morpher", "paste", files.variant.body.name, files.variant.final.name)
    ] + ["THA motion"]  # fmt: skip


def test_the_last_network_gives_one_small_picture_and_its_fields(networks: ThaNetworks) -> None:
    assert networks.fields is not None
    model = _model(networks.final)
    assert _names(model.graph.output) == {"picture", *networks.fields.all}
    output = model.graph.output[0]
    assert output.name == "picture"
    assert output.type.tensor_type.elem_type == TensorProto.UINT8
    assert [size.dim_value for size in output.type.tensor_type.shape.dim] == [512, 512, 4]
    # an engine can only give bytes away, not compute with them
    assert model.graph.node[-1].op_type == "Cast"


def test_only_a_coarse_warp_of_the_fields_leaves_the_device(networks: ThaNetworks) -> None:
    assert networks.fields is not None
    assert networks.coarse is not None
    assert networks.coarse is networks.all[-1]
    final, coarse = NetworkGraph(_model(networks.final)), NetworkGraph(_model(networks.coarse))
    # what the last network paints itself moves nothing
    assert set(coarse.inputs) == {networks.fields.grid, networks.fields.blend}
    for name in coarse.inputs:
        assert coarse.type_of(name) == final.type_of(name), "given as it comes"
    (warp,) = coarse.model.graph.output
    assert warp.name == WARP
    assert coarse.type_of(WARP) == (TensorProto.FLOAT, (1, 3, 64, 64))


def test_bytes_are_made_once(files: ThaFiles, networks: ThaNetworks) -> None:
    """The file's own conversion is gone, not computed in vain."""
    casts = [node for node in _model(networks.final).graph.node if node.op_type == "Cast"]
    assert sum(node.attribute[0].i == TensorProto.UINT8 for node in casts) == 1


def test_the_morpher_is_cut_where_it_pastes(networks: ThaNetworks) -> None:
    assert networks.paste is not None
    assert networks.crop is not None
    morpher, paste = _model(networks.morpher).graph, _model(networks.paste).graph
    assert _names(morpher.output) == {networks.crop}
    assert [size.dim_value for size in morpher.output[0].type.tensor_type.shape.dim] == [1, 4, 192, 192]
    assert "image_prepared" not in _names(morpher.input)
    assert _names(paste.input) == {"image_prepared", networks.crop}
    assert _names(paste.output) == {"face_morphed_full", "face_morphed_half"}
    assert {"Conv", "ScatterND"} & {node.op_type for node in morpher.node} == {"Conv"}
    assert {"Conv", "ScatterND"} & {node.op_type for node in paste.node} == {"ScatterND"}


def test_no_network_samples_in_half_precision(networks: ThaNetworks) -> None:
    sampled = 0
    for network in networks.all:
        graph = NetworkGraph(_model(network))
        for node in graph.model.graph.node:
            if node.op_type == "GridSample":
                sampled += 1
                for name in (*node.input, *node.output):
                    known = graph.type_of(name)
                    assert known is not None
                    assert known[0] == TensorProto.FLOAT
    assert sampled >= 3


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_a_morpher_that_changes_everything_is_left_whole(tmp_path: Path, family: str) -> None:
    networks = _prepared(tmp_path, family, Traits(crop_is_pasted=False))
    assert networks.paste is None
    assert networks.crop is None
    assert _names(_model(networks.morpher).graph.output) == {"face_morphed_full", "face_morphed_half"}
    assert len(networks.all) == 6


@pytest.mark.parametrize("family", ["tha3", "tha4"])
def test_an_end_that_looks_different_has_no_fields(tmp_path: Path, family: str) -> None:
    networks = _prepared(tmp_path, family, Traits(ends_in_blend=False))
    assert networks.fields is None
    assert networks.coarse is None
    assert _names(_model(networks.final).graph.output) == {"picture"}


def test_corners_taken_for_centres_are_not_our_fields(tmp_path: Path) -> None:
    """With align_corners the same grid means other places."""
    files = write_small_files(tmp_path, "tha3", "separable", "full")
    path = files.path(files.variant.final)
    model = onnx.load(str(path))
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name == "align_corners":
                attribute.i = 1
    onnx.save(model, str(path))
    assert prepare(files).fields is None


def test_weights_that_are_written_as_nodes_are_constants_too(tmp_path: Path) -> None:
    files = write_small_files(tmp_path, "tha3", "standard", "full")
    path = files.path(files.variant.final)
    model = onnx.load(str(path))
    constants = [helper.make_node("Constant", [], [weight.name], value=weight) for weight in model.graph.initializer]
    nodes = [*constants, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, str(path))
    assert prepare(files).fields is not None


def test_weights_that_are_also_listed_as_inputs_are_no_inputs(tmp_path: Path) -> None:
    files = write_small_files(tmp_path, "tha3", "standard", "full")
    model = small_model(files, files.variant.body)
    for weight in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    assert NetworkGraph(model).inputs == ["face_morphed_half", "rotation_pose"]


def test_a_result_that_depends_on_more_than_the_fields_has_none(tmp_path: Path) -> None:
    files = write_small_files(tmp_path, "tha3", "standard", "full")
    path = files.path(files.variant.final)
    model = onnx.load(str(path))
    (end,) = (node for node in model.graph.node if node.output[0] == "result")
    model.graph.node.append(helper.make_node("ReduceMean", ["rotation_pose"], ["mean"], keepdims=0))
    model.graph.node.append(helper.make_node("Add", [end.input[0], "mean"], ["result"]))
    model.graph.node.remove(end)
    onnx.save(model, str(path))
    assert prepare(files).fields is None


def test_nodes_that_bite_their_own_tail_do_not_hang() -> None:
    files = variant_files("tha3", "separable", "full", Path())
    model = small_model(files, files.variant.body)
    model.graph.node.append(helper.make_node("Cast", ["first"], ["second"], to=TensorProto.FLOAT))
    model.graph.node.append(helper.make_node("Cast", ["second"], ["first"], to=TensorProto.FLOAT))
    graph = NetworkGraph(model)
    assert graph.origin("first") in ("first", "second")
    assert graph.needed(["first"]) == {"first", "second"}


def test_a_cut_that_lacks_an_input_is_refused() -> None:
    files = variant_files("tha3", "separable", "full", Path())
    graph = NetworkGraph(small_model(files, VARIANTS["tha3", "separable"].body))
    with pytest.raises(ValueError, match="rotation_pose"):
        graph.cut(["face_morphed_half"], ["full_grid_change"])
    with pytest.raises(ValueError, match="not known"):
        graph.cut(graph.inputs, ["nowhere"])


@pytest.mark.parametrize(("image_half", "grid_half"), [(False, False), (True, False), (False, True), (True, True)])
def test_sampling_is_widened_only_where_it_is_half(image_half: bool, grid_half: bool) -> None:
    kinds = [TensorProto.FLOAT16 if half else TensorProto.FLOAT for half in (image_half, grid_half)]
    graph = helper.make_graph(
        [helper.make_node("GridSample", ["image", "grid"], ["sampled"])],
        "sampling",
        [helper.make_tensor_value_info("image", kinds[0], [1, 1, 4, 4]),
         helper.make_tensor_value_info("grid", kinds[1], [1, 4, 4, 2])],
        [helper.make_tensor_value_info("sampled", kinds[0], [1, 1, 4, 4])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    sample_in_float32(model)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node].count("Cast") == 2 * image_half + grid_half


def test_a_network_that_makes_no_sense_is_the_files_fault(tmp_path: Path) -> None:
    files = write_small_files(tmp_path, "tha4", "", "full")
    path = files.path(files.variant.final)
    model = onnx.load(str(path))
    next(node for node in model.graph.node if node.op_type == "Sigmoid").ClearField("input")
    onnx.save(model, str(path))
    with pytest.raises(ModelFileBad) as caught:
        prepare(files)
    assert caught.value.parameters == {"file": "tha4/fp32/upscaler.onnx", "reason": "damaged"}
