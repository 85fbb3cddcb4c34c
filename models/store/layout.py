"""Which file belongs where: EasyVtuber's layout of today, that of its first package, and that of student examples.

A tree may begin anywhere: ``EasyVtuber/data/models/tha3/...`` and ``20241220/tha3/...`` mean the same. Spelling of
letters' case does not matter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from .entry import Place, Root

THA3_GRAPHS = ("decomposer", "combiner", "morpher", "rotator", "editor")
THA4_GRAPHS = ("decomposer", "combiner", "morpher", "body_morpher", "upscaler")
THA3_KINDS = ("seperable", "standard")
"""Sic: the misspelling is part of the layout."""
PRECISIONS = ("fp16", "fp32")
RIFE_SCALES = ("x2", "x3", "x4")
WAIFU2X_KINDS = ("noise0_scale2x", "noise1_scale2x", "noise2_scale2x", "noise3_scale2x", "scale2x")
STUDENT_FILES = ("face_morpher.pt", "body_morpher.pt", "character_model.yaml", "character.png")
"""The picture is last: a character folder is listed once it is complete."""

_LONGEST_NAME = 80
_DEEPEST = 32
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f]')
_STUDENT_CONTRACTS = {
    "face_morpher": "tha4_student.face",
    "body_morpher": "tha4_student.body",
    "character_model": "tha4_student.description",
    "character": "character.picture",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    path: str
    contract: str
    root: Root = Root.WEIGHTS


def _any(names: tuple[str, ...]) -> str:
    return "|".join(re.escape(name) for name in names)


def _rule(pattern: str, path: str, contract: str, root: Root = Root.WEIGHTS) -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), path, contract, root)


_PRECISION = rf"(?P<precision>{_any(PRECISIONS)})"
_UPSCALED = rf"(?P<graph>{_any(WAIFU2X_KINDS)})"
_SCALE = rf"(?P<scale>{_any(RIFE_SCALES)})"
_RULES = (
    _rule(
        rf"tha3/(?P<kind>seperable|separable|standard)/{_PRECISION}/(?P<graph>{_any(THA3_GRAPHS)})\.onnx",
        "tha3/{kind}/{precision}/{graph}.onnx",
        "tha3.{graph}",
    ),
    _rule(rf"tha4/{_PRECISION}/(?P<graph>{_any(THA4_GRAPHS)})\.onnx", "tha4/{precision}/{graph}.onnx", "tha4.{graph}"),
    _rule(r"tha4_student/(?P<graph>face_morpher|body_morpher)\.onnx", "tha4_student/{graph}.onnx", "{student}"),
    _rule(
        r"custom_tha4_models/(?P<name>[^/]+)/(?P<graph>face_morpher|body_morpher|character)\.(?P<suffix>onnx|png)",
        "custom_tha4_models/{name}/{graph}.{suffix}",
        "{student}",
    ),
    _rule(
        r"character_models/(?P<name>[^/]+)/(?P<graph>face_morpher|body_morpher|character_model|character)"
        r"\.(?P<suffix>pt|yaml|png)",
        "{name}/{graph}.{suffix}",
        "{student}",
        Root.CHARACTERS,
    ),
    _rule(rf"rife/ifnet_{_PRECISION}\.onnx", "rife/ifnet_{precision}.onnx", "rife.plain"),
    _rule(rf"rife/rife_{_SCALE}_{_PRECISION}\.onnx", "rife/rife_{scale}_{precision}.onnx", "rife"),
    _rule(rf"rife_512/{_SCALE}/{_PRECISION}\.onnx", "rife/rife_{scale}_{precision}.onnx", "rife"),
    _rule(rf"waifu2x/{_UPSCALED}_{_PRECISION}\.onnx", "waifu2x/{graph}_{precision}.onnx", "upscale"),
    _rule(
        rf"waifu2x_upconv/{_PRECISION}/upconv_7/art/{_UPSCALED}\.onnx",
        "waifu2x/{graph}_{precision}.onnx",
        "upscale",
    ),
    _rule(rf"waifu2x/upconv7_{_UPSCALED}_{_PRECISION}\.onnx", "waifu2x/upconv7_{graph}_{precision}.onnx", "upscale"),
    _rule(
        rf"Real-ESRGAN/realesr_animevideov3_x4_{_PRECISION}\.onnx",
        "Real-ESRGAN/realesr_animevideov3_x4_{precision}.onnx",
        "upscale",
    ),
    _rule(rf"Real-ESRGAN/exported_256_{_PRECISION}\.onnx", "Real-ESRGAN/exported_256_{precision}.onnx", "upscale"),
    _rule(r"Real-ESRGAN/exported_256\.onnx", "Real-ESRGAN/exported_256_fp32.onnx", "upscale"),
    _rule(r"face_landmarker\.task", "mediapipe/face_landmarker.task", "face_landmarker"),
)
_NOT_NEEDED = re.compile(r"merge(_no_eyebrow)?\.onnx|.*\.(onnx\.cache|trt|engine)", re.IGNORECASE)
"""Graphs that EasyVtuber joins from the others, and what its runtime made on somebody's graphics card."""
_STUDENT_SUFFIXES = {"face_morpher": "pt", "body_morpher": "pt", "character_model": "yaml", "character": "png"}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A name that belongs somewhere. ``depth`` is how many folders stood before the tree began."""

    place: Place
    depth: int


def is_unsafe(name: str) -> bool:
    """Could this name inside an archive lead out of the folder it is unpacked to?"""
    folded = name.replace("\\", "/")
    return folded.startswith("/") or ".." in folded.split("/") or re.match(r"[A-Za-z]:", folded) is not None


def is_not_needed(name: str) -> bool:
    """Is it a file of EasyVtuber that this program has no use for?"""
    return _NOT_NEEDED.fullmatch(name.replace("\\", "/").rpartition("/")[2]) is not None


def recognise(name: str) -> Recognised | None:
    """Where a file of this name belongs; None when it is none of ours or its name could not be used on every system."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")][-_DEEPEST:]
    for depth in range(len(parts)):
        tail = "/".join(parts[depth:])
        for rule in _RULES:
            match = rule.pattern.fullmatch(tail)
            if match:
                place = _place(rule, match.groupdict())
                return None if place is None else Recognised(place, depth)
    return None


def place_of(path: str, root: Root = Root.WEIGHTS) -> Place:
    """The place that a path of the layout means. Raises ValueError when the layout has no such path."""
    found = recognise(path if root is Root.WEIGHTS else f"character_models/{path}")
    if found is None or (found.place.path, found.place.root) != (path, root):
        raise ValueError(f"{path} is not in the layout")
    return found.place


def _place(rule: _Rule, groups: dict[str, str]) -> Place | None:
    name = groups.pop("name", "")
    values = {key: value.lower() for key, value in groups.items()}
    if values.get("kind") == "separable":
        values["kind"] = "seperable"
    if "{name}" in rule.path:
        values["name"] = _usable(name)
        if not values["name"] or not _student_suffix_fits(rule, values):
            return None
    student = _STUDENT_CONTRACTS.get(values.get("graph", ""), "")
    return Place(rule.path.format(**values), rule.contract.format(student=student, **values), rule.root)


def _student_suffix_fits(rule: _Rule, values: dict[str, str]) -> bool:
    wanted = _STUDENT_SUFFIXES[values["graph"]]
    return values["suffix"] == ("onnx" if rule.root is Root.WEIGHTS and wanted == "pt" else wanted)


def _usable(name: str) -> str:
    """A folder's name as every system takes it; empty when it cannot be one."""
    name = unicodedata.normalize("NFC", name).strip(" ")
    bad = (
        not name
        or len(name) > _LONGEST_NAME
        or name.startswith((".", "_"))
        or name.endswith(".")
        or _FORBIDDEN.search(name)
        or _RESERVED.fullmatch(name)
        or any(unicodedata.category(letter) in ("Cs", "Cc") for letter in name)
    )
    return "" if bad else name


def first_package() -> dict[str, str]:
    """The 38 networks of EasyVtuber's first package: name inside the zip to the path of today's layout."""
    members = {}
    for name in _first_package_names():
        found = recognise(name)
        assert found is not None
        members[name] = found.place.path
    return members


def _first_package_names() -> Iterator[str]:
    for kind, precision, graph in product(THA3_KINDS, PRECISIONS, THA3_GRAPHS):
        yield f"tha3/{kind}/{precision}/{graph}.onnx"
    for scale, precision in product(RIFE_SCALES, PRECISIONS):
        yield f"rife_512/{scale}/{precision}.onnx"
    yield "Real-ESRGAN/exported_256_fp16.onnx"
    yield "Real-ESRGAN/exported_256.onnx"
    for precision, kind in product(PRECISIONS, WAIFU2X_KINDS):
        yield f"waifu2x_upconv/{precision}/upconv_7/art/{kind}.onnx"
