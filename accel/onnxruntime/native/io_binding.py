"""What a session reads and where it writes, told one by one (``OrtIoBinding``).

Through the C API every DirectML session has a command queue of its own, so one can be opened on a thread while another
draws (through the Python module they share one recorder of commands, and that fails). Between queues nothing is in
order by itself: a run is over when its outputs are there.
"""

from __future__ import annotations

from .api import made
from .handle import Handle
from .session import NativeSession


class IoBinding:
    """Of one session."""

    def __init__(self, session: NativeSession) -> None:
        """Raises OrtError."""
        self._api, self._session = session.api, session.handle
        self._handle = Handle(
            made(self._api.create_binding, session.handle.pointer), self._api.release_binding, session.handle
        )

    def give(self, name: bytes, value: int) -> None:
        """An input. What lies elsewhere than the session wants it is copied there at once. Raises OrtError."""
        self._api.bind_input(self._handle.pointer, name, value)

    def take(self, name: bytes, value: int) -> None:
        """Where an output goes. Raises OrtError."""
        self._api.bind_output(self._handle.pointer, name, value)

    def run(self) -> None:
        """Compute, and wait until everything is where it goes. Raises OrtError."""
        self._api.run_with_binding(self._session.pointer, None, self._handle.pointer)
        self._api.wait_for_outputs(self._handle.pointer)

    def clear(self) -> None:
        """Forget what was bound, so that nobody's memory is kept."""
        self._api.clear_inputs(self._handle.pointer)
        self._api.clear_outputs(self._handle.pointer)
