"""OBS's side of the log: its own file, because anything on stderr pops up a window in front of the streamer."""

from __future__ import annotations

import logging
import logging.handlers
from typing import Any, Callable

from ..wire.folders import user_logs

_log = logging.getLogger(__name__)

_BYTES, _COPIES = 500_000, 2


def start() -> None:
    """Log this package into ``obs.log``. A disk that refuses costs the log, nothing else."""
    logger = logging.getLogger(__name__.rsplit(".obs.", 1)[0])
    stop()
    handler: logging.Handler
    try:
        user_logs().mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            str(user_logs() / "obs.log"), maxBytes=_BYTES, backupCount=_COPIES, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    # logging prints its own troubles to stderr unless the handler keeps them to itself
    handler.handleError = lambda record: None  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def stop() -> None:
    """Close the file (a reload opens it anew)."""
    logger = logging.getLogger(__name__.rsplit(".obs.", 1)[0])
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    # a logger without any handler would write its warnings to stderr
    logger.addHandler(logging.NullHandler())


def guarded(function: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
    """The same function for OBS to call, as the plain function that OBS wants: its errors go to the log.

    OBS writes what a callback raises to stderr, in a window before the streamer. ``otherwise`` is returned then.
    """

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception:  # noqa: BLE001 - the border to OBS
            _log.exception("something unexpected went wrong")
            return otherwise

    return call
