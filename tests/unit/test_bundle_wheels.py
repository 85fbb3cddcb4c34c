"""Packages for a bundle: the right file of each, whole, fetched once."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from core.install.bundle.pins import Pin
from core.install.bundle.wheels import Wheel, fetch, fits
from core.install.problem import InstallProblem

from .bundle_pieces import FakePip, Quiet, write_wheel

ONE = "one-1.0-cp312-cp312-win_amd64.whl"


def fetched(folder: Path, pip: FakePip, *pins: Pin) -> list[Wheel]:
    return fetch(pins or (Pin("one", "1.0"),), Path("python"), folder, Quiet(), pip)


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        (ONE, True),
        ("one-1.0-cp312-abi3-win_amd64.whl", True),
        ("one-1.0-cp37-abi3-win_amd64.whl", True),
        ("one-1.0-py2.py3-none-any.whl", True),
        ("one-1.0-py3-none-win_amd64.whl", True),
        ("one-1.0-1build-py3-none-any.whl", True),
        ("one-1.0-cp313-abi3-win_amd64.whl", False),
        ("one-1.0-cp311-cp311-win_amd64.whl", False),
        ("one-1.0-cp312-cp312-win_arm64.whl", False),
        ("one-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", False),
        ("one-1.0-py2-none-any.whl", False),
        ("one-1.1-cp312-cp312-win_amd64.whl", False),
        ("one_more-1.0-cp312-cp312-win_amd64.whl", False),
        ("one-1.0.tar.gz", False),
    ],
)
def test_only_files_for_python_3_12_on_64_bit_windows_are_taken(name: str, runs: bool) -> None:
    assert fits(name, Pin("One", "1.0")) is runs


def test_what_was_fetched_once_needs_no_network_the_next_time(tmp_path: Path) -> None:
    pip = FakePip([ONE])
    first = fetched(tmp_path, pip)
    assert "win_amd64" in pip.commands[0]
    assert fetched(tmp_path, FakePip()) == first
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_a_file_that_changed_in_the_cache_is_fetched_anew(tmp_path: Path) -> None:
    (wheel,) = fetched(tmp_path, FakePip([ONE]))
    wheel.path.write_bytes(wheel.path.read_bytes()[:-10])
    (again,) = fetched(tmp_path, FakePip([ONE]))
    assert again == wheel
    assert zipfile.ZipFile(again.path).testzip() is None


def test_a_stranger_in_the_cache_is_not_taken(tmp_path: Path) -> None:
    write_wheel(tmp_path / ONE)
    with pytest.raises(InstallProblem, match="could not be fetched"):
        fetched(tmp_path, FakePip())


def test_a_damaged_list_in_the_cache_is_the_same_as_none(tmp_path: Path) -> None:
    for content in ("[1]", "{", ""):
        (tmp_path / "hashes.json").write_text(content, encoding="utf-8")
        fetched(tmp_path, FakePip([ONE]))
    assert list(json.loads((tmp_path / "hashes.json").read_text(encoding="utf-8"))) == [ONE]


def test_a_package_of_python_alone_is_built_when_there_is_only_its_source(tmp_path: Path) -> None:
    pip = FakePip(builds=["one-1.0-py3-none-any.whl"])
    assert fetched(tmp_path, pip)[0].path.name == "one-1.0-py3-none-any.whl"
    assert [command[4] for command in pip.commands] == ["download", "wheel"]


def test_what_was_built_for_this_machine_is_not_taken_for_windows(tmp_path: Path) -> None:
    with pytest.raises(InstallProblem, match="on 64-bit Windows: pip brought one-1"):
        fetched(tmp_path, FakePip(builds=["one-1.0-cp311-cp311-linux_x86_64.whl"]))


def test_without_a_network_pips_words_are_told_and_its_warnings_are_not(tmp_path: Path) -> None:
    with pytest.raises(InstallProblem) as caught:
        fetched(tmp_path, FakePip())
    assert "ERROR: No matching distribution found" in str(caught.value)
    assert "network" in str(caught.value)
    assert "slow" not in str(caught.value)


def test_what_came_before_a_failure_stays(tmp_path: Path) -> None:
    with pytest.raises(InstallProblem, match=r"two==2\.0"):
        fetched(tmp_path, FakePip([ONE]), Pin("one", "1.0"), Pin("two", "2.0"))
    assert fetched(tmp_path, FakePip())[0].path.name == ONE


def test_a_file_that_is_no_whole_package_or_another_one_never_reaches_the_cache(tmp_path: Path) -> None:
    pip = FakePip([ONE])
    pip.make = lambda path: path.write_bytes(b"<html>")
    with pytest.raises(InstallProblem, match="no whole package"):
        fetched(tmp_path, pip)
    pip.make = lambda path: write_wheel(path.with_name("other-1.0-py3-none-any.whl")).rename(path)
    with pytest.raises(InstallProblem, match=r"it is other==1\.0"):
        fetched(tmp_path, pip)
    assert not list(tmp_path.glob("*.whl"))
