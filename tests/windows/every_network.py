"""Every network the project makes, in each precision and quality: small ones in the form of the real ones, and the real
ones where the test data has them. Nothing is run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from onnx import ModelProto

from accel.base import FULL, PRECISIONS, Network
from models.rife.files import PLAIN, TILED, RifeFile
from models.rife.graph import build_graph
from models.rife.tiled import build_tiled
from models.safe_onnx import load_onnx
from models.student.coarse import CoarseWarps
from models.student.coarse_face import _Place as FacePlace
from models.student.composition import linear_picture
from models.student.graphs import face_network, fields_network, paste_network, pixels_network
from models.student.regions import Regions, Split, whole_face
from models.student.visible import OpacityScan
from models.student.weights import StudentWeights
from models.tha.contract import VARIANTS
from models.tha.files import variant_files
from models.tha.prepare import prepare
from models.upscale.base import REAL_ESRGAN, REAL_ESRGAN_HEAD, WAIFU2X
from models.upscale.box import HEAD, WHOLE
from models.upscale.engines import open_engine, region_of
from models.upscale.files import UpscaleNetwork
from models.upscale.graphs import Contract, bytes_network, contract_of
from models.upscale.precision import in_precision
from tests.unit import rife_networks, tha_graphs, upscale_networks
from tests.unit.student_networks import small_picture, small_weights
from tests.windows.collecting import Collecting

Named = Iterator[tuple[str, Network]]

REAL_FILES = {
    "editor": "models/tha3/seperable/fp32/editor.onnx",
    "rife": "models/rife/ifnet425lite_f32w16_dyn.onnx",
    "rife x2": "models/rife/rife_x2_fp32w16.onnx",
    "waifu2x": "models/waifu2x/upconv7_noise0_scale2x_f32_dyn.onnx",
    "waifu2x bytes": "models/waifu2x/noise0_scale2x_fp32.onnx",
    "real_esrgan": "models/Real-ESRGAN/realesr_animevideov3_x4_f32_dyn.onnx",
    "real_esrgan bytes": "models/Real-ESRGAN/exported_256_fp32.onnx",
}
"""Where the test data has a real one."""
_UPSCALERS = ((WAIFU2X, 2), (REAL_ESRGAN, 4), (REAL_ESRGAN_HEAD, 4))
_CHUNK = 8


def tiers() -> dict[str, Regions]:
    """A few pixels over half of the face in each way the quality tiers compute them: full, balanced, fast."""
    mask, face = np.zeros((512, 512), np.bool_), whole_face()
    mask[96:160, 224:288] = True
    sharp, sharp_face = mask.copy(), face.copy()
    sharp[:, 256:], sharp_face[40:] = False, False
    nothing, no_face = np.zeros_like(mask), np.zeros_like(face)
    return {
        "exact": Regions(Split.exactly(mask), Split.exactly(face)),
        "sharp and soft": Regions(Split.mixed(sharp, mask & ~sharp), Split.mixed(sharp_face, face & ~sharp_face)),
        "soft": Regions(Split.mixed(nothing, mask), Split.mixed(no_face, face)),
    }


def student_networks(folder: Path) -> Named:
    """Face, fields, pixels, the picture between, what finds the visible pixels, and the coarse warps."""
    yield from _student_networks("small", small_weights())


def _student_networks(name: str, weights: StudentWeights) -> Named:
    picture = linear_picture(small_picture())
    yield f"student {name}, picture", paste_network(picture)
    for (tier, regions), precision, chunk in product(tiers().items(), PRECISIONS, (0, _CHUNK)):
        told = f"student {name}, {tier}, {precision}, lots of {chunk}"
        yield f"{told}, face", face_network(weights.face, regions.face, precision)[0]
        network, points = fields_network(weights.body, regions.body, precision, chunk=chunk)
        yield f"{told}, fields", network
        yield f"{told}, pixels", pixels_network(points)
    visible = tiers()["exact"].body.exact
    collecting = Collecting()
    with OpacityScan(weights, np.ones((512, 512), np.float32), collecting, visible):
        pass
    CoarseWarps(weights.body, visible, collecting).close()
    FacePlace(weights.body, (20, 30, 60, 70), collecting).close()
    yield from ((f"student {name}, {network.name}", network) for network in collecting.opened)


def tha_networks(folder: Path) -> Named:
    """Both families in all variants and precisions, with every end and joint the small ones can have."""
    shapes = {
        "as usual": tha_graphs.Traits(),
        "another end": tha_graphs.Traits(ends_in_blend=False),
        "no crop": tha_graphs.Traits(crop_is_pasted=False),
        "pictures in batches": tha_graphs.Traits(batched_bytes=True),
    }
    for (family, variant), precision, (shape, traits) in product(VARIANTS, PRECISIONS, shapes.items()):
        files = tha_graphs.write_small_files(folder / f"{shape} {precision}", family, variant, precision, traits)
        for network in prepare(files).all:
            yield f"{files.name}, {shape}, {network.name}", network


def real_editor(folder: Path, file: Path) -> Named:
    """THA3's real last network among small ones."""
    weights = folder / "real editor"
    tha_graphs.write_small_files(weights, "tha3", "separable", FULL)
    files = variant_files("tha3", "separable", FULL, weights)
    shutil.copyfile(file, files.path(files.variant.final))
    yield from ((f"THA3 with its real editor, {network.name}", network) for network in prepare(files).all)


def rife_networks_of(folder: Path) -> Named:
    """Plain networks of either type and end, and EasyVtuber's files of all factors and both packages."""
    traits = {
        "float32": rife_networks.Traits(),
        "float16": rife_networks.Traits(dtype=np.float16),
        "another end": rife_networks.Traits(ends_in_blend=False),
        "the newer picture first": rife_networks.Traits(newer_first=True),
        "unbounded": rife_networks.Traits(bounded=False),
    }
    for (name, each), precision in product(traits.items(), PRECISIONS):
        path = rife_networks.write(rife_networks.plain_network(each), folder, f"ifnet {name}")
        yield f"RIFE, {name}, {precision}", build_graph(RifeFile(PLAIN, path, path.name), precision).network
    for factor, first_package, open_batch in product((2, 3, 4), (False, True), (False, True)):
        model = rife_networks.tiled_network(factor, first_package=first_package, open_batch=open_batch)
        path = rife_networks.write(model, folder, f"tiled x{factor} {first_package} {open_batch}")
        told = f"RIFE x{factor}, {'first' if first_package else 'later'} package, batch open: {open_batch}"
        yield told, build_tiled(RifeFile(TILED, path, path.name), factor)[0]


def real_rife(folder: Path, file: Path) -> Named:
    """The real plain network, or EasyVtuber's for two pictures."""
    if "_x2_" in file.name:
        yield "RIFE x2, real", build_tiled(RifeFile(TILED, file, file.name), 2)[0]
        return
    for precision in PRECISIONS:
        yield f"RIFE, real, {precision}", build_graph(RifeFile(PLAIN, file, file.name), precision).network


def upscale_networks_of(folder: Path) -> Named:
    """waifu2x and Real-ESRGAN in both contracts, from files of either precision."""
    for (kind, factor), element in product(_UPSCALERS, (upscale_networks.FLOAT, upscale_networks.HALF)):
        yield from _enlarging(kind, factor, upscale_networks.repeating(factor, element), f"of type {element}")
    for kind, factor in _UPSCALERS:
        yield from _enlarging(kind, factor, upscale_networks.whole_bytes(halves=factor == 4), "bytes")
        if factor == 4:
            yield from _enlarging(kind, factor, upscale_networks.cropping_bytes(0, 128), "bytes of a quarter")


def real_upscaler(folder: Path, file: Path) -> Named:
    """A real one of either contract."""
    model = load_onnx(file, file.name, maximum_bytes=256 << 20)
    for kind, factor in _UPSCALERS:
        if (factor == 2) == ("waifu2x" in str(file)):
            yield from _enlarging(kind, factor, model, "real")


def _enlarging(kind: str, factor: int, model: ModelProto, told: str) -> Named:
    contract = contract_of(model, "test", (factor,))
    found = UpscaleNetwork(kind, "test", contract, model)
    for precision in PRECISIONS:
        name = f"{kind}, {contract.value}, {told}, {precision}"
        if contract is Contract.BYTES:
            # its engine would try it out at once
            yield name, bytes_network(in_precision(model, precision), kind)
            continue
        collecting = Collecting()
        for box in (WHOLE, HEAD):
            open_engine(found, collecting, precision, kind, region_of(found, kind, box), None).close()
        yield from ((name, network) for network in collecting.opened)


SMALL: dict[str, Callable[[Path], Named]] = {
    "student": student_networks,
    "tha": tha_networks,
    "rife": rife_networks_of,
    "upscale": upscale_networks_of,
}
REAL: dict[str, Callable[[Path, Path], Named]] = {
    "editor": real_editor,
    "rife": real_rife,
    "rife x2": real_rife,
    "waifu2x": real_upscaler,
    "waifu2x bytes": real_upscaler,
    "real_esrgan": real_upscaler,
    "real_esrgan bytes": real_upscaler,
}
