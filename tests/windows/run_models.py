"""Reads, imports and draws characters' networks on the processor as Windows' Python does it, and says what it saw.

Exit status 0: everything as promised; 1: something is not. See README.md beside this file.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from accel import registry, tensorrt
from accel.base import FULL, HALF, Device, Runtime
from accel.onnxruntime.options import CPU_NAME, CUDA_NAME, DIRECTML_NAME
from accel.tensorrt.options import TENSORRT, TENSORRT_RTX
from benchmarks._dense_student import _body, _face
from benchmarks._golden import golden_pictures
from core.pose.parameters import PoseVector
from core.wire.errors import EasyVtuberError
from core.wire.rungs import TENSORRT as TOP_RUNG
from models.base import CharacterModel
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
from models.student.regions import everywhere
from models.student.torch_file import read_state_dict
from models.wish import AUTOMATIC, ModelWish
from tests.unit.student_networks import reference
from tests.windows.checks import check, draw, exit_status, note, prepare_output, refusal, test_data
from tests.windows.small_student import FOLDER_NAME, as_computed, real_student, write_small_student

GOLDEN_DB = 45.0
SAME_PICTURE_DB = 45.0
BALANCED_DB = 40.0
PICKLED_CALL = b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00exit\x85R."


def what_is_there() -> Device:
    """The registry's answers; gives the processor."""
    reasons = registry.availability()
    note(f"{sys.platform}, Python {sys.version.split()[0]}, numpy {np.__version__}, {registry.version(CPU_NAME)}")
    check("the package is the one for DirectML", registry.version(CPU_NAME).startswith("onnxruntime-directml "))
    check("processor and DirectML can be tried", reasons[CPU_NAME] is reasons[DIRECTML_NAME] is None, reasons)
    check("CUDA says what it lacks", reasons[CUDA_NAME] == "provider_missing")
    for name in (TENSORRT, TENSORRT_RTX):
        here = any(importlib.util.find_spec(module) for module in (name, f"{name}_bindings"))
        reason = tensorrt.unavailable(name)
        check(f"{name} says why not", here or reason in ("package_missing", "cuda_missing"), reason)
        check("  and lists no card then", here or tensorrt.devices(name) == [])
    found = registry.devices()
    for device in found:
        note(f"{device}")
    processors = [device for device in found if device.runtime == CPU_NAME]
    check("there is one processor, with its maker's name", len(processors) == 1 and bool(processors[0].name.strip()))
    check("every device has a name", all(device.name for device in found))
    return processors[0]


def reading_files(folder: Path) -> StudentFiles:
    """The restricted readers on paths with spaces and names in several scripts; gives the small student."""
    files = write_small_student(folder / FOLDER_NAME)
    check(
        "a student's description in UTF-8", files.picture.parent.name == FOLDER_NAME, [files.face.name, files.body.name]
    )
    weights = load_student_weights(files)
    check("both networks are read from .pt", len(weights.body.levels) == 3 and len(weights.face.levels) == 1)
    exported = folder / f"{FOLDER_NAME} onnx"
    exported.mkdir()
    (exported / "character.png").write_bytes(files.picture.read_bytes())
    (exported / "face_morpher.onnx").write_bytes(_face(weights.face))
    (exported / "body_morpher.onnx").write_bytes(_body(weights.body))
    from_graphs = load_student_weights(student_files(exported) or files)
    pairs = zip(weights.body.levels, from_graphs.body.levels, strict=True)
    same = all(np.array_equal(a.weight, b.weight) for one, two in pairs for a, b in zip(one, two, strict=True))
    check("the same from EasyVtuber's .onnx files", same and from_graphs is not weights)
    bad = folder / "悪い.pt"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLED_CALL)
    problem = refusal(lambda: read_state_dict(bad))
    check("a .pt that wants to call something is refused", "reason='unsafe'" in problem, problem)
    return files


def drawing(runtime: Runtime, files: StudentFiles, folder: Path) -> None:
    """The small student in every tier and precision, in motion, and in turns with another."""
    picture = read_picture(files.picture)
    full = StudentFamily(files, picture, FULL_TIER).open_for_check(runtime, FULL)
    wanted = reference_pictures(full)
    nearest = min(psnr_db(drawn, reference(pose)) for drawn, pose in zip(wanted, check_poses(), strict=True))
    check("the pictures are what the networks are defined to give", nearest >= GOLDEN_DB, f"{nearest:.1f} dB")
    check("every pose gives another picture", max(psnr_db(wanted[0], other) for other in wanted[1:]) < 40.0)
    check("colours stay below their alpha", all((drawn[:, :, :3] <= drawn[:, :, 3:]).all() for drawn in wanted))
    half = StudentFamily(files, picture, FULL_TIER).open_for_check(runtime, HALF)
    verdict = judge(half, wanted)
    check("half precision draws the same", verdict.good and verdict.psnr_db > BALANCED_DB, verdict)
    first, second = check_poses()[1:]
    mixed = [draw(model, pose) for pose in (first, second) for model in (full, half)]
    check("two models drawing in turn", np.array_equal(mixed[0], wanted[1]) and np.array_equal(mixed[2], wanted[2]))
    _in_motion(full, first, second)
    weights, linear = as_computed(files, picture)
    prepared = prepare(weights, linear, runtime, lambda share: None, folder / "students 調べ")
    share = prepared.visible.mean()
    again = prepare(weights, linear, runtime, lambda share: None, folder / "students 調べ")
    check(
        "what is visible is found out, and kept", share > 0.0 and np.array_equal(again.visible, prepared.visible), share
    )
    for tier, least in ((FULL_TIER, SAME_PICTURE_DB), (BALANCED_TIER, BALANCED_DB), (FAST_TIER, 30.0)):
        model = StudentModel(weights, linear, prepared.regions(tier), runtime, 512)
        nearest = min(psnr_db(drawn, other) for drawn, other in zip(reference_pictures(model), wanted, strict=True))
        check(f"the {tier} tier", nearest >= least, f"{nearest:.1f} dB")
        model.close()
    for size in (256, 1024):
        model = StudentModel(weights, linear, everywhere(), runtime, size)
        drawn = draw(model, first)
        check(f"{size} x {size}", drawn.shape == (size, size, 4) and bool((drawn[:, :, :3] <= drawn[:, :, 3:]).all()))
        model.close()
    full.close()
    half.close()


def _in_motion(model: CharacterModel, first: PoseVector, second: PoseVector) -> None:
    moved, still = model.motion([first], second), model.motion([first], first)
    check("a picture moves from pose to pose", moved is not None and 1e-4 < float(np.abs(moved).max()) < 0.5)
    check("and nowhere to its own pose", still is not None and float(np.abs(still).max()) < 1e-6)


def golden(runtime: Runtime) -> None:
    """The real student against the pictures of the original code."""
    files = real_student()
    if files is None:
        return
    model = StudentFamily(files, read_picture(files.picture), FULL_TIER).open_for_check(runtime, FULL)
    for name, (pose, wanted) in golden_pictures(files.picture.parent / "reference").items():
        distance = psnr_db(draw(model, pose), wanted)
        check(f"the original code's picture {name}", distance >= GOLDEN_DB, f"{distance:.1f} dB")
    model.close()


def importing(folder: Path, files: StudentFiles) -> Path:
    """A package into the store; gives the folder of characters."""
    places = Places(*(folder / name for name in ("重み", "characters キャラ", "data", "cache")))
    package = folder / "EasyVtuber 整合包.zip"
    editor = test_data(Path("models/tha3/seperable/fp32/editor.onnx"))
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        names = {"character.png": files.picture, "face_morpher.pt": files.face, "body_morpher.pt": files.body}
        for name, path in names.items():
            archive.writestr(f"data/character_models/{FOLDER_NAME}/{name}", path.read_bytes())
        keys = ("character_image_file_name", "face_morpher_file_name", "body_morpher_file_name")
        description = "".join(f"{key}: {name}\n" for key, name in zip(keys, names, strict=True))
        archive.writestr(f"data/character_models/{FOLDER_NAME}/character_model.yaml", description)
        if editor is not None:
            archive.writestr("data/models/tha3/seperable/fp32/editor.onnx", editor.read_bytes())
    store = Store(places)
    check("the store's import takes a package", store_command(["import", str(package)], store) == 0)
    here = sorted(path.name for path in (places.characters / FOLDER_NAME).iterdir())
    check("  its student has a folder", len(here) == 4, here)
    check(
        "  its network is in its place",
        editor is None or (places.weights / "tha3/seperable/fp32/editor.onnx").is_file(),
    )
    check("a second import has nothing to do", not store.import_from(package, lambda task, share: True).taken)
    check("nothing unfinished is left", not list(folder.rglob("*.part")) and not list(folder.rglob("*.tmp")))
    check("the store lists what there is", store_command(["list"], store) == 0)
    run = subprocess.run(
        [sys.executable, "-m", "models.store", "licences"], capture_output=True, cwd=Path(__file__).parents[2]
    )
    check("the same from the command line", run.returncode == 0 and b"CC BY" in run.stdout, run.stderr[-200:] or "")
    return places.characters


def opening(folder: Path, characters: Path) -> None:
    """From a character's name to a model, as the worker does it: on the processor, then on what proves best."""
    told: list[EasyVtuberError | None] = []
    opener = ModelOpener(told.append, Verdicts(folder / "判定" / "verdicts.json"))
    character = load_character(FOLDER_NAME, characters)
    for runtime in (CPU_NAME, AUTOMATIC):
        wish = ModelWish(rung=TOP_RUNG, runtime=runtime, quality=FULL_TIER)
        family = opener.family(character, wish)
        assert family is not None
        model, running = opener.open(family, wish, lambda task, share: None)
        check(f"an imported student opens: {runtime}", running.family == "tha4_student", running)
        check("  where it was wished to", runtime in (AUTOMATIC, running.runtime), told[-1] or "")
        nearest = min(psnr_db(draw(model, pose), reference(pose)) for pose in check_poses())
        check("  and draws what its networks are defined to give", nearest >= BALANCED_DB, f"{nearest:.1f} dB")
        model.close()
    opener.close()


def main() -> int:
    """Everything in turn."""
    prepare_output()
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING)
    processor = what_is_there()
    with tempfile.TemporaryDirectory(prefix="easyvtuber ö ") as temporary:
        folder = Path(temporary)
        os.environ["EASYVTUBER_HOME"] = str(folder / "home")
        runtime = registry.open_runtime(processor)
        files = reading_files(folder)
        drawing(runtime, files, folder)
        golden(runtime)
        opening(folder, importing(folder, files))
        runtime.close()
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
