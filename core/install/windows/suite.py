"""``test --windows``: the tests as Windows runs them, on a Linux machine too, where Wine runs a real Windows Python.

What sets that up and runs it lies with the tests (``tests/windows/machine``) and needs the tests' environment; here is
decided whether it can be done on this system at all.
"""

from __future__ import annotations

import shutil
import sys
from typing import List, Sequence, Tuple

from ..problem import InstallProblem

SWITCH = "--windows"
MODULE = "tests.windows.machine"


def wanted(arguments: Sequence[str]) -> Tuple[bool, List[str]]:
    """Whether the tests are to run as Windows runs them, and the arguments without the switch."""
    return SWITCH in arguments, [argument for argument in arguments if argument != SWITCH]


def is_windows() -> bool:
    """On Windows every run of the tests is one as Windows runs them."""
    return sys.platform == "win32"


def check_system() -> None:
    """Raises InstallProblem, with what to do, on a system that the Windows machine cannot be set up on."""
    if sys.platform == "darwin":
        raise InstallProblem("The tests as Windows need Wine on Linux; on macOS run them in a Linux machine instead.")
    if not sys.platform.startswith("linux"):
        raise InstallProblem("The tests as Windows run on Windows itself, or under Wine on Linux.")
    if shutil.which("apt-get") is None and shutil.which("wine") is None:
        raise InstallProblem(
            "The tests as Windows need Wine and the compiler mingw-w64, which are installed by themselves on Debian "
            "and Ubuntu only. Install both with your system's packages and run this again."
        )


def command(python: str, arguments: Sequence[str], assume_yes: bool) -> List[str]:
    """What sets the Windows machine up and runs the tests on it; ``python`` is the tests' environment's."""
    return [python, "-m", MODULE, *(["--yes"] if assume_yes else []), *arguments]
