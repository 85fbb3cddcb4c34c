"""Which graphics cards this computer has, by name, and what of NVIDIA's they can be given. No package, no WMI."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from .windows.registry import MACHINE, Registry, open_registry

NVIDIA, AMD, INTEL, OTHER = "NVIDIA", "AMD", "Intel", "other"
OLDEST_CAPABILITY = (7, 5)
"""TensorRT for RTX: Turing (RTX 20) and newer, says NVIDIA's support matrix."""
OLDEST_DRIVER = 580
"""CUDA 13, which the packages are built for, needs a driver of this branch or newer."""
_ADAPTERS = r"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""Windows: the class of display adapters."""
_MAKERS = {"10de": NVIDIA, "1002": AMD, "1022": AMD, "8086": INTEL}
"""By the vendor's number on the PCI bus."""
_ASK_LIMIT_S = 15.0
_NVIDIA_SMI = ["--query-gpu=name,compute_cap,driver_version", "--format=csv,noheader"]
_RTX_NAME = re.compile(r"\bRTX\b", re.IGNORECASE)


class GraphicsCard(NamedTuple):
    """One card."""

    name: str
    maker: str
    capability: Optional[Tuple[int, int]] = None
    """NVIDIA: its generation, (8, 9) is Ada; None when the driver does not tell."""
    driver: str = ""
    """NVIDIA: the driver's version as NVIDIA writes it, ``581.80``; empty when it is not known."""


def graphics_cards() -> List[GraphicsCard]:
    """The cards of this computer, NVIDIA's first."""
    if sys.platform == "win32":
        cards = cards_in_registry(open_registry())
    elif sys.platform.startswith("linux"):
        cards = cards_on_linux(Path("/"))
    else:
        cards = []
    if any(card.maker == NVIDIA for card in cards):
        told = cards_of_nvidia_smi(_nvidia_smi())
        cards = (told or [card for card in cards if card.maker == NVIDIA]) + [
            card for card in cards if card.maker != NVIDIA
        ]
    return cards


def why_no_rtx(card: GraphicsCard) -> Optional[str]:
    """Why TensorRT for RTX cannot run on this card; None when it can."""
    if card.maker != NVIDIA:
        return "it is not NVIDIA's"
    if card.capability is None:
        if not _RTX_NAME.search(card.name):
            return "it is older than RTX 20"
    elif card.capability < OLDEST_CAPABILITY:
        return "it is older than RTX 20"
    branch = re.match(r"\d+", card.driver)
    if branch and int(branch.group()) < OLDEST_DRIVER:
        return f"its driver is {card.driver}; it needs {OLDEST_DRIVER} or newer, from nvidia.com/drivers"
    return None


def cards_in_registry(registry: Registry) -> List[GraphicsCard]:
    """Windows: the adapters that sit on the PCI bus; remote and virtual displays do not."""
    found: Dict[str, GraphicsCard] = {}
    for number in registry.keys(MACHINE, _ADAPTERS):
        if not number.isdecimal():
            continue
        key = rf"{_ADAPTERS}\{number}"
        name = registry.value(MACHINE, key, "DriverDesc")
        identity = registry.value(MACHINE, key, "MatchingDeviceId") or ""
        on_bus = re.match(r"pci\\ven_([0-9a-f]{4})", identity, re.IGNORECASE)
        if not name or not on_bus:
            continue
        maker = _MAKERS.get(on_bus.group(1).lower(), OTHER)
        driver = nvidia_driver(registry.value(MACHINE, key, "DriverVersion") or "") if maker == NVIDIA else ""
        found.setdefault(name, GraphicsCard(name, maker, driver=driver))
    return list(found.values())


def nvidia_driver(windows_version: str) -> str:
    """``581.80`` of ``32.0.15.8180``: the last five digits are NVIDIA's own number; empty when it is not built so."""
    digits = "".join(windows_version.split(".")[-2:])[-5:]
    return f"{digits[:3]}.{digits[3:]}" if len(digits) == 5 and digits.isdecimal() else ""


def cards_on_linux(root: Path) -> List[GraphicsCard]:
    """Linux: NVIDIA's driver tells names; of other cards the bus knows the maker only."""
    found = []
    for file in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        model = re.search(r"^Model:\s*(.+?)\s*$", _text(file), re.MULTILINE)
        found.append(GraphicsCard(model.group(1) if model else "NVIDIA card", NVIDIA))
    named = bool(found)
    for file in sorted((root / "sys/class/drm").glob("card*/device/vendor")):
        maker = _MAKERS.get(_text(file).strip().lower().replace("0x", ""))
        if maker is not None and not (maker == NVIDIA and named):
            found.append(GraphicsCard(f"{maker} graphics", maker))
    return list(dict.fromkeys(found))


def cards_of_nvidia_smi(text: str) -> List[GraphicsCard]:
    """The cards in what NVIDIA's own program says: ``NVIDIA GeForce RTX 3060, 8.6, 581.80`` a line."""
    found = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.rsplit(",", 2)]
        match = re.fullmatch(r"(\d+)\.(\d+)", parts[1]) if len(parts) == 3 else None
        if match:
            found.append(GraphicsCard(parts[0], NVIDIA, (int(match.group(1)), int(match.group(2))), parts[2]))
    return found


def _nvidia_smi() -> str:
    """It comes with the driver; without it, names and numbers from elsewhere must do."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *_NVIDIA_SMI], stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASK_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
