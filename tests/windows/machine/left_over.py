"""Processes that tests left behind: looked for on Linux, where every process under Wine can be seen."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.windows.machine.machine import WindowsMachine

_WINES_OWN = (
    "conhost.exe", "explorer.exe", "plugplay.exe", "rpcss.exe", "services.exe", "start.exe", "svchost.exe",
    "wineboot.exe", "winedevice.exe", "wineserver",
)  # fmt: skip
_SETTLE_S = 5.0
_LIMIT_S = 30


def left_over(prefix: Path) -> list[str]:
    """Command lines of the programs that still run in this Wine, after a moment for those that are about to end."""
    end_s = time.monotonic() + _SETTLE_S
    while (found := _running(prefix)) and time.monotonic() < end_s:
        time.sleep(0.1)
    return found


def end_left_over(machine: WindowsMachine) -> None:
    """End whatever still runs on the machine."""
    try:
        subprocess.run(["wineserver", "--kill"], env=machine.environment, check=False, timeout=_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return


def _running(prefix: Path) -> list[str]:
    mark = f"WINEPREFIX={prefix}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            # it ended while it was looked at
            continue
        if line and not any(name in line.split(" -")[0] for name in _WINES_OWN):
            found.append(line[:200])
    return sorted(found)
