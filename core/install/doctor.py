"""``install_plugin.py doctor``: what is right and what is wrong, in words, with what to do. Changes nothing."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path
from typing import Callable, Iterator, List, NamedTuple, Optional

from ..wire import instance
from ..wire.characters import character_names
from ..wire.folders import PROJECT, environment_python, model_weights, user_data, user_logs
from ..wire.settings import BY_KEY
from . import environment, registration, running
from .console import Console
from .graphics_card import graphics_cards, why_no_rtx
from .graphics_packages import describe_cards, nvidia_packages_are_in
from .obs.folders import is_obs_running, obs_config_folder
from .obs.places import ObsPlace, find_obs
from .obs.process import ObsProcessError
from .obs.python import describe_obs_python
from .problem import InstallProblem
from .pythons import examine, why_not
from .spout_plugin import PAGE as SPOUT_PAGE
from .spout_plugin import find_spout_plugin

_OLDEST_OBS = (28, 0, 0)
_ROOM_BYTES = 500_000_000
_MARKS = {True: "ok  ", False: "BAD "}


class Finding(NamedTuple):
    """One thing that was looked at."""

    good: bool
    text: str


def doctor(console: Console, environment_folder: Path, obs_folder: str = "") -> bool:
    """Print every finding; True when nothing is wrong."""
    checks: List[Callable[[], Iterator[Finding]]] = [
        lambda: _environment(environment_folder), lambda: _graphics(environment_folder),
        lambda: _devices(environment_folder), lambda: _obs(obs_folder), lambda: _script(obs_folder), _characters,
        _ports, _webcam, _disk, lambda: _now(obs_folder),
    ]  # fmt: skip
    healthy = True
    for check in checks:
        for finding in check():
            console.say(f"{_MARKS[finding.good]} {finding.text}")
            healthy = healthy and finding.good
    console.say(f"      Logs: {user_logs()}")
    console.say("Everything is in order." if healthy else "What is marked BAD keeps the avatar from working.")
    return healthy


def _environment(folder: Path) -> Iterator[Finding]:
    python = environment_python(folder)
    examined = examine((str(python),)) if python.is_file() else None
    if examined is None:
        yield Finding(False, f"The worker's environment is not in {folder}. Run: python3 install_plugin.py run")
        return
    reason = why_not(examined)
    if reason is not None:
        yield Finding(False, f"The worker's Python {python} cannot be used: {reason}. Delete {folder} and run again.")
        return
    broken = environment.broken_imports(python)
    if broken:
        yield Finding(False, f"The worker's environment lacks something: {broken}. Run: python3 install_plugin.py run")
        return
    yield Finding(True, f"The worker's environment works ({python}, Python {'.'.join(map(str, examined.version))}).")


def _devices(folder: Path) -> Iterator[Finding]:
    """What could compute networks; nothing there is no mistake, since the built-in movement needs none."""
    python = environment_python(folder)
    if python.is_file():
        done = environment.run_quietly([str(python), "-m", "accel"])
        for line in done.stdout.decode("utf-8", "replace").splitlines():
            yield Finding(True, line)


def _graphics(folder: Path) -> Iterator[Finding]:
    """What card is there and what it could use; none of it is a mistake."""
    cards = graphics_cards()
    for line in describe_cards(cards):
        yield Finding(True, line)
    if any(why_no_rtx(card) is None for card in cards) and not nvidia_packages_are_in(folder):
        yield Finding(True, "TensorRT for RTX is not installed. To have it: install_plugin.py run --ask-again")


def _place(obs_folder: str) -> Optional[ObsPlace]:
    try:
        return find_obs(running.named_obs(obs_folder))
    except InstallProblem:
        return None


def _config(obs_folder: str) -> Path:
    place = _place(obs_folder)
    return obs_config_folder() if place is None else place.config


def _obs(obs_folder: str) -> Iterator[Finding]:
    place = _place(obs_folder)
    if place is None:
        where = f"in {obs_folder}" if obs_folder else "; is it portable? Name its folder: --obs FOLDER"
        yield Finding(False, f"OBS Studio was not found {where}. Otherwise install it from https://obsproject.com.")
        return
    try:
        version = place.version()
    except ObsProcessError as problem:
        yield Finding(False, f"OBS at {place.program} does not answer: {problem}. Install it again.")
        return
    if version is not None and version < _OLDEST_OBS:
        yield Finding(False, f"OBS {'.'.join(map(str, version))} is too old; 28 or newer is needed.")
        return
    kind = ", portable" if place.is_portable else ""
    number = f", {'.'.join(map(str, version))}" if version else ""
    yield Finding(True, f"OBS is installed ({place.program}{number}{kind}).")
    if sys.platform == "win32":
        yield Finding(*describe_obs_python(place))
        plugin = find_spout_plugin(place)
        without = f"OBS has no Spout2 plug-in; our own source shows the avatar. The plug-in: {SPOUT_PAGE}"
        yield Finding(True, without if plugin is None else f"OBS has the Spout2 plug-in ({plugin}).")


def _script(obs_folder: str) -> Iterator[Finding]:
    if not registration.SCRIPT.is_file():
        yield Finding(False, f"{registration.SCRIPT} is missing. Download the project again.")
        return
    names = registration.collections_with_script(_config(obs_folder))
    if names:
        yield Finding(True, "Scene collections that load the script: " + ", ".join(names))
    else:
        yield Finding(
            False, f"No scene collection loads the script. Run: install_plugin.py run, or: {registration.MENU_STEP}."
        )


def _characters() -> Iterator[Finding]:
    names = character_names()
    text = "Characters: " + ", ".join(names) if names else f"No character in {PROJECT / 'characters'}."
    yield Finding(bool(names), text)


_PORTS = (
    (int(BY_KEY["osf_port"].default), "OpenSeeFace"),
    (49983, "iFacialMocap, Facemotion3d"),
    (int(BY_KEY["livelink_port"].default), "Live Link Face"),
    (int(BY_KEY["vmc_port"].default), "VMC"),
)


def _ports() -> Iterator[Finding]:
    """A port that somebody else holds keeps one tracker from working; that of the tracker chosen at first is looked at
    as strictly as the rest of this list."""
    ours = bool(instance.living())
    for port, trackers in _PORTS:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                who = "this avatar" if ours else "another program: end that one before you choose this tracker"
                yield Finding(ours or port != _PORTS[0][0], f"Port {port} ({trackers}) is used by {who}.")
                continue
        yield Finding(True, f"Port {port} ({trackers}) is free.")


def _webcam() -> Iterator[Finding]:
    model = model_weights() / "mediapipe" / "face_landmarker.task"
    if model.is_file():
        yield Finding(True, f"The webcam's model is here ({model}).")
    else:
        yield Finding(
            True, "The webcam's model is not here. To track by webcam: install_plugin.py models get face_landmarker"
        )


def _disk() -> Iterator[Finding]:
    place = user_data()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(str(place)).free
    yield Finding(free > _ROOM_BYTES, f"{free // 1_000_000} MB free at {place}.")


def _now(obs_folder: str) -> Iterator[Finding]:
    found = instance.living()
    for facts in found:
        problems = facts.get("problems") or []
        state = f"An avatar is up in OBS process {facts.get('pid')}: {facts.get('phase')}"
        yield Finding(not problems, state + ("" if not problems else ", " + "; ".join(map(str, problems))))
    if not found:
        runs = is_obs_running(_config(obs_folder))
        yield Finding(True, "OBS is running without an avatar." if runs else "OBS is not running now.")
