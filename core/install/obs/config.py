"""What OBS's own files say: scene collections as dictionaries, and the settings of a private OBS. Touches no file.

Scripts belong to a scene collection: ``modules`` / ``scripts-tool`` is the list that Tools - Scripts shows.
"""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

Collection = Dict[str, Any]
"""A scene collection as its JSON file holds it. What we do not know in it is left alone."""
Version = Tuple[int, int, int]
SceneItem = Union[str, Mapping[str, Any]]
"""A source's name, or a whole item as made by ``scene_item``."""

NAME = "Private"
"""Profile and scene collection of a private OBS."""
SETTINGS_IN_USER_INI: Version = (31, 0, 0)
WEBSOCKET_SETTINGS_IN_JSON: Version = (30, 2, 0)


class CollectionUnusual(ValueError):
    """The scene collection is not built the way OBS builds it, so it is left as it is."""


def colour_source(name: str, rgba: Tuple[int, int, int, int], width: int, height: int) -> Dict[str, Any]:
    """A source of one colour; OBS keeps it as the number 0xAABBGGRR."""
    red, green, blue, alpha = rgba
    settings = {"color": alpha << 24 | blue << 16 | green << 8 | red, "width": width, "height": height}
    return _source("color_source", "color_source_v3", name, settings)


def scene_item(source: str, x: float = 0.0, y: float = 0.0, **fields: Any) -> Dict[str, Any]:
    """How a source stands in a scene, top left at (x, y). ``fields`` are OBS's own names, ``id`` is given later."""
    return {
        "name": source,
        "visible": True,
        "locked": False,
        "rot": 0.0,
        "pos": {"x": float(x), "y": float(y)},
        "scale": {"x": 1.0, "y": 1.0},
        "align": 5,
        "bounds_type": 0,
        "bounds_align": 0,
        "bounds": {"x": 0.0, "y": 0.0},
        "crop_left": 0,
        "crop_top": 0,
        "crop_right": 0,
        "crop_bottom": 0,
        "private_settings": {},
        **fields,
    }


def scene(name: str, items: Sequence[SceneItem]) -> Dict[str, Any]:
    """A scene; the first item is the lowest."""
    whole = [scene_item(item) if isinstance(item, str) else dict(item) for item in items]
    for number, item in enumerate(whole, start=1):
        item["id"] = number
    return _source("scene", "scene", name, {"custom_size": False, "id_counter": len(whole), "items": whole})


def scene_collection(
    scenes: Mapping[str, Sequence[SceneItem]], sources: Iterable[Mapping[str, Any]] = (), name: str = NAME
) -> Collection:
    """A whole collection; its first scene is on air. Scripts are put in with ``add_script``."""
    first = next(iter(scenes))
    return {
        "name": name,
        "current_scene": first,
        "current_program_scene": first,
        "scene_order": [{"name": scene_name} for scene_name in scenes],
        "sources": [dict(source) for source in sources] + [scene(*entry) for entry in scenes.items()],
        "groups": [],
        "transitions": [],
        "quick_transitions": [],
        "current_transition": "Cut",
        "transition_duration": 300,
        "saved_projectors": [],
        "preview_locked": False,
        "modules": {"scripts-tool": []},
    }


def script_paths(collection: Collection) -> List[str]:
    """The scripts that OBS loads with this collection, as written there."""
    return [entry["path"] for entry in _scripts(collection)]


def add_script(collection: Collection, path: str, settings: Optional[Mapping[str, Any]] = None) -> bool:
    """Put a script into the collection unless it is there. A script that is there keeps the settings its user made.

    True if the collection was changed. Raises CollectionUnusual.
    """
    entries = _scripts(collection)
    if any(_same_path(entry["path"], path) for entry in entries):
        return False
    entries.append({"path": _forward_slashes(path), "settings": dict(settings or {})})
    collection.setdefault("modules", {})["scripts-tool"] = entries
    return True


def remove_script(collection: Collection, path: str) -> bool:
    """Take a script, and its settings, out of the collection. True if it was there. Raises CollectionUnusual."""
    entries = _scripts(collection)
    kept = [entry for entry in entries if not _same_path(entry["path"], path)]
    if len(kept) == len(entries):
        return False
    collection["modules"]["scripts-tool"] = kept
    return True


def private_files(
    version: Version,
    collection: Collection,
    websocket_port: int,
    websocket_password: str,
    size: Tuple[int, int] = (640, 360),
    frames_per_second: int = 60,
    preview: bool = False,
    recordings: str = "",
) -> Dict[str, str]:
    """Every file of an OBS that starts without questions: path inside ``obs-studio`` -> text.

    The preview is off because drawing it in software costs more than all the rest.
    """
    width, height = size
    general = {"FirstRun": "true", "EnableAutoUpdates": "false", "ConfirmOnExit": "false"}
    general.update({f"Pre{old}Defaults": "false" for old in ("19", "21", "23", "24.1")})
    settings = {
        "General": general,
        "Basic": {"Profile": NAME, "ProfileDir": NAME, "SceneCollection": NAME, "SceneCollectionFile": NAME},
        "BasicWindow": {"ShowListboxToolbars": "true", "PreviewEnabled": "true" if preview else "false"},
    }
    profile = {
        "General": {"Name": NAME},
        "Video": {
            **dict.fromkeys(("BaseCX", "OutputCX"), str(width)),
            **dict.fromkeys(("BaseCY", "OutputCY"), str(height)),
            **dict.fromkeys(("FPSInt", "FPSCommon"), str(frames_per_second)),
            "FPSType": "1",
        },
        "Output": {"Mode": "Simple"},
        "SimpleOutput": {"FilePath": recordings, "RecFormat": "mkv", "RecQuality": "Small", "RecEncoder": "x264"},
    }
    files = {
        f"basic/profiles/{NAME}/basic.ini": ini_text(profile),
        f"basic/scenes/{NAME}.json": json.dumps(collection, indent=4),
    }
    if version >= WEBSOCKET_SETTINGS_IN_JSON:
        files["plugin_config/obs-websocket/config.json"] = websocket_json(websocket_port, websocket_password)
    else:
        settings["OBSWebSocket"] = websocket_section(websocket_port, websocket_password)
    if version >= SETTINGS_IN_USER_INI:
        # Without the mark OBS would try to move an older OBS's settings over, and stop at a message.
        files["global.ini"] = ini_text({"General": {"Pre31Migrated": "true", "EnableAutoUpdates": "false"}})
        files["user.ini"] = ini_text(settings)
    else:
        files["global.ini"] = ini_text(settings)
    return files


def websocket_section(port: int, password: str) -> Dict[str, str]:
    """obs-websocket's settings in ``global.ini`` (OBS 28 to 30.1)."""
    return {
        "FirstLoad": "false",
        "ServerEnabled": "true",
        "ServerPort": str(port),
        "AlertsEnabled": "false",
        "AuthRequired": "true" if password else "false",
        "ServerPassword": password,
    }


def websocket_json(port: int, password: str) -> str:
    """obs-websocket's settings in its own file (OBS 30.2 and later)."""
    settings = {
        "first_load": False,
        "server_enabled": True,
        "server_port": port,
        "alerts_enabled": False,
        "auth_required": bool(password),
        "server_password": password,
    }
    return json.dumps(settings, indent=4)


def ini_text(sections: Mapping[str, Mapping[str, str]]) -> str:
    """A settings file as OBS writes it."""
    blocks = [
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())
        for name, values in sections.items()
    ]
    return "\n".join(blocks)


def _source(kind: str, versioned_kind: str, name: str, settings: Mapping[str, Any]) -> Dict[str, Any]:
    return {"id": kind, "versioned_id": versioned_kind, "name": name, "enabled": True, "settings": dict(settings)}


def _scripts(collection: Collection) -> List[Dict[str, Any]]:
    """The collection's own list of scripts; a new list when it has none."""
    modules = collection.get("modules", {})
    entries = modules.get("scripts-tool", []) if isinstance(modules, dict) else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("path"), str) for entry in entries
    ):
        raise CollectionUnusual("the scene collection's list of scripts is not built as expected")
    return entries


def _is_windows_path(path: str) -> bool:
    return re.match(r"[A-Za-z]:[\\/]|\\\\|//", path) is not None


def _forward_slashes(path: str) -> str:
    """OBS writes paths with forward slashes on Windows too; elsewhere a backslash is part of a name."""
    return path.replace("\\", "/") if _is_windows_path(path) else path


def _same_path(one: str, other: str) -> bool:
    one, other = _forward_slashes(one), _forward_slashes(other)
    return one == other or (_is_windows_path(one) and one.lower() == other.lower())
