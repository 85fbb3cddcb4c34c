"""Packages for the graphics card that is there: TensorRT for RTX on NVIDIA's. What fails here never stops the rest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import List

from ..wire.folders import PROJECT
from . import environment
from .console import Console
from .graphics_card import NVIDIA, GraphicsCard, graphics_cards, why_no_rtx
from .install_record import record_declined, was_declined
from .problem import InstallProblem

NVIDIA_REQUIREMENTS = PROJECT / "requirements-nvidia.txt"
OFFER = "nvidia"
_SIZE_MB = 103
"""Of the wheels, by the package index."""


def prepare_graphics(console: Console, environment_folder: Path) -> None:
    """Tell what card is there and, on one that can use them, offer NVIDIA's packages. Raises nothing but Ctrl+C."""
    try:
        cards = graphics_cards()
        for line in describe_cards(cards):
            console.say(line)
        if any(why_no_rtx(card) is None for card in cards):
            _offer(console, environment_folder)
    except (InstallProblem, OSError) as problem:
        console.say(f"Going on without NVIDIA's packages; {_otherwise()} works. {problem}")


def describe_cards(cards: List[GraphicsCard]) -> List[str]:
    """Each card and what it can use, in words."""
    if not cards:
        return ["No graphics card was recognised. The built-in movement needs none."]
    lines = []
    for card in cards:
        reason = why_no_rtx(card)
        if reason is None:
            lines.append(f"{card.name}: can use TensorRT for RTX, the fastest, and {_otherwise()}.")
        elif card.maker == NVIDIA:
            lines.append(f"{card.name}: uses {_otherwise()}. Not TensorRT for RTX: {reason}.")
        else:
            lines.append(f"{card.name}: uses {_otherwise()}.")
    return lines


def nvidia_packages_are_in(environment_folder: Path) -> bool:
    """Are the packages of ``requirements-nvidia.txt`` in the environment?"""
    return environment.has_extra(environment_folder, NVIDIA_REQUIREMENTS)


def _offer(console: Console, environment_folder: Path) -> None:
    if nvidia_packages_are_in(environment_folder):
        console.say("ready: TensorRT for RTX")
        return
    if was_declined(OFFER):
        console.say("TensorRT for RTX is not installed, as you chose. To be asked again: run --ask-again")
        return
    if not console.ask(f"Install TensorRT for RTX for it? It is about {_SIZE_MB} MB to download."):
        record_declined(OFFER)
        console.say(f"Not installed; {_otherwise()} is used.")
        return
    environment.install_extra(environment_folder, NVIDIA_REQUIREMENTS, console)
    console.say(
        "ready: TensorRT for RTX. The first time a network is used it is prepared for your card, half a minute."
    )


def _otherwise() -> str:
    return "DirectML" if sys.platform == "win32" else "the processor"
