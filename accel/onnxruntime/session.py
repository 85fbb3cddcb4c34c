"""One network in ONNX Runtime: what it is given is checked, and what it says is told in our words."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from accel.base import Array, DeviceTensor, TensorSpec
from core.wire.errors import RuntimeFailed

from .library import Opened
from .tensors import check

_log = logging.getLogger(__name__)


class OrtSession:
    """One network. Used from one thread at a time (DirectML fails when two run it at once)."""

    def __init__(self, made: Opened, runtime: str, network: str) -> None:
        self._made: Opened | None = made
        self._runtime, self._network = runtime, network
        self._inputs, self._outputs = made.inputs, made.outputs

    @property
    def inputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        return self._inputs

    @property
    def outputs(self) -> Mapping[str, TensorSpec]:
        """By name."""
        return self._outputs

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], into: Mapping[str, DeviceTensor] | None = None
    ) -> dict[str, Array]:
        """Compute; see :class:`accel.base.Session`."""
        made = self._made
        if made is None:
            raise RuntimeFailed("the session is closed", runtime=self._runtime, network=self._network)
        for name, spec in self._inputs.items():
            check(spec, inputs.get(name))
        for name, tensor in (into or {}).items():
            if name not in self._outputs or not made.is_place(tensor):
                raise ValueError(f"{name}: no such output, or not memory of this runtime")
            check(self._outputs[name], tensor)
        try:
            return made.run(inputs, into or {})
        except Exception as problem:
            _log.warning("%s failed in %s: %r", self._runtime, self._network, problem)
            raise RuntimeFailed(str(problem)[:500], runtime=self._runtime, network=self._network) from problem

    def close(self) -> None:
        """Give the memory back."""
        self._made = None
