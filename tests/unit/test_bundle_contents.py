"""On the user's machine: has all of the bundle arrived, and which packages are taken from it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.install.bundle import contents as bundle_contents
from core.install.bundle.archive import fingerprints
from core.install.bundle.contents import Bundle, check, here, pip_options
from core.install.problem import InstallProblem

from .bundle_pieces import Quiet

FILES = {
    "core/worker/loop.py": b"the program",
    "python/python.exe": b"the interpreter",
    "wheels/one-1.0-py3-none-any.whl": b"a package",
    "characters/nocti/character.json": b"a character",
    "docs/models.md": b"words",
    "models/weights/rife/rife_x2_fp16.onnx": b"a network",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpacked(tmp_path / "Meine Sachen 用户")


def unpacked(folder: Path, **changed: Any) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    manifest = {
        "format": 1, "product": "0.1.0", "python": "3.12", "longest_name": 100,
        "wheels": {"one==1.0": "one-1.0-py3-none-any.whl"}, "files": fingerprints(dict(FILES)), **changed,
    }  # fmt: skip
    (folder / "bundle.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def found(folder: Path) -> Bundle:
    bundle = here(folder, "win32")
    assert bundle is not None
    return bundle


def test_a_whole_bundle_is_good(folder: Path) -> None:
    check(found(folder), Quiet())


def test_a_clone_is_no_bundle_and_other_systems_have_no_use_for_one(tmp_path: Path, folder: Path) -> None:
    assert here(tmp_path, "win32") is None
    assert here(folder, "linux") is None


@pytest.mark.parametrize("name", ["core/worker/loop.py", "python/python.exe", "wheels/one-1.0-py3-none-any.whl"])
def test_the_first_file_that_did_not_arrive_is_named(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(FILES[name][:-1] + b"X")
    with pytest.raises(InstallProblem) as damaged:
        check(found(folder), Quiet())
    path.write_bytes(FILES[name][:-1])
    with pytest.raises(InstallProblem) as short:
        check(found(folder), Quiet())
    path.unlink()
    with pytest.raises(InstallProblem) as missing:
        check(found(folder), Quiet())
    for problem, word in ((damaged, "damaged"), (short, "arrive whole"), (missing, "missing")):
        assert str(path) in str(problem.value)
        assert word in str(problem.value)
        assert "unpack all of it" in str(problem.value)


def test_what_is_the_users_own_to_change_may_be_changed_or_taken_away(folder: Path) -> None:
    (folder / "characters/nocti/character.json").write_bytes(b"mine")
    (folder / "models/weights/rife/rife_x2_fp16.onnx").unlink()
    (folder / "docs/models.md").unlink()
    (folder / "core/more.py").write_bytes(b"")
    check(found(folder), Quiet())


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 2}', '{"format": 1, "python": "3"}'])
def test_a_damaged_list_of_contents_is_a_sentence(folder: Path, content: str) -> None:
    (folder / "bundle.json").write_text(content, encoding="utf-8")
    with pytest.raises(InstallProblem, match=r"bundle\.json cannot be read"):
        found(folder)


@pytest.mark.parametrize("files", [["a"], {"a": 3}, {"a": [1]}, {"a": ["x", "y"]}])
def test_a_list_of_contents_of_another_shape_is_a_sentence(tmp_path: Path, files: object) -> None:
    with pytest.raises(InstallProblem, match=r"bundle\.json cannot be read"):
        found(unpacked(tmp_path, files=files))


def test_a_folder_that_lies_too_deep_for_windows_is_told_with_how_much_too_deep(tmp_path: Path) -> None:
    room = 259 - len(str(tmp_path)) - 1
    check(found(unpacked(tmp_path, longest_name=room)), Quiet())
    with pytest.raises(InstallProblem, match=r"lies too deep.*needs 3 more"):
        check(found(unpacked(tmp_path, longest_name=room + 3)), Quiet())


def test_a_package_that_came_along_is_taken_from_nowhere_else(folder: Path) -> None:
    bundle = found(folder)
    wheels = str(folder / "wheels")
    assert pip_options(bundle, "One==1.0", (3, 12)) == ["--no-index", "--find-links", wheels]
    assert pip_options(bundle, 'one==1.0; sys_platform == "win32"', (3, 12))[-1] == wheels


@pytest.mark.parametrize(
    ("requirement", "python"),
    [("one==1.1", (3, 12)), ("two==1.0", (3, 12)), ("one>=1", (3, 12)), ("one==1.0", (3, 11))],
)
def test_what_did_not_come_along_or_is_for_another_python_comes_as_ever(
    folder: Path, requirement: str, python: tuple[int, int]
) -> None:
    assert pip_options(found(folder), requirement, python) == []
    assert pip_options(None, requirement, python) == []


def test_hashes_are_of_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 2_500_000)
    facts = fingerprints({"f": tmp_path / "f"})["f"]
    assert (facts.byte_count, facts.sha256) == (2_500_000, bundle_contents.hash_of(tmp_path / "f"))
