"""Opens and draws characters' networks on a graphics card through the real DirectML, and says what it saw.

Exit status 0: everything as promised; 1: something is not; 2: there is no DirectX 12 here. See README.md beside this
file. Names of steps as arguments run those only; ``whole`` (the test data's student at every pixel, minutes without a
real card) runs only when it is named.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from accel import registry
from accel.base import FULL, HALF, Network
from accel.onnxruntime.options import DIRECTML_NAME, DirectMLOptions
from accel.onnxruntime.runtime import open_runtime
from core.pose.parameters import PoseVector
from core.wire.errors import EasyVtuberError
from core.wire.rungs import GPU
from models.character import load_character
from models.motion import Displacement
from models.onnx_graph import GraphBuilder
from models.opener import ModelOpener
from models.self_check import Verdicts, check_poses, psnr_db
from models.student.folder import student_files
from models.student.preparation import BALANCED_TIER, FULL_TIER, prepare
from models.tha.files import find_variant_files
from models.tha.model import ThaModel
from models.wish import AUTOMATIC, ModelWish
from tests.unit.student_networks import reference, small_picture
from tests.unit.tha_graphs import write_small_files
from tests.windows import directml_student as students
from tests.windows.checks import check, draw, exit_status, note, prepare_output, refusal, test_data
from tests.windows.directml_machine import LEAST_DB, Machine
from tests.windows.small_student import FOLDER_NAME, as_computed, real_student, write_small_student

NEAR_PX = {FULL: 0.05, HALF: 1.0}
EDITOR = Path("models") / "tha3" / "seperable" / "fp32" / "editor.onnx"
THA = (("tha3", "separable", FULL), ("tha3", "separable", HALF), ("tha4", "", FULL), ("tha4", "", HALF))


def what_is_there(machine: Machine) -> None:
    """The card's name, and what the registry makes of it."""
    note(f"{machine.card_device}, {registry.version(DIRECTML_NAME)}")
    if machine.rewrites:
        note("this DirectX cannot add two equal tensors (Wine): networks are rewritten for it, see plain_sums.py")
    check("the card has its maker's name", machine.card_device.name not in ("", "DirectX 12"), machine.card_device.name)
    check("its memory is told", machine.card_device.memory_bytes > 0, f"{machine.card_device.memory_bytes >> 20} MB")
    check("the registry lists it", machine.card_device in registry.devices())
    check("it is no processor", not machine.card.on_host and machine.card.lanes == 1)


def refusing(machine: Machine) -> None:
    """What cannot run on the card is refused, not handed to the processor."""
    graph = GraphBuilder()
    chosen = graph.node("NonMaxSuppression", graph.input("boxes", (1, 8, 4)), graph.input("scores", (1, 1, 8)))
    graph.output("boxes_chosen", graph.node("Cast", chosen, to=1), (3, 3))
    network = Network("boxes", graph.build("boxes"))
    problem = refusal(lambda: machine.unwrapped.open(network))
    check("an operator that DirectML lacks is refused", problem.startswith("network_refused"), problem)
    check("  and named", "NonMaxSuppression" in problem)
    problem = refusal(lambda: machine.unwrapped.open(Network("broken", network.content[:100])))
    check("half a file is refused", problem.startswith("model_file_bad"), problem[:80])
    nowhere = open_runtime(machine.card_device, DirectMLOptions(device_index=77))
    problem = refusal(lambda: nowhere.open(_doubling()))
    check("a card that is not there fails", problem.startswith("runtime_failed"), problem[:80])
    plain = open_runtime(machine.card_device, DirectMLOptions(machine.card_device.index, metacommands=False))
    given = np.arange(12, dtype=np.float32).reshape(3, 4)
    doubled = plain.open(_doubling()).run({"given": given})["doubled"]
    check("without metacommands it computes too", np.array_equal(doubled, given * 2.0))


def _doubling() -> Network:
    graph = GraphBuilder()
    graph.output("doubled", graph.node("Mul", graph.input("given", (3, 4)), graph.number(2.0)), (3, 4))
    return Network("doubling", graph.build("doubling"))


def tensors(machine: Machine) -> None:
    """Memory on the card, and sessions that hand it on."""
    for dtype in (np.float32, np.float16, np.uint8):
        content = np.random.default_rng(0).integers(0, 200, (2, 3, 5)).astype(dtype)
        tensor = machine.card.allocate(content.shape, np.dtype(dtype))
        empty = not tensor.read().any()
        tensor.write(content)
        check(f"{np.dtype(dtype)} to the card and back", empty and np.array_equal(tensor.read(), content))
    session = machine.card.open(_doubling())
    first, second = (machine.card.allocate((3, 4), np.dtype(np.float32)) for _ in range(2))
    first.write(np.ones((3, 4), np.float32))
    for _ in range(3):
        back = session.run({"given": first}, {"doubled": second})
        first, second = second, first
    check("results stay on the card and are read there", not back and (first.read() == 8.0).all())
    session.close()
    session.close()
    problem = refusal(lambda: session.run({"given": first}))
    check("a closed session says so", problem.startswith("runtime_failed"), problem)


def tha(machine: Machine, folder: Path) -> None:
    """Small networks in the form of THA3's and THA4's, and THA3's real last network among them."""
    editor = test_data(EDITOR)
    kinds = [(*kind, False) for kind in THA] + ([(*THA[0], True)] if editor is not None else [])
    for family, variant, precision, is_real in kinds:
        weights = folder / f"{family} {precision} {is_real}"
        write_small_files(weights, family, variant, precision)
        if editor is not None and is_real:
            shutil.copy(editor, weights / EDITOR.relative_to("models"))
        files = find_variant_files(family, variant, precision, weights)
        plain = ThaModel(small_picture(), files, machine.processor, 512)
        card = ThaModel(small_picture(), files, machine.card, 512, once=machine.processor)
        started = time.perf_counter()
        nearest = min(psnr_db(draw(card, pose), draw(plain, pose)) for pose in check_poses())
        told = f"{nearest:.1f} dB, {(time.perf_counter() - started) / len(check_poses()) * 1e3:.0f} ms for both"
        name = f"{files.name}{', its real editor' if is_real else ''}"
        check(name, nearest >= LEAST_DB[precision], told)
        first, second = check_poses()[1:]
        further = second + (second - first) * np.float32(0.5)
        moved, wanted = (_motion(model, first, second, further) for model in (card, plain))
        away = float(np.abs(moved - wanted).max()) * 512 if moved is not None and wanted is not None else 1e9
        check("  the motion that led to a pose goes on", away < NEAR_PX[precision], f"{away:.3f} pixels off")
        card.close()
        plain.close()


def _motion(model: ThaModel, first: PoseVector, second: PoseVector, further: PoseVector) -> Displacement | None:
    for pose in (first, second):
        draw(model, pose)
    return model.motion([first, second], further)


def opening(machine: Machine, folder: Path) -> None:
    """From a character's name to a model that was checked, as the worker does it."""
    character = load_character(FOLDER_NAME, folder / "characters")
    files = student_files(folder / "characters" / FOLDER_NAME)
    assert files is not None
    weights, picture = as_computed(files, character.picture)
    # a thousand pictures, on the processor: Wine has no real card
    prepare(weights, picture, machine.processor, lambda share: None)
    told: list[EasyVtuberError | None] = []
    opener = ModelOpener(told.append, Verdicts(folder / "verdicts.json"), registry.devices, machine.open_runtime)
    for precision, tier in ((AUTOMATIC, FULL_TIER), (HALF, BALANCED_TIER)):
        wish = ModelWish(rung=GPU, runtime=DIRECTML_NAME, precision=precision, quality=tier)
        family = opener.family(character, wish)
        assert family is not None
        model, running = opener.open(family, wish, lambda task, share: None)
        check("the opener takes the card", running.runtime == DIRECTML_NAME, running)
        check("  with nothing to complain about", told[-1] is None, told[-1])
        nearest = min(psnr_db(draw(model, pose), reference(pose)) for pose in check_poses())
        check(f"  and its picture is right in the {tier} tier", nearest >= LEAST_DB[HALF], f"{nearest:.1f} dB")
        model.close()
    note((folder / "verdicts.json").read_text(encoding="utf-8").replace("\n", " "))
    opener.close()


def main() -> int:
    """Everything in turn."""
    prepare_output()
    logging.basicConfig(stream=sys.stdout, level=logging.ERROR)
    reason = registry.unavailable(DIRECTML_NAME)
    if reason is not None:
        note(f"DirectML cannot be tried here: {reason}")
        return 2
    machine = Machine()
    with tempfile.TemporaryDirectory(prefix="easyvtuber ö ") as temporary:
        folder = Path(temporary)
        os.environ["EASYVTUBER_HOME"] = str(folder / "home")
        files = write_small_student(folder / "characters" / FOLDER_NAME)
        real = real_student()
        steps: dict[str, Callable[[], None]] = {
            "card": lambda: what_is_there(machine),
            "refusals": lambda: refusing(machine),
            "tensors": lambda: tensors(machine),
            "student": lambda: students.every_tier(machine, "small student", files),
            "turns": lambda: students.in_turn(machine, files),
            "examining": lambda: students.examining(machine, files),
            "opener": lambda: opening(machine, folder),
            "tha": lambda: tha(machine, folder),
            "real": lambda: None if real is None else students.every_tier(machine, "real student", real),
            "whole": lambda: None if real is None else students.every_pixel(machine, real),
        }
        for name in sys.argv[1:] or [name for name in steps if name != "whole"]:
            steps[name]()
    machine.card.close()
    machine.card.close()
    return exit_status()


if __name__ == "__main__":
    sys.exit(main())
