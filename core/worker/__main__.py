"""Entry of the worker process: ``python -I core/worker``. OBS's side starts it; everything else comes over stdin."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from pathlib import Path

EXIT_MISSING_PACKAGE = 3
"""The environment lacks a package; its name is the last line on stderr."""


def main() -> int:
    """Prepare the process, import the heavy parts, run."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from core.worker import environment

    environment.prepare_process()
    environment.still_alive()
    from core.wire.folders import user_logs

    environment.start_logging(user_logs(), "info")
    try:
        from core.worker.app import Worker
        from core.worker.control import ControlPipe
    except ImportError as problem:
        sys.stderr.write(f"{problem}\n{problem.name or problem}\n")
        return EXIT_MISSING_PACKAGE
    import cv2

    cv2.setNumThreads(1)
    worker: Worker | None = None

    def ended() -> None:
        environment.end_soon()
        if worker is not None:
            worker.stop()

    pipe = ControlPipe(sys.stdin.buffer, sys.stdout.buffer, ended)
    # nothing but messages may reach the pipe: a library that prints would break it
    sys.stdout = sys.stderr
    worker = Worker(pipe)
    pipe.start()
    try:
        return worker.run()
    except Exception:
        logging.getLogger(__name__).exception("the worker ends on an unexpected error")
        traceback.print_exc()
        return 1
    finally:
        pipe.close()


if __name__ == "__main__":
    exit_code = main()
    logging.shutdown()
    # no orderly shutdown: a thread that is stuck in a full pipe or in a driver would hold it up, then crash it
    os._exit(exit_code)
