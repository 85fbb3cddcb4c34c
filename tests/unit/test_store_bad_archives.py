"""Importing from archives that nobody should have made, and from good ones on a bad day."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.wire.errors import ArchiveBad
from models.store import container, importer
from models.store.container import Item, open_container
from models.store.importer import import_from, take
from models.store.places import Places
from models.store.placing import put

from .store_packages import EDITOR, ROTATOR, list_files, patched, refusal, skipped, taken, write
from .store_server import go_on, make_zip, onnx, places_in


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Where a package lies."""
    return tmp_path / "下载 package.zip"


@pytest.mark.parametrize(
    "name",
    ["../{}", "a/../../{}", "..\\..\\{}", "/{}", "\\{}", "C:/{}", "c:{}", "\\\\server\\share\\{}"],
)
def test_names_that_lead_out_of_the_archive_are_left_out(package: Path, places: Places, name: str) -> None:
    name = name.format(EDITOR)
    report = import_from(write(package, {name: onnx("evil"), ROTATOR: onnx()}), places, go_on)
    assert set(skipped(report).values()) == {"unsafe_name"}
    everything = list_files(package.parent)
    assert sorted(everything) == sorted(
        [package.name, (places.weights / ROTATOR).relative_to(package.parent).as_posix()]
    )


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_left_out(package: Path, places: Places, kind: int) -> None:
    with zipfile.ZipFile(package, "w") as archive:
        info = zipfile.ZipInfo(EDITOR)
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16
        archive.writestr(info, b"/etc/passwd")
        archive.writestr(ROTATOR, onnx())
    report = import_from(package, places, go_on)
    assert skipped(report) == {EDITOR: "not_a_file"}
    assert list_files(places.weights) == [ROTATOR]


def test_folders_are_no_files(package: Path, places: Places) -> None:
    with zipfile.ZipFile(package, "w") as archive:
        archive.mkdir(EDITOR)
        archive.writestr(ROTATOR, onnx())
    assert skipped(import_from(package, places, go_on)) == {}


def test_an_encrypted_archive_is_refused(package: Path, places: Places) -> None:
    content = make_zip({EDITOR: onnx()})
    for mark, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(mark) + flags_at
        content = content[:at] + b"\x01" + content[at + 1 :]
    package.write_bytes(content)
    assert refusal(package, places) == "encrypted"


def test_a_way_of_packing_that_is_unknown_is_told(package: Path, places: Places) -> None:
    content = make_zip({EDITOR: onnx()})
    for mark, method_at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.index(mark) + method_at
        content = content[:at] + b"\x09" + content[at + 1 :]
    package.write_bytes(content)
    assert refusal(package, places) == "nothing_known"
    with open_container(package) as items:
        assert skipped(take(items, "p", places, go_on, only=())) == {EDITOR: "unknown_compression"}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_usual_way_of_packing_works(package: Path, places: Places, compression: int) -> None:
    import_from(write(package, {EDITOR: onnx("a", 900_000)}, compression), places, go_on)
    assert (places.weights / EDITOR).read_bytes() == onnx("a", 900_000)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_whose_bytes_were_changed_is_told_and_the_others_come(
    package: Path, places: Places, compression: int
) -> None:
    secret = os.urandom(50_000)
    content = bytearray(make_zip({EDITOR: onnx("x") + secret, ROTATOR: onnx()}, compression))
    content[20_000] ^= 0xFF
    package.write_bytes(content)
    report = import_from(package, places, go_on)
    assert [(bad.source, bad.reason) for bad in report.damaged] == [(EDITOR, "file_damaged")]
    assert list_files(places.weights) == [ROTATOR]


def test_a_zip_that_was_cut_short_is_none(package: Path, places: Places) -> None:
    content = make_zip({EDITOR: onnx("x", 5000)}, zipfile.ZIP_STORED)
    for length in (0, 4, 100, len(content) // 2, len(content) - 1):
        package.write_bytes(content[:length])
        assert refusal(package, places) == "not_a_zip"


@pytest.mark.parametrize("content", [b"", b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c", b"PK\x05\x06", b"x" * 70_000])
def test_other_files_are_no_zips(package: Path, places: Places, content: bytes) -> None:
    package.write_bytes(content)
    assert refusal(package, places) == "not_a_zip"


def test_what_is_not_there_cannot_be_imported(package: Path, places: Places) -> None:
    assert refusal(package, places) == "path_missing"


@pytest.mark.parametrize("members", [{}, {"readme.txt": b"hello"}, {"fp16/editor.onnx": onnx()}])
def test_an_archive_of_something_else_is_told(package: Path, places: Places, members: dict[str, bytes]) -> None:
    assert refusal(write(package, members), places) == "nothing_known"


def test_a_bomb_is_not_unpacked(package: Path, places: Places) -> None:
    assert refusal(write(package, {EDITOR: bytes(8 << 20), ROTATOR: onnx()}), places) == "too_large"


def test_a_bomb_that_is_none_of_ours_is_not_even_looked_at(package: Path, places: Places) -> None:
    report = import_from(write(package, {"films/a.bin": bytes(8 << 20), ROTATOR: onnx()}), places, go_on)
    assert taken(report) == {ROTATOR: ROTATOR}


def test_an_announced_size_beyond_all_measure_is_refused(
    package: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(package, {EDITOR: onnx("a"), ROTATOR: onnx("b")})
    monkeypatch.setattr(container, "MAXIMUM_FILE_BYTES", len(onnx("a")) - 1)
    assert refusal(package, places) == "too_large"
    monkeypatch.undo()
    monkeypatch.setattr(importer, "MAXIMUM_BYTES", len(onnx("a")) + 1)
    assert refusal(package, places) == "too_large"


def test_a_size_that_is_told_too_small_is_found_out(package: Path, places: Places) -> None:
    data = onnx("x", 4000)
    content = make_zip({EDITOR: data}, zipfile.ZIP_STORED)
    at = content.index(b"PK\x01\x02") + 24
    package.write_bytes(content[:at] + (len(data) - 1000).to_bytes(4, "little") + content[at + 4 :])
    report = import_from(package, places, go_on)
    assert [bad.reason for bad in report.damaged] == ["file_damaged"]
    assert list_files(places.weights) == []


def test_too_many_entries_are_refused(package: Path, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    write(package, {EDITOR: onnx(), **{f"{number}.txt": b"" for number in range(50)}})
    monkeypatch.setattr(container, "MAXIMUM_ENTRIES", 50)
    assert refusal(package, places) == "too_large"
    monkeypatch.undo()
    monkeypatch.setattr(container, "_LONGEST_READ", 2000)
    assert refusal(package, places) == "not_a_zip"


def test_too_many_files_in_a_folder_are_refused(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "much"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.onnx").write_bytes(onnx())
    monkeypatch.setattr(container, "MAXIMUM_FOLDER_FILES", 4)
    assert refusal(folder, places) == "too_large"


def test_of_names_that_are_there_twice_the_first_counts(package: Path, places: Places) -> None:
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(EDITOR, onnx("first"))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(EDITOR, onnx("second"))
    report = import_from(package, places, go_on)
    assert skipped(report) == {EDITOR: "duplicate"}
    assert (places.weights / EDITOR).read_bytes() == onnx("first")


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_files_for_one_place_the_one_nearer_to_the_top_counts(
    package: Path, places: Places, turned: bool
) -> None:
    members = {
        f"old/backup/{EDITOR}": onnx("old"),
        f"new/{EDITOR}": onnx("new"),
        "new/Real-ESRGAN/exported_256.onnx": onnx("first package"),
        "new/Real-ESRGAN/exported_256_fp32.onnx": onnx("today"),
        f"new/{ROTATOR.upper()}": onnx("capitals"),
        f"old/new/{ROTATOR}": onnx("small"),
    }
    names = sorted(members, reverse=turned)
    report = import_from(write(package, {name: members[name] for name in names}), places, go_on)
    assert sorted(skipped(report).values()) == ["duplicate"] * 3
    found = {path: (places.weights / path).read_bytes() for path in list_files(places.weights)}
    expected = {EDITOR: onnx("new"), "Real-ESRGAN/exported_256_fp32.onnx": onnx("today"), ROTATOR: onnx("capitals")}
    assert found == expected


def test_names_in_other_spellings_of_case_are_one_place(package: Path, places: Places) -> None:
    names = ("custom_tha4_models/Miko/face_morpher.onnx", "custom_tha4_models/miko/face_morpher.onnx")
    report = import_from(write(package, {name: onnx(name) for name in names}), places, go_on)
    assert taken(report) == {names[0]: names[0]}
    assert skipped(report) == {names[1]: "duplicate"}


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_names_that_chinese_packers_wrote_survive(package: Path, places: Places, encoding: str) -> None:
    raw = "模型/custom_tha4_models/乗子/face_morpher.onnx".encode(encoding)
    held = b"?" * len(raw)
    content = make_zip({held.decode(): onnx()})
    package.write_bytes(patched(content, held, raw))
    assert (b"\\" in raw) is (encoding == "gbk"), "one of the letters holds the byte of a backslash"
    assert taken(import_from(package, places, go_on)) == {
        raw.decode(encoding): "custom_tha4_models/乗子/face_morpher.onnx"
    }


def test_names_in_no_known_encoding_are_no_hindrance(package: Path, places: Places) -> None:
    raw = b"\xff\xfe\x80 " + EDITOR.encode()
    name = raw.replace(b" ", b"/")
    held = b"?" * len(name)
    package.write_bytes(patched(make_zip({held.decode(): onnx()}), held, name))
    assert list(taken(import_from(package, places, go_on)).values()) == [EDITOR]


def test_a_full_disk_is_told_before_anything_is_written(
    package: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(package, {EDITOR: onnx()})
    monkeypatch.setattr(importer, "free_bytes", lambda folder: 10)
    assert refusal(package, places) == "disk_full"


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, "disk_full"), (errno.EROFS, "not_writable")])
def test_a_disk_that_refuses_midway_leaves_whole_files_only(
    package: Path, places: Places, monkeypatch: pytest.MonkeyPatch, number: int, expected: str
) -> None:
    def refuse(arrived: Path, target: Path) -> Any:
        if target.name == "rotator.onnx":
            raise OSError(number, "no")
        return put(arrived, target)

    opened = Path.open

    def refuse_to_open(self: Path, mode: str = "r", **others: Any) -> Any:
        if self.name.endswith("-rotator.onnx") and "x" in mode:
            raise OSError(number, "no")
        return opened(self, mode, **others)

    write(package, {EDITOR: onnx("a"), ROTATOR: onnx("b")})
    monkeypatch.setattr(Path, "open", refuse_to_open)
    if number == errno.ENOSPC:
        monkeypatch.setattr(importer, "put", refuse)
    with pytest.raises(ArchiveBad) as caught:
        import_from(package, places, go_on)
    assert caught.value.parameters == {"path": str(package), "reason": expected}
    assert list_files(places.weights) == [EDITOR]


def test_what_a_process_left_behind_that_died_is_cleared_away_after_a_day(package: Path, places: Places) -> None:
    folder = (places.weights / EDITOR).parent
    folder.mkdir(parents=True)
    old, new = folder / ".incoming-00-editor.onnx", folder / ".incoming-01-editor.onnx"
    for path in (old, new):
        path.write_bytes(b"half")
    day_before_yesterday = old.stat().st_mtime - 2 * 86400
    os.utime(old, (day_before_yesterday, day_before_yesterday))
    import_from(write(package, {EDITOR: onnx()}), places, go_on)
    assert [path.name for path in sorted(folder.iterdir())] == [new.name, "editor.onnx"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_in_a_folder_lead_to_files_only(tmp_path: Path, places: Places) -> None:
    folder = tmp_path / "data" / "tha3" / "seperable" / "fp16"
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere.onnx").write_bytes(onnx("elsewhere"))
    (folder / "editor.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    (folder / "morpher.onnx").symlink_to(tmp_path / "gone.onnx")
    (folder / "again").symlink_to(tmp_path / "data", target_is_directory=True)
    if sys.platform != "win32":
        os.mkfifo(folder / "rotator.onnx")
    report = import_from(tmp_path / "data", places, go_on)
    assert list(taken(report).values()) == [EDITOR]
    assert not (places.weights / EDITOR).is_symlink()
    assert sorted(skipped(report).values()) == ["not_a_file", "not_a_file"]


def test_long_lists_of_what_is_unknown_are_cut(package: Path, places: Places) -> None:
    report = import_from(write(package, {EDITOR: onnx(), **{f"{n}.txt": b"" for n in range(300)}}), places, go_on)
    assert (len(report.skipped), report.unlisted) == (200, 100)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("fuzz")
    yield folder
    shutil.rmtree(folder)


_SEED = make_zip({f"a/{EDITOR}": onnx("a"), "custom_tha4_models/é/face_morpher.onnx": onnx("b"), "x.txt": b"x"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, len(_SEED) - 1), st.binary(min_size=1, max_size=4)), max_size=6))
def test_a_zip_with_changed_bytes_gives_a_report_or_a_reason(scratch: Path, changes: list[tuple[int, bytes]]) -> None:
    content = bytearray(_SEED)
    for at, new in changes:
        content[at : at + len(new)] = new
    package = scratch / "fuzz.zip"
    package.write_bytes(content)
    places = places_in(scratch)
    try:
        report = import_from(package, places, go_on)
    except ArchiveBad as bad:
        assert bad.parameters["reason"]
    else:
        assert report.taken or report.damaged or report.already_there
    assert {path.name for path in scratch.iterdir()} <= {"fuzz.zip", places.weights.parent.name}
    if places.weights.parent.exists():
        assert {path.name for path in places.weights.parent.iterdir()} <= {"weights"}


@pytest.mark.parametrize("told", [len(onnx()) - 1, len(onnx()) + 1])
def test_a_file_that_grows_or_shrinks_while_it_is_read_is_not_taken(places: Places, told: int) -> None:
    item = Item(EDITOR, told, lambda: io.BytesIO(onnx()))
    (bad,) = take([item], "a folder", places, go_on).damaged
    assert (bad.source, bad.reason) == (EDITOR, "file_damaged")
    assert list_files(places.weights) == []


def test_a_package_that_cannot_be_opened_is_told(
    package: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *arguments: Any, **others: Any) -> Any:
        raise PermissionError(errno.EACCES, "no")

    write(package, {EDITOR: onnx()})
    monkeypatch.setattr(Path, "open", refuse)
    assert refusal(package, places) == "not_readable"


def test_reading_is_bounded_for_whoever_asks(package: Path) -> None:
    write(package, {EDITOR: onnx()})
    with package.open("rb") as file, container.open_zip(file, "p") as items, items[0].open() as stream:
        assert isinstance(stream, io.BufferedIOBase)
        assert stream.read() == onnx()
