"""Putting the script into the user's own OBS, and taking it out again. What was changed is written down and backed
up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional

from ..wire.folders import PROJECT, user_data
from .console import Console
from .obs_config import Collection, add_script, colour_source, remove_script, scene_collection, script_paths
from .obs_files import FileUnreadable, ini_value, read_collection, read_ini, write_collection
from .obs_folders import is_obs_running, obs_config_folder, scenes_folder, settings_file
from .problem import InstallProblem

SCRIPT = PROJECT / "obs_easyvtuber.py"
OWN_COLLECTION = "EasyVtuber"
_RECORD = "installed.json"


class Registered(NamedTuple):
    """Where the script is loaded from now."""

    collection: str
    """Name of the scene collection that has it."""
    changed: bool


def register(console: Console, settings: Mapping[str, str]) -> Registered:
    """Have OBS load the script: in the scene collection in use, or in one of our own when there is none.

    ``settings`` are the script's to begin with; settings that the user has made already are never touched.
    Raises InstallProblem while OBS runs: it would overwrite the change when it ends.
    """
    folder = obs_config_folder()
    current = current_collection(folder)
    if current is None:
        return _make_own_collection(scenes_folder(folder), settings, console)
    collection = read_collection(current)
    name = str(collection.get("name") or current.stem)
    if any(_is_ours(path) for path in script_paths(collection)):
        return Registered(name, False)
    if is_obs_running():
        raise InstallProblem(
            f"OBS is running and would undo the change. Close OBS and run this again, or add {SCRIPT} yourself: "
            "Tools, Scripts, the + button."
        )
    if not console.ask(f'Add the script to your scene collection "{name}"? (A backup is kept beside it.)'):
        raise InstallProblem(f"Nothing was changed. Add {SCRIPT} yourself in OBS: Tools, Scripts, the + button.")
    add_script(collection, SCRIPT.as_posix(), settings)
    backup = write_collection(current, collection)
    _record(current)
    console.say(f'added to "{name}"; the file before is kept as {backup}')
    return Registered(name, True)


def unregister(console: Console) -> None:
    """Take the script out of every scene collection; collections themselves are the user's and stay."""
    places = {path for path in _recorded() if path.is_file()}
    places.update(scenes_folder(obs_config_folder()).glob("*.json"))
    for path in sorted(places):
        try:
            collection = read_collection(path)
            ours = [entry for entry in script_paths(collection) if _is_ours(entry)]
        except (OSError, ValueError) as problem:
            console.say(f"left alone: {path} ({problem})")
            continue
        if not ours:
            continue
        if is_obs_running():
            raise InstallProblem("OBS is running and would undo the change. Close OBS and run this again.")
        for entry in ours:
            remove_script(collection, entry)
        backup = write_collection(path, collection)
        console.say(f"taken out of {path}; the file before is kept as {backup}")
    try:
        (user_data() / _RECORD).unlink()
    except OSError:
        pass


def current_collection(folder: Path) -> Optional[Path]:
    """The file of the scene collection that OBS opens; None when there is none yet."""
    scenes = scenes_folder(folder)
    name = ini_value(read_ini(settings_file(folder)).text, "Basic", "SceneCollectionFile")
    if name:
        for candidate in (scenes / f"{name}.json", scenes / name):
            if candidate.is_file():
                return candidate
    return None


def collections_with_script(folder: Path) -> List[str]:
    """Names of the scene collections that load our script."""
    names = []
    for path in sorted(scenes_folder(folder).glob("*.json")):
        try:
            collection = read_collection(path)
            if any(_is_ours(entry) for entry in script_paths(collection)):
                names.append(str(collection.get("name") or path.stem))
        except (OSError, ValueError):
            continue
    return names


def starting_collection(settings: Mapping[str, str]) -> Collection:
    """A scene to begin with: a calm background and, once the script runs, the avatar before it."""
    background = colour_source("Background", (58, 66, 92, 255), 1920, 1080)
    collection = scene_collection({"Avatar": ["Background"], "Break": []}, [background], OWN_COLLECTION)
    add_script(collection, SCRIPT.as_posix(), settings)
    return collection


def _make_own_collection(scenes: Path, settings: Mapping[str, str], console: Console) -> Registered:
    path = scenes / f"{OWN_COLLECTION}.json"
    if path.is_file():
        try:
            known = read_collection(path)
        except FileUnreadable as problem:
            raise InstallProblem(f"{problem}. Move that file away and run this again.") from problem
        if any(_is_ours(entry) for entry in script_paths(known)):
            return Registered(OWN_COLLECTION, False)
        add_script(known, SCRIPT.as_posix(), settings)
        write_collection(path, known)
    else:
        write_collection(path, starting_collection(settings))
    _record(path)
    console.say(f'made the scene collection "{OWN_COLLECTION}" ({path})')
    return Registered(OWN_COLLECTION, True)


def _is_ours(path: str) -> bool:
    """Any copy of our script counts: two copies in one OBS would fight over one module name."""
    return Path(path.replace("\\", "/")).name == SCRIPT.name


def _record(path: Path) -> None:
    file = user_data() / _RECORD
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {str(entry) for entry in _recorded()}
    file.write_text(json.dumps(sorted(known | {str(path)}), indent=1), encoding="utf-8")


def _recorded() -> List[Path]:
    try:
        content = json.loads((user_data() / _RECORD).read_text(encoding="utf-8"))
        return [Path(entry) for entry in content if isinstance(entry, str)]
    except (OSError, ValueError, TypeError):
        return []
