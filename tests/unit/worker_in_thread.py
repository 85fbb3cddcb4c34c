"""A whole worker in a thread, told and heard over real pipes, its frames read from a real ring."""

from __future__ import annotations

import contextlib
import os
import threading

from core.wire.ring import FrameHeader, FrameRing
from core.wire.settings import Value, defaults
from core.worker.app import Worker
from core.worker.control import ControlPipe
from tests.contract.fake_outputs import LIMIT_S
from tests.unit.other_side import Heard, OtherSide


class RunningWorker(OtherSide):
    """OBS's side of a worker: its pipe, its frame ring, and the end of its thread."""

    def __init__(self, ring: FrameRing) -> None:
        worker_reads, obs_writes = os.pipe()
        obs_reads, worker_writes = os.pipe()
        super().__init__(os.fdopen(obs_writes, "wb"), os.fdopen(obs_reads, "rb"))
        self.ring = ring
        self._worker_files = os.fdopen(worker_reads, "rb"), os.fdopen(worker_writes, "wb")
        self._pipe = ControlPipe(*self._worker_files, lambda: self.worker.stop())
        self.worker = Worker(self._pipe)
        self.exit_code: int | None = None
        self._thread = threading.Thread(target=self._run, name="worker-under-test")
        self._pipe.start()
        self._thread.start()
        self.listen()

    def configure(self, visible: bool = True, **settings: Value) -> None:
        """Put it to work with the moving face and the frame ring."""
        chosen: dict[str, Value] = {"tracker": "debug", "output": "obs_source", "preset": "low", **settings}
        everything = {**defaults(), **chosen}
        self.tell("configure", settings=everything, rung="rig", ring=self.ring.locator, visible=visible)

    def set(self, **settings: object) -> Heard:
        """Change settings; returns the reply."""
        return self.ask("set", settings=settings)

    def frame(self) -> FrameHeader:
        """The header of a frame that is announced after this call."""
        self._next = len(self.heard)
        while True:
            header = self.ring.header(self.hear("frame")["sequence"])
            if header is not None:  # else it was overwritten already
                return header

    def exits(self) -> int | None:
        """Wait for the end of the worker's loop; its exit code."""
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()
        return self.exit_code

    def close(self) -> None:
        """End everything, whatever state it is in."""
        self.worker.stop()
        self.exits()
        self.hang_up()
        self._pipe.close(LIMIT_S)
        for file in self._worker_files:
            with contextlib.suppress(BrokenPipeError):
                file.close()
        super().close()

    def _run(self) -> None:
        self.exit_code = self.worker.run()
