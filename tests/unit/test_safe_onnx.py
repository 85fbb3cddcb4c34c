"""ONNX files of others: a model that is complete in itself, or a refusal with a reason."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.wire.errors import ModelFileBad
from models.safe_onnx import MAXIMUM_IR_VERSION, MAXIMUM_OPSET, check_contract, float_array, load_onnx
from tests.data import data


def tensor(name: str = "w") -> onnx.TensorProto:
    return numpy_helper.from_array(np.array([1, 2], np.float32), name)


def elsewhere() -> onnx.TensorProto:
    """A tensor that asks for a file it should not."""
    made = TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    made.external_data.add(key="location", value="../../../etc/passwd")
    return made


def value(name: str, shape: list[int | str | None] | None = None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def graph(*nodes: onnx.NodeProto, initializers: tuple[onnx.TensorProto, ...] = ()) -> onnx.GraphProto:
    made = nodes or (helper.make_node("Add", ["x", "w"], ["y"]),)
    return helper.make_graph(list(made), "g", [value("x", [2])], [value("y", [2])], list(initializers) or [tensor()])


def model(of: onnx.GraphProto | None = None, ir: int = 8, opset: int = 16, domain: str = "") -> onnx.ModelProto:
    imports = [helper.make_opsetid(domain, opset)]
    return helper.make_model(of or graph(), opset_imports=imports, ir_version=ir)


def load(made: onnx.ModelProto | bytes, **options: Any) -> onnx.ModelProto:
    content = made if isinstance(made, bytes) else made.SerializeToString()
    return load_onnx(content, "some.onnx", **options)


def refusal(made: onnx.ModelProto | bytes, **options: Any) -> str:
    with pytest.raises(ModelFileBad) as caught:
        load(made, **options)
    assert caught.value.parameters.keys() == {"file", "reason"}
    assert caught.value.parameters["file"] == "some.onnx"
    return str(caught.value.parameters["reason"])


# -- what can be read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["tha4_student/lambda_00/body_morpher.onnx", "tha3/seperable/fp32/editor.onnx", "rife/rife_x2_fp32w16.onnx"]
)
def test_real_networks_pass(path: str) -> None:
    found = data(f"models/{path}")
    assert load_onnx(found, "it") == onnx.load(found)


def test_a_file_is_read_wherever_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "網路 ё" / "a b.onnx"
    path.parent.mkdir()
    path.write_bytes(model().SerializeToString())
    assert load_onnx(path, "a b.onnx") == model()


@pytest.mark.parametrize("domain", ["", "ai.onnx"])
def test_the_newest_versions_that_pass_are_loaded_by_the_runtime(domain: str) -> None:
    newest = load(model(ir=MAXIMUM_IR_VERSION, opset=MAXIMUM_OPSET, domain=domain))
    session = onnxruntime.InferenceSession(newest.SerializeToString(), providers=["CPUExecutionProvider"])
    assert np.array_equal(session.run(None, {"x": np.array([1, 1], np.float32)})[0], [2, 3])


@pytest.mark.parametrize(("ir", "opset"), [(MAXIMUM_IR_VERSION + 1, 16), (8, MAXIMUM_OPSET + 1), (1 << 40, 1 << 40)])
def test_newer_versions_are_told_as_such(ir: int, opset: int) -> None:
    assert refusal(model(ir=ir, opset=opset)) == "too_new"


@pytest.mark.parametrize(("ir", "opset", "domain"), [(8, 16, "com.microsoft"), (0, 16, ""), (-1, 16, ""), (8, 0, "")])
def test_a_model_without_versions_is_damaged(ir: int, opset: int, domain: str) -> None:
    made = model(opset=opset, domain=domain)
    made.ir_version = ir
    assert refusal(made) == "damaged"


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["not there", "folder", "nul\0", "long" * 100])
def test_what_cannot_be_opened_is_unreadable(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelFileBad) as caught:
        load_onnx(tmp_path / name, "some.onnx")
    assert caught.value.parameters == {"file": "some.onnx", "reason": "unreadable"}


def test_a_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    content = model().SerializeToString()
    (tmp_path / "some.onnx").write_bytes(content)
    for source in (content, tmp_path / "some.onnx"):
        assert load_onnx(source, "some.onnx", maximum_bytes=len(content)) == model()
        with pytest.raises(ModelFileBad) as caught:
            load_onnx(source, "some.onnx", maximum_bytes=len(content) - 1)
        assert caught.value.parameters["reason"] == "too_large"


def test_a_small_file_takes_little_memory(tmp_path: Path) -> None:
    (tmp_path / "some.onnx").write_bytes(model().SerializeToString())
    tracemalloc.start()
    try:
        load_onnx(tmp_path / "some.onnx", "some.onnx")
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"network",
        b"PK\x03\x04" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"\xff" * 50,
        b"\x0b\x0c" * 9,
    ],
)
def test_other_files_are_no_networks(content: bytes) -> None:
    assert refusal(content) == "not_onnx"


def test_a_model_without_nodes_is_no_network() -> None:
    made = model()
    del made.graph.node[:]
    assert refusal(made) == "not_onnx"


def test_a_model_cut_off_anywhere_is_refused() -> None:
    content = model().SerializeToString()
    for end in range(len(content)):
        assert refusal(content[:end]) in ("damaged", "not_onnx")
    assert refusal(content[:-1]) == "damaged"


def test_a_real_network_cut_off_is_damaged() -> None:
    content = data("models/tha4_student/lambda_00/face_morpher.onnx").read_bytes()
    for part in range(1, 50):
        assert refusal(content[: len(content) * part // 50]) == "damaged"


def test_a_domain_that_is_no_text_is_nobodys() -> None:
    content = model().SerializeToString().replace(b"\x22\x03Add", b"\x3a\x03\xff\xfe\xfd")
    assert refusal(content) in ("custom_operators", "damaged")


def delimited(number: int, content: bytes) -> bytes:
    """A field of protobuf that holds bytes."""
    size, length = len(content), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


@pytest.mark.parametrize(
    "content",
    [
        b"\x08\x08" + delimited(7, b"\x0a\x00" * 300_000),
        b"\x08\x08" + delimited(7, delimited(1, b"\x0a\x00" * 1_100_000)),
        b"\x08\x08" + b"\x3a\x00" * 300_000,
        b"\x08\x08" * 1_100_000,
    ],
    ids=["nodes", "names", "graphs", "versions"],
)
def test_small_files_that_become_large_in_memory_are_refused(content: bytes) -> None:
    assert refusal(content) == "too_large"


def nested(depth: int, innermost: onnx.NodeProto | None = None) -> onnx.ModelProto:
    """Graphs in graphs; with a depth of 1 there is only the model's own."""
    made = graph(innermost) if innermost else graph()
    for _ in range(depth - 1):
        made = graph(helper.make_node("If", ["x"], ["y"], then_branch=made, else_branch=graph()))
    return model(made)


def test_graphs_in_graphs_are_bounded() -> None:
    assert load(nested(8)) == nested(8)
    assert refusal(nested(9)) == "unsafe"


def test_graphs_deeper_than_the_parser_goes_are_refused_too() -> None:
    content = graph().SerializeToString()
    for _ in range(3000):
        content = delimited(1, delimited(5, delimited(6, content)))
    assert refusal(b"\x08\x08" + delimited(7, content)) == "damaged"


def function(*nodes: onnx.NodeProto, domain: str = "") -> onnx.FunctionProto:
    made = nodes or (helper.make_node("Neg", ["x"], ["y"]),)
    return helper.make_function(domain, "twice", ["x"], ["y"], list(made), [helper.make_opsetid("", 16)])


def with_sparse() -> onnx.GraphProto:
    made = graph()
    made.sparse_initializer.add(values=tensor("v"), indices=elsewhere())
    return made


def with_function(of: onnx.FunctionProto) -> onnx.ModelProto:
    made = model()
    made.functions.append(of)
    return made


def with_default() -> onnx.ModelProto:
    made = function()
    made.attribute_proto.append(helper.make_attribute("value", elsewhere()))
    return with_function(made)


def with_training() -> onnx.ModelProto:
    made = model()
    made.training_info.add(initialization=graph(), algorithm=graph(initializers=(elsewhere(),)))
    return made


def constant(**attributes: Any) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["y"], **attributes)


def sparse(values: onnx.TensorProto) -> onnx.SparseTensorProto:
    return onnx.SparseTensorProto(values=values, indices=tensor("i"))


ELSEWHERE: dict[str, Callable[[], onnx.ModelProto]] = {
    "an initializer": lambda: model(graph(initializers=(tensor(), elsewhere()))),
    "a sparse initializer": lambda: model(with_sparse()),
    "a constant": lambda: model(graph(constant(value=elsewhere()))),
    "a list of tensors": lambda: model(graph(constant(values=[tensor(), elsewhere()]))),
    "a sparse constant": lambda: model(graph(constant(sparse_value=sparse(elsewhere())))),
    "a list of sparse tensors": lambda: model(graph(constant(values=[sparse(tensor()), sparse(elsewhere())]))),
    "a graph in the graph": lambda: nested(3, constant(value=elsewhere())),
    "a list of graphs": lambda: model(graph(constant(all=[graph(), graph(constant(value=elsewhere()))]))),
    "a function": lambda: with_function(function(constant(value=elsewhere()))),
    "a function's default": with_default,
    "a training step": with_training,
}


@pytest.mark.parametrize("place", sorted(ELSEWHERE))
def test_weights_that_lie_in_other_files_are_refused_wherever_they_are_named(place: str) -> None:
    assert refusal(ELSEWHERE[place]()) == "external_data"


def test_a_place_elsewhere_counts_even_if_the_tensor_says_it_lies_here() -> None:
    named, flagged = elsewhere(), elsewhere()
    named.data_location = TensorProto.DEFAULT
    del flagged.external_data[:]
    for made in (named, flagged):
        assert refusal(model(graph(initializers=(made,)))) == "external_data"


FOREIGN = helper.make_node("Mine", ["x"], ["y"], domain="some.where")
MICROSOFT = helper.make_node("FusedGemm", ["x"], ["y"], domain="com.microsoft")


@pytest.mark.parametrize(
    "made",
    [
        model(graph(FOREIGN)),
        nested(3, FOREIGN),
        with_function(function(FOREIGN)),
        with_function(function(domain="some.where")),
        model(graph(helper.make_node("Add", ["x"], ["y"], domain="ai.onnx.ml"))),
    ],
    ids=["a node", "a node far inside", "a node of a function", "a function", "trees"],
)
def test_operators_that_the_runtime_lacks_are_refused(made: onnx.ModelProto) -> None:
    assert refusal(made) == "custom_operators"


def test_whose_operators_may_be_used_can_be_chosen() -> None:
    assert load(model(graph(MICROSOFT))) == model(graph(MICROSOFT))
    assert refusal(model(graph(MICROSOFT)), domains={""}) == "custom_operators"
    assert load(model(graph(FOREIGN)), domains={"some.where"}) == model(graph(FOREIGN))


def test_what_is_only_declared_does_not_matter() -> None:
    made = model()
    made.opset_import.append(helper.make_opsetid("some.where", 99))
    assert load(made) == made


RICH = with_function(function(domain="com.microsoft"))
RICH.graph.CopyFrom(nested(3, constant(value=tensor())).graph)
RICH_BYTES = RICH.SerializeToString()


@given(st.lists(st.tuples(st.integers(0, len(RICH_BYTES) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_flipped_bytes_break_nothing(changes: list[tuple[int, int]]) -> None:
    content = bytearray(RICH_BYTES)
    for place, changed in changes:
        content[place] = changed
    try:
        assert load(bytes(content)).graph.node
    except ModelFileBad as problem:
        assert problem.parameters.keys() == {"file", "reason"}


@given(st.binary(max_size=200))
def test_no_bytes_break_anything(content: bytes) -> None:
    for opening in (b"", b"\x08\x08", b"\x08\x08\x3a"):
        assert refusal(opening + content) in ("not_onnx", "damaged", "too_large", "too_new")


# -- contracts --------------------------------------------------------------------------------------------------------

CONTRACT_MODEL = helper.make_model(
    helper.make_graph(
        [helper.make_node("Add", ["pose", "w"], ["face"])],
        "g",
        [value("pose", [1, 45]), value("picture", ["n", 4, None, 512], TensorProto.UINT8), value("w", [1])],
        [value("face", [1, 4, 128, 128]), value("free"), value("number", [])],
        [numpy_helper.from_array(np.array([1], np.float32), "w")],
    )
)
INPUTS: dict[str, Any] = {"pose": (np.float32, (1, 45)), "picture": ("uint8", (1, 4, 512, 512))}
OUTPUTS: dict[str, Any] = {"face": (np.float32, (1, 4, 128, 128))}


def broken(inputs: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None) -> str:
    """What differs."""
    with pytest.raises(ModelFileBad) as caught:
        check_contract(CONTRACT_MODEL, inputs or INPUTS, outputs or OUTPUTS, "some.onnx")
    assert caught.value.parameters == {"file": "some.onnx", "reason": "wrong_contract"}
    return caught.value.detail


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"pose": (np.float32, (None, 45))},
        {"pose": (np.dtype("float32"), None)},
        {"picture": (np.uint8, [8, 4, 256, 512])},
    ],
)
def test_a_model_that_keeps_its_contract_passes(changed: dict[str, Any]) -> None:
    check_contract(CONTRACT_MODEL, {**INPUTS, **changed}, OUTPUTS, "some.onnx")
    check_contract(CONTRACT_MODEL, INPUTS, {"free": (np.float32, (1, 2)), "number": (np.float32, ())}, "some.onnx")


@pytest.mark.parametrize(
    ("inputs", "outputs", "told"),
    [
        ({**INPUTS, "pose": (np.float32, (1, 39))}, None, "input pose is [1, 45], not [1, 39]"),
        ({**INPUTS, "pose": (np.float32, (45,))}, None, "input pose is [1, 45], not [45]"),
        ({**INPUTS, "pose": (np.float16, (1, 45))}, None, "input pose is of type 1, not float16"),
        ({**INPUTS, "picture": (np.uint8, (1, 3))}, None, "input picture is [None, 4, None, 512], not [1, 3]"),
        (
            {**INPUTS, "picture": (np.uint8, (1, 3, 9, 512))}, None,
            "input picture is [None, 4, None, 512], not [1, 3, 9, 512]",
        ),
        ({**INPUTS, "more": (np.float32, (1,))}, None, "input more is not there"),
        ({"pose": INPUTS["pose"]}, None, "an input 'picture' too many"),
        (None, {"face": (np.float32, (1, 4, 64, 64))}, "output face is [1, 4, 128, 128], not [1, 4, 64, 64]"),
        (None, {"number": (np.float32, (1,))}, "output number is [], not [1]"),
        (None, {"result": (np.float32, None)}, "output result is not there"),
    ],
)  # fmt: skip
def test_the_difference_from_a_contract_is_told(
    inputs: dict[str, Any] | None, outputs: dict[str, Any] | None, told: str
) -> None:
    assert broken(inputs, outputs) == told


def test_an_output_that_is_no_tensor_is_different() -> None:
    made = helper.make_tensor_sequence_value_info("face", TensorProto.FLOAT, [1])
    other = helper.make_model(helper.make_graph([helper.make_node("Add", ["x"], ["face"])], "g", [], [made]))
    with pytest.raises(ModelFileBad) as caught:
        check_contract(other, {}, {"face": (np.float32, (1,))}, "some.onnx")
    assert caught.value.detail == "output face is of type 0, not float32"


# -- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("raw", [True, False])
def test_numbers_come_as_float32(dtype: type, raw: bool) -> None:
    values: NDArray[Any] = np.array([[1.5, -2.0], [0.25, 8.0]], dtype)
    made = numpy_helper.from_array(values, "w")
    if not raw:
        given_values = values.view(np.uint16) if dtype is np.float16 else values
        made = helper.make_tensor("w", made.data_type, [2, 2], given_values.reshape(-1).tolist())
        if dtype is np.float16:
            made = TensorProto(name="w", data_type=TensorProto.FLOAT16, dims=[2, 2])
            made.int32_data.extend(values.view(np.uint16).reshape(-1).tolist())
    found = float_array(made, "some.onnx")
    assert found.dtype == np.float32
    assert np.array_equal(found, values)
    assert float_array(numpy_helper.from_array(np.array(2.5, dtype)), "some.onnx").shape == ()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dims": [3]}, "damaged"),
        ({"dims": [-1]}, "damaged"),
        ({"dims": [-1, -2]}, "damaged"),
        ({"dims": [0]}, "damaged"),
        ({"dims": [1 << 40, 1 << 40]}, "damaged"),
        ({"raw_data": b"\0" * 7}, "damaged"),
        ({"raw_data": b""}, "damaged"),
        ({"raw_data": np.array([1, np.nan], np.float32).tobytes()}, "damaged"),
        ({"raw_data": np.array([1, np.inf], np.float32).tobytes()}, "damaged"),
        ({"data_type": TensorProto.DOUBLE}, "damaged"),
        ({"data_type": TensorProto.DOUBLE, "raw_data": np.array([1e300, 1]).tobytes()}, "damaged"),
        ({"data_type": TensorProto.INT64}, "not_weights"),
        ({"data_type": TensorProto.STRING}, "not_weights"),
        ({"data_type": 999}, "not_weights"),
        ({"data_type": 0}, "not_weights"),
        ({"segment": TensorProto.Segment(begin=0, end=1)}, "damaged"),
        ({"data_location": TensorProto.EXTERNAL}, "external_data"),
    ],
)
def test_numbers_that_are_none_are_refused(changes: dict[str, Any], reason: str) -> None:
    fields: dict[str, Any] = {
        "name": "w", "data_type": TensorProto.FLOAT, "dims": [2], "raw_data": np.array([1, 2], np.float32).tobytes(),
    }  # fmt: skip
    with pytest.raises(ModelFileBad) as caught:
        float_array(TensorProto(**{**fields, **changes}), "some.onnx")
    assert caught.value.parameters == {"file": "some.onnx", "reason": reason}
