"""Importing EasyVtuber's packages and folders."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import pytest

from core.wire.errors import ModelFileBad
from models.contracts import check_contract
from models.store.container import open_container
from models.store.entry import Place
from models.store.importer import import_from, take
from models.store.layout import first_package
from models.store.places import Places

from .rife_networks import plain_network, tiled_network
from .store_packages import EDITOR, ROTATOR, list_files, skipped, taken, write
from .store_server import go_on, onnx, places_in, png, torch_file
from .upscale_networks import repeating, whole_bytes


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Where a package lies."""
    return tmp_path / "下载 package.zip"


def test_the_whole_first_package_gets_todays_names(package: Path, places: Places) -> None:
    members = {name: onnx(name) for name in first_package()}
    write(package, {f"20241220/{name}": content for name, content in members.items()} | {"20241220/LICENSE": b"MIT"})
    told: list[tuple[str, float]] = []

    def progress(task: str, fraction: float) -> bool:
        told.append((task, fraction))
        return True

    report = import_from(package, places, progress)
    assert len(report.taken) == 38
    assert not report.damaged and not report.stopped
    assert skipped(report) == {"20241220/LICENSE": "not_known"}
    for name, path in first_package().items():
        assert (places.weights / path).read_bytes() == members[name]
    assert list_files(places.weights) == sorted(first_package().values())
    fractions = [fraction for _, fraction in told]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {task for task, _ in told} == set(first_package().values())


def test_todays_layout_with_a_students_folder(package: Path, places: Places) -> None:
    above = "EasyVtuber-整合包/data/models/"
    members = {
        "tha3/seperable/fp16/editor.onnx": onnx("a"),
        "tha3/seperable/fp16/merge.onnx": onnx("merge"),
        "tha3/seperable/fp16/editor.onnx.cache": b"of a card",
        "tha4/fp16/upscaler.onnx": onnx("b"),
        "tha4_student/body_morpher.onnx": onnx("c"),
        "custom_tha4_models/御子/face_morpher.onnx": onnx("d"),
        "custom_tha4_models/御子/character.png": png(),
        "custom_tha4_models/御子/face_morpher.trt": b"of a card",
        "rife/rife_x2_fp16.onnx": onnx("e"),
        "placeholder.txt": b"",
    }
    report = import_from(write(package, {above + name: data for name, data in members.items()}), places, go_on)
    known = sorted(name for name in members if name.endswith((".onnx", ".png")) and "merge" not in name)
    assert sorted(taken(report).values()) == known
    assert {name.removeprefix(above): why for name, why in skipped(report).items()} == {
        "tha3/seperable/fp16/merge.onnx": "not_needed",
        "tha3/seperable/fp16/editor.onnx.cache": "not_needed",
        "custom_tha4_models/御子/face_morpher.trt": "not_needed",
        "placeholder.txt": "not_known",
    }


def test_the_authors_demo_gives_characters(package: Path, places: Places) -> None:
    above = "talking-head-anime-4-demo-main/data/character_models/lambda_00/"
    files = {"face_morpher.pt": torch_file("f"), "body_morpher.pt": torch_file("b"), "character.png": png()}
    files["character_model.yaml"] = b"character_image_file_name: character.png\n"
    report = import_from(write(package, {above + name: files[name] for name in sorted(files)}), places, go_on)
    assert report.taken[-1].place.name == "character.png", "listed when it is complete"
    assert {path.name: path.read_bytes() for path in (places.characters / "lambda_00").iterdir()} == files


@pytest.mark.parametrize(
    "points_at", [".", "data", "data/models", "data/models/tha3", "data/models/tha3/seperable/fp16"]
)
def test_a_folder_may_be_pointed_at_anywhere(tmp_path: Path, places: Places, points_at: str) -> None:
    installation = tmp_path / "Easy Vtuber"
    for name in (EDITOR, ROTATOR):
        file = installation / "data" / "models" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(onnx(name))
    hidden = installation / "envs" / "data" / "models" / EDITOR
    hidden.parent.mkdir(parents=True)
    hidden.write_bytes(onnx("of an environment"))
    report = import_from(installation / points_at, places, go_on)
    assert sorted(taken(report).values()) == [EDITOR, ROTATOR]
    assert (places.weights / EDITOR).read_bytes() == onnx(EDITOR)
    assert (installation / "data" / "models" / EDITOR).exists(), "copied, not moved"


def test_a_single_file_is_known_by_the_folders_it_lies_in(tmp_path: Path, places: Places) -> None:
    file = tmp_path / "rife_512" / "x2" / "fp16.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(onnx())
    assert taken(import_from(file, places, go_on)) == {"fp16.onnx": "rife/rife_x2_fp16.onnx"}


def test_importing_what_is_in_its_place_changes_nothing(package: Path, places: Places) -> None:
    write(package, {EDITOR: onnx()})
    import_from(package, places, go_on)
    before = (places.weights / EDITOR).stat().st_mtime_ns
    for source in (package, places.weights):
        report = import_from(source, places, go_on)
        assert (report.taken, report.already_there) == ((), 1)
    assert (places.weights / EDITOR).stat().st_mtime_ns == before
    assert list_files(places.weights) == [EDITOR]


def test_a_different_file_that_was_there_is_kept(package: Path, places: Places) -> None:
    for number in range(4):
        report = import_from(write(package, {EDITOR: onnx(str(number))}), places, go_on)
    backups = ["", *(f".bak{number}" for number in ("", 2, 3))]
    assert [(places.weights / f"{EDITOR}{end}").read_bytes() for end in backups] == [onnx(n) for n in "3012"]
    assert report.taken[0].backup == places.weights / f"{EDITOR}.bak3"


def test_the_same_is_kept_where_a_disk_knows_no_second_names(
    package: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "not on this disk")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    for number in range(2):
        import_from(write(package, {EDITOR: onnx(str(number))}), places, go_on)
    assert list_files(places.weights) == [EDITOR, f"{EDITOR}.bak"]
    assert (places.weights / f"{EDITOR}.bak").read_bytes() == onnx("0")


@pytest.mark.parametrize("knows_second_names", [True, False])
def test_a_file_in_use_stays_as_it_is(
    package: Path, places: Places, monkeypatch: pytest.MonkeyPatch, knows_second_names: bool
) -> None:
    import_from(write(package, {EDITOR: onnx("0"), ROTATOR: onnx("0")}), places, go_on)
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target.name == "editor.onnx" and self.name.startswith(".incoming"):
            raise PermissionError(errno.EACCES, "in use")
        return replace(self, target)

    def no_second_names(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "not on this disk")

    monkeypatch.setattr(Path, "replace", refuse)
    if not knows_second_names:
        monkeypatch.setattr(Path, "hardlink_to", no_second_names)
    report = import_from(write(package, {EDITOR: onnx("1"), ROTATOR: onnx("1")}), places, go_on)
    assert skipped(report) == {EDITOR: "in_use"}
    assert taken(report) == {ROTATOR: ROTATOR}
    assert (places.weights / EDITOR).read_bytes() == onnx("0")
    assert list_files(places.weights) == [EDITOR, ROTATOR, f"{ROTATOR}.bak"]


def test_a_file_that_is_not_what_its_place_says_is_left_out_by_name(package: Path, places: Places) -> None:
    asked: list[tuple[str, str]] = []

    def check(contract: str, path: Path) -> None:
        asked.append((contract, path.suffix))
        if contract == "tha3.editor":
            raise ModelFileBad("inputs: x", file=path.name, reason="wrong_network")

    report = import_from(write(package, {EDITOR: onnx("a"), ROTATOR: onnx("b")}), places, go_on, check)
    (bad,) = report.damaged
    assert (bad.source, bad.place, bad.reason, bad.detail) == (
        EDITOR, Place(EDITOR, "tha3.editor"), "wrong_network", "inputs: x",
    )  # fmt: skip
    assert sorted(asked) == [("tha3.editor", ".onnx"), ("tha3.rotator", ".onnx")]
    assert list_files(places.weights) == [ROTATOR]


def test_without_another_check_a_web_page_is_found_out(package: Path, places: Places) -> None:
    report = import_from(write(package, {EDITOR: b"<html>not found</html>", ROTATOR: onnx()}), places, go_on)
    assert [(bad.source, bad.reason) for bad in report.damaged] == [(EDITOR, "not_a_network")]


def test_networks_that_work_beside_a_character_are_held_against_their_contracts(package: Path, places: Places) -> None:
    plain, tiled = plain_network().SerializeToString(), tiled_network(2).SerializeToString()
    good = {
        "rife/ifnet_fp32.onnx": plain,
        "rife/rife_x2_fp32.onnx": tiled,
        "waifu2x/upconv7_noise0_scale2x_fp32.onnx": repeating(2).SerializeToString(),
        "Real-ESRGAN/exported_256_fp32.onnx": whole_bytes().SerializeToString(),
    }
    bad = {
        "rife/ifnet_fp16.onnx": tiled,
        "rife/rife_x3_fp32.onnx": plain,
        "waifu2x/noise0_scale2x_fp32.onnx": plain,
        "Real-ESRGAN/exported_256_fp16.onnx": onnx("only its likeness"),
    }
    report = import_from(write(package, good | bad), places, go_on, check_contract)
    assert list_files(places.weights) == sorted(good)
    reasons = {each.source: each.reason for each in report.damaged}
    assert reasons.pop("Real-ESRGAN/exported_256_fp16.onnx")
    assert reasons == dict.fromkeys(list(bad)[:3], "wrong_contract")


def test_stopping_keeps_what_came(package: Path, places: Places) -> None:
    write(package, {EDITOR: onnx("a", 3 << 20), ROTATOR: onnx("b", 3 << 20)}, zipfile.ZIP_STORED)
    report = import_from(package, places, lambda task, fraction: fraction < 0.7)
    assert report.stopped
    assert list_files(places.weights) == [EDITOR]


def test_only_what_was_asked_for_is_taken(package: Path, places: Places) -> None:
    with open_container(write(package, {EDITOR: onnx("a"), ROTATOR: onnx("b")})) as items:
        report = take(items, "package", places, go_on, only={Place(ROTATOR, "tha3.rotator")})
    assert taken(report) == {ROTATOR: ROTATOR}
    assert list_files(places.weights) == [ROTATOR]
