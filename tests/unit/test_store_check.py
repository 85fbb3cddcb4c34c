"""The look at a file: its build tells a network from half a network and from a web page, its contract tells networks
apart."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.errors import ModelFileBad
from models.contracts import check_contract
from models.store.check import check_content
from tests.data import data

from .rife_networks import Traits, plain_network, tiled_network
from .store_server import onnx, png, torch_file
from .upscale_networks import repeating, whole_bytes

PAGE = b"<!DOCTYPE html><html><body>Log in to the hotel's network: here</body></html>"
GOOD = {
    "net.onnx": onnx("a network", padding=1000),
    "net.pt": torch_file(),
    "face.task": torch_file("tasks"),
    "character.png": png(),
    "character_model.yaml": b"\xef\xbb\xbfface_morpher_file_name: face_morpher.pt\n",
}


def problem(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    try:
        check_content("rife", path)
    except ModelFileBad as bad:
        assert bad.parameters["file"] == name
        return str(bad.parameters["reason"])
    return ""


@pytest.mark.parametrize("name", GOOD)
def test_a_whole_file_passes(tmp_path: Path, name: str) -> None:
    assert problem(tmp_path, name, GOOD[name]) == ""
    assert problem(tmp_path, name.upper(), GOOD[name]) == ""


@pytest.mark.parametrize("name", GOOD)
def test_an_empty_file_does_not(tmp_path: Path, name: str) -> None:
    assert problem(tmp_path, name, b"") == "file_damaged"


@pytest.mark.parametrize("name", GOOD)
def test_a_web_page_in_its_place_does_not(tmp_path: Path, name: str) -> None:
    assert problem(tmp_path, name, PAGE) in ("not_a_network", "not_a_picture", "file_damaged")


@pytest.mark.parametrize("name", ["net.onnx", "net.pt", "face.task", "character.png"])
def test_a_file_that_was_cut_short_does_not(tmp_path: Path, name: str) -> None:
    content = GOOD[name]
    for length in range(1, len(content), max(1, len(content) // 50)):
        assert problem(tmp_path, name, content[:length]), length


def test_something_behind_a_network_is_noticed(tmp_path: Path) -> None:
    assert problem(tmp_path, "net.onnx", GOOD["net.onnx"] + b"\xff\xff") == "file_damaged"


@pytest.mark.parametrize(
    "content",
    [
        b"\x08\x00" + onnx()[2:],
        b"\x08\x7f" + onnx()[2:],
        b"\x08\x08",
        onnx()[2:],
        b"\x0b\x08" + onnx(),
        b"\x00\x08" + onnx(),
        b"\xff" * 64,
        b"\x08\x08" * 5000,
        bytes(64),
    ],
)
def test_other_protobuf_messages_are_no_networks(tmp_path: Path, content: bytes) -> None:
    assert problem(tmp_path, "net.onnx", content)


def test_numbers_of_fixed_width_are_passed_over(tmp_path: Path) -> None:
    assert problem(tmp_path, "net.onnx", onnx() + b"\x55" + bytes(4) + b"\x51" + bytes(8)) == ""
    assert problem(tmp_path, "net.onnx", onnx() + b"\x51" + bytes(7)) == "file_damaged"


@pytest.mark.parametrize("content", [b"\xff\xfe: a", b"a: b\0", b"a: " + b"x" * 70_000, b"nothing to say"])
def test_what_is_no_description(tmp_path: Path, content: bytes) -> None:
    assert problem(tmp_path, "character_model.yaml", content) == "file_damaged"


def test_a_file_of_unknown_kind_or_none_at_all(tmp_path: Path) -> None:
    assert problem(tmp_path, "net.exe", b"MZ") == "not_a_network"
    with pytest.raises(ModelFileBad) as caught:
        check_content("rife", tmp_path / "gone.onnx")
    assert caught.value.parameters == {"file": "gone.onnx", "reason": "file_damaged"}


def test_a_zip_with_a_long_comment_is_whole(tmp_path: Path) -> None:
    content = io.BytesIO(torch_file())
    with zipfile.ZipFile(content, "a") as archive:
        archive.comment = b"x" * 65535
    assert problem(tmp_path, "net.pt", content.getvalue()) == ""


@given(content=st.binary(max_size=200), name=st.sampled_from(sorted(GOOD)))
def test_no_content_breaks_the_check(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    assert isinstance(problem(tmp_path_factory.getbasetemp(), name, content), str)


@pytest.mark.parametrize(
    "path",
    [
        "models/tha3/seperable/fp32/editor.onnx",
        "models/tha4_student/lambda_00/face_morpher.onnx",
        "models/tha4_student/lambda_00/face_morpher.pt",
        "models/tha4_student/lambda_00/character.png",
        "models/tha4_student/lambda_00/character_model.yaml",
        "models/waifu2x/noise0_scale2x_fp32.onnx",
        "models/rife/rife_x2_fp32w16.onnx",
        "mediapipe/face_landmarker.task",
    ],
)
def test_real_files_pass(path: str) -> None:
    check_content("any", data(path))


# -- contracts --------------------------------------------------------------------------------------------------------

NETWORKS = {
    "RIFE": plain_network(),
    "RIFE in half precision": plain_network(Traits(dtype=np.float16)),
    "RIFE in tiles": tiled_network(2),
    "RIFE of the first package": tiled_network(3, first_package=True),
    "waifu2x": repeating(2),
    "Real-ESRGAN": repeating(4),
    "bytes": whole_bytes(),
}
FULFILLED = {
    "rife.plain": {"RIFE", "RIFE in half precision"},
    "rife": {"RIFE in tiles", "RIFE of the first package"},
    "upscale": {"waifu2x", "Real-ESRGAN", "bytes"},
}
OTHERS = ("tha3.editor", "tha4.body_morpher", "tha4_student.face", "tha4_student.body")


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("contract", [*FULFILLED, *OTHERS])
def test_a_network_is_taken_where_it_belongs_and_nowhere_else(tmp_path: Path, contract: str, name: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(NETWORKS[name].SerializeToString())
    if name in FULFILLED.get(contract, ()):
        check_contract(contract, path)
        return
    with pytest.raises(ModelFileBad) as caught:
        check_contract(contract, path)
    assert caught.value.parameters == {"file": "net.onnx", "reason": "wrong_contract"}


@pytest.mark.parametrize("contract", [*FULFILLED, *OTHERS])
@pytest.mark.parametrize("content", [onnx("a network"), onnx()[2:], PAGE, b""])
def test_what_is_no_network_fulfils_no_contract(tmp_path: Path, contract: str, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileBad):
        check_contract(contract, path)


def test_what_is_no_network_by_its_place_is_looked_at_only(tmp_path: Path) -> None:
    for contract, name in (("character.picture", "character.png"), ("face_landmarker", "face.task")):
        path = tmp_path / name
        path.write_bytes(GOOD[name])
        check_contract(contract, path)
