"""Everything an engine was made from, and the identity that follows from it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from accel.base import FULL, Network

from .library import Library
from .options import AMPERE_PLUS, NOT_COMPATIBLE, Options, TensorRTRtxOptions

IDENTITY_FORMAT = 1
"""Raised when engines are built differently from the same recipe: all engines made before are then strangers."""


@dataclass(frozen=True, slots=True)
class Card:
    """The graphics card an engine is made for."""

    index: int
    """As CUDA counts them."""
    name: str
    compute_capability: tuple[int, int]
    """Its generation: (8, 9) is Ada."""
    driver: str
    """The driver's version, 581.80; the version of CUDA where that cannot be found out."""
    memory_bytes: int = 0

    @property
    def identity(self) -> str:
        """What an engine timed on it depends on."""
        major, minor = self.compute_capability
        return f"{self.name}|{major}.{minor}|{self.driver}"


@dataclass(frozen=True)
class EngineRequest:
    """A network that an engine is wanted for."""

    network: Network
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of the inputs whose sizes the network leaves open, by name."""
    precision: str = FULL
    """What the network computes in; its own types decide, this is for people and for the identity."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides how an engine comes out. Two equal recipes give engines that can stand for each other."""

    network: str
    """SHA-256 of the ONNX model."""
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    precision: str
    library: str
    version: str
    system: str
    """Operating system and processor; engines do not travel between them."""
    device: str
    """The card, for an engine that fits no other; else empty."""
    options: tuple[tuple[str, str | int | bool], ...]

    @property
    def identity(self) -> str:
        """SHA-256 over all of it, hexadecimal."""
        return _digest("engine", self.as_header())

    def as_header(self) -> dict[str, Any]:
        """As plain values, for a JSON file."""
        return asdict(self)


def make_recipe(request: EngineRequest, library: Library, options: Options, card: Card | None) -> Recipe:
    """The recipe of an engine for ``card``; without one, of an engine made ahead of time (TensorRT for RTX only)."""
    chosen = dict(options.builder_options())
    if isinstance(options, TensorRTRtxOptions):
        chosen["compute_capabilities"] = " ".join(wanted_capabilities(options, card))
    return Recipe(
        network=request.network.digest,
        shapes=tuple(sorted((name, tuple(shape)) for name, shape in request.shapes.items())),
        precision=request.precision,
        library=library.kind,
        version=library.version,
        system=system_name(),
        device=_device_part(options, card),
        options=tuple(sorted(chosen.items())),
    )


def wanted_capabilities(options: TensorRTRtxOptions, card: Card | None) -> tuple[str, ...]:
    """The generations an engine shall run on, each once and in order; empty is the library's own choice."""
    if options.compute_capabilities:
        return tuple(sorted(set(options.compute_capabilities)))
    return () if card is None else ("{}.{}".format(*card.compute_capability),)


def timing_identity(library: Library, card: Card) -> str:
    """The identity of what was timed on a card by a library."""
    return _digest("timing", [library.kind, library.version, system_name(), card.identity])


def runtime_identity(engine_identity: str, card: Card) -> str:
    """The identity of the kernels that were finished for an engine on a card."""
    return _digest("runtime", [engine_identity, card.identity])


def system_name() -> str:
    """``Linux-x86_64``."""
    return f"{platform.system()}-{platform.machine()}"


def _device_part(options: Options, card: Card | None) -> str:
    """An engine of TensorRT for RTX fits every card of its generations, one of TensorRT only what was asked for."""
    if card is None or isinstance(options, TensorRTRtxOptions):
        return ""
    major, minor = card.compute_capability
    return {
        NOT_COMPATIBLE: card.identity,
        AMPERE_PLUS: f"{AMPERE_PLUS}|{card.driver}",
    }.get(options.hardware_compatibility, f"{major}.{minor}|{card.driver}")


def _digest(purpose: str, content: Any) -> str:
    text = json.dumps([IDENTITY_FORMAT, purpose, content], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
