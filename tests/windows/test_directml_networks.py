"""Every network on the real DirectML against the processor: each graph by itself, then whole models.

How far the card is from the processor is collected (:mod:`tests.windows.card_errors`). Skipped where there is no card.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from accel.base import FULL, HALF, PRECISIONS
from accel.onnxruntime.native.device_memory import NativeTensor
from models.base import Picture
from models.character import read_picture
from models.motion import Displacement
from models.rife.files import PLAIN, TILED, RifeFile
from models.rife.interpolator import Rife
from models.safe_onnx import load_onnx
from models.self_check import check_poses, difference, psnr_db, reference_pictures
from models.student.composition import linear_picture
from models.student.face import DeviceFace
from models.student.folder import student_files
from models.student.model import StudentModel
from models.student.preparation import most_opaque
from models.student.visible import OpacityScan
from models.student.weights import StudentWeights
from models.tha.files import find_variant_files
from models.tha.model import ThaModel
from models.upscale.base import REAL_ESRGAN, REAL_ESRGAN_HEAD, WAIFU2X
from models.upscale.box import Box
from models.upscale.files import UpscaleNetwork
from models.upscale.graphs import contract_of
from models.upscale.network import NetworkUpscaler
from tests.data import data
from tests.unit import rife_networks, upscale_networks
from tests.unit.student_networks import reference, small_picture
from tests.unit.tha_graphs import write_small_files
from tests.windows.card_errors import array_error, network_error
from tests.windows.checks import draw
from tests.windows.directml_machine import LEAST_DB, Machine, the_machine
from tests.windows.every_network import REAL, REAL_FILES, SMALL, tiers
from tests.windows.small_student import as_computed, blue_first_weights

WORST = {FULL: 1.01 / 255.0, HALF: 0.02}
"""Bytes may be rounded the other way: one level. Half a float has three digits; networks work on values up to 2."""
NEAR_PX = {FULL: 0.05, HALF: 1.0}
BOX: Box = (192, 192, 64, 64)
THA = (("tha3", "separable"), ("tha3", "standard"), ("tha4", ""))
REAL_STUDENT = "models/tha4_student/lambda_00/character.png"


@pytest.fixture(scope="module")
def machine() -> Machine:
    return the_machine()


def precision_of(name: str) -> str:
    """A network's precision, by what it is called here; some are in half by their maker's choice."""
    return HALF if any(word in name for word in ("half", "float16", "type 10")) else FULL


# -- each graph by itself --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SMALL)
def test_every_network_gives_what_the_processor_gives(machine: Machine, kind: str, tmp_path: Path) -> None:
    worse = {}
    for name, network in SMALL[kind](tmp_path):
        if kind == "tha" and "as usual" not in name:
            continue  # other joints, the same operators
        error = network_error(network, machine.card, machine.processor)
        machine.errors.note(name, precision_of(name), error)
        if not error <= WORST[precision_of(name)]:
            worse[name] = error
    assert not worse


@pytest.mark.parametrize("kind", ["editor", "rife x2"])
def test_a_real_network_gives_what_the_processor_gives(machine: Machine, kind: str, tmp_path: Path) -> None:
    for name, network in REAL[kind](tmp_path, data(REAL_FILES[kind])):
        error = network_error(network, machine.card, machine.processor)
        machine.errors.note(name, precision_of(name), error)
        assert error <= 2.01 / 255.0, name


# -- students --------------------------------------------------------------------------------------------------------


def nearest_db(drawn: list[Picture], wanted: list[Picture]) -> float:
    """PSNR where something is drawn at all."""
    mask = tiers()["exact"].body.exact
    return min(psnr_db(one[mask], other[mask]) for one, other in zip(drawn, wanted, strict=True))


@pytest.mark.parametrize("tier", tiers())
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_student_draws_as_on_the_processor(machine: Machine, tier: str, precision: str) -> None:
    student_draws_alike(machine, blue_first_weights(), linear_picture(small_picture()), tier, precision)


@pytest.mark.parametrize("tier", tiers())
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_real_student_draws_as_on_the_processor(machine: Machine, tier: str, precision: str) -> None:
    files = student_files(data(REAL_STUDENT).parent)
    assert files is not None
    student_draws_alike(machine, *as_computed(files, read_picture(files.picture)), tier, precision)


def student_draws_alike(
    machine: Machine, weights: StudentWeights, picture: np.ndarray, tier: str, precision: str
) -> None:
    parts = weights, picture, tiers()[tier]
    plain = StudentModel(*parts, machine.processor, 512)
    wanted = reference_pictures(plain)
    plain.close()
    model = StudentModel(*parts, machine.card, 512, precision, processor=machine.processor)
    drawn = reference_pictures(model)
    model.close()
    assert nearest_db(drawn, wanted) >= LEAST_DB[precision]
    assert not any(map(difference, drawn, wanted))


def test_the_face_stays_on_the_card_and_is_remembered_there(machine: Machine) -> None:
    parts = blue_first_weights(), linear_picture(small_picture()), tiers()["exact"]
    model = StudentModel(*parts, machine.card, 512, processor=machine.processor)
    first = check_poses()[1]
    known = draw(model, first)
    face = model._renderer._face
    assert isinstance(face, DeviceFace)
    held = [*model._renderer._tensors, face.picture]
    assert [tensor.index for tensor in held if isinstance(tensor, NativeTensor)] == [machine.card_device.index] * 2
    draw(model, first * np.float32(0.5))
    assert np.array_equal(draw(model, first), known)
    model.close()


def test_two_students_in_turn_draw_what_each_draws_alone(machine: Machine) -> None:
    parts = blue_first_weights(), linear_picture(small_picture()), tiers()["exact"]
    models = [
        StudentModel(*parts, machine.card, 512, precision, processor=machine.processor) for precision in PRECISIONS
    ]
    plain = StudentModel(*parts, machine.processor, 512)
    poses = check_poses()
    alone = [[draw(model, pose) for pose in poses] for model in models]
    for number, pose in enumerate(poses):
        for model, pictures in zip(models, alone, strict=True):
            assert np.array_equal(draw(model, pose), pictures[number])
    assert nearest_db(alone[0], [reference(pose) for pose in poses]) >= LEAST_DB[FULL]
    for model in models:
        away = np.abs(model.motion([poses[1]], poses[2]) - plain.motion([poses[1]], poses[2])).max()
        assert float(away) * 512 < NEAR_PX[FULL]
    for each in (*models, plain):
        each.close()


def test_what_can_be_seen_is_found_out_on_the_card_too(machine: Machine) -> None:
    weights, pose = blue_first_weights(), check_poses()[1]
    opaque = most_opaque(weights, linear_picture(small_picture()), machine.processor)
    found = []
    for runtime in (machine.card, machine.processor):
        with OpacityScan(weights, opaque, runtime, np.ones((128, 128), np.bool_)) as scan:
            found.append(scan.opacity(pose))
    assert found[0].max() > 0.9
    assert array_error(*found) < 1e-3


# -- THA3 and THA4 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("family", "variant"), THA)
def test_tha_draws_and_moves_as_on_the_processor(
    machine: Machine, tmp_path: Path, family: str, variant: str, precision: str
) -> None:
    write_small_files(tmp_path, family, variant, precision)
    files = find_variant_files(family, variant, precision, tmp_path)
    plain = ThaModel(small_picture(), files, machine.processor, 512)
    card = ThaModel(small_picture(), files, machine.card, 512, once=machine.processor)
    assert min(psnr_db(draw(card, pose), draw(plain, pose)) for pose in check_poses()) >= LEAST_DB[precision]
    moved, wanted = (_motion(model) for model in (card, plain))
    assert moved is not None and wanted is not None
    assert float(np.abs(moved - wanted).max()) * 512 < NEAR_PX[precision]
    card.close()
    plain.close()


def _motion(model: ThaModel) -> Displacement | None:
    first, second = check_poses()[1:]
    for pose in (first, second):
        draw(model, pose)
    return model.motion([first, second], second + (second - first) * np.float32(0.5))


# -- RIFE ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("contract", ["plain", "another end", "tiled", "tiled, first package"])
def test_rife_draws_as_on_the_processor(machine: Machine, tmp_path: Path, contract: str, precision: str) -> None:
    if contract.startswith("tiled"):
        model = rife_networks.tiled_network(3, first_package="first" in contract)
    else:
        model = rife_networks.plain_network(rife_networks.Traits(ends_in_blend=contract == "plain"))
    path = rife_networks.write(model, tmp_path, "small")
    file = RifeFile(TILED if contract.startswith("tiled") else PLAIN, path, path.name)
    rife_draws_alike(machine, file, 3, precision, most_levels=3 if precision == HALF else 1)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_real_rife_draws_as_on_the_processor(machine: Machine, precision: str) -> None:
    path = data(REAL_FILES["rife"])
    rife_draws_alike(machine, RifeFile(PLAIN, path, path.name), 2, precision, most_levels=None)


def rife_draws_alike(machine: Machine, file: RifeFile, factor: int, precision: str, most_levels: int | None) -> None:
    """``most_levels``: how far apart a value may be; None compares the pictures as a whole."""
    older, newer = rife_networks.figure(200), rife_networks.figure(208)
    drawn = []
    for runtime in (machine.card, machine.processor):
        rife = Rife(file, runtime, precision if runtime is machine.card else FULL, factor)
        pictures = [np.zeros_like(older) for _ in range(factor - 1)]
        rife.draw_all(older, newer, pictures)
        rife.close()
        drawn.append(pictures)
    for one, other in zip(*drawn, strict=True):
        assert (one[..., :3] <= one[..., 3:]).all() or "tiled" in file.path.name or file.kind == TILED
        if most_levels is None:
            assert psnr_db(one, other) >= LEAST_DB[precision]
        else:
            assert rife_networks.difference(one, other) <= most_levels


# -- super-resolution ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("kind", "factor"), [(WAIFU2X, 2), (REAL_ESRGAN, 4), (REAL_ESRGAN_HEAD, 4)])
def test_an_upscaler_draws_as_on_the_processor(machine: Machine, kind: str, factor: int, precision: str) -> None:
    model = upscale_networks.repeating(factor)
    found = UpscaleNetwork(kind, "small", contract_of(model, "small", (factor,)), model)
    upscaler_draws_alike(machine, found, kind, precision)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", [WAIFU2X, REAL_ESRGAN])
def test_a_real_upscaler_draws_as_on_the_processor(machine: Machine, kind: str, precision: str) -> None:
    model = load_onnx(data(REAL_FILES[kind]), "real", maximum_bytes=256 << 20)
    contract = contract_of(model, "real", (2 if kind == WAIFU2X else 4,))
    upscaler_draws_alike(machine, UpscaleNetwork(kind, "real", contract, model), kind, precision)


def upscaler_draws_alike(machine: Machine, found: UpscaleNetwork, kind: str, precision: str) -> None:
    picture = upscale_networks.disc((40, 120, 200), centre=(224, 224), radius=24)
    drawn = []
    for runtime, each in ((machine.card, precision), (machine.processor, FULL)):
        out = np.zeros((1024, 1024, 4), np.uint8)
        upscaler = NetworkUpscaler(found, runtime, each, kind, BOX)
        upscaler.apply(picture, out)
        upscaler.close()
        drawn.append(out)
    assert drawn[1].any()
    assert psnr_db(*drawn) >= LEAST_DB[precision]
