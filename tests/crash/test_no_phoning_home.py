"""Nothing the worker loads sends anything anywhere, and no package that is known to do so can get in."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.wire.folders import PROJECT
from core.worker.environment import PRIVATE, QUIET
from tests.data import data

LISTEN_S = 10.0
"""MediaPipe 0.10.35 was seen to report after a second, onnxruntime 1.31 after six to nine."""
REPORTS_HOME_FROM = {
    "mediapipe": (0, 10, 35),
    "onnxruntime": (1, 29),
    "onnxruntime-directml": (1, 29),
    "onnxruntime-gpu": (1, 29),
    "onnxruntime-windowsml": (1, 29),
}
"""The first version of each that was seen to send something."""
_WOULD_SILENCE = ("CI", *PRIVATE, *QUIET)
"""Variables that make libraries behave in tests but not at the user's."""

_FOLDER = Path(__file__).parent


def caged(folder: Path, command: list[str]) -> dict[str, Any]:
    """What a command sent, in a network of its own; skips where that cannot be made."""
    if sys.platform != "linux" or not all(map(shutil.which, ("unshare", "ip", "mount"))):
        pytest.skip("needs Linux with unshare, ip and mount")
    environment = {name: value for name, value in os.environ.items() if name not in _WOULD_SILENCE}
    (folder / "home").mkdir()
    environment.update(
        HOME=str(folder / "home"), XDG_CACHE_HOME=str(folder / "home/cache"), EASYVTUBER_HOME=str(folder / "home/own")
    )
    made = subprocess.run(
        ["unshare", "-rnm", sys.executable, str(_FOLDER / "network_cage.py"), str(folder), *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    report_file = folder / "report.json"
    if not report_file.exists():
        if "unshare" in made.stderr:
            pytest.skip(f"no network of its own can be made here: {made.stderr.strip()}")
        pytest.fail(made.stderr)
    report: dict[str, Any] = json.loads(report_file.read_text(encoding="utf-8"))
    if "unable" in report:
        pytest.skip(f"no network of its own can be made here: {report['unable']}")
    assert report["straight"] == ["192.0.2.1 protocol 17 port 9"], "the cage sees nothing; it proves nothing"
    assert "192.0.2.53 protocol 17 port 53" in report["lookup"], "the cage sees no look-ups; it proves nothing"
    return report


def test_the_worker_sends_nothing(tmp_path: Path) -> None:
    landmarker = str(data("mediapipe/face_landmarker.task")) if importlib.util.find_spec("mediapipe") else ""
    report = caged(tmp_path, [sys.executable, "-I", str(_FOLDER / "whole_worker.py"), str(LISTEN_S), landmarker])
    assert report["code"] == 0, report["problems"]
    assert {"onnxruntime", "cv2", *(["mediapipe"] if landmarker else [])} <= set(report["output"].split())
    assert report["sent"] == []
    # onnxruntime keeps an identity of this computer where it reports home
    assert not [path for path in (tmp_path / "home").rglob("*") if "microsoft" in path.name.lower()]


def test_a_program_that_does_send_something_is_found_out(tmp_path: Path) -> None:
    code = (
        "import socket\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 11573))\n"
        "connection = socket.socket(); connection.settimeout(0.2); connection.connect_ex(('203.0.113.7', 443))"
    )
    sent = caged(tmp_path, [sys.executable, "-I", "-c", code])["sent"]
    assert sent == ["203.0.113.7 protocol 6 port 443"], "and what stays on this computer is nobody's business"


# -- pins -----------------------------------------------------------------------------------------------------------


def numbers_of(version: str) -> tuple[int, ...]:
    """The leading numbers of a version."""
    return tuple(int(part) for part in re.match(r"[\d.]*\d", version)[0].split("."))  # type: ignore[index]


def pins() -> dict[str, tuple[int, ...]]:
    """Package name to its pinned version."""
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([\w.-]+)==([\w.]+)", line) for line in lines)
    return {match[1].lower().replace("_", "-"): numbers_of(match[2]) for match in found if match}


def test_versions_that_report_home_are_never_pinned() -> None:
    pinned = pins()
    assert {"onnxruntime", "onnxruntime-directml", "mediapipe"} <= pinned.keys()
    assert not [name for name, first in REPORTS_HOME_FROM.items() if name in pinned and pinned[name] >= first]


def test_versions_that_report_home_are_not_installed() -> None:
    for name, first in REPORTS_HOME_FROM.items():
        try:
            assert numbers_of(importlib.metadata.version(name)) < first, name
        except importlib.metadata.PackageNotFoundError:
            continue


def test_what_newer_versions_ask_for_is_set_all_the_same() -> None:
    assert PRIVATE["ORT_DISABLE_TELEMETRY"] == "1"
