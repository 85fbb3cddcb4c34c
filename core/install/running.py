"""``install_plugin.py run``: from a fresh machine to the avatar moving in OBS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

from ..wire import instance
from ..wire.folders import PROJECT, default_environment, environment_python, user_logs
from . import environment, registration
from .console import Console
from .graphics_packages import OFFER as NVIDIA_OFFER
from .graphics_packages import prepare_graphics
from .install_record import record_declined, record_obs, recorded_obs
from .obs.folders import is_obs_running
from .obs.places import ObsPlace, all_obs, find_obs
from .obs.process import ObsProcess, PrivateHome, obs_version
from .obs.python import prepare_obs_python
from .problem import InstallProblem
from .registration import Choice
from .spout_plugin import OFFER as SPOUT_OFFER
from .spout_plugin import offer_spout_plugin
from .system_packages import install_obs, install_packages
from .virtual_screen import PACKAGES, SCREEN_PROGRAMS, VirtualScreen, missing_programs

RESULTS = PROJECT / "build" / "first-run"
_UP_LIMIT_S = 90.0
_RECORD_S = 6.0


class Wishes(NamedTuple):
    """What the user said behind ``run``."""

    virtual: bool = False
    """A virtual screen even though there is a real one."""
    obs: str = ""
    """Folder of the OBS that is meant; empty means the one named before, else the likeliest one."""
    choice: Choice = Choice()
    """Which scene collection."""
    ask_again: bool = False
    """Offers that were declined are made once more."""


def run(console: Console, environment_folder: Path, wishes: Wishes) -> None:
    """Set up what is missing, start OBS, and come back when the avatar moves. Raises InstallProblem."""
    for offer in (NVIDIA_OFFER, SPOUT_OFFER) if wishes.ask_again else ():
        record_declined(offer, False)
    console.step("The worker's environment")
    python = environment.prepare(environment_folder, console)
    problem = environment.broken_imports(python)
    if problem:
        raise InstallProblem(
            f"The environment in {environment_folder} does not work: {problem}. Delete that folder and run this again."
        )
    console.say(f"ready: {python}")
    console.step("The graphics card")
    prepare_graphics(console, environment_folder)
    console.step("OBS Studio")
    place = _choose_obs(console, wishes.obs)
    console.say(f"ready: {place.program}" + (" (portable)" if place.is_portable else ""))
    if wishes.virtual or (sys.platform.startswith("linux") and not has_display()):
        _run_on_virtual_screen(console, python, str(place.program))
        return
    prepare_obs_python(console, place)
    offer_spout_plugin(console, place)
    _run_on_the_desktop(console, python, place, wishes.choice)


def named_obs(given: str) -> str:
    """The folder of OBS that the user named, now or in a command before; empty when he named none."""
    known = recorded_obs()
    return given or (known if known and Path(known).exists() else "")


def _choose_obs(console: Console, given: str) -> ObsPlace:
    """The OBS that is meant; installed, when the user agrees, if there is none. Raises InstallProblem."""
    folder = named_obs(given)
    if folder:
        place = find_obs(folder)
    else:
        found = all_obs()
        if not found:
            install_obs(console)
            found = all_obs()
        chosen = console.choose("There is more than one OBS Studio. Which one?", [str(one.program) for one in found])
        place = found[chosen] if found else None
        if place is not None and len(found) > 1 and console.attended:
            folder = str(place.program)
    if place is None:
        raise InstallProblem(
            "OBS Studio was installed but cannot be found. Start it once by hand, then run this again."
        )
    if folder:
        record_obs(str(Path(folder).expanduser().absolute()))
    return place


def has_display() -> bool:
    """Linux: is there a screen to open a window on?"""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _run_on_the_desktop(console: Console, python: Path, place: ObsPlace, choice: Choice) -> None:
    console.step("The script in OBS")
    own = {} if python == environment_python(default_environment()) else {"worker_python": str(python)}
    registered = registration.register(console, own, place.config, choice)
    if not registered.collection:
        console.say("no scene collection is touched")
    elif not registered.changed:
        console.say(f'the scene collection "{registered.collection}" has it already')
    console.step("Starting OBS")
    if is_obs_running(place.config):
        console.say("OBS runs already")
    else:
        _start_detached(place, registered.collection)
    if not registered.collection:
        console.say(f"Your scenes were left as they are. One step is yours: {registration.MENU_STEP}.")
        return
    _wait_until_up(console, instance.living)
    console.say("The avatar is in the scene and moves. Settings: Tools, Scripts, obs_easyvtuber.py.")


def _start_detached(place: ObsPlace, collection: str) -> None:
    """Start OBS as the user would; it goes on when we end."""
    command = [str(place.program), *place.arguments, *(["--collection", collection] if collection else [])]
    # OBS for Windows looks for its own files from the folder it is started in
    options: Dict[str, object] = {"cwd": str(place.program.parent)} if sys.platform == "win32" else {}
    try:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
            **options,  # type: ignore[call-overload]
        )
    except OSError as problem:
        raise InstallProblem(f"OBS could not be started ({problem}). Start it by hand.") from problem


def _wait_until_up(console: Console, look: Callable[[], List[Dict[str, object]]]) -> None:
    started = time.monotonic()
    with console.progress("waiting for the avatar") as progress:
        while True:
            found = look()
            phases = [str(facts.get("phase")) for facts in found]
            if "running" in phases:
                return
            passed = time.monotonic() - started
            if "gave_up" in phases or passed > _UP_LIMIT_S:
                said = "; ".join(str(text) for facts in found for text in _texts(facts.get("problems")))
                raise InstallProblem(
                    f"The avatar did not come up. {said or 'OBS did not load the script.'} "
                    f"The log is in {user_logs()}; `install_plugin.py doctor` looks for what is wrong."
                )
            progress.to(min(passed / _UP_LIMIT_S, 0.95), phases[0] if phases else "OBS is starting")
            time.sleep(0.25)


def _texts(value: object) -> List[object]:
    return value if isinstance(value, list) else []


def _run_on_virtual_screen(console: Console, python: Path, program: str) -> None:
    """No screen here: OBS runs on one that nobody sees, and leaves a picture and a recording."""
    console.step("OBS on a virtual screen")
    missing = missing_programs(SCREEN_PROGRAMS)
    if missing:
        install_packages(sorted({PACKAGES[name] for name in missing}), console, "there is no screen here")
    RESULTS.mkdir(parents=True, exist_ok=True)
    home = PrivateHome(RESULTS / "home", obs_version(program))
    if home.path.exists():
        shutil.rmtree(home.path)
    collection = registration.starting_collection({"tracker": "debug", "worker_python": str(python)})
    home.write(collection, size=(1280, 720), frames_per_second=30)
    with VirtualScreen() as screen, ObsProcess(home, screen.display, program=program) as obs:
        _wait_until_up(console, lambda: instance.living(obs.environment))
        time.sleep(1.0)
        picture = RESULTS / "avatar.png"
        obs.websocket.request(
            "SaveSourceScreenshot", {"sourceName": "Avatar", "imageFormat": "png", "imageFilePath": str(picture)}
        )
        recording = _record(console, obs)
    console.say(f"The avatar moves in OBS. Picture: {picture}")
    if recording is not None:
        console.say(f"Recording: {recording}")


def _record(console: Console, obs: ObsProcess) -> Optional[Path]:
    obs.websocket.request("StartRecord")
    with console.progress("recording") as progress:
        for part in range(int(_RECORD_S * 4)):
            progress.to(part / (_RECORD_S * 4))
            time.sleep(0.25)
    saved = Path(str(obs.websocket.request("StopRecord").get("outputPath", "")))
    target = RESULTS / "avatar.mkv"
    deadline = time.monotonic() + 15.0
    while time.monotonic() < deadline:
        if not obs.websocket.request("GetRecordStatus").get("outputActive") and saved.is_file():
            saved.replace(target)
            return target
        time.sleep(0.2)
    console.say(f"the recording was not finished in time; look in {saved.parent}")
    return None
