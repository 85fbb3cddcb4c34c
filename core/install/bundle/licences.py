"""``LICENSES.md`` of a bundle: whose work is inside, how it may be used, and the texts that have to go along."""

from __future__ import annotations

import hashlib
import re
import zipfile
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .models import Model
from .python import WindowsPython
from .wheels import Wheel, metadata

_TEXT_FILE = re.compile(r"(?i)(?:licen[cs]es?|copying|notices?|third.?party.?(?:notices?|licen[cs]es?))\b[^/]*")
_COPYLEFT = re.compile(r"\bA?L?GPL|General Public License")
_LIBRARY_GPL = "GNU LESSER GENERAL PUBLIC LICENSE"
"""OpenCV's package carries FFmpeg under it."""
_FENCE = "~" * 12
_LONGEST_NAME = 60


class _Package(NamedTuple):
    name: str
    version: str
    licence: str
    home: str
    texts: Sequence[Tuple[str, str]]
    """Path inside the wheel and what stands there."""


def licences_page(
    product: str,
    python: Optional[WindowsPython],
    wheels: Sequence[Wheel],
    models: Sequence[Model],
) -> str:
    """The page as Markdown; ``product`` is the program's version."""
    packages = [_package(wheel) for wheel in wheels]
    lines = [
        "# Whose work is in this bundle, and how it may be used", "",
        f"EasyVtuber for OBS {product} and its two characters: see `LICENSE` and `characters/README.md`.", "",
    ]  # fmt: skip
    if python is not None:
        lines += [
            f"CPython {python.version} in `python/`: PSF License Agreement, text in `python/{python.licence}`.",
            "",
        ]
    lines += ["## Packages in `wheels/`", "", "| package | version | licence | home |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {one.version} | {_cell(one.licence)} | {_cell(one.home)} |" for one in packages]
    asking = asking_for_source(wheels)
    if asking:
        lines += ["", f"Whoever passes this on offers the source code of these as well: {', '.join(asking)}."]
    if models:
        lines += ["", "## Networks in `models/weights/`", "", "| network | licence | address |", "|---|---|---|"]
        lines += [f"| {_cell(one.title)} | {_cell(one.licence)} | {one.address} |" for one in models]
    lines += ["", "## Texts", ""]
    lines += _texts(packages, models)
    return "\n".join(lines).rstrip() + "\n"


def asking_for_source(wheels: Sequence[Wheel]) -> List[str]:
    """Packages, with their version and home, whose licence has whoever passes them on offer their source code."""
    packages = [_package(wheel) for wheel in wheels]
    return [
        f"{one.name} {one.version} ({one.home})"
        for one in packages
        if _COPYLEFT.search(one.licence) or any(_LIBRARY_GPL in text for _, text in one.texts)
    ]


def _texts(packages: Sequence[_Package], models: Sequence[Model]) -> List[str]:
    lines: List[str] = []
    for notice, names in _by_notice(models).items():
        lines += [f"### {', '.join(names)}", "", _FENCE, notice.strip(), _FENCE, ""]
    seen: Dict[str, str] = {}
    for package in packages:
        if not package.texts:
            lines += [
                f"### {package.name}",
                "",
                f"No text comes with it. Its licence: {package.licence}. {package.home}",
                "",
            ]
        for path, text in package.texts:
            title = f"{package.name}: {path}"
            digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
            if digest in seen:
                lines += [f"### {title}", "", f"The same text as {seen[digest]}.", ""]
                continue
            seen[digest] = title
            lines += [f"### {title}", "", _FENCE, text.rstrip(), _FENCE, ""]
    return lines


def _by_notice(models: Sequence[Model]) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    for model in models:
        found.setdefault(model.notice, []).append(model.title)
    return found


def _package(wheel: Wheel) -> _Package:
    with zipfile.ZipFile(wheel.path) as archive:
        said = metadata(archive)
        texts = [
            (name, archive.read(name).decode("utf-8", "replace").replace("\r\n", "\n"))
            for name in sorted(archive.namelist())
            if _is_text(name)
        ]
    return _Package(wheel.pin.name, wheel.pin.version, licence_of(said), _home(said), texts)


def _is_text(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    if last.endswith((".py", ".pyi", ".pyc")) or not last:
        return False
    return _TEXT_FILE.fullmatch(last) is not None or ".dist-info/licenses" in folder


def licence_of(said: Mapping[str, str]) -> str:
    """What a package says about its licence, in a few words; ``not named`` when it says nothing."""
    short = said.get("License", "").strip().splitlines()
    candidates = (
        said.get("License-Expression", ""), said.get("Licence classifiers", ""), short[0] if short else "",
    )  # fmt: skip
    found = next((text.strip() for text in candidates if text.strip() not in ("", "UNKNOWN")), "not named")
    return found if len(found) <= _LONGEST_NAME else found[: _LONGEST_NAME - 3] + "..."


def _home(said: Mapping[str, str]) -> str:
    addresses = [line.partition(",")[2].strip() for line in said.get("Addresses", "").splitlines()]
    return said.get("Home-page", "") or next((address for address in addresses if address), "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
