"""Wrong calls to what only Windows has are found on any system, by both checkers; right ones are left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.wire.folders import PROJECT

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="what Windows' code looks like from elsewhere is asked on Linux, where `types` runs"
)
LIMIT_S = 300.0

HEAD = """import sys

if sys.platform == "win32":
    import numpy as np
    import onnxruntime
    import SpoutGL

    sender = SpoutGL.SpoutSender()
    session = onnxruntime.InferenceSession("student.onnx", providers=["DmlExecutionProvider"])
    picture = np.zeros((4, 4, 4), np.uint8)
"""
WRONG = [
    "sender.sendImage(picture, 4, 4, 0x80E1, False)",
    "sender.sendImage(picture, 4, 4, 0x80E1, False, host_fbo=0)",
    'sender.sendImage("picture", 4, 4, 0x80E1, False, 0)',
    'sender.setSendername("Nocti")',
    'sender.setSenderName(b"Nocti")',
    "sender.waitFrameSync(16)",
    "onnxruntime.OrtValue.ortvalue_from_numpy()",
    "session.run_with_io_binding(session.io_binding())",
    "session.run_with_iobinding(picture)",
]
RIGHT = [
    'sender.setSenderName("Nocti")',
    "sent: bool = sender.sendImage(picture, 4, 4, 0x80E1, False, 0)",
    'signalled: bool = sender.waitFrameSync("Nocti", 16)',
    'value = onnxruntime.OrtValue.ortvalue_from_numpy(picture, "dml", 0)',
    "binding = session.io_binding()",
    'binding.bind_ortvalue_input("pose", value)',
    "session.run_with_iobinding(binding)",
]

Checker = Callable[[Path, str], list[int]]


def mypy(sample: Path, platform: str) -> list[int]:
    """The lines that mypy finds wrong."""
    done = run("mypy", "--platform", platform, "--cache-dir", str(sample.parent / "cache"), str(sample))
    assert done.returncode == (1 if "error:" in done.stdout else 0), done.stdout + done.stderr
    found = [line.removeprefix(f"{sample}:").split(":") for line in done.stdout.splitlines() if ": error: " in line]
    return sorted({int(line) for line, *_ in found})


def basedpyright(sample: Path, platform: str) -> list[int]:
    """The lines that pyright's engine finds wrong."""
    name = {"win32": "Windows", "linux": "Linux"}[platform]
    done = run("basedpyright", "--pythonplatform", name, "--pythonpath", sys.executable, "--outputjson", str(sample))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["summary"]["filesAnalyzed"] == 1
    return sorted({1 + finding["range"]["start"]["line"] for finding in told["generalDiagnostics"]})


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In the project's folder, where both find their configuration."""
    pytest.importorskip(module, reason=f"{module} is not installed (tests/requirements.txt)")
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_S, check=False)


@pytest.mark.parametrize("check", [mypy, basedpyright])
def test_every_wrong_call_is_found_and_nothing_else(check: Checker, tmp_path: Path) -> None:
    sample = tmp_path / "planted.py"
    sample.write_text(HEAD + "".join(f"    {line}\n" for line in [*RIGHT, *WRONG]), encoding="utf-8")
    first = HEAD.count("\n") + len(RIGHT) + 1
    assert check(sample, "win32") == [first + place for place in range(len(WRONG))]


@pytest.mark.parametrize("check", [mypy, basedpyright])
def test_without_the_platform_nobody_would_look(check: Checker, tmp_path: Path) -> None:
    sample = tmp_path / "planted.py"
    sample.write_text(HEAD + "".join(f"    {line}\n" for line in WRONG), encoding="utf-8")
    assert check(sample, "linux") == []
