"""Which file belongs where, in every layout that EasyVtuber has had."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.store.entry import Place, Root
from models.store.layout import first_package, is_not_needed, is_unsafe, place_of, recognise
from models.upscale.files import NETWORK_KINDS, candidates


@pytest.mark.parametrize(
    ("name", "path", "contract"),
    [
        ("tha3/seperable/fp16/editor.onnx", "tha3/seperable/fp16/editor.onnx", "tha3.editor"),
        ("THA3/Separable/FP16/Editor.ONNX", "tha3/seperable/fp16/editor.onnx", "tha3.editor"),
        ("tha3/standard/fp32/rotator.onnx", "tha3/standard/fp32/rotator.onnx", "tha3.rotator"),
        ("tha4/fp32/body_morpher.onnx", "tha4/fp32/body_morpher.onnx", "tha4.body_morpher"),
        ("tha4_student/face_morpher.onnx", "tha4_student/face_morpher.onnx", "tha4_student.face"),
        (
            "custom_tha4_models/御子 a/body_morpher.onnx",
            "custom_tha4_models/御子 a/body_morpher.onnx",
            "tha4_student.body",
        ),
        ("custom_tha4_models/Miko/character.png", "custom_tha4_models/Miko/character.png", "character.picture"),
        ("rife/ifnet_fp16.onnx", "rife/ifnet_fp16.onnx", "rife.plain"),
        ("RIFE/IFNet_FP32.onnx", "rife/ifnet_fp32.onnx", "rife.plain"),
        ("rife/rife_x3_fp16.onnx", "rife/rife_x3_fp16.onnx", "rife"),
        ("rife_512/x3/fp16.onnx", "rife/rife_x3_fp16.onnx", "rife"),
        ("waifu2x/noise0_scale2x_fp32.onnx", "waifu2x/noise0_scale2x_fp32.onnx", "upscale"),
        ("waifu2x_upconv/fp32/upconv_7/art/noise0_scale2x.onnx", "waifu2x/noise0_scale2x_fp32.onnx", "upscale"),
        ("waifu2x_upconv/fp16/upconv_7/art/scale2x.onnx", "waifu2x/scale2x_fp16.onnx", "upscale"),
        ("Real-ESRGAN/exported_256_fp16.onnx", "Real-ESRGAN/exported_256_fp16.onnx", "upscale"),
        ("Real-ESRGAN/exported_256.onnx", "Real-ESRGAN/exported_256_fp32.onnx", "upscale"),
        ("face_landmarker.task", "mediapipe/face_landmarker.task", "face_landmarker"),
    ],
)
@pytest.mark.parametrize("above", ["", "20241220/", "EasyVtuber/data/models/", "模型\\data\\models\\", "./a//b/"])
def test_a_network_is_known_wherever_its_tree_begins(above: str, name: str, path: str, contract: str) -> None:
    found = recognise(above + name)
    assert found is not None
    assert found.place == Place(path, contract)
    assert (found.depth == 0) is (above == "")


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        ("face_morpher.pt", "tha4_student.face"),
        ("body_morpher.pt", "tha4_student.body"),
        ("character_model.yaml", "tha4_student.description"),
        ("character.png", "character.picture"),
    ],
)
def test_student_examples_belong_to_the_characters(name: str, contract: str) -> None:
    found = recognise(f"demo/data/character_models/lambda_00/{name}")
    assert found is not None
    assert found.place == Place(f"lambda_00/{name}", contract, Root.CHARACTERS)


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "editor.onnx", "fp16/editor.onnx", "tha3/fp16/editor.onnx", "tha3/seperable/fp8/editor.onnx",
        "tha3/seperable/fp16/editor.onnx/x", "tha3/seperable/fp16/editor.onnx.bak", "xtha3/seperable/fp16/editor.onnx",
        "tha3/seperable/fp16/merge.onnx", "tha3/seperable/fp16/upscaler.onnx", "rife/rife_x5_fp16.onnx",
        "rife_512/x2/x.onnx", "rife/ifnet.onnx", "rife/ifnet_fp8.onnx", "rife_512/ifnet_fp16.onnx",
        "custom_tha4_models/a/face_morpher.pt", "custom_tha4_models/a/body_morpher.png",
        "custom_tha4_models/a/character.onnx", "custom_tha4_models/face_morpher.onnx",
        "character_models/a/face_morpher.onnx", "character_models/a/character.pt",
        "character_models/a/character.yaml", "character_models/a/character_model.png",
    ],
)  # fmt: skip
def test_everything_else_is_none_of_ours(name: str) -> None:
    assert recognise(name) is None


@pytest.mark.parametrize(
    "name",
    [
        ".hidden", "_built in", "con", "NUL.txt", "com1", "a:b", "a?", 'a"b', "a<b", "a|b", "a*", "dot.", "", " ",
        "a\x00b", "a\nb", "\x7f", "x" * 81, "\ud800",
    ],
)  # fmt: skip
def test_a_student_with_a_name_that_windows_refuses_is_left_out(name: str) -> None:
    assert recognise(f"custom_tha4_models/{name}/face_morpher.onnx") is None


def test_two_ways_to_write_a_name_are_one() -> None:
    composed, decomposed = (recognise(f"custom_tha4_models/{name}/face_morpher.onnx") for name in ("é", "e\u0301"))
    assert composed is not None
    assert composed == decomposed


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../tha3/a", True), ("a/../../b", True), ("a\\..\\b", True), ("/a", True), ("\\a", True),
        ("\\\\server\\a", True), ("C:/a", True), ("c:a", True), ("C:\\a", True), ("..", True),
        ("a/b", False), ("a..b/c", False), (".../a", False), ("./a", False), ("模型/a", False), ("", False),
    ],
)  # fmt: skip
def test_names_that_lead_out_of_a_folder(name: str, expected: bool) -> None:
    assert is_unsafe(name) is expected


@given(st.text())
def test_whatever_is_recognised_stays_below_its_root(text: str) -> None:
    for name in (text, f"custom_tha4_models/{text}/face_morpher.onnx", f"character_models/{text}/character.png"):
        found = recognise(name)
        if found is not None:
            parts = found.place.path.split("/")
            assert not is_unsafe(found.place.path)
            assert all(part and part not in (".", "..") and "\\" not in part and ":" not in part for part in parts)
            assert place_of(found.place.path, found.place.root) == found.place


def test_the_first_package_has_38_networks_for_38_places() -> None:
    members = first_package()
    assert (len(members), len(set(members.values()))) == (38, 38)
    assert sum(path.startswith("tha3/") for path in members.values()) == 20


@pytest.mark.parametrize("kind", NETWORK_KINDS)
def test_whatever_super_resolution_looks_for_has_a_place(kind: str) -> None:
    assert {place_of(path) for path in candidates(kind, "full")} == {
        Place(path, "upscale") for path in candidates(kind, "half")
    }


@pytest.mark.parametrize(
    "path", ["tha3/separable/fp16/editor.onnx", "rife_512/x2/fp16.onnx", "nonsense", "a/tha4/fp16/morpher.onnx"]
)
def test_a_place_is_asked_for_by_its_own_path_only(path: str) -> None:
    with pytest.raises(ValueError, match="layout"):
        place_of(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tha3/seperable/fp16/merge.onnx", True), ("a\\merge_no_eyebrow.onnx", True), ("x/editor.onnx.cache", True),
        ("x/y.trt", True), ("x/editor.onnx", False), ("readme.txt", False),
    ],
)  # fmt: skip
def test_what_this_program_has_no_use_for(name: str, expected: bool) -> None:
    assert is_not_needed(name) is expected
