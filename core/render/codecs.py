"""How a finished picture is kept in memory: only the box that can be seen, and that as it is, through LZ4, or as JPEG.

What counts is the way back, because a picture is wanted at once: a codec that is slow to decode makes a cache slower
than none. Measured with ``python -m benchmarks._codec_times``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from core.wire.clock import now_ns
from models.base import Picture

if TYPE_CHECKING:
    from turbojpeg import TurboJPEG

RAW, LZ4, TURBOJPEG = "raw", "lz4", "turbojpeg"
CODECS = (RAW, LZ4, TURBOJPEG)
"""Every codec's name."""

DEAREST_SHARE = 3
"""A picture is worth keeping when making it takes at least this many times as long as decoding it."""

_LONGEST_DECODE_NS = 100_000
_LIMIT_PIXELS = 512 * 512
_DECODINGS = 9
_QUALITY = 95
_NOTHING = (0.0, 0.0, 0.0, 0.0)
_WINDOWS_LIBRARIES = ("C:/libjpeg-turbo64/bin/turbojpeg.dll", "C:/libjpeg-turbo-gcc64/bin/libturbojpeg.dll")
"""Where libjpeg-turbo's own installers put it. Windows is not asked to search: it would take any file of that name."""


Packed: TypeAlias = bytes | NDArray[np.uint8]
"""Flat."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as a codec keeps it. Never changes, so that any thread may decode it."""

    height: int
    """Of the whole picture, in pixels; so is ``width``."""
    width: int
    left: int
    """Of the box that holds every pixel with an alpha above 0; so are the next three. No pixels if there is none."""
    top: int
    columns: int
    rows: int
    parts: tuple[Packed, ...]
    """What the box became; empty if the box is."""

    @property
    def nbytes(self) -> int:
        """Bytes of what the box became."""
        return sum(map(len, self.parts))


class Codec(Protocol):
    """One way of keeping pictures. ``encode`` and ``decode`` may run at once, on one thread each."""

    @property
    def name(self) -> str:
        """One of ``CODECS``."""
        ...

    def encode(self, picture: Picture) -> Encoded:
        """What is to be kept of ``picture`` (premultiplied). Whatever its library raises is passed on."""
        ...

    def decode(self, encoded: Encoded, out: Picture) -> None:
        """Write the whole picture into ``out`` (the size that was encoded), premultiplied; outside the box it is empty.

        Raises ValueError where the sizes do not agree, and whatever the library raises for damaged data; what is in
        ``out`` then is of no use.
        """
        ...


class Raw:
    """The box as it is: decoding is one copy. Exact."""

    name = RAW

    def encode(self, picture: Picture) -> Encoded:
        """See :class:`Codec`."""
        return _encoded(picture, lambda box: (box.reshape(-1),))

    def decode(self, encoded: Encoded, out: Picture) -> None:
        """See :class:`Codec`."""
        _decode(encoded, out, lambda: _box_of(encoded, encoded.parts[0]))


class Lz4:
    """The box through LZ4: about a third of the bytes, at several gigabytes a second. Exact.

    LZ4's Python package has no way to decompress into memory of ours: it makes a new ``bytes`` each time.
    """

    name = LZ4

    def encode(self, picture: Picture) -> Encoded:
        """See :class:`Codec`."""
        return _encoded(picture, lambda box: (_lz4_packed(box),))

    def decode(self, encoded: Encoded, out: Picture) -> None:
        """See :class:`Codec`."""
        size_bytes = encoded.rows * encoded.columns * 4
        _decode(encoded, out, lambda: _box_of(encoded, _lz4_unpacked(encoded.parts[0], size_bytes)))


class TurboJpeg:
    """The box's colour as a JPEG picture of quality 95 without chroma subsampling, its alpha through LZ4.

    Alpha is exact, so that edges stay clean. Colour is cut off at alpha, where JPEG's ripples would exceed it.
    """

    name = TURBOJPEG

    def __init__(self) -> None:
        """Raises ImportError where the package is missing, OSError or RuntimeError where the library is."""
        self._library = _turbojpeg_library()
        self._colour = self._alpha = np.empty(0, np.uint8)

    def encode(self, picture: Picture) -> Encoded:
        """See :class:`Codec`."""
        return _encoded(picture, self._packed)

    def decode(self, encoded: Encoded, out: Picture) -> None:
        """See :class:`Codec`."""
        _decode(encoded, out, lambda: self._unpacked(encoded))

    def _packed(self, box: Picture) -> tuple[bytes, bytes]:
        from turbojpeg import TJPF_BGRX, TJSAMP_444

        colour = self._library.encode(box, quality=_QUALITY, pixel_format=TJPF_BGRX, jpeg_subsample=TJSAMP_444)
        return colour, _lz4_packed(np.asarray(cv2.extractChannel(box, 3), np.uint8))

    def _unpacked(self, encoded: Encoded) -> Picture:
        from turbojpeg import TJPF_BGRA

        rows, columns = encoded.rows, encoded.columns
        count = rows * columns
        if self._colour.size < count * 4:
            self._colour, self._alpha = np.empty(count * 4, np.uint8), np.empty(count * 4, np.uint8)
        colour = self._colour[: count * 4].reshape(rows, columns, 4)
        # the two places agree in shape with what is decoded, or the library makes one of its own and says so
        if self._library.decode(encoded.parts[0], pixel_format=TJPF_BGRA, dst=colour) is not colour:
            raise ValueError("the JPEG picture is not of the box's size")
        alpha = np.frombuffer(_lz4_unpacked(encoded.parts[1], count), np.uint8).reshape(rows, columns)
        limits = self._alpha[: count * 4].reshape(rows, columns, 4)
        # JPEG has no alpha: it comes as 255, so the smaller of the two is alpha there and limited colour elsewhere
        cv2.merge((alpha, alpha, alpha, alpha), limits)
        cv2.min(colour, limits, colour)
        return colour


def open_codec(name: str) -> Codec:
    """The codec ``name``, with memory of its own. Raises ValueError for a name that is none, and what importing a
    missing package or loading a missing library raises; ask :func:`unavailable` first."""
    if name == RAW:
        return Raw()
    if name == LZ4:
        _lz4_packed(b"")
        return Lz4()
    if name == TURBOJPEG:
        _lz4_packed(b"")
        return TurboJpeg()
    raise ValueError(f"no codec is named {name!r}")


def unavailable(name: str) -> str | None:
    """None when the codec can work on this machine, else ``package_missing``, ``library_missing`` or ``unknown``."""
    try:
        open_codec(name)
    except ImportError:
        return "package_missing"
    except ValueError:
        return "unknown"
    except Exception:  # noqa: BLE001 - whatever loading a foreign library comes to
        return "library_missing"
    return None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a codec did with one picture."""

    name: str
    nbytes: int
    encode_ns: int
    decode_ns: int
    """The median of several times."""


def measure(codec: Codec, picture: Picture, clock: Callable[[], int] = now_ns) -> Measured:
    """Encode ``picture`` (premultiplied) once and decode it a few times. What the codec raises is passed on."""
    started = clock()
    encoded = codec.encode(picture)
    encode_ns = clock() - started
    out = np.empty_like(picture)
    codec.decode(encoded, out)
    taken = []
    for _ in range(_DECODINGS):
        started = clock()
        codec.decode(encoded, out)
        taken.append(clock() - started)
    return Measured(codec.name, encoded.nbytes, encode_ns, sorted(taken)[_DECODINGS // 2])


def fastest(sample: Picture, render_ns: int) -> str:
    """The codec for pictures like ``sample`` (premultiplied), found by trying every one that works here.

    It is the one with the fewest bytes of those that decode within 0.1 ms for 512 x 512 pixels (in proportion for
    other sizes) and within a third of ``render_ns``, the time it took to make the picture (0: not known); where none
    does, the one that decodes fastest. Takes some tens of milliseconds: not for the render loop.
    """
    longest_ns = _LONGEST_DECODE_NS * sample.shape[0] * sample.shape[1] / _LIMIT_PIXELS
    if render_ns > 0:
        longest_ns = min(longest_ns, render_ns / DEAREST_SHARE)
    tried = []
    for name in CODECS:
        try:
            tried.append(measure(open_codec(name), sample))
        except Exception:  # noqa: BLE001 - a codec that does not work here is not chosen, for whatever reason
            continue
    within = [one for one in tried if one.decode_ns <= longest_ns]
    if within:
        return min(within, key=lambda one: one.nbytes).name
    return min(tried, key=lambda one: one.decode_ns).name if tried else RAW


def _encoded(picture: Picture, pack: Callable[[Picture], tuple[Packed, ...]]) -> Encoded:
    """``pack`` gets a copy of the visible box; it is not called when nothing is visible."""
    left, top, columns, rows = cv2.boundingRect(cv2.extractChannel(picture, 3))
    box = picture[top : top + rows, left : left + columns]
    parts = pack(box.copy()) if box.size else ()
    return Encoded(picture.shape[0], picture.shape[1], left, top, columns, rows, parts)


def _decode(encoded: Encoded, out: Picture, unpack: Callable[[], Picture]) -> None:
    """``unpack`` gives the box; it is not called when nothing is visible."""
    if out.shape != (encoded.height, encoded.width, 4):
        raise ValueError(f"a picture of {encoded.width} x {encoded.height} does not fit {out.shape}")
    if not encoded.parts:
        out.fill(0)
        return
    below = encoded.height - encoded.top - encoded.rows
    beside = encoded.width - encoded.left - encoded.columns
    # writes the box and the emptiness around it in one go
    cv2.copyMakeBorder(unpack(), encoded.top, below, encoded.left, beside, cv2.BORDER_CONSTANT, dst=out, value=_NOTHING)


def _box_of(encoded: Encoded, content: Packed) -> Picture:
    return np.frombuffer(content, np.uint8).reshape(encoded.rows, encoded.columns, 4)


def _lz4_packed(content: Packed) -> bytes:
    import lz4.block

    return lz4.block.compress(content, store_size=False)


def _lz4_unpacked(packed: Packed, size_bytes: int) -> bytes:
    import lz4.block

    return lz4.block.decompress(packed, uncompressed_size=size_bytes)


def _turbojpeg_library() -> TurboJPEG:
    """libjpeg-turbo as the system has it; versions 2 and 3 alike with PyTurboJPEG 1.8."""
    from turbojpeg import TurboJPEG

    if sys.platform != "win32":
        # by its name, which the loader knows; left to itself, PyTurboJPEG starts programs to find it
        return TurboJPEG("libturbojpeg.so.0")
    found = next((path for path in _WINDOWS_LIBRARIES if Path(path).is_file()), None)
    if found is None:
        raise OSError("libjpeg-turbo is not where its installer puts it")
    return TurboJPEG(found)
