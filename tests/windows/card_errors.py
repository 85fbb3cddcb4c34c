"""How far a graphics card's results are from the processor's, collected over a run of the tests."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from accel.base import FULL, Array, Network, Runtime, TensorSpec
from core.wire.folders import PROJECT

RESULT_VARIABLE = "EASYVTUBER_DIRECTML_RESULT"
"""Names the file where the project's own folder cannot be written to."""


def result_file() -> Path:
    """Where the errors are written: JSON, see :class:`CardErrors`."""
    named = os.environ.get(RESULT_VARIABLE)
    return Path(named) if named else PROJECT / "build" / "windows" / "directml.json"


class CardErrors:
    """Largest absolute errors by network. Floats count as they are (networks work on values from -1 to 1), bytes as
    shares of 255: 0.0039 is one level.

    The file: ``dml_max_error`` over all networks in full precision, ``dml_max_error_half`` over those in half, and each
    network's own under ``networks``.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._networks: dict[str, dict[str, float]] = {FULL: {}, "half": {}}

    def note(self, name: str, precision: str, error: float) -> None:
        """Remember one network's error and write them all down."""
        of_precision = self._networks[precision]
        of_precision[name] = max(error, of_precision.get(name, 0.0))
        content = {
            "device": self._device,
            "dml_max_error": max(self._networks[FULL].values(), default=0.0),
            "dml_max_error_half": max(self._networks["half"].values(), default=0.0),
            "networks": self._networks,
        }
        file = result_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8", newline="\n")


def network_error(network: Network, card: Runtime, processor: Runtime) -> float:
    """The largest absolute difference between what both give for the same inputs, over all outputs."""
    results = []
    for runtime in (card, processor):
        session = runtime.open(network)
        results.append(session.run({spec.name: some_input(spec) for spec in session.inputs.values()}))
        session.close()
    drawn, wanted = results
    assert all(np.isfinite(values.astype(np.float64)).all() for values in wanted.values())
    return max(array_error(drawn[name], wanted[name]) for name in wanted)


def array_error(first: Array, second: Array) -> float:
    """The largest absolute difference; of bytes as a share of 255."""
    assert first.shape == second.shape and first.dtype == second.dtype
    away = np.abs(first.astype(np.float64) - second.astype(np.float64))
    return float(away.max()) / (255.0 if first.dtype == np.uint8 else 1.0)


def some_input(spec: TensorSpec) -> Array:
    """The same values each time: waves over the last axes, as smooth as pictures and fields are. Bytes 0..255, floats
    0..1; pictures of four channels are opaque nowhere and everywhere in turn."""
    random = np.random.default_rng(sum(spec.name.encode()))
    places = np.indices(spec.shape, np.float32, sparse=True)
    total = np.zeros(spec.shape, np.float32)
    for axis, place in zip(spec.shape, places, strict=True):
        total = total + np.sin(place * np.float32(random.uniform(2.0, 9.0) / axis) + np.float32(random.uniform(0, 6)))
    wave = (np.sin(total * 2.0) + 1.0) / 2.0
    if spec.dtype == np.uint8:
        return np.asarray(np.rint(wave * 255.0), np.uint8)
    return np.asarray(wave, spec.dtype)
