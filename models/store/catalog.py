"""Everything that can be fetched or imported, with where it comes from and how it may be used.

Hashes stand where the file could be checked; the first package of EasyVtuber was published without any.
"""

from __future__ import annotations

from itertools import product
from types import MappingProxyType

from .entry import Archive, ByHand, Entry, Licence, Root, StoredFile
from .layout import (
    PRECISIONS,
    RIFE_SCALES,
    STUDENT_FILES,
    THA3_GRAPHS,
    THA3_KINDS,
    THA4_GRAPHS,
    WAIFU2X_KINDS,
    first_package,
    place_of,
)

THA3_LICENCE = Licence(
    "tha3",
    "CC BY 4.0",
    "https://creativecommons.org/licenses/by/4.0/",
    "The Talking Head(?) Anime 3 networks by Pramook Khungurn. You may use, share and change them, also for money, "
    "as long as you name the author and the licence and say what you changed.",
)
THA4_LICENCE = Licence(
    "tha4",
    "CC BY-NC 4.0",
    "https://creativecommons.org/licenses/by-nc/4.0/",
    "The Talking Head(?) Anime 4 networks and example pictures by Pramook Khungurn. You may use, share and change "
    "them as long as you name the author and the licence and say what you changed. Use that is mainly meant to earn "
    "money is not allowed; whether your stream is that, you have to judge yourself.",
)
RIFE_LICENCE = Licence(
    "rife",
    "MIT",
    "https://github.com/hzwer/Practical-RIFE/blob/main/LICENSE",
    "The frame interpolation network RIFE by Zhewei Huang and others. You may use, share and change it, also for "
    "money, as long as the licence text stays with copies.",
)
WAIFU2X_LICENCE = Licence(
    "waifu2x",
    "MIT",
    "https://github.com/nagadomi/waifu2x/blob/master/LICENSE",
    "The upscaling network waifu2x by nagadomi. You may use, share and change it, also for money, as long as the "
    "licence text stays with copies.",
)
REAL_ESRGAN_LICENCE = Licence(
    "real_esrgan",
    "BSD 3-Clause",
    "https://github.com/xinntao/Real-ESRGAN/blob/master/LICENSE",
    "The upscaling network Real-ESRGAN by Xintao Wang and others. You may use, share and change it, also for money, "
    "as long as the licence text stays with copies and the authors' names are not used for advertising.",
)
MEDIAPIPE_LICENCE = Licence(
    "mediapipe",
    "Apache 2.0",
    "https://www.apache.org/licenses/LICENSE-2.0",
    "The face landmarker of MediaPipe by Google. You may use, share and change it, also for money, as long as the "
    "licence text stays with copies and changes are marked.",
)

FIRST_PACKAGE = Archive(
    "20241220.zip",
    "https://github.com/zpeng11/ezvtuber-rt/releases/download/0.0.1/20241220.zip",
    MappingProxyType(first_package()),
)
"""The networks as EasyVtuber's first release packed them: about 1.6 GB in all."""

NEWER_PACKAGE = ByHand(
    "https://github.com/zpeng11/EasyVtuber#readme",
    "EasyVtuber offers its newer packages by links to shared drives in its README. Download the one with the models "
    "there in a browser, then import the zip, or the folder you unpacked it to.",
)

_DEMO = (
    "https://raw.githubusercontent.com/pkhungurn/talking-head-anime-4-demo/"
    "320640116abd604de22d7b56faec85b4d95770e0/data/character_models"
)
_EXAMPLE_FACTS = {
    "lambda_00/face_morpher.pt": (491887, "9c8914a7ab6c3a155785994ed82dc82ca49c6d91eb2f92c35ef806b6bb21b4c5"),
    "lambda_00/body_morpher.pt": (1332713, "f9d06d0bd8b0344a0642e4e80bc81a6f227921f6724fd580904821dad7666a80"),
    "lambda_00/character_model.yaml": (122, "a2dfad8d59e353931dc2f8333723385ec1710999ef0655490db7d462d20decb2"),
    "lambda_00/character.png": (110769, "e4a594c801d3d586365b5cc0986dc5abc98dac98cced2517cc40cddafcc92abc"),
}
"""Size and SHA-256 of the author's files. Those of lambda_01 are pinned by the commit in their address only."""


def _packed(*paths: str) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(place_of(path)) for path in paths)


def _example_file(path: str) -> StoredFile:
    byte_count, sha256 = _EXAMPLE_FACTS.get(path, (0, ""))
    return StoredFile(place_of(path, Root.CHARACTERS), f"{_DEMO}/{path}", sha256=sha256, byte_count=byte_count)


def _tha3(kind: str, precision: str) -> Entry:
    spelled = {"seperable": "separable (faster)", "standard": "standard (finer)"}[kind]
    files = _packed(*(f"tha3/{kind}/{precision}/{graph}.onnx" for graph in THA3_GRAPHS))
    title = f"THA3 {spelled}, {precision}"
    return Entry(f"tha3_{kind}_{precision}", title, "tha3", THA3_LICENCE, files, FIRST_PACKAGE)


def _tha4(precision: str) -> Entry:
    files = _packed(*(f"tha4/{precision}/{graph}.onnx" for graph in THA4_GRAPHS))
    return Entry(f"tha4_{precision}", f"THA4, {precision}", "tha4", THA4_LICENCE, files, by_hand=NEWER_PACKAGE)


def _rife(precision: str) -> Entry:
    files = _packed(*(f"rife/rife_{scale}_{precision}.onnx" for scale in RIFE_SCALES))
    title = f"RIFE frame interpolation, {precision}"
    return Entry(f"rife_{precision}", title, "rife", RIFE_LICENCE, files, FIRST_PACKAGE)


def _waifu2x(precision: str) -> Entry:
    files = _packed(f"waifu2x/{WAIFU2X_KINDS[0]}_{precision}.onnx")
    title = f"waifu2x, twice the size, {precision}"
    return Entry(f"waifu2x_{precision}", title, "upscale", WAIFU2X_LICENCE, files, FIRST_PACKAGE)


def _real_esrgan(precision: str) -> Entry:
    files = _packed(f"Real-ESRGAN/exported_256_{precision}.onnx")
    title = f"Real-ESRGAN, four times the size, {precision}"
    return Entry(f"real_esrgan_{precision}", title, "upscale", REAL_ESRGAN_LICENCE, files, FIRST_PACKAGE)


def _example(name: str) -> Entry:
    files = tuple(_example_file(f"{name}/{file}") for file in STUDENT_FILES)
    return Entry(f"student_{name}", f"THA4 student {name} (example character)", "tha4_student", THA4_LICENCE, files)


_FACE_LANDMARKER = Entry(
    "face_landmarker",
    "MediaPipe face landmarker (webcam tracking)",
    "face_landmarker",
    MEDIAPIPE_LICENCE,
    (
        StoredFile(
            place_of("mediapipe/face_landmarker.task"),
            "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
            "face_landmarker.task",
            sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
            byte_count=3_758_596,
        ),
    ),
)
_BUNDLED_STUDENT = Entry(
    "tha4_student",
    "THA4 student of EasyVtuber's newer packages",
    "tha4_student",
    THA4_LICENCE,
    _packed("tha4_student/face_morpher.onnx", "tha4_student/body_morpher.onnx"),
    by_hand=NEWER_PACKAGE,
)

CATALOGUE: tuple[Entry, ...] = (
    *(_tha3(kind, precision) for kind, precision in product(THA3_KINDS, PRECISIONS)),
    *(_example(name) for name in ("lambda_00", "lambda_01")),
    _BUNDLED_STUDENT,
    *(_tha4(precision) for precision in PRECISIONS),
    *(_rife(precision) for precision in PRECISIONS),
    *(_waifu2x(precision) for precision in PRECISIONS),
    *(_real_esrgan(precision) for precision in PRECISIONS),
    _FACE_LANDMARKER,
)
"""Every entry, the recommended ones of a family first."""


def entry(key: str) -> Entry | None:
    """The entry of that key."""
    return next((candidate for candidate in CATALOGUE if candidate.key == key), None)


def licences() -> tuple[Licence, ...]:
    """Every licence of the catalogue, once each."""
    return tuple({candidate.licence.key: candidate.licence for candidate in CATALOGUE}.values())
