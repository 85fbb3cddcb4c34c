"""``install_plugin.py run``: from a fresh machine to the avatar moving in OBS."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional

from ..wire import instance
from ..wire.folders import PROJECT, default_environment, environment_python, user_logs
from . import environment, registration
from .console import Console
from .obs_folders import is_obs_running
from .obs_process import ObsProcess, PrivateHome, obs_version
from .problem import InstallProblem
from .system_packages import install_obs, install_packages
from .virtual_screen import PACKAGES, SCREEN_PROGRAMS, VirtualScreen, missing_programs

RESULTS = PROJECT / "build" / "first-run"
_UP_LIMIT_S = 90.0
_RECORD_S = 6.0


def run(console: Console, environment_folder: Path, virtual: bool) -> None:
    """Set up what is missing, start OBS, and come back when the avatar moves. Raises InstallProblem."""
    console.step("The worker's environment")
    python = environment.prepare(environment_folder, console)
    problem = environment.broken_imports(python)
    if problem:
        raise InstallProblem(
            f"The environment in {environment_folder} does not work: {problem}. Delete that folder and run this again."
        )
    console.say(f"ready: {python}")
    console.step("OBS Studio")
    program = obs_program()
    if program is None:
        install_obs(console)
        program = obs_program()
    if program is None:
        raise InstallProblem(
            "OBS Studio was installed but cannot be found. Start it once by hand, then run this again."
        )
    console.say(f"ready: {program}")
    if virtual or (sys.platform.startswith("linux") and not has_display()):
        _run_on_virtual_screen(console, python, str(program))
    else:
        _run_on_the_desktop(console, python, str(program))


def obs_program() -> Optional[Path]:
    """OBS's executable, or None."""
    if sys.platform == "win32":
        roots = [os.environ.get(name, "") for name in ("ProgramFiles", "ProgramW6432")]
        places = [Path(root) / "obs-studio/bin/64bit/obs64.exe" for root in roots if root]
    elif sys.platform == "darwin":
        places = [Path("/Applications/OBS.app/Contents/MacOS/OBS")]
    else:
        found = shutil.which("obs")
        places = [Path(found)] if found else []
    return next((place for place in places if place.is_file()), None)


def has_display() -> bool:
    """Linux: is there a screen to open a window on?"""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _run_on_the_desktop(console: Console, python: Path, program: str) -> None:
    console.step("The script in OBS")
    own = {} if python == environment_python(default_environment()) else {"worker_python": str(python)}
    registered = registration.register(console, own)
    if not registered.changed:
        console.say(f'the scene collection "{registered.collection}" has it already')
    console.step("Starting OBS")
    if is_obs_running():
        console.say("OBS runs already")
    else:
        _start_detached(program, registered.collection)
    _wait_until_up(console, instance.living)
    console.say("The avatar is in the scene and moves. Settings: Tools, Scripts, obs_easyvtuber.py.")


def _start_detached(program: str, collection: str) -> None:
    """Start OBS as the user would; it goes on when we end."""
    command = [program, "--collection", collection]
    options: Dict[str, object] = {"cwd": str(Path(program).parent)} if sys.platform == "win32" else {}
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
