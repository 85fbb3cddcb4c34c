"""The process round the worker: privacy switches, crash traces, logs. Called before anything heavy is imported."""

from __future__ import annotations

import faulthandler
import logging
import logging.handlers
import os
import sys
import threading
from pathlib import Path

STUCK_S = 30.0
"""If nothing in this process moves for so long, it writes a trace and ends itself, even with Python's lock held."""
_ORPHAN_LIMIT_S = 0.8
_SWITCH_S = 0.0005
"""How long a thread may keep Python's lock while another waits for it. Each call into OpenCV gives the lock away, so
with Python's own 5 ms a frame of thirty calls would stand still while a character is read beside it."""
_LOG_BYTES, _LOG_COPIES = 1_000_000, 3

PRIVATE = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime 1.29 and later report home unless told so before they are imported
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}
"""Nothing the user or another program set before may undo these."""
QUIET = {
    "OPENCV_LOG_LEVEL": "ERROR",  # a camera that is not there is told by us
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "2",  # seconds; a camera that hangs is opened anew after as many
    "OPENCV_IO_MAX_IMAGE_PIXELS": str(8192 * 8192),  # a small file may claim to be a picture of gigabytes
    "OPENCV_VIDEOIO_PRIORITY_MSMF": "0",  # Windows: MSMF takes many seconds to open a camera
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",  # a pose is 45 numbers: more threads only fight with OBS for the processor
}


def prepare_process() -> None:
    """Set what libraries read at import, and have crashes in native code leave a trace on stderr."""
    os.environ.update(PRIVATE)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    faulthandler.enable(sys.stderr)
    sys.setswitchinterval(_SWITCH_S)


def still_alive() -> None:
    """Push the moment of :data:`STUCK_S` away from now."""
    faulthandler.dump_traceback_later(STUCK_S, exit=True, file=sys.stderr)


def end_soon(exit_code: int = 0) -> None:
    """End the process within a second, whatever its threads are doing."""
    timer = threading.Timer(_ORPHAN_LIMIT_S, os._exit, (exit_code,))
    timer.daemon = True
    timer.start()


def start_logging(folder: Path, level: str) -> None:
    """Log into a rotating ``worker.log``. A disk that refuses costs the log, nothing else."""
    logging.raiseExceptions = False
    handler: logging.Handler
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / "worker.log", maxBytes=_LOG_BYTES, backupCount=_LOG_COPIES, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    set_level(level)


def set_level(level: str) -> None:
    """``warning``, ``info`` or ``debug``."""
    logging.getLogger().setLevel(level.upper())
