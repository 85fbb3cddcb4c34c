"""Programs from the system's own packages: apt, winget, Homebrew. Asked for, named, with a progress bar."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import List, Sequence

from .console import Console
from .problem import InstallProblem

OBS_PACKAGES = {"apt-get": ["obs-studio"], "winget": ["OBSProject.OBSStudio"], "brew": ["--cask", "obs"]}
_LIMIT_S = 1800


def package_manager() -> str:
    """``apt-get``, ``winget`` or ``brew``; empty when none of them is there."""
    wanted = {"win32": ["winget"], "darwin": ["brew"]}.get(sys.platform, ["apt-get"])
    return next((name for name in wanted if shutil.which(name)), "")


def install_obs(console: Console) -> None:
    """Install OBS Studio from the system's packages. Raises InstallProblem when the user refuses or it fails."""
    manager = package_manager()
    if not manager:
        raise InstallProblem("OBS Studio is not installed. Get it from https://obsproject.com and run this again.")
    install_packages(OBS_PACKAGES[manager], console, "OBS Studio is not installed")


def install_packages(packages: Sequence[str], console: Console, why: str) -> None:
    """Install the named packages with this system's manager, after asking. Raises InstallProblem."""
    manager, names = package_manager(), " ".join(packages)
    if not manager:
        raise InstallProblem(f"{why}. Install {names} with your system's packages and run this again.")
    if not console.ask(f"{why}. Install {names} with {manager}?"):
        raise InstallProblem(f"{why}. Nothing was installed; install {names} yourself and run this again.")
    if manager == "apt-get":
        _apt(packages, console)
    elif manager == "winget":
        options = ["--exact", "--accept-package-agreements", "--accept-source-agreements"]
        _plain(["winget", "install", *options, *packages], console)
    else:
        _plain(["brew", "install", *packages], console)


def _apt(packages: Sequence[str], console: Console) -> None:
    prefix: List[str] = []
    if sys.platform != "win32" and os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise InstallProblem(f"Installing needs root. Run as root: apt-get install {' '.join(packages)}")
        prefix = ["sudo"] if console.interactive else ["sudo", "-n"]
        if console.interactive:
            subprocess.run(["sudo", "-v"], check=False)
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    command = [*prefix, "env", *(f"{key}={value}" for key, value in environment.items()), "apt-get"]
    with console.progress("apt-get update") as progress:
        _watch_apt([*command, "-q", "update"], progress.to)
    with console.progress("apt-get install") as progress:
        _watch_apt([*command, "-q", "-y", "--no-install-recommends", "install", *packages], progress.to)


def _watch_apt(command: List[str], report: object) -> None:
    """Run apt-get and follow the progress it writes (``APT::Status-Fd``: ``pmstatus:package:percent:text``)."""
    assert callable(report)
    at = command.index("apt-get") + 1
    with subprocess.Popen(
        [*command[:at], "-o", "APT::Status-Fd=1", *command[at:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        said: List[str] = []
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            parts = line.split(":", 3)
            if parts[0] in ("dlstatus", "pmstatus") and len(parts) == 4:
                try:
                    # downloading is the first half of the bar, unpacking and setting up the second
                    share = float(parts[2]) / 200.0 + (0.5 if parts[0] == "pmstatus" else 0.0)
                except ValueError:
                    continue
                report(share, parts[3][:40])
            elif line:
                said = [*said[-12:], line]
        if process.wait(_LIMIT_S) != 0:
            raise InstallProblem(
                f"{' '.join(command)} failed. Is there a network connection, and is no other installation running? "
                "It says: " + " / ".join(said[-4:])
            )


def _plain(command: List[str], console: Console) -> None:
    console.say("running: " + " ".join(command))
    try:
        code = subprocess.run(command, check=False, timeout=_LIMIT_S).returncode
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise InstallProblem(f"{command[0]} could not be run: {problem}") from problem
    if code != 0:
        raise InstallProblem(
            f"{' '.join(command)} failed with exit code {code}. Install it by hand and run this again."
        )
