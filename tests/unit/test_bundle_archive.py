"""The zip itself: the same for the same contents, whole or not there, and of names that Windows can have."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from core.install.bundle import archive as bundle_archive
from core.install.bundle.archive import Source, fingerprints, write
from core.install.problem import InstallProblem

from .bundle_pieces import Quiet


def made(output: Path, sources: dict[str, Source]) -> Path:
    write(output, "Top", sources, fingerprints(sources), Quiet())
    return output


def test_the_same_contents_make_the_same_bytes_in_whatever_order_and_at_whatever_time(tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_bytes(b"b" * 3_000_000)
    first = made(tmp_path / "1.zip", {"x/b.txt": file, "a.whl": b"a" * 1000}).read_bytes()
    os.utime(file, (1, 1))
    assert made(tmp_path / "2.zip", {"a.whl": b"a" * 1000, "x/b.txt": file}).read_bytes() == first
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["Top/a.whl", "Top/x/b.txt"]
        assert archive.read("Top/x/b.txt") == b"b" * 3_000_000
        assert [info.compress_type for info in archive.infolist()] == [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]


@pytest.mark.parametrize(
    "name", ["aux.py", "core/NUL", "a:b", "x/../y", "/x", "x//y", "name. ", "name.", 'q"', "a\\b", "x?", "n\n"]
)
def test_names_that_windows_cannot_have_are_refused(name: str) -> None:
    with pytest.raises(InstallProblem, match="Windows cannot have"):
        fingerprints({name: b""})


def test_names_that_differ_by_letter_case_only_and_long_ones_are_refused() -> None:
    with pytest.raises(InstallProblem, match=r"core/A\.py and core/a\.py are one file on Windows"):
        fingerprints({"core/A.py": b"", "core/a.py": b""})
    with pytest.raises(InstallProblem, match="longer than 200"):
        fingerprints({"d/" * 98 + "file.py": b""})


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(InstallProblem, match="1 MB free"):
        made(tmp_path / "a.zip", {"a": b"a"})
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_leaves_the_zip_of_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "a.zip"
    before = made(output, {"a": b"before"}).read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle_archive, "_read_back", full)
    with pytest.raises(InstallProblem, match="the disk is full"):
        made(output, {"a": b"after"})
    assert output.read_bytes() == before
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_that_changes_while_it_is_packed_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one")
    known = fingerprints({"f": file})
    file.write_bytes(b"two")
    with pytest.raises(InstallProblem, match="f was changed"):
        write(tmp_path / "a.zip", "Top", {"f": file}, known, Quiet())
    assert list(tmp_path.iterdir()) == [file]


def test_a_zip_that_comes_back_otherwise_than_it_was_written_does_not_take_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = bundle_archive._write

    def spoiled(fresh: Path, *rest: object) -> None:
        honest(fresh, *rest)  # type: ignore[arg-type]
        content = fresh.read_bytes()
        fresh.write_bytes(content.replace(b"stored words", b"stored w0rds"))

    monkeypatch.setattr(bundle_archive, "_write", spoiled)
    with pytest.raises(InstallProblem, match=r"a\.whl came back from the disk changed"):
        made(tmp_path / "a.zip", {"a.whl": b"stored words"})
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a user whom folders can be closed to")
def test_a_folder_that_may_not_be_written_to_is_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InstallProblem, match="could not be written"):
        made(tmp_path / "a.zip", {"a": b"a"})
