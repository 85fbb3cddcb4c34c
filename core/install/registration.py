"""Putting the script into the user's own OBS, and taking it out again. What was changed is written down and backed
up."""

from __future__ import annotations

from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional

from ..wire.folders import PROJECT
from .console import Console
from .install_record import record_collection, recorded_collections
from .obs.closed import wait_until_closed
from .obs.config import (
    Collection,
    CollectionUnusual,
    add_script,
    colour_source,
    remove_script,
    scene_collection,
    script_paths,
)
from .obs.files import FileUnreadable, ini_value, read_collection, read_ini, write_collection
from .obs.folders import obs_config_folder, scenes_folder, settings_file
from .problem import InstallProblem

SCRIPT = PROJECT / "obs_easyvtuber.py"
OWN_COLLECTION = "EasyVtuber"
MENU_STEP = f"In OBS: Tools, Scripts, the + button, and choose {SCRIPT}"


class Registered(NamedTuple):
    """Where the script is loaded from now."""

    collection: str
    """Name of the scene collection that has it; empty when the user adds it by hand."""
    changed: bool


class Choice(NamedTuple):
    """What the user said about scene collections on the command line."""

    collection: str = ""
    """Name of the one that shall have the script; empty asks, or takes the one in use."""
    keep_scenes: bool = False
    """No collection shall be touched."""


def register(
    console: Console, settings: Mapping[str, str], config: Optional[Path] = None, choice: Optional[Choice] = None
) -> Registered:
    """Have OBS load the script: in the scene collection that the user chooses, or in one of our own.

    ``settings`` are the script's to begin with; settings that the user has made already are never touched.
    Raises InstallProblem while OBS runs: it would overwrite the change when it ends.
    """
    choice = Choice() if choice is None else choice
    folder = obs_config_folder() if config is None else config
    collections = collections_of(folder)
    if choice.collection:
        target: Optional[Path] = _named(choice.collection, collections)
    else:
        current = current_collection(folder)
        if current is not None and _has_script(current):
            return Registered(_name(current), False)
        if choice.keep_scenes:
            return Registered("", False)
        asked = _ask_which(console, current, collections)
        if asked is None:
            return Registered("", False)
        target = asked if asked.is_file() else None
    if target is None:
        return _make_own_collection(folder, settings, console)
    return _add(console, target, settings, folder)


def collections_of(folder: Path) -> List[Path]:
    """The files of OBS's scene collections; files that are none are passed over."""
    found = []
    for path in sorted(scenes_folder(folder).glob("*.json")):
        try:
            read_collection(path)
        except (OSError, ValueError):
            continue
        found.append(path)
    return found


def unregister(console: Console, config: Optional[Path] = None) -> None:
    """Take the script out of every scene collection; collections themselves are the user's and stay."""
    places = {path for path in recorded_collections() if path.is_file()}
    for folder in {obs_config_folder(), obs_config_folder() if config is None else config}:
        places.update(scenes_folder(folder).glob("*.json"))
    for path in sorted(places):
        try:
            collection = read_collection(path)
            ours = [entry for entry in script_paths(collection) if _is_ours(entry)]
        except (OSError, ValueError) as problem:
            console.say(f"left alone: {path} ({problem})")
            continue
        if not ours:
            continue
        # .../obs-studio/basic/scenes/Name.json
        wait_until_closed(console, path.parents[2], "take the script out yourself: Tools, Scripts, the - button.")
        for entry in ours:
            remove_script(collection, entry)
        backup = write_collection(path, collection)
        console.say(f"taken out of {path}; the file before is kept as {backup}")


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
    return [_name(path) for path in collections_of(folder) if _has_script(path)]


def starting_collection(settings: Mapping[str, str]) -> Collection:
    """A scene to begin with: a calm background and, once the script runs, the avatar before it."""
    background = colour_source("Background", (58, 66, 92, 255), 1920, 1080)
    collection = scene_collection({"Avatar": ["Background"], "Break": []}, [background], OWN_COLLECTION)
    add_script(collection, SCRIPT.as_posix(), settings)
    return collection


def _add(console: Console, file: Path, settings: Mapping[str, str], folder: Path) -> Registered:
    name = _name(file)
    if _has_script(file):
        return Registered(name, False)
    wait_until_closed(console, folder, f"{MENU_STEP}.")
    try:
        collection = read_collection(file)  # only now: OBS may have written it when it was closed
        add_script(collection, SCRIPT.as_posix(), settings)
    except (FileUnreadable, CollectionUnusual) as problem:
        raise InstallProblem(f"{problem}. Nothing was changed. {MENU_STEP}.") from problem
    backup = write_collection(file, collection)
    record_collection(file)
    console.say(f'added to "{name}"; the file before is kept as {backup}')
    return Registered(name, True)


def _ask_which(console: Console, current: Optional[Path], collections: List[Path]) -> Optional[Path]:
    """The file of the collection that shall have the script, there or not; None when the user adds it by hand."""
    if current is None and not collections:
        return Path()
    first = [] if current is None else [current]
    files = first + [path for path in collections if path not in first]
    answers = [f'the scene collection "{_name(path)}"' + (" (in use now)" if path in first else "") for path in files]
    own = not any(_name(path) == OWN_COLLECTION for path in files)
    new = [f'a new scene collection "{OWN_COLLECTION}", so that mine stay as they are'] if own else []
    by_hand = ["none: I add it by hand in OBS"]
    if current is None:  # OBS opens none of them by itself, so a new one is the likeliest wish
        order = [Path()] * len(new) + files
        answers = new + answers
    else:
        order = files + [Path()] * len(new)
        answers = answers + new
    question = "Which scene collection shall have the script? (A backup is kept beside it. OBS keeps scripts there.)"
    chosen = console.choose(question, answers + by_hand)
    return order[chosen] if chosen < len(order) else None


def _named(name: str, collections: List[Path]) -> Optional[Path]:
    """The collection of this name; None for our own that is not there yet. Raises InstallProblem for others."""
    for path in collections:
        if name in (_name(path), path.stem):
            return path
    if name == OWN_COLLECTION:
        return None
    known = ", ".join(f'"{_name(path)}"' for path in collections) or "none yet"
    raise InstallProblem(
        f'OBS has no scene collection "{name}"; there is {known}. "{OWN_COLLECTION}" is made if you name that.'
    )


def _has_script(file: Path) -> bool:
    try:
        return any(_is_ours(path) for path in script_paths(read_collection(file)))
    except (OSError, ValueError):
        return False


def _name(file: Path) -> str:
    """A collection's name as OBS shows it; that of its file when it cannot be read."""
    try:
        return str(read_collection(file).get("name") or file.stem)
    except (OSError, ValueError):
        return file.stem


def _make_own_collection(folder: Path, settings: Mapping[str, str], console: Console) -> Registered:
    path = scenes_folder(folder) / f"{OWN_COLLECTION}.json"
    if path.is_file():
        return _add(console, path, settings, folder)
    wait_until_closed(console, folder, f"{MENU_STEP}.")
    write_collection(path, starting_collection(settings))
    record_collection(path)
    console.say(f'made the scene collection "{OWN_COLLECTION}" ({path})')
    return Registered(OWN_COLLECTION, True)


def _is_ours(path: str) -> bool:
    """Any copy of our script counts: two copies in one OBS would fight over one module name."""
    return Path(path.replace("\\", "/")).name == SCRIPT.name
