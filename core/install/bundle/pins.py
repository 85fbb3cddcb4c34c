"""Lines of a requirements file as a bundle needs them: an exact version, and whether Windows wants it at all."""

from __future__ import annotations

import re
from typing import Iterable, List, NamedTuple, Optional

from ..problem import InstallProblem

_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*([A-Za-z0-9.!+_-]+)")
_PLATFORM = re.compile(r"sys_platform\s*(==|!=)\s*['\"](\w+)['\"]")


class Pin(NamedTuple):
    """A package in one version."""

    name: str
    version: str

    @property
    def key(self) -> str:
        """``name==version`` with the name as every tool compares it (PEP 503: lower case, one hyphen)."""
        return f"{normal(self.name)}=={self.version}"


def normal(name: str) -> str:
    """A package's name as names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pin_of(requirement: str) -> Optional[Pin]:
    """The package that a requirement names exactly; None when it leaves the version open. Markers do not matter."""
    match = _PINNED.fullmatch(requirement.split(";")[0].strip())
    return None if match is None else Pin(match.group(1), match.group(2))


def windows_pins(requirements: Iterable[str]) -> List[Pin]:
    """What of these Windows needs. Raises InstallProblem for a line that is not exact or has a marker not known here.

    Markers are judged here because pip judges them by the machine it runs on, whatever platform it is told.
    """
    pins = []
    for requirement in requirements:
        pin = pin_of(requirement)
        if pin is None:
            raise InstallProblem(
                f"The requirement {requirement!r} names no exact version, so a bundle of it would be another one "
                "tomorrow. Write it as name==version."
            )
        marker = requirement.partition(";")[2].strip()
        if not marker or _holds_on_windows(marker, requirement):
            pins.append(pin)
    return pins


def _holds_on_windows(marker: str, requirement: str) -> bool:
    match = _PLATFORM.fullmatch(marker)
    if match is None:
        raise InstallProblem(
            f'Whether Windows needs {requirement!r} cannot be told: only sys_platform == "..." and != are understood.'
        )
    return (match.group(2) == "win32") == (match.group(1) == "==")
