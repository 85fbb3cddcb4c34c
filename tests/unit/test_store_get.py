"""Getting entries: by their addresses, out of an archive, from a mirror, and never against the user's will."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.wire.errors import ArchiveBad, DownloadFailed, LicenceNeeded, ModelFileBad, ModelMissing
from models.store import catalog
from models.store.catalog import FIRST_PACKAGE
from models.store.entry import Archive, Entry
from models.store.files import Presence
from models.store.layout import first_package
from models.store.mirror import Mirror
from models.store.places import Places
from models.store.store import Store

from .store_server import Server, go_on, make_zip, no_pause, onnx, places_in, png, torch_file, transport

STUDENT = {
    "face_morpher.pt": torch_file("face"),
    "body_morpher.pt": torch_file("body"),
    "character_model.yaml": b"character_image_file_name: character.png\n",
    "character.png": png(),
}
PACKAGE = {f"20241220/{name}": onnx(name, 2000) for name in first_package()}


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return places_in(tmp_path)


def new_store(places: Places, environment: dict[str, str] | None = None) -> Store:
    """A store whose user has agreed to everything."""
    store = Store(places, environment or {}, transport=transport(), pause=no_pause)
    for licence in catalog.licences():
        store.agreements.agree(licence)
    return store


def entry(key: str) -> Entry:
    found = catalog.entry(key)
    assert found is not None
    return found


def student(server: Server, with_hashes: bool = True) -> Entry:
    """The example character, put up on the server."""
    example = entry("student_lambda_00")
    files = []
    for file in example.files:
        content = STUDENT[file.place.name]
        server.serve(f"/{file.place.path}", content)
        sha256 = hashlib.sha256(content).hexdigest() if with_hashes else ""
        size = len(content) if with_hashes else 0
        files.append(replace(file, url=server.url(f"/{file.place.path}"), sha256=sha256, byte_count=size))
    return replace(example, files=tuple(files))


def packed(server: Server, key: str, sha256: str = "") -> Entry:
    """An entry of the first package, as if the package lay on the server."""
    archive = replace(FIRST_PACKAGE, url=server.url("/20241220.zip"), sha256=sha256)
    return replace(entry(key), archive=archive)


def reason(store: Store, wanted: Entry) -> str:
    with pytest.raises(DownloadFailed) as caught:
        store.get([wanted], go_on)
    return str(caught.value.parameters["reason"])


def test_a_student_becomes_a_character(server: Server, places: Places) -> None:
    store, wanted = new_store(places), student(server)
    new = store.get([wanted], go_on)
    assert [path.name for path in new] == list(STUDENT)
    assert {path.name: path.read_bytes() for path in (places.characters / "lambda_00").iterdir()} == STUDENT
    assert store.status(wanted).presence is Presence.PRESENT
    assert [path for path, _ in server.requests][-1].endswith("character.png"), "listed when it is complete"
    assert store.get([wanted], go_on) == ()
    assert len(server.requests) == 4


def test_nothing_is_fetched_without_an_agreement(server: Server, places: Places) -> None:
    store, wanted = Store(places, {}, transport=transport()), student(server)
    with pytest.raises(LicenceNeeded) as caught:
        store.get([wanted], go_on)
    assert caught.value.parameters == {"model": wanted.title, "licence": "CC BY-NC 4.0"}
    assert server.requests == []
    assert not places.characters.exists()


def test_looking_fetches_nothing(server: Server, places: Places) -> None:
    store = new_store(places)
    for each in catalog.CATALOGUE:
        assert store.status(each).presence is Presence.ABSENT
    assert server.requests == []


def test_only_what_is_missing_or_damaged_is_fetched(server: Server, places: Places) -> None:
    store, wanted = new_store(places), student(server)
    store.get([wanted], go_on)
    folder = places.characters / "lambda_00"
    (folder / "character.png").write_bytes(png()[:-4])
    (folder / "body_morpher.pt").unlink()
    assert store.status(wanted).damaged == ("lambda_00/character.png",)
    assert [path.name for path in store.get([wanted], go_on)] == ["body_morpher.pt", "character.png"]
    assert len(server.requests) == 6
    assert (folder / "character.png").read_bytes() == png()
    assert (folder / "character.png.bak").read_bytes() == png()[:-4]


def test_what_came_before_a_failure_stays(server: Server, places: Places) -> None:
    store, wanted = new_store(places), student(server)
    server.files["/lambda_00/character_model.yaml"].status = 500
    assert reason(store, wanted) == "server_error"
    assert store.status(wanted).presence is Presence.PARTIAL
    server.files["/lambda_00/character_model.yaml"].status = 200
    assert [path.name for path in store.get([wanted], go_on)] == ["character_model.yaml", "character.png"]


def test_a_stopped_file_goes_on(server: Server, places: Places) -> None:
    store, wanted = new_store(places), student(server)
    with pytest.raises(DownloadFailed) as caught:
        store.get([wanted], lambda task, fraction: not (task.endswith("body_morpher.pt") and fraction > 0))
    assert caught.value.parameters == {"file": "lambda_00/body_morpher.pt", "reason": "stopped"}
    assert [path.name for path in (places.characters / "lambda_00").iterdir()] == ["face_morpher.pt"]
    assert len(store.get([wanted], go_on)) == 3


def test_a_file_without_a_known_hash_is_at_least_looked_at(server: Server, places: Places) -> None:
    store, wanted = new_store(places), student(server, with_hashes=False)
    server.files["/lambda_00/face_morpher.pt"].content = b"<html>log in first</html>"
    with pytest.raises(ModelFileBad) as caught:
        store.get([wanted], go_on)
    assert caught.value.parameters == {"file": "lambda_00/face_morpher.pt", "reason": "not_a_network"}
    assert not list((places.characters / "lambda_00").iterdir())
    server.files["/lambda_00/face_morpher.pt"].content = STUDENT["face_morpher.pt"]
    assert len(store.get([wanted], go_on)) == 4


def test_the_check_sees_every_file_before_it_is_in_its_place(server: Server, places: Places) -> None:
    seen: dict[str, str] = {}

    def check(contract: str, path: Path) -> None:
        assert path.read_bytes() == STUDENT[next(name for name in STUDENT if path.name.endswith(f"-{name}"))]
        seen[contract] = path.suffix

    store = Store(places, {}, check, transport(), no_pause)
    store.agreements.agree(catalog.THA4_LICENCE)
    store.get([student(server)], go_on)
    assert seen == {
        "tha4_student.face": ".pt",
        "tha4_student.body": ".pt",
        "tha4_student.description": ".yaml",
        "character.picture": ".png",
    }


def test_a_download_on_another_disk_is_copied(server: Server, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_path = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if places.cache in self.parents and places.cache not in target.parents:
            raise OSError("another disk")
        return replace_path(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    new_store(places).get([student(server)], go_on)
    assert (places.characters / "lambda_00" / "character.png").read_bytes() == png()
    assert not [path for path in places.downloads.rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_of_an_archive_only_the_needed_parts_are_fetched(server: Server, places: Places) -> None:
    store, wanted = new_store(places), packed(server, "tha3_seperable_fp16")
    server.serve("/20241220.zip", make_zip(PACKAGE))
    new = store.get([wanted], go_on)
    assert len(new) == 5
    for file in wanted.files:
        assert (places.weights / file.place.path).read_bytes() == PACKAGE[f"20241220/{file.place.path}"]
    assert {path.name for path in places.weights.rglob("*.onnx")} == {file.place.name for file in wanted.files}
    assert all(part.startswith("bytes=") for part in server.ranges)
    assert not (places.downloads / "20241220.zip").exists()


def test_names_of_the_first_package_become_todays(server: Server, places: Places) -> None:
    store = new_store(places)
    server.serve("/20241220.zip", make_zip(PACKAGE))
    keys = ("rife_fp16", "waifu2x_fp32", "real_esrgan_fp32")
    store.get([packed(server, key) for key in keys], go_on)
    assert (places.weights / "rife/rife_x4_fp16.onnx").read_bytes() == PACKAGE["20241220/rife_512/x4/fp16.onnx"]
    assert (places.weights / "Real-ESRGAN/exported_256_fp32.onnx").read_bytes() == PACKAGE[
        "20241220/Real-ESRGAN/exported_256.onnx"
    ]
    assert all(store.status(entry(key)).presence is Presence.PRESENT for key in keys)


@pytest.mark.parametrize("why", ["no ranges", "no version", "known hash"])
def test_else_the_whole_archive_is_fetched_and_kept_for_the_others(server: Server, places: Places, why: str) -> None:
    content = make_zip(PACKAGE)
    served = server.serve("/20241220.zip", content)
    sha256 = ""
    if why == "no ranges":
        served.ranges = "ignored"
    elif why == "no version":
        served.etag = ""
    else:
        sha256 = hashlib.sha256(content).hexdigest()
    store = new_store(places)
    store.get([packed(server, "tha3_seperable_fp16", sha256)], go_on)
    asked = len(server.requests)
    assert (places.downloads / "20241220.zip").read_bytes() == content
    store.get([packed(server, "tha3_standard_fp32", sha256)], go_on)
    assert len(server.requests) == asked
    others = [each.key for each in catalog.CATALOGUE if each.archive is FIRST_PACKAGE]
    store.get([packed(server, key, sha256) for key in others], go_on)
    assert not (places.downloads / "20241220.zip").exists(), "nobody needs it any more"


@pytest.mark.parametrize("serves_parts", [True, False])
def test_a_file_that_the_archive_lacks_is_told(server: Server, places: Places, serves_parts: bool) -> None:
    lacking = "tha3/seperable/fp16/rotator.onnx"
    served = server.serve("/20241220.zip", make_zip({n: c for n, c in PACKAGE.items() if not n.endswith(lacking)}))
    served.ranges = "served" if serves_parts else "ignored"
    wanted = packed(server, "tha3_seperable_fp16")
    with pytest.raises(ModelMissing) as caught:
        new_store(places).get([wanted], go_on)
    assert caught.value.parameters == {"model": wanted.title, "file": lacking}
    assert new_store(places).status(wanted).missing == (lacking,)


@pytest.mark.parametrize("serves_parts", [True, False])
def test_a_damaged_member_is_told_and_not_met_again(server: Server, places: Places, serves_parts: bool) -> None:
    bad = {**PACKAGE, "20241220/tha3/seperable/fp16/rotator.onnx": b"<html>"}
    served = server.serve("/20241220.zip", make_zip(bad))
    served.ranges = "served" if serves_parts else "ignored"
    store, wanted = new_store(places), packed(server, "tha3_seperable_fp16")
    with pytest.raises(ModelFileBad) as caught:
        store.get([wanted], go_on)
    assert caught.value.parameters == {"file": "tha3/seperable/fp16/rotator.onnx", "reason": "not_a_network"}
    served.content = make_zip(PACKAGE)
    assert [path.name for path in store.get([wanted], go_on)] == ["rotator.onnx"]


@pytest.mark.parametrize("serves_parts", [True, False])
def test_a_page_in_the_archives_place_is_told_and_not_met_again(
    server: Server, places: Places, serves_parts: bool
) -> None:
    served = server.serve("/20241220.zip", b"<html>log in first</html>")
    served.ranges = "served" if serves_parts else "ignored"
    store, wanted = new_store(places), packed(server, "tha3_seperable_fp16")
    with pytest.raises((DownloadFailed, ArchiveBad)) as caught:
        store.get([wanted], go_on)
    assert caught.value.parameters["reason"] == ("wrong_hash" if serves_parts else "not_a_zip")
    served.content = make_zip(PACKAGE)
    assert len(store.get([wanted], go_on)) == 5


@pytest.mark.parametrize("serves_parts", [True, False])
def test_an_archive_can_be_stopped(server: Server, places: Places, serves_parts: bool) -> None:
    served = server.serve("/20241220.zip", make_zip(PACKAGE))
    served.ranges = "served" if serves_parts else "ignored"
    store, wanted = new_store(places), packed(server, "tha3_seperable_fp16")

    def until(end: str) -> Callable[[str, float], bool]:
        return lambda task, fraction: not task.endswith(end)

    for end in ("20241220.zip", "rotator.onnx"):
        with pytest.raises(DownloadFailed) as caught:
            store.get([wanted], until(end))
        assert caught.value.parameters["reason"] == "stopped"
    assert store.status(wanted).presence is Presence.PARTIAL
    assert len(store.get([wanted], go_on)) == 2


def test_the_archives_mirrors_are_tried_in_order(server: Server, places: Places) -> None:
    server.serve("/20241220.zip", b"").status = 500
    server.serve("/page.zip", b"<html>")
    server.serve("/good.zip", make_zip(PACKAGE))
    wanted = packed(server, "tha3_seperable_fp16")
    assert wanted.archive is not None
    mirrors = tuple(server.url(f"/{name}") for name in ("gone.zip", "page.zip", "good.zip"))
    new_store(places).get([replace(wanted, archive=replace(wanted.archive, mirrors=mirrors))], go_on)
    assert server.requests[-1][0] == "/good.zip"
    with pytest.raises(DownloadFailed) as caught:
        bad = replace(packed(server, "rife_fp16").archive or wanted.archive, mirrors=mirrors[:1])
        new_store(places).get([replace(entry("rife_fp16"), archive=bad)], go_on)
    assert caught.value.parameters == {"file": "20241220.zip", "reason": "server_error"}
    assert "not_found" in caught.value.detail


def test_an_archive_that_comes_in_parts_survives_broken_connections(server: Server, places: Places) -> None:
    served = server.serve("/20241220.zip", make_zip(PACKAGE))
    served.cut_after = [10, 10_000, 0]
    assert len(new_store(places).get([packed(server, "tha3_seperable_fp16")], go_on)) == 5


def test_what_only_a_user_can_get_is_told(places: Places) -> None:
    assert reason(new_store(places), entry("tha4_fp16")) == "import_only"


def mirror(tmp_path: Path, files: dict[str, bytes]) -> Path:
    folder = tmp_path / "镜像 mirror"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.parametrize("by", ["path", "path with root", "name"])
@pytest.mark.parametrize("as_address", [True, False])
def test_a_mirror_folder_stands_in_for_the_network(
    server: Server, places: Places, tmp_path: Path, by: str, as_address: bool
) -> None:
    above = {"path": "lambda_00/", "path with root": "characters/lambda_00/", "name": ""}[by]
    folder = mirror(tmp_path, {above + name: content for name, content in STUDENT.items()})
    place = folder.as_uri() if as_address else str(folder)
    store = new_store(places, {"EASYVTUBER_MIRROR": place, "EASYVTUBER_OFFLINE": "1"})
    assert len(store.get([student(server)], go_on)) == 4
    assert {path.name: path.read_bytes() for path in (places.characters / "lambda_00").iterdir()} == STUDENT
    assert server.requests == []
    assert (folder / above / "character.png").exists(), "copied, not moved"


def test_a_mirror_may_hold_the_archive(server: Server, places: Places, tmp_path: Path) -> None:
    folder = mirror(tmp_path, {"20241220.zip": make_zip(PACKAGE), "tha3/seperable/fp16/editor.onnx": onnx("mine")})
    store = new_store(places, {"EASYVTUBER_MIRROR": str(folder), "EASYVTUBER_OFFLINE": "1"})
    for key in (each.key for each in catalog.CATALOGUE if each.archive is FIRST_PACKAGE):
        store.get([packed(server, key)], go_on)
    assert (places.weights / "tha3/seperable/fp16/editor.onnx").read_bytes() == onnx("mine")
    assert (folder / "20241220.zip").exists()
    assert server.requests == []


def test_a_mirror_may_hold_what_only_a_user_can_get(places: Places, tmp_path: Path) -> None:
    files = {file.place.path: onnx(file.place.path) for file in entry("tha4_fp16").files}
    store = new_store(places, {"EASYVTUBER_MIRROR": str(mirror(tmp_path, files))})
    assert len(store.get([entry("tha4_fp16")], go_on)) == 5


def test_by_name_alone_no_network_is_mistaken_for_another(tmp_path: Path) -> None:
    names = ("editor.onnx", "noise0_scale2x_fp16.onnx", "character.png", "face_landmarker.task")
    found = Mirror(mirror(tmp_path, {name: onnx() for name in names}), offline=True)
    everything = {file.place.path: file for each in catalog.CATALOGUE for file in each.files}
    assert found.find(everything["tha3/seperable/fp16/editor.onnx"]) is None
    assert found.find(everything["lambda_00/character.png"]) is None, "another hash"
    assert found.find(everything["lambda_01/character.png"]) is None, "unknown hash"
    assert found.find(everything["mediapipe/face_landmarker.task"]) is None, "another size"
    assert found.find(everything["waifu2x/noise0_scale2x_fp16.onnx"]) is not None


def test_what_a_mirror_has_wrong_is_fetched(server: Server, places: Places, tmp_path: Path) -> None:
    folder = mirror(tmp_path, {f"lambda_00/{name}": b"x" + content[1:] for name, content in STUDENT.items()})
    new_store(places, {"EASYVTUBER_MIRROR": str(folder)}).get([student(server)], go_on)
    assert len(server.requests) == 4


@pytest.mark.parametrize("value", ["1", "true", "yes", " 1 "])
def test_offline_means_offline(server: Server, places: Places, value: str) -> None:
    store = new_store(places, {"EASYVTUBER_OFFLINE": value})
    server.serve("/20241220.zip", make_zip(PACKAGE))
    assert reason(store, student(server)) == "offline"
    assert reason(store, packed(server, "rife_fp16")) == "offline"
    assert server.requests == []


@pytest.mark.parametrize("value", ["", "0", "no", "false"])
def test_online_is_the_rule(server: Server, places: Places, value: str) -> None:
    assert len(new_store(places, {"EASYVTUBER_OFFLINE": value}).get([student(server)], go_on)) == 4


def test_a_mirror_that_is_not_there_is_no_hindrance(server: Server, places: Places, tmp_path: Path) -> None:
    store = new_store(places, {"EASYVTUBER_MIRROR": str(tmp_path / "gone")})
    assert len(store.get([student(server)], go_on)) == 4


def test_copying_from_a_mirror_can_be_stopped(server: Server, places: Places, tmp_path: Path) -> None:
    folder = mirror(tmp_path, {f"lambda_00/{name}": content for name, content in STUDENT.items()})
    store = new_store(places, {"EASYVTUBER_MIRROR": str(folder)})
    with pytest.raises(DownloadFailed) as caught:
        store.get([student(server)], lambda task, fraction: False)
    assert caught.value.parameters["reason"] == "stopped"


def test_a_place_that_cannot_be_written_is_told(server: Server, places: Places) -> None:
    places.characters.parent.mkdir(parents=True, exist_ok=True)
    places.characters.write_text("a file where the folder should be", encoding="utf-8")
    assert reason(new_store(places), student(server)) == "not_writable"


def test_a_network_in_use_stays_as_it_is(server: Server, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    store, wanted = new_store(places), student(server)
    store.get([wanted], go_on)
    changed = places.characters / "lambda_00" / "body_morpher.pt"
    changed.write_bytes(torch_file("an older one"))
    replace_path = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target == changed:
            raise PermissionError("in use")
        return replace_path(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    assert reason(store, wanted) == "in_use"
    assert changed.read_bytes() == torch_file("an older one")


def test_a_packed_network_in_use_stays_as_it_is(
    server: Server, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, wanted = new_store(places), packed(server, "waifu2x_fp16")
    server.serve("/20241220.zip", make_zip(PACKAGE))
    target = places.weights / "waifu2x" / "noise0_scale2x_fp16.onnx"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"half")
    replace_path = Path.replace

    def refuse(self: Path, other: Path) -> Path:
        if other == target:
            raise PermissionError("in use")
        return replace_path(self, other)

    monkeypatch.setattr(Path, "replace", refuse)
    assert reason(store, wanted) == "in_use"
    assert target.read_bytes() == b"half"


def test_the_folders_are_those_of_the_program(tmp_path: Path) -> None:
    store = Store(environment={"EASYVTUBER_HOME": str(tmp_path)})
    places = store.places
    assert (places.weights, places.cache, places.data) == (tmp_path / "weights", tmp_path / "cache", tmp_path / "data")
    assert isinstance(FIRST_PACKAGE, Archive)
