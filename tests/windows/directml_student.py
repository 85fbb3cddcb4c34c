"""THA4 students on a graphics card: every tier and precision against the processor's pictures."""

from __future__ import annotations

import time

import numpy as np

from accel.base import FULL, PRECISIONS
from accel.onnxruntime.session import OrtTensor
from benchmarks._golden import golden_pictures
from models.base import Picture
from models.character import read_picture
from models.self_check import check_poses, difference, judge, psnr_db, reference_pictures
from models.student.face import DeviceFace
from models.student.family import StudentFamily
from models.student.folder import StudentFiles
from models.student.model import StudentModel
from models.student.points import Mask
from models.student.preparation import BALANCED_TIER, FULL_TIER, most_opaque, prepare
from models.student.regions import Regions, Split, whole_face
from models.student.visible import OpacityScan
from tests.unit.student_networks import reference, small_picture
from tests.windows.checks import check, draw, refusal
from tests.windows.directml_machine import LEAST_DB, Machine
from tests.windows.small_student import as_computed

_NEAR_PX = 0.05


def few_pixels() -> Mask:
    """Shape (512, 512): a square over half of the face."""
    mask = np.zeros((512, 512), np.bool_)
    mask[96:160, 224:288] = True
    return mask


def tiers() -> dict[str, Regions]:
    """The few pixels in all ways there are to compute them."""
    mask, face = few_pixels(), whole_face()
    sharp, sharp_face = mask.copy(), face.copy()
    sharp[:, 256:], sharp_face[40:] = False, False
    return {
        "exact": Regions(Split.exactly(mask), Split.exactly(face)),
        "sharp and soft": Regions(Split.mixed(sharp, mask & ~sharp), Split.mixed(sharp_face, face & ~sharp_face)),
        "soft": Regions(Split.mixed(mask & ~mask, mask), Split.mixed(face & ~face, face)),
    }


def every_tier(machine: Machine, name: str, files: StudentFiles) -> None:
    """Both precisions in every tier against the processor."""
    weights, picture = as_computed(files, read_picture(files.picture))
    exact: list[Picture] = []
    for tier, regions in tiers().items():
        plain = StudentModel(weights, picture, regions, machine.processor, 512)
        wanted = reference_pictures(plain)
        plain.close()
        exact = exact or wanted
        for precision in PRECISIONS:
            started = time.perf_counter()
            model = StudentModel(weights, picture, regions, machine.card, 512, precision)
            opened = time.perf_counter()
            drawn = reference_pictures(model)
            taken = (time.perf_counter() - opened) / len(drawn) * 1e3
            nearest = min(map(_distance, drawn, wanted))
            reasons = list(map(difference, drawn, wanted))
            told = f"{nearest:.1f} dB from the processor, {min(map(_distance, drawn, exact)):.1f} dB from exact,"
            told += f" opened in {opened - started:.1f} s, {taken:.0f} ms a picture"
            check(f"{name}, {tier}, {precision}", nearest >= LEAST_DB[precision] and not any(reasons), told)
            if tier == "exact":
                _stays_there(model)
            model.close()


def _distance(drawn: Picture, wanted: Picture) -> float:
    """PSNR where something is drawn at all."""
    mask = few_pixels()
    return psnr_db(drawn[mask], wanted[mask])


def _stays_there(model: StudentModel) -> None:
    face, first = model._renderer._face, check_poses()[1]
    draw(model, first)
    held = list(model._renderer._tensors)
    if isinstance(face, DeviceFace):
        held.append(face.picture)
    places = [tensor.value.device_name() for tensor in held if isinstance(tensor, OrtTensor)]
    check("  fields and the picture with its face stay on the card", places == ["dml"] * 2, places)
    known = draw(model, first)
    draw(model, first * np.float32(0.5))
    check("  a face that is remembered there is the same face", np.array_equal(draw(model, first), known))


def in_turn(machine: Machine, files: StudentFiles) -> None:
    """Two models on the card, how pictures move, and the definition of the networks in numpy."""
    weights, picture = as_computed(files, small_picture())
    regions = tiers()["exact"]
    models = [StudentModel(weights, picture, regions, machine.card, 512, precision) for precision in PRECISIONS]
    plain = StudentModel(weights, picture, regions, machine.processor, 512)
    poses = check_poses()
    alone = [[draw(model, pose) for pose in poses] for model in models]
    turns = [draw(model, pose) for pose in poses for model in models]
    check(
        "two models in turn draw what each draws alone",
        _equal(turns, [one for pair in zip(*alone, strict=True) for one in pair]),
    )
    nearest = min(_distance(drawn, reference(pose)) for drawn, pose in zip(alone[0], poses, strict=True))
    check("the pictures are what the networks are defined to give", nearest >= LEAST_DB[FULL], f"{nearest:.1f} dB")
    for model, precision in zip(models, PRECISIONS, strict=True):
        moved, wanted = (each.motion([poses[1]], poses[2]) for each in (model, plain))
        away = float(np.abs(moved - wanted).max()) * 512
        check(f"the way from one pose to another, {precision}", away < _NEAR_PX, f"{away:.3f} pixels off")
    for model in (*models, plain):
        model.close()
        model.close()
    problem = refusal(lambda: draw(models[0], poses[0]))
    check("a closed model says so", problem.startswith("runtime_failed"), problem)


def _equal(first: list[Picture], second: list[Picture]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def examining(machine: Machine, files: StudentFiles) -> None:
    """What finds out which pixels can be seen."""
    weights, picture = as_computed(files, small_picture())
    opaque = most_opaque(weights, picture, machine.processor)
    wanted, pose = np.ones((128, 128), np.bool_), check_poses()[1]
    with OpacityScan(weights, opaque, machine.card, wanted) as scan:
        found = scan.opacity(pose)
    with OpacityScan(weights, opaque, machine.processor, wanted) as scan:
        away = np.abs(found - scan.opacity(pose)).max()
    check("opacity on the card is the processor's", found.max() > 0.9 and away < 1e-3, f"{away:.1e} away")


def every_pixel(machine: Machine, files: StudentFiles) -> None:
    """The self-check of the real student, as it is made before a card is used, then the tiers that are shown, against
    the original code's pictures."""
    picture = read_picture(files.picture)
    family = StudentFamily(files, picture, FULL_TIER)
    plain = family.open_for_check(machine.processor, FULL)
    wanted = reference_pictures(plain)
    plain.close()
    for precision in PRECISIONS:
        model = family.open_for_check(machine.card, precision)
        verdict = judge(model, wanted)
        check(f"the real student at every pixel, {precision}", verdict.good, verdict)
        model.close()
    weights, linear = as_computed(files, picture)
    prepared = prepare(weights, linear, machine.processor, lambda share: None)
    golden = golden_pictures(files.picture.parent / "reference")
    for tier, least in ((FULL_TIER, LEAST_DB[FULL]), (BALANCED_TIER, 40.0)):
        for precision in PRECISIONS:
            model = StudentModel(weights, linear, prepared.regions(tier), machine.card, 512, precision)
            distances = [psnr_db(draw(model, pose), picture) for pose, picture in golden.values()]
            told = ", ".join(f"{name} {db:.1f}" for name, db in zip(golden, distances, strict=True))
            check(f"the original code's pictures, {tier} tier, {precision}", min(distances) >= least, f"{told} dB")
            model.close()
