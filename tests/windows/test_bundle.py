"""The bundle as its user meets it: unpacked into an awkward folder, set up without a network, showing frames.

``EASYVTUBER_BUNDLE`` names the zip (default: ``build/windows/bundle.zip``). One is made, on Linux as well, with

    python3 install_plugin.py bundle --python FOLDER_OF_A_WINDOWS_PYTHON --output build/windows/bundle.zip
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from core.install.bundle.command import TOP
from core.obs import launcher
from core.wire.folders import PROJECT, environment_python
from core.wire.settings import defaults
from tests.unit.other_side import OtherSide
from tests.windows.wine_detection import under_wine

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="unpacks a bundle for Windows and runs what is in it")

BUNDLE = Path(os.environ.get("EASYVTUBER_BUNDLE") or PROJECT / "build" / "windows" / "bundle.zip")
_SET_UP_LIMIT_S = 900.0
_END_LIMIT_S = 20.0
_LAST_WORDS_LIMIT_S = 3.0
_NOWHERE = "http://127.0.0.1:9"
"""Nothing listens on the port called discard."""
_WITHOUT_COPYFILE2 = """\
import _winapi
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
"""
"""Wine 8 has no such function, though the Python that calls it was built for systems that do."""


_WORKER_OF = """\
import sys
sys.path.insert(0, sys.argv[1])
from core.obs import launcher
print(ascii(str(launcher.worker_python(""))))
"""


class Installed:
    """The unpacked bundle, and how its own installer is run."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        self.python = root / "python" / "python.exe"
        self.worker_python = environment_python(root / ".venv")

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        kept = {key: value for key, value in os.environ.items() if not key.upper().startswith(("PIP_", "PYTHON"))}
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE)
        environment = {**kept, **proxies, "PIP_RETRIES": "0", "EASYVTUBER_HOME": str(self.home)}
        process = subprocess.Popen(
            [str(word) for word in command], env=environment, cwd=self.root.parent,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said: list[bytes] = []
        stdout = cast(BinaryIO, process.stdout)
        listener = threading.Thread(target=lambda: said.extend(iter(stdout.readline, b"")), daemon=True)
        listener.start()
        try:
            code = process.wait(_SET_UP_LIMIT_S)
        finally:
            process.kill()
            # what the program started may outlive it (Wine's desktop does) and keep its end of the pipe open
            listener.join(_LAST_WORDS_LIMIT_S)
        if not listener.is_alive():
            stdout.close()
        return subprocess.CompletedProcess(command, code, b"".join(said).decode("utf-8", "replace"), "")

    def install_plugin(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(self.python, self.root / "install_plugin.py", *arguments)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    if not BUNDLE.is_file():
        pytest.skip(f"there is no bundle at {BUNDLE}; EASYVTUBER_BUNDLE names one")
    folder = tmp_path_factory.mktemp("bundle") / "Meine Sachen 用户"
    with zipfile.ZipFile(BUNDLE) as archive:
        archive.extractall(folder)
    made = Installed(folder / TOP, folder.parent / "home")
    if not made.python.is_file():
        pytest.skip(f"{BUNDLE} has no Python in it; it was made without --python")
    if under_wine():
        (made.root / "python" / "Lib" / "sitecustomize.py").write_text(_WITHOUT_COPYFILE2, encoding="ascii")
    done = made.install_plugin("--yes", "devices")
    assert done.returncode == 0, done.stdout[-3000:]
    return made


def test_the_environment_is_made_of_what_came_along(installed: Installed) -> None:
    names = "numpy, cv2, onnx, onnxruntime, yaml, lz4, turbojpeg, mediapipe, sounddevice, pyvirtualcam, SpoutGL"
    done = installed.run(installed.worker_python, "-I", "-c", f"import {names}, sys; print(ascii(sys.base_prefix))")
    assert done.returncode == 0, done.stdout[-3000:]
    assert ascii(str(installed.root / "python")) in done.stdout
    assert (
        "DmlExecutionProvider"
        in installed.run(
            installed.worker_python, "-I", "-c", "import onnxruntime; print(onnxruntime.get_available_providers())"
        ).stdout
    )


def test_obs_side_of_the_bundle_finds_the_bundles_worker(installed: Installed) -> None:
    done = installed.run(installed.python, "-I", "-c", _WORKER_OF, installed.root)
    assert done.stdout.strip() == ascii(str(installed.worker_python))


def test_its_worker_shows_frames_and_ends_when_asked_to(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "PROJECT", installed.root)
    monkeypatch.setenv("EASYVTUBER_HOME", str(installed.home))
    process = launcher.launch(str(installed.root / ".venv")).process
    worker = OtherSide(cast(BinaryIO, process.stdin), cast(BinaryIO, process.stdout))
    try:
        assert worker.hear("hello")["version"]
        quiet = {**defaults(), "tracker": "idle", "output": "null", "preset": "low"}
        worker.tell("configure", settings=quiet, rung="rig", visible=True)
        worker.hear(lambda message: message["type"] == "heartbeat" and message["frames"] > 0)
        worker.ask("stop")
        assert process.wait(_END_LIMIT_S) == 0
    finally:
        process.kill()
        process.wait(_END_LIMIT_S)
        worker.close()


@pytest.fixture
def cut_short(installed: Installed) -> Iterator[Path]:
    """A package that did not arrive whole, in a bundle that is to be set up anew."""
    mark = installed.root / ".venv" / "easyvtuber-packages.txt"
    wheel = next((installed.root / "wheels").glob("numpy-*.whl"))
    packages, content = mark.read_bytes(), wheel.read_bytes()
    mark.unlink()
    wheel.write_bytes(content[: len(content) // 2])
    yield wheel
    wheel.write_bytes(content)
    mark.write_bytes(packages)


def test_a_package_that_did_not_arrive_whole_is_named(installed: Installed, cut_short: Path) -> None:
    done = installed.install_plugin("--yes", "devices")
    assert done.returncode == 1
    assert f"{cut_short.name} has" in done.stdout
    assert "did not arrive whole" in done.stdout
