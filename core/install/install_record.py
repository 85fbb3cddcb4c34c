"""What ``run`` changed and what the user chose, written down so that ``uninstall`` can put it back and nobody is asked
twice.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from ..wire.folders import user_data
from ..wire.json_file import write_json

_NAME = "installed.json"
_COLLECTIONS, _PYTHON, _OBS, _DECLINED = "collections", "obs_python", "obs", "declined"


class PythonChange(NamedTuple):
    """OBS's Python path as it was and as we wrote it."""

    config: Path
    """The settings folder of the OBS that was changed."""
    before: Optional[str]
    """None when there was none."""
    written: str


def recorded_collections() -> List[Path]:
    """Files of the scene collections that our script was put into."""
    return [Path(entry) for entry in _read()[_COLLECTIONS] if isinstance(entry, str)]


def record_collection(file: Path) -> None:
    """Our script was put into this one."""
    content = _read()
    content[_COLLECTIONS] = sorted({*map(str, recorded_collections()), str(file)})
    _write(content)


def recorded_python_changes() -> List[PythonChange]:
    """Every OBS whose Python path we set."""
    found = []
    for entry in _read()[_PYTHON]:
        try:
            before = entry["before"]
            change = PythonChange(Path(entry["config"]), None if before is None else str(before), str(entry["written"]))
        except (KeyError, TypeError):
            continue
        found.append(change)
    return found


def record_python_change(change: PythonChange) -> None:
    """We set the path. What stood there before us the first time is what counts."""
    content = _read()
    first = next((known for known in recorded_python_changes() if known.config == change.config), None)
    ours_again = first is not None and first.written == change.before
    before = first.before if first is not None and ours_again else change.before
    others = [entry for entry in content[_PYTHON] if not _is_about(entry, change.config)]
    content[_PYTHON] = [*others, {"config": str(change.config), "before": before, "written": change.written}]
    _write(content)


def recorded_obs() -> str:
    """The folder of the OBS that the user named with ``--obs``; empty when he named none."""
    return str(_read()[_OBS])


def record_obs(folder: str) -> None:
    """The user named this one; later commands mean it too."""
    content = _read()
    if content[_OBS] != folder:
        content[_OBS] = folder
        _write(content)


def was_declined(offer: str) -> bool:
    """Did the user say no to this offer already?"""
    return offer in _read()[_DECLINED]


def record_declined(offer: str, declined: bool = True) -> None:
    """He said no; or, with ``declined`` false, he changed his mind."""
    content = _read()
    known = {entry for entry in content[_DECLINED] if isinstance(entry, str)}
    wanted = known | {offer} if declined else known - {offer}
    if wanted != known:
        content[_DECLINED] = sorted(wanted)
        _write(content)


def forget_everything() -> None:
    """All was put back."""
    try:
        _file().unlink()
    except OSError:
        pass


def _file() -> Path:
    return user_data() / _NAME


def _is_about(entry: object, config: Path) -> bool:
    return not isinstance(entry, dict) or entry.get("config") == str(config)


def _read() -> Dict[str, Any]:
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = {}
    if isinstance(content, list):  # how it was written at first: scene collections alone
        content = {_COLLECTIONS: content}
    if not isinstance(content, dict):
        content = {}
    result: Dict[str, Any] = dict(content)
    for key in (_COLLECTIONS, _PYTHON, _DECLINED):
        result[key] = content[key] if isinstance(content.get(key), list) else []
    result[_OBS] = content[_OBS] if isinstance(content.get(_OBS), str) else ""
    return result


def _write(content: Dict[str, Any]) -> None:
    write_json(_file(), content)
