"""``bundle`` as a whole, with small pieces: what is in the zip, what is refused, what users are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.install import environment
from core.install.bundle import command
from core.install.bundle import contents as bundle_contents
from core.install.bundle.command import Wanted
from core.install.main import main
from core.install.problem import InstallProblem

from .bundle_pieces import FakePip, Quiet, write_project, write_python

WHEELS = ("one-1.0-py3-none-any.whl", "two-2.0-cp312-cp312-win_amd64.whl", "fast-4.0-py3-none-win_amd64.whl")


class Maker:
    """A maker's machine."""

    def __init__(self, folder: Path) -> None:
        self.project = write_project(folder / "project")
        self.python = write_python(folder / "python 3.12")
        self.output = folder / "out" / "bundle.zip"
        self.pip = FakePip(WHEELS)
        self.console = Quiet()

    def bundle(self, **wanted: Any) -> Path:
        choices = {"output": self.output, "python": self.python, **wanted}
        return command.bundle(self.console, Path("env"), Wanted(**choices), self.project, self.pip)


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Maker:
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(environment, "prepare", lambda folder, console: Path("env/python"))
    return Maker(tmp_path)


def unpack(zipped: Path, folder: Path) -> Path:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder / "EasyVtuber"


def test_who_unpacks_it_has_all_of_it_and_the_installer_knows_that(maker: Maker, tmp_path: Path) -> None:
    root = unpack(maker.bundle(), tmp_path / "Meine Sachen 用户")
    for name in ("install.bat", "python/python.exe", "python/LICENSE.txt", "core/wire/version.py", "LICENSES.md"):
        assert (root / name).is_file(), name
    assert sorted(path.name for path in (root / "wheels").iterdir()) == sorted(WHEELS[:2])
    bundle = bundle_contents.here(root, "win32")
    assert bundle is not None
    bundle_contents.check(bundle, Quiet())
    unlisted = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - set(bundle.files)
    assert unlisted == {"bundle.json"}
    assert bundle_contents.pip_options(bundle, "two==2.0", (3, 12))
    assert bundle.longest_name >= len(".venv/Lib/site-packages/one/__pycache__/__init__.cpython-312.pyc")


def test_it_is_the_same_every_time_and_replaces_the_one_before(maker: Maker) -> None:
    first = maker.bundle().read_bytes()
    for path in maker.project.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    maker.pip.offers = []
    assert maker.bundle().read_bytes() == first
    assert list(maker.output.parent.iterdir()) == [maker.output]


def test_unpacked_over_an_older_one_what_the_user_made_stays(maker: Maker, tmp_path: Path) -> None:
    place = tmp_path / "at the user's"
    root = unpack(maker.bundle(), place)
    own = [root / name for name in ("characters/mine/character.png", ".venv/pyvenv.cfg", "models/weights/x/y.onnx")]
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"the user's own")
    unpack(maker.bundle(), place)
    assert all(path.read_bytes() == b"the user's own" for path in own)


def test_nvidias_packages_come_when_asked_for_with_a_word_on_their_terms(maker: Maker) -> None:
    with zipfile.ZipFile(maker.bundle(nvidia=True)) as archive:
        assert f"EasyVtuber/wheels/{WHEELS[2]}" in archive.namelist()
    assert "NVIDIA's own terms" in maker.console.all


@pytest.mark.skipif(sys.platform == "win32", reason="on Windows the Python that runs this may come along")
def test_without_a_python_it_is_made_all_the_same_and_says_what_users_need(maker: Maker) -> None:
    with zipfile.ZipFile(maker.bundle(python=None)) as archive:
        assert not [name for name in archive.namelist() if name.startswith("EasyVtuber/python/")]
    assert "users need Python 3.12" in maker.console.all


def test_a_python_that_was_named_and_cannot_come_along_is_an_error(maker: Maker) -> None:
    (maker.python / "python312._pth").write_text("", encoding="ascii")
    with pytest.raises(InstallProblem, match="embeddable"):
        maker.bundle()
    assert not maker.output.exists()


def test_a_failed_download_leaves_the_zip_of_before(maker: Maker) -> None:
    before = maker.bundle().read_bytes()
    (maker.project / "requirements.txt").write_text("one==1.5\n", encoding="ascii")
    with pytest.raises(InstallProblem, match=r"one==1\.5 could not be fetched"):
        maker.bundle()
    assert maker.output.read_bytes() == before


def test_networks_go_where_the_program_looks_for_them_and_onto_the_page(maker: Maker, tmp_path: Path) -> None:
    network = tmp_path / "net.onnx"
    network.write_bytes(b"network")
    entry = {
        "key": "rife_fp16", "title": "RIFE", "licence": "MIT", "address": "https://example.invalid",
        "notice": "Copyright somebody", "files": [["models/weights/rife/rife_x2_fp16.onnx", str(network)]],
    }  # fmt: skip

    def store(words: Sequence[str]) -> subprocess.CompletedProcess[bytes] | None:
        if "models.store.passing_on" not in words:
            return None
        return subprocess.CompletedProcess(words, 0, json.dumps([entry]).encode(), b"")

    maker.pip.on_command = store
    root = unpack(maker.bundle(models=("rife_fp16",)), tmp_path / "at the user's")
    assert (root / "models/weights/rife/rife_x2_fp16.onnx").read_bytes() == b"network"
    assert "Copyright somebody" in (root / "LICENSES.md").read_text(encoding="utf-8")


def test_a_network_that_must_not_go_in_ends_it_with_the_reason(maker: Maker) -> None:
    refused = subprocess.CompletedProcess([], 1, b"", b"THA4 does not go into a package for others: because.\n")
    maker.pip.on_command = lambda words: refused if "models.store.passing_on" in words else None
    with pytest.raises(InstallProblem, match="THA4 does not go"):
        maker.bundle(models=("tha4_fp16",))
    assert not maker.output.exists()


def test_it_never_goes_over_a_file_of_the_program_into_its_python_or_onto_a_folder(
    maker: Maker, tmp_path: Path
) -> None:
    (tmp_path / "folder.zip").mkdir()
    for place in (maker.project / "README.md", tmp_path / "bundle", tmp_path / "folder.zip"):
        with pytest.raises(InstallProblem, match=r"Name a file that ends in \.zip"):
            maker.bundle(output=place)
    with pytest.raises(InstallProblem, match="lies in the Python that goes in"):
        maker.bundle(output=maker.python / "Lib" / "bundle.zip")


def test_made_inside_the_project_it_does_not_contain_itself(maker: Maker) -> None:
    inside = maker.project / "docs" / "bundle.zip"
    first = maker.bundle(output=inside).read_bytes()
    assert maker.bundle(output=inside).read_bytes() == first


def test_sizes_are_told(maker: Maker) -> None:
    maker.bundle()
    assert "MB, unpacked" in maker.console.all
    assert "install.bat" in maker.console.all


def test_the_command_line_hands_on_what_was_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Wanted] = []
    monkeypatch.setattr(command, "bundle", lambda console, folder, wanted: asked.append(wanted))
    zipped, python = str(tmp_path / "x.zip"), str(tmp_path)
    assert main(["bundle", "--output", zipped, "--python", python, "--models", "a", "b", "--nvidia"]) == 0
    assert main(["bundle", "--yes"]) == 0
    assert asked == [Wanted(Path(zipped), Path(python), ("a", "b"), True), Wanted()]
