"""The worker process with the real Spout sender, which also keeps what it sent: ``spout_worker.py LOCATOR``.

``LOCATOR`` names a frame ring of the test's: every picture that Spout took is put into it, as it was handed over.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

PROJECT = Path(__file__).resolve().parents[2]


def main(locator: str) -> None:
    """Stand before SpoutGL's sender, then be the worker."""
    sys.path.insert(0, str(PROJECT))
    import SpoutGL

    from core.wire.ring import FrameHeader, FrameRing

    ring = FrameRing.attach(locator)

    class KeepingSender(SpoutGL.SpoutSender):
        """The real sender."""

        def sendImage(
            self, pixels: Buffer, width: int, height: int, gl_format: int, invert: bool, host_fbo: int, /
        ) -> bool:
            taken = super().sendImage(pixels, width, height, gl_format, invert, host_fbo)
            if taken:
                sequence = ring.newest + 1
                ring.begin(sequence, width * height * 4)[:] = memoryview(pixels).cast("B")
                ring.finish(FrameHeader(sequence, width, height))
            return taken

    SpoutGL.SpoutSender = KeepingSender  # type: ignore[misc]
    sys.argv[:] = [str(PROJECT / "core" / "worker")]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1])
    os._exit(1)
