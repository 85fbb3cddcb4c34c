"""Characters' networks on the processor, from files whose names are in several scripts: read, imported, opened, drawn.

For every system; made for Windows, where paths, code pages and the ``onnxruntime-directml`` package are others.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from accel import registry
from accel.base import FULL, HALF, Device, Runtime
from accel.onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME
from benchmarks._dense_student import _body, _face
from core.wire.errors import EasyVtuberError, ModelFileBad
from core.wire.folders import PROJECT
from core.wire.rungs import TENSORRT as TOP_RUNG
from models.character import load_character, read_picture
from models.opener import ModelOpener
from models.self_check import Verdicts, check_poses, judge, psnr_db, reference_pictures
from models.store.command_line import main as store_command
from models.store.places import Places
from models.store.store import Store
from models.student.family import StudentFamily
from models.student.folder import StudentFiles, load_student_weights, student_files
from models.student.model import StudentModel
from models.student.preparation import BALANCED_TIER, FAST_TIER, FULL_TIER, prepare
from models.student.torch_file import read_state_dict
from models.wish import ModelWish
from tests.unit.student_networks import reference
from tests.windows.checks import draw
from tests.windows.small_student import FOLDER_NAME, as_computed, write_small_student

SAME_PICTURE_DB, BALANCED_DB, FAST_DB = 45.0, 40.0, 30.0
PICKLED_CALL = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00exit\x85R."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models ö 調べ")


@pytest.fixture(scope="module")
def files(folder: Path) -> StudentFiles:
    return write_small_student(folder / FOLDER_NAME)


@pytest.fixture(scope="module")
def processor() -> Device:
    return next(device for device in registry.devices() if device.runtime == CPU_NAME)


@pytest.fixture(scope="module")
def runtime(processor: Device) -> Runtime:
    return registry.open_runtime(processor)


def test_the_processor_is_there_with_its_makers_name(processor: Device) -> None:
    assert processor.name.strip()
    assert all(device.name for device in registry.devices())


@pytest.mark.skipif(sys.platform != "win32", reason="this package is for Windows")
def test_windows_has_the_package_for_directml() -> None:
    reasons = registry.availability()
    assert registry.version(CPU_NAME).startswith("onnxruntime-directml ")
    assert reasons[CPU_NAME] is reasons[DIRECTML_NAME] is None
    assert reasons[CUDA_NAME] == "provider_missing"


def test_a_student_of_either_kind_is_read(files: StudentFiles, folder: Path) -> None:
    assert files.picture.parent.name == FOLDER_NAME
    weights = load_student_weights(files)
    exported = folder / f"{FOLDER_NAME} onnx"
    exported.mkdir()
    (exported / "character.png").write_bytes(files.picture.read_bytes())
    (exported / "face_morpher.onnx").write_bytes(_face(weights.face))
    (exported / "body_morpher.onnx").write_bytes(_body(weights.body))
    found = student_files(exported)
    assert found is not None
    pairs = zip(weights.body.levels, load_student_weights(found).body.levels, strict=True)
    assert all(np.array_equal(a.weight, b.weight) for one, two in pairs for a, b in zip(one, two, strict=True))


def test_a_file_that_wants_to_call_something_is_refused(folder: Path) -> None:
    bad = folder / "悪い.pt"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLED_CALL)
    with pytest.raises(ModelFileBad, match="unsafe"):
        read_state_dict(bad)


def test_what_is_visible_is_found_out_kept_and_drawn_in_every_tier(
    runtime: Runtime, files: StudentFiles, folder: Path
) -> None:
    full = StudentFamily(files, read_picture(files.picture), FULL_TIER).open_for_check(runtime, FULL)
    wanted = reference_pictures(full)
    assert min(map(psnr_db, wanted, map(reference, check_poses()))) >= SAME_PICTURE_DB
    half = StudentFamily(files, read_picture(files.picture), FULL_TIER).open_for_check(runtime, HALF)
    verdict = judge(half, wanted)
    assert verdict.good and verdict.psnr_db > BALANCED_DB
    weights, linear = as_computed(files, read_picture(files.picture))
    first, second = (prepare(weights, linear, runtime, lambda share: None, folder / "students 調べ") for _ in range(2))
    assert first.visible.any() and np.array_equal(first.visible, second.visible)
    for tier, least in ((FULL_TIER, SAME_PICTURE_DB), (BALANCED_TIER, BALANCED_DB), (FAST_TIER, FAST_DB)):
        model = StudentModel(weights, linear, first.regions(tier), runtime, 512)
        assert min(map(psnr_db, reference_pictures(model), wanted)) >= least, tier
        model.close()
    full.close()
    half.close()


def test_a_package_is_imported_and_its_student_opened(
    files: StudentFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path / "home"))
    places = Places(*(tmp_path / name for name in ("重み", "characters キャラ", "data", "cache")))
    package = tmp_path / "EasyVtuber 整合包.zip"
    names = {"character.png": files.picture, "face_morpher.pt": files.face, "body_morpher.pt": files.body}
    keys = ("character_image_file_name", "face_morpher_file_name", "body_morpher_file_name")
    description = "".join(f"{key}: {name}\n" for key, name in zip(keys, names, strict=True))
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in names.items():
            archive.writestr(f"data/character_models/{FOLDER_NAME}/{name}", path.read_bytes())
        archive.writestr(f"data/character_models/{FOLDER_NAME}/character_model.yaml", description)
    store = Store(places)
    assert store_command(["import", str(package)], store) == 0
    assert len(list((places.characters / FOLDER_NAME).iterdir())) == 4
    assert not store.import_from(package, lambda task, share: True).taken
    assert not [*tmp_path.rglob("*.part"), *tmp_path.rglob("*.tmp")]
    assert store_command(["list"], store) == 0
    told: list[EasyVtuberError | None] = []
    opener = ModelOpener(told.append, Verdicts(tmp_path / "判定" / "verdicts.json"))
    wish = ModelWish(rung=TOP_RUNG, runtime=CPU_NAME, quality=FULL_TIER)
    family = opener.family(load_character(FOLDER_NAME, places.characters), wish)
    assert family is not None
    model, running = opener.open(family, wish, lambda task, share: None)
    assert (running.family, running.runtime) == ("tha4_student", CPU_NAME)
    assert min(psnr_db(draw(model, pose), reference(pose)) for pose in check_poses()) >= BALANCED_DB
    model.close()
    opener.close()


def test_the_store_answers_on_the_command_line() -> None:
    command = [sys.executable, "-m", "models.store", "licences"]
    run = subprocess.run(command, capture_output=True, cwd=PROJECT, stdin=subprocess.DEVNULL, timeout=120, check=False)
    assert run.returncode == 0 and b"CC BY" in run.stdout
