"""PyTorch's files: the right weights, or a refusal with a reason; never anything else, and never anything executed."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.errors import ModelFileBad
from models.student.torch_file import read_state_dict
from tests.data import data
from tests.unit import torch_files as made
from tests.unit.torch_files import Array, archive, file_of, program, storage, tensor, text, torch_file

ONE = np.array([[1.5, -2.0, 3.25], [0.0, 5.0, -6.5]], np.float32)
BYTES = {"0": ONE.tobytes()}
FLOATS = storage("FloatStorage", "0", 6)
STRUCTURED: dict[str, Array] = {
    "big.weight": np.arange(60, dtype=np.float32).reshape(4, 15),
    "big.bias": np.array([1, 2, 3, 4], np.float32),
}


def read(folder: Path, content: bytes, name: str = "weights.pt") -> dict[str, Array]:
    (folder / name).write_bytes(content)
    return dict(read_state_dict(folder / name))


def refusal(folder: Path, content: bytes) -> str:
    """Why a file is refused."""
    with pytest.raises(ModelFileBad) as caught:
        read(folder, content)
    assert caught.value.parameters["file"] == "weights.pt"
    assert set(caught.value.parameters) == {"file", "reason"}
    return str(caught.value.parameters["reason"])


def same(found: dict[str, Array], wanted: dict[str, Array]) -> bool:
    return list(found) == list(wanted) and all(
        found[name].dtype == np.float32
        and found[name].shape == wanted[name].shape
        and found[name].flags.c_contiguous
        and np.array_equal(found[name], wanted[name].astype(np.float32))
        for name in wanted
    )


def described(body: bytes) -> bytes:
    """A file whose pickle is ``body`` and which has one storage of six numbers."""
    return file_of(program(body), BYTES)


# -- what can be read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["face", "body"])
def test_the_authors_own_files_hold_what_was_converted_from_them(network: str) -> None:
    tensors = read_state_dict(data(f"models/tha4_student/lambda_00/{network}_morpher.pt"))
    graph = onnx.load(data(f"models/tha4_student/lambda_00/{network}_morpher.onnx")).graph
    held = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    converted = [held[name] for node in graph.node if node.op_type == "Conv" for name in node.input[1:]]
    assert len(converted) == len(tensors)
    for found, wanted, name in zip(tensors.values(), converted, tensors, strict=True):
        # the conversion has the sine's factor in the weights
        factor = np.float32(1 if "last_linear" in name else 30)
        assert np.array_equal(found * factor, wanted), name


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_kind_of_float_becomes_float32(tmp_path: Path, dtype: type) -> None:
    arrays: dict[str, Array] = {"a": np.array([[1.5, -2.0], [1e-3, 7.0]], dtype), "b": np.array(3.5, dtype)}
    assert same(read(tmp_path, torch_file(arrays)), arrays)


def test_brain_floats_are_the_upper_half_of_a_float(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.15625], np.float32)
    halves = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    body = made.dictionary({"w": tensor(storage("BFloat16Storage", "0", 3), [3], [1])})
    assert same(read(tmp_path, file_of(program(body), {"0": halves})), {"w": values})


def test_views_come_as_they_were_seen(tmp_path: Path) -> None:
    base = np.arange(4 * 6 * 5, dtype=np.float32).reshape(4, 6, 5).copy()
    arrays: dict[str, Array] = {"turned": base.transpose(2, 0, 1), "cut": base[1:3, ::2, 3], "last": base[3, 5, 4:]}
    assert same(read(tmp_path, torch_file(arrays)), arrays)


def test_tensors_may_share_a_storage(tmp_path: Path) -> None:
    body = made.dictionary({"all": tensor(FLOATS, [2, 3], [3, 1]), "some": tensor(FLOATS, [2], [3], 1)})
    assert same(read(tmp_path, described(body)), {"all": ONE, "some": ONE[:, 1]})


def test_a_number_repeated_within_its_storage_is_still_a_tensor(tmp_path: Path) -> None:
    body = made.dictionary({"w": tensor(FLOATS, [3, 2], [0, 1], 2)})
    assert same(read(tmp_path, described(body)), {"w": np.tile(np.array([3.25, 0.0], np.float32), (3, 1))})


def test_a_dimension_of_one_may_claim_any_stride(tmp_path: Path) -> None:
    body = made.dictionary({"w": tensor(FLOATS, [6, 1, 1], [1, 1 << 60, (1 << 63) - 1])})
    assert same(read(tmp_path, described(body)), {"w": ONE.reshape(6, 1, 1)})


@pytest.mark.parametrize("options", [{"parameter": True}, {"prefix": "角色 é"}, {"deflate": True}, {"prefix": "a/b"}])
def test_all_ways_of_saving_are_read(tmp_path: Path, options: dict[str, Any]) -> None:
    assert same(read(tmp_path, torch_file(STRUCTURED, **options)), STRUCTURED)


def test_a_plain_dictionary_of_tensors_is_as_good(tmp_path: Path) -> None:
    body = made.dictionary({"w": tensor(FLOATS, [2, 3], [3, 1])}, made.EMPTY_DICT)
    assert same(read(tmp_path, described(body)), {"w": ONE})


def test_the_opcodes_of_newer_protocols_are_read(tmp_path: Path) -> None:
    # what pickle itself makes of a state_dict, with its frames, short strings and stacked names
    names = [b"\x8c\x05torch\x8c\x0cFloatStorage\x93", b"\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93"]
    reference = made.tuple_of(text("storage"), names[0] + b"\x94", text("0"), text("cpu"), b"K\x06") + b"Q"
    shape, strides = b"K\x02K\x03\x86", b"\x8a\x01\x03K\x01\x86"
    item = names[1] + made.tuple_of(reference, b"K\x00", shape, strides, made.FALSE, b"}\x94", b"N") + b"R"
    body = b"\x95" + struct.pack("<Q", 0) + b"}\x94" + b"\x8c\x01w" + item + b"s"
    assert same(read(tmp_path, file_of(program(body, 4), BYTES)), {"w": ONE})


def test_a_file_without_a_byte_order_is_of_the_usual_one(tmp_path: Path) -> None:
    body = program(made.dictionary({"w": tensor(FLOATS, [6], [1])}))
    content = archive([("data.pkl", body), ("data/0", BYTES["0"])])
    assert same(read(tmp_path, content), {"w": ONE.reshape(6)})


def test_folders_of_any_script_are_entered(tmp_path: Path) -> None:
    folder = tmp_path / "キャラ ё 角色"
    folder.mkdir()
    assert same(read(folder, torch_file(STRUCTURED), "顔.pt"), STRUCTURED)


# -- what is refused --------------------------------------------------------------------------------------------------


def item(value: bytes) -> bytes:
    return made.dictionary({"w": value})


def view(shape: list[int], strides: list[int], offset: int = 0) -> bytes:
    return described(item(tensor(FLOATS, shape, strides, offset)))


def with_storage(reference: bytes, content: bytes) -> bytes:
    return file_of(program(item(tensor(reference, [1], [1]))), {"0": content})


def memo_bomb() -> bytes:
    """Each list holds the list before ten times: ten to the power of 254 values, if anybody counted."""
    lists = b"".join(b"](" + (b"h" + bytes([at - 1])) * 10 + b"eq" + bytes([at]) for at in range(1, 255))
    return b"(]q\x00" + lists + b"t"


DEEP = 100_000
OK = item(tensor(FLOATS, [6], [1]))
REFUSED: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "not_a_torch_file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(1000), "not_a_torch_file"),
    "a pickle of before 1.6": (pickle.dumps(0x1950A86A20F9469CFC6C, 2) + b"\x80\x02M\xe9\x03.", "not_a_torch_file"),
    "another archive": (archive([("readme.txt", b"hello")]), "not_a_torch_file"),
    "two descriptions": (archive([("data.pkl", program(OK)), ("b/data.pkl", program(OK))]), "not_a_torch_file"),
    "an archive's first bytes": (b"PK\x03\x04", "damaged"),
    "an entry twice": (archive([("data.pkl", program(OK)), ("data/0", BYTES["0"]), ("data/0", bytes(24))]), "unsafe"),
    "big-endian": (archive([("data.pkl", program(OK)), ("byteorder", b"big"), ("data/0", BYTES["0"])]), "not_weights"),
    "too many entries": (archive((f"data/{at}", b"") for at in range(5000)), "too_large"),
    "a packed gigabyte": (file_of(program(OK), BYTES, announced={"data/0": 1 << 30}), "too_large"),
    "a bomb": (file_of(program(OK), {"0": bytes(20 << 20)}, deflate=True), "unsafe"),
    "more than announced": (
        file_of(program(OK), {"0": bytes(9000)}, deflate=True, announced={"data/0": 24}),
        "damaged",
    ),
    "less than announced": (file_of(program(OK), BYTES, announced={"data/0": 25}), "damaged"),
    "a long description": (file_of(program(OK) + bytes(5 << 20), BYTES), "too_large"),
    "no description at all": (file_of(b""), "damaged"),
    "an end before the end": (file_of(program(OK)[:-1]), "damaged"),
    "something after the end": (file_of(program(OK) + b"N.", BYTES), "damaged"),
    "two values": (described(b"N" + OK), "damaged"),
    "an open mark": (described(b"(" + OK), "damaged"),
    "nothing on the stack": (described(b"R"), "damaged"),
    "nothing above the mark": (described(b"}(s"), "damaged"),
    "no mark": (described(b"t"), "damaged"),
    "nothing remembered": (described(b"hx"), "damaged"),
    "no opcode": (described(b"\xff"), "damaged"),
    "protocol 1": (file_of(program(OK, 1), BYTES), "damaged"),
    "a string that is none": (described(b"X\x02\x00\x00\x00\xff\xfe"), "damaged"),
    "a string longer than the file": (described(b"X\xff\xff\xff\xff"), "damaged"),
    "a name without end": (described(b"ctorch"), "damaged"),
    "a name that is a number": (described(b"K\x01K\x02\x93"), "damaged"),
    "items of no dictionary": (described(b"](" + text("a") + b"K\x01u"), "damaged"),
    "an odd number of items": (described(b"}(" + text("a") + b"u"), "damaged"),
    "append to no list": (described(b"}K\x01a"), "damaged"),
    "a number of 200 bytes": (described(b"\x8a\xc8" + b"\x7f" * 200), "unsafe"),
    "a number of two gigabytes": (described(b"\x8b\xff\xff\xff\x7f" + b"\x7f" * 99), "unsafe"),
    "a number in digits": (described(b"I" + b"9" * 100_000 + b"\n"), "unsafe"),
    "a string in Python's spelling": (described(b"S'a'\n"), "unsafe"),
    "a buffer from elsewhere": (described(b"\x97"), "unsafe"),
    "an extension": (described(b"\x82\x01"), "unsafe"),
    "an object without its class's consent": (described(made.named("collections", "OrderedDict") + b")\x81"), "unsafe"),
    "lists in lists": (described(b"]" * DEEP + b"a" * (DEEP - 1)), "unsafe"),
    "tuples in tuples": (described(b")" + b"\x85" * DEEP), "not_weights"),
    "a tuple as a key": (described(b"})" + b"\x85" * DEEP + b"Ns"), "not_weights"),
    "marks without end": (described(b"(" * DEEP), "unsafe"),
    "a memory without end": (
        described(b"N" + b"".join(b"r" + struct.pack("<I", at * 9) for at in range(DEEP))),
        "unsafe",
    ),
    "steps without end": (described(b"]" + b"Na" * 300_000), "unsafe"),
    "a place of memory far away": (described(b"Nr\xff\xff\xff\xff"), "not_weights"),
    "lists of lists of lists": (described(memo_bomb()), "not_weights"),
    "a list that holds itself": (described(b"]q\x00h\x00a"), "not_weights"),
    "a dictionary that holds itself": (described(b"}q\x00" + text("a") + b"h\x00s"), "not_weights"),
    "a number": (described(b"K\x01"), "not_weights"),
    "a tensor alone": (described(tensor(FLOATS, [6], [1])), "not_weights"),
    "no tensors": (described(made.ORDERED_DICT), "not_weights"),
    "tensors in a dictionary": (described(item(OK)), "not_weights"),
    "a number beside tensors": (described(item(tensor(FLOATS, [6], [1])) + text("epoch") + b"K\x03s"), "not_weights"),
    "a learning rate": (described(item(b"G" + struct.pack(">d", 0.1))), "not_weights"),
    "numbers as keys": (described(b"}K\x01" + tensor(FLOATS, [6], [1]) + b"s"), "not_weights"),
    "whole numbers": (torch_file({"n": np.arange(3)}), "not_weights"),
    "a class as a tensor": (described(item(made.named("torch", "FloatStorage"))), "not_weights"),
    "a storage as a tensor": (described(item(FLOATS)), "not_weights"),
    "a state for something else": (described(b"])" + b"b"), "unsafe"),
    "a call of a string": (described(text("print") + b")R"), "unsafe"),
    "a call of a class": (described(made.named("torch", "FloatStorage") + b")R"), "unsafe"),
    "a dictionary from a list": (described(made.call(made.named("collections", "OrderedDict"), b"]")), "unsafe"),
    "arguments that are no tuple": (described(made.REBUILD + b"]R"), "unsafe"),
    "too few arguments": (described(item(made.call(made.REBUILD, FLOATS))), "unsafe"),
    "a parameter of nothing": (
        described(item(made.call(made.named("torch._utils", "_rebuild_parameter"), b"N", b"N", b"N"))),
        "unsafe",
    ),
    "a tensor of no storage": (described(item(tensor(b"N", [1], [1]))), "damaged"),
    "a shape that is no tuple": (
        described(item(made.call(made.REBUILD, FLOATS, b"K\x00", b"]", b")", b"N", b"N"))),
        "damaged",
    ),
    "a shape of booleans": (
        described(item(made.call(made.REBUILD, FLOATS, b"K\x00", b"\x88\x85", b"\x88\x85", b"N", b"N"))),
        "damaged",
    ),
    "a storage that is no tuple": (described(text("0") + b"Q"), "damaged"),
    "a storage of an unnamed kind": (
        described(made.tuple_of(text("storage"), text("FloatStorage"), text("0"), text("cpu"), b"K\x06") + b"Q"),
        "damaged",
    ),
    "a storage of dictionaries": (
        described(
            made.tuple_of(text("storage"), made.named("collections", "OrderedDict"), text("0"), text("cpu"), b"K\x06")
            + b"Q"
        ),
        "damaged",
    ),
    "a storage that is not there": (described(item(tensor(storage("FloatStorage", "7", 6), [6], [1]))), "damaged"),
    "a storage outside": (
        described(item(tensor(storage("FloatStorage", "../../data.pkl", 6), [6], [1]))),
        "damaged",
    ),
    "a storage shorter than claimed": (with_storage(storage("FloatStorage", "0", 6), bytes(20)), "damaged"),
    "a storage longer than claimed": (with_storage(storage("FloatStorage", "0", 6), bytes(28)), "damaged"),
    "a storage of another width": (with_storage(storage("DoubleStorage", "0", 6), bytes(24)), "damaged"),
    "a storage of less than nothing": (with_storage(storage("FloatStorage", "0", -6), bytes(24)), "unsafe"),
    "a storage of billions": (with_storage(storage("FloatStorage", "0", 1 << 40), bytes(24)), "too_large"),
    "fewer strides than dimensions": (view([2, 3], [3]), "damaged"),
    "nine dimensions": (view([1] * 9, [1] * 9), "damaged"),
    "a negative offset": (view([1], [1], -1), "unsafe"),
    "an offset behind the storage": (view([1], [1], 6), "unsafe"),
    "an offset far behind": (view([1], [1], (1 << 63) - 1), "unsafe"),
    "a negative stride": (view([2], [-1], 5), "unsafe"),
    "a huge stride": (view([2], [(1 << 63) - 1]), "unsafe"),
    "a negative size": (view([-1], [1]), "unsafe"),
    "two negative sizes": (view([-2, -3], [3, 1]), "unsafe"),
    "a huge size": (view([1 << 62], [1]), "unsafe"),
    "sizes that overflow together": (view([1 << 32, 1 << 32], [0, 0]), "unsafe"),
    "one number a billion times": (view([1 << 30], [0]), "unsafe"),
    "one element too far": (view([2, 3], [3, 1], 1), "unsafe"),
    "no elements": (view([0, 3], [3, 1]), "not_weights"),
    "no elements of a huge shape": (view([0, 1 << 62, 1 << 62], [1, 1, 1]), "not_weights"),
    "too many tensors": (
        described(made.dictionary({str(at): tensor(FLOATS, [6], [1]) for at in range(1001)})),
        "too_large",
    ),
    "not a number": (torch_file({"w": np.array([1, np.nan], np.float32)}), "damaged"),
    "a number too large for float32": (torch_file({"w": np.array([1e300])}), "damaged"),
    "infinity": (torch_file({"w": np.array([1, np.inf], np.float16)}), "damaged"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_is_no_file_of_weights_is_refused_with_its_reason(tmp_path: Path, case: str) -> None:
    content, reason = REFUSED[case]
    assert refusal(tmp_path, content) == reason


def test_no_more_is_unpacked_than_was_announced(tmp_path: Path) -> None:
    content = file_of(program(OK), {"0": bytes(50 << 20)}, deflate=True, announced={"data/0": 24})
    tracemalloc.start()
    try:
        assert refusal(tmp_path, content) == "damaged"
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_shared_storages_do_not_multiply_what_fits_into_memory(tmp_path: Path) -> None:
    count = 1 << 20
    whole = tensor(storage("FloatStorage", "0", count), [count], [1])
    content = file_of(program(made.dictionary({str(at): whole for at in range(65)})), {"0": bytes(4 * count)})
    assert refusal(tmp_path, content) == "too_large"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "weights.pt").open("wb") as opened:
        opened.write(b"PK\x03\x04")
        opened.truncate((256 << 20) + 1)
    with pytest.raises(ModelFileBad) as caught:
        read_state_dict(tmp_path / "weights.pt")
    assert caught.value.parameters == {"file": "weights.pt", "reason": "too_large"}


@pytest.mark.parametrize("name", ["not there.pt", "a folder.pt", "nul\0.pt", "long" * 100])
def test_what_cannot_be_opened_is_unreadable(tmp_path: Path, name: str) -> None:
    (tmp_path / "a folder.pt").mkdir()
    with pytest.raises(ModelFileBad) as caught:
        read_state_dict(tmp_path / name)
    assert caught.value.parameters == {"file": name, "reason": "unreadable"}


# -- what would do harm -----------------------------------------------------------------------------------------------


class Reduces:
    """Pickled, it is a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def attacks(marker: Path) -> Iterator[object]:
    """Things that make a folder when they are unpickled."""
    code = f"__import__('os').mkdir({str(marker)!r})"
    yield Reduces(os.mkdir, str(marker))
    yield Reduces(os.system, f'mkdir "{marker}"')
    yield Reduces(eval, code)
    yield Reduces(exec, code)
    yield Reduces(Reduces, Reduces(getattr(os, "mkdir"), str(marker)))  # noqa: B009
    yield {"w": Reduces(map, Reduces(eval, code), [1])}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("number", range(6))
def test_nothing_of_a_file_is_executed(tmp_path: Path, number: int, protocol: int) -> None:
    marker = tmp_path / "made by the file"
    content = pickle.dumps(list(attacks(marker))[number], protocol)
    assert refusal(tmp_path, file_of(content, BYTES)) in ("unsafe", "damaged")
    if protocol >= 2:
        assert refusal(tmp_path, described(b"}" + text("w") + content[2:-1] + b"s")) == "unsafe"
    assert refusal(tmp_path, content) == "not_a_torch_file"
    assert not marker.exists()


@pytest.mark.parametrize("number", range(6))
def test_the_attacks_are_real(tmp_path: Path, number: int) -> None:
    marker = tmp_path / "made by the file"
    pickle.loads(pickle.dumps(list(attacks(marker))[number], 2))
    assert marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"), ("builtins", "getattr"), ("builtins", "eval"), ("__builtin__", "getattr"),
        ("torch", "load"), ("torch.storage", "_load_from_bytes"), ("torch.hub", "load"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"), ("torch._utils", "_rebuild_wrapper_subclass"),
        ("collections", "OrderedDict.fromkeys"), ("collections", "OrderedDict\r"), ("numpy", "load"),
        ("torch.nn.modules.container", "Sequential"), ("models.student.torch_file", "read_state_dict"),
    ],
)  # fmt: skip
def test_names_that_are_not_in_the_table_are_refused(tmp_path: Path, module: str, name: str) -> None:
    for naming in (made.named(module, name), text(module) + text(name) + b"\x93"):
        assert refusal(tmp_path, described(naming + b")R")) == "unsafe"
        assert refusal(tmp_path, described(naming)) == "unsafe"


# -- what was damaged on its way --------------------------------------------------------------------------------------

CONTENTS = {"stored": torch_file(STRUCTURED), "deflated": torch_file(STRUCTURED, deflate=True)}


@pytest.mark.parametrize("kind", sorted(CONTENTS))
def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path, kind: str) -> None:
    content = CONTENTS[kind]
    for part in range(50):
        assert refusal(tmp_path, content[: len(content) * part // 50]) == ("damaged" if part else "not_a_torch_file")
    for missing in range(1, 200):
        assert refusal(tmp_path, content[:-missing]) == "damaged"


def read_or_refuse(folder: Path, content: bytes) -> dict[str, Array] | None:
    try:
        return read(folder, content)
    except ModelFileBad as problem:
        assert set(problem.parameters) == {"file", "reason"}
        return None


@given(
    kind=st.sampled_from(sorted(CONTENTS)),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6),
)
def test_flipped_bytes_never_make_other_weights(
    tmp_path_factory: pytest.TempPathFactory, kind: str, flips: list[tuple[float, int]]
) -> None:
    content = bytearray(CONTENTS[kind])
    for place, change in flips:
        content[int(place * len(content))] ^= change
    found = read_or_refuse(tmp_path_factory.getbasetemp(), bytes(content))
    # checksums see every change in what is read; the rest (padding, dates) is of no consequence
    assert found is None or same(found, STRUCTURED)


PICKLE = program(made.dictionary({"w": tensor(FLOATS, [2, 3], [3, 1]), "b": tensor(FLOATS, [3], [2], 1)}))


def is_sound(found: dict[str, Array] | None) -> bool:
    held = {float(value) for value in ONE.reshape(-1)}
    return found is None or all(
        array.dtype == np.float32 and 0 < array.size <= ONE.size and {float(value) for value in array.flat} <= held
        for array in found.values()
    )


@given(st.lists(st.tuples(st.integers(0, len(PICKLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_with_right_checksums_never_reach_outside_the_storage(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(PICKLE)
    for place, value in changes:
        content[place] = value
    assert is_sound(read_or_refuse(tmp_path_factory.getbasetemp(), file_of(bytes(content), BYTES)))


PIECES = [
    b"(", b")", b"]", b"}", b"N", b"R", b"Q", b"a", b"b", b"e", b"h\x00", b"q\x00", b"q\x01", b"h\x01", b"s", b"t",
    b"u", b"\x85", b"\x86", b"\x87", b"\x88", b"\x93", b"\x94", b"K\x00", b"K\x01", b"J\xff\xff\xff\xff",
    b"\x8a\x08" + b"\xff" * 7 + b"\x7f", text("0"), text("storage"), text("w"), text("torch"), text("FloatStorage"),
    made.ORDERED_DICT, made.REBUILD, FLOATS, made.numbers([2, 3]), made.numbers([3, 1]), tensor(FLOATS, [6], [1]),
    made.named("torch", "FloatStorage"), made.named("torch._utils", "_rebuild_parameter"),
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_no_program_reaches_outside_the_storage(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    content = file_of(program(b"".join(pieces)), BYTES)
    assert is_sound(read_or_refuse(tmp_path_factory.getbasetemp(), content))


@given(st.binary(max_size=300))
def test_no_bytes_at_all_get_through(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert read_or_refuse(folder, content) is None
    assert read_or_refuse(folder, b"PK\x03\x04" + content) is None
    assert read_or_refuse(folder, file_of(content, BYTES)) is None


@given(st.lists(st.tuples(st.integers(0, 45), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
def test_no_directory_leads_outside_the_file(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], is_end: bool
) -> None:
    content = bytearray(CONTENTS["stored"])
    start = len(content) - 22 if is_end else content.rindex(b"PK\x01\x02")
    for place, value in changes:
        content[start + place % (22 if is_end else 46)] = value
    found = read_or_refuse(tmp_path_factory.getbasetemp(), bytes(content))
    assert found is None or same(found, STRUCTURED)


def test_a_checksum_that_does_not_fit_is_damage(tmp_path: Path) -> None:
    content = bytearray(CONTENTS["stored"])
    wanted = struct.pack("<L", zlib.crc32(STRUCTURED["big.bias"].tobytes()))
    at = content.rindex(wanted)
    content[at] ^= 1
    assert refusal(tmp_path, bytes(content)) == "damaged"
