"""What ran as Windows: the tests, Spout frames, DirectML's error, and processes that were left behind.

Runs ``install_plugin.py test --windows`` (see docs/verification.md for what that is) and gives its counts.
``spout_frames_sent``: frames of a whole worker that the real SpoutGL accepted. ``dml_max_error``: largest difference
between what DirectML and the processor computed for our networks' pictures, of 1; None where DirectML did not run
(``--without-directml``, or a system on which it cannot be set up). ``orphans``: processes that any test left behind,
among them those that kill OBS while a worker runs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.wire.folders import PROJECT

from . import _report

_RESULTS = PROJECT / "build" / "windows"
_LIMIT_S = 3600


def main(arguments: list[str] | None = None) -> int:
    """Run and report; 1 when a test failed."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--without-directml", action="store_true", help="leave out the system that DirectML needs")
    options = parser.parse_args(arguments)
    for name in ("summary", "spout", "directml"):
        (_RESULTS / f"{name}.json").unlink(missing_ok=True)
    command = [sys.executable, str(PROJECT / "install_plugin.py"), "test", "--windows", "--yes"]
    extra = [] if options.without_directml else ["--directml"]
    code = subprocess.run([*command, *extra], check=False, timeout=_LIMIT_S).returncode
    summary, directml = _read("summary"), _read("directml")
    if not summary:
        return code or 1
    _report.give(
        {
            "tests_run": summary["tests_run"],
            "tests_skipped": summary["tests_skipped"],
            "tests_failed": summary["tests_failed"],
            "spout_frames_sent": _read("spout").get("spout_frames_sent", 0),
            "dml_max_error": directml.get("dml_max_error"),
            "orphans": len(summary["left_over"]),
        },
        options.json,
    )
    return code


def _read(name: str) -> dict[str, Any]:
    path: Path = _RESULTS / f"{name}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


if __name__ == "__main__":
    sys.exit(main())
