"""Whether a character's folder holds a THA4 student, and its files.

The THA4 demo describes one in ``character_model.yaml``; EasyVtuber takes files of fixed names, as ONNX.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import yaml

from core.wire.errors import ModelFileBad, ModelMissing

from .contract import BODY, FACE, NetworkContract, network_from_tensors
from .torch_file import read_state_dict
from .weights import SineNetwork, StudentWeights

FAMILY = "tha4_student"
DESCRIPTION_NAME = "character_model.yaml"
_KEYS = ("character_image_file_name", "face_morpher_file_name", "body_morpher_file_name")
_PICTURE_NAME = "character.png"
_FACE_NAMES = ("face_morpher.pt", "face_morpher.onnx")
_BODY_NAMES = ("body_morpher.pt", "body_morpher.onnx")
_MAXIMUM_DESCRIPTION_BYTES = 64 << 10
_MAXIMUM_GRAPH_BYTES = 64 << 20
_SEPARATORS = frozenset('/\\:*?"<>|')
"""What Windows reads as something else than a name, wherever the folder was made."""
_FLAT = [
    yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.MappingStartEvent,
    yaml.MappingEndEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent,
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudentFiles:
    """The picture and the two networks (``.onnx``; any other name is PyTorch's), all in one folder."""

    picture: Path
    face: Path
    body: Path


def student_files(folder: Path) -> StudentFiles | None:
    """The files of the student in a folder; None when there is none.

    Raises ModelFileBad when its description is no good (``bad_description``, ``too_large``, ``unreadable``), or names
    something that is not in the folder (``unsafe``); ModelMissing when a file is not there.
    """
    description = folder / DESCRIPTION_NAME
    if _is_file(description):
        named = _read_description(description)
        return StudentFiles(*(_inside(folder, named[key]) for key in _KEYS))
    face, body = _first(folder, _FACE_NAMES), _first(folder, _BODY_NAMES)
    if face is None and body is None:
        return None
    return StudentFiles(
        *(_inside(folder, name) for name in (_PICTURE_NAME, face or _FACE_NAMES[0], body or _BODY_NAMES[0]))
    )


def load_student_weights(files: StudentFiles) -> StudentWeights:
    """Read both networks. Raises ModelFileBad: what the reader of the kind of file raises, or ``wrong_contract``."""
    return StudentWeights(_network(files.face, FACE), _network(files.body, BODY))


def check_network(path: Path, part: str) -> None:
    """Is a single file a student's ``face`` or ``body`` network? Raises ModelFileBad."""
    _network(path, FACE if part == "face" else BODY)


def _network(path: Path, wanted: NetworkContract) -> SineNetwork:
    if path.suffix.lower() == ".onnx":
        # what reads graphs is slow to load, and most characters have none
        from models.safe_onnx import load_onnx

        from .graph_weights import network_from_graph

        model = load_onnx(path, path.name, maximum_bytes=_MAXIMUM_GRAPH_BYTES)
        return network_from_graph(model, wanted, path.name)
    return network_from_tensors(read_state_dict(path), wanted, path.name)


def _first(folder: Path, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if _is_file(folder / name)), None)


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not _is_plain(name) or not _stays(path, folder):
        raise ModelFileBad(f"{name[:100]!r} is not in its folder", file=DESCRIPTION_NAME, reason="unsafe")
    if not _is_file(path):
        raise ModelMissing(str(path), model=FAMILY, file=name)
    return path


def _is_plain(name: str) -> bool:
    # control characters, and halves of characters, which no file system takes
    unusable = any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
    # Windows takes dots and spaces off the end, so "..." would be the folder above
    return bool(name) and not unusable and not _SEPARATORS & set(name) and name == name.strip().rstrip(".")


def _stays(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().parent == folder.resolve()
    except (OSError, RuntimeError):
        # links that lead in a circle
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _read_description(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as opened:
            content = opened.read(_MAXIMUM_DESCRIPTION_BYTES + 1)
    except OSError as problem:
        raise ModelFileBad(str(problem), file=path.name, reason="unreadable") from problem
    if len(content) > _MAXIMUM_DESCRIPTION_BYTES:
        raise ModelFileBad("a long description", file=path.name, reason="too_large")
    try:
        texts = _texts(content.decode("utf-8-sig"))
    except (yaml.YAMLError, ValueError, OverflowError) as problem:
        # ValueError and OverflowError: escapes and version numbers that PyYAML hands to Python unchecked
        raise ModelFileBad(str(problem), file=path.name, reason="bad_description") from problem
    named = dict(zip(texts[::2], texts[1::2], strict=True))
    for key in _KEYS:
        if not named.get(key):
            raise ModelFileBad(f"no {key}", file=path.name, reason="bad_description")
    return named


def _texts(content: str) -> list[str]:
    """Keys and values of one flat mapping in turn, as they are written.

    Looked at as events: nothing is made of tags and aliases, and the first thing inside another ends it.
    """
    texts: list[str] = []
    structure: list[type[yaml.Event]] = []
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None and len(structure) == 3:
            texts.append(event.value)
            continue
        structure.append(type(event))
        if structure != _FLAT[: len(structure)]:
            raise yaml.YAMLError(f"{type(event).__name__} in a list of names")
    return texts
