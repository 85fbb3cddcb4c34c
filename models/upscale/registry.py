"""All kinds of upscaling by name: which can work here, and opening one."""

from __future__ import annotations

from pathlib import Path

from accel.base import Progress, Runtime

from . import anime4k
from .base import ANIME4K, KINDS, OFF, REAL_ESRGAN, REAL_ESRGAN_HEAD, WAIFU2X, Upscaler
from .box import Box

_MISSING = {WAIFU2X: "waifu2x_missing", REAL_ESRGAN: "real_esrgan_missing", REAL_ESRGAN_HEAD: "real_esrgan_missing"}


def unavailable(kind: str, folder: Path | None = None) -> str | None:
    """None when a kind can be tried, else the key of the reason (``reason.<key>``). Opens no file.

    ``folder``: of weights, the user's if none is named.
    """
    if kind == OFF:
        return None
    if kind == ANIME4K:
        return anime4k.unavailable()
    if kind not in KINDS:
        return "unknown"
    from .files import is_there

    return None if is_there(kind, folder) else _MISSING[kind]


def availability(folder: Path | None = None) -> dict[str, str | None]:
    """:func:`unavailable` for every kind."""
    return {kind: unavailable(kind, folder) for kind in KINDS}


def open_upscaler(
    kind: str,
    runtime: Runtime,
    precision: str,
    box: Box,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> Upscaler:
    """Get a kind ready for pictures whose avatar stays in ``box`` (multiples of 16 of the 512 x 512 picture).

    ``precision``: ``full`` or ``half``. Anime4K has a library of its own and leaves runtime and precision alone. Takes
    seconds, or minutes where engines are built. Raises ModelMissing, ModelFileBad, RuntimeUnavailable, RuntimeFailed,
    NetworkRefused, PictureWrong, BuildStopped, and ValueError for ``off`` and what does not exist.
    """
    if kind == ANIME4K:
        return anime4k.Anime4K(box)
    if kind == OFF or kind not in KINDS:
        raise ValueError(f"{kind} does not enlarge")
    from .files import find_network
    from .network import NetworkUpscaler

    return NetworkUpscaler(find_network(kind, precision, folder), runtime, precision, kind, box, progress)
