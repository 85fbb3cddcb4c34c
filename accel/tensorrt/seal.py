"""Files that only this user's program can have written: a header with a keyed hash, then the content.

Loading an engine runs what is in it, so one that some other program put into the cache must never be opened.

Layout, little-endian: magic (8 bytes), format and kind (2 + 2), nothing (4), identity (32), length of the content (8),
SHA-256 of the content (32), nothing (8), HMAC-SHA-256 of all of the header before it (32), content. The header is 128
bytes long, so that the content in memory begins where a processor likes it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
import stat
import struct
import sys
import tempfile
from enum import StrEnum
from pathlib import Path

_log = logging.getLogger(__name__)

FORMAT = 1
ENGINE, RUNTIME_KERNELS, TIMINGS = "engine", "runtime", "timing"
KINDS = {ENGINE: 1, RUNTIME_KERNELS: 2, TIMINGS: 3}
"""What a sealed file holds, which is also the end of its name, and the number in its header."""

KEY_BYTES = 32
_KEY_FILE = "engine.key"
_MAGIC = b"EVTRTENG"
_FIELDS = struct.Struct("<8sHH4x32sQ32s8x")
_SEAL_BYTES = 32
HEADER_BYTES = _FIELDS.size + _SEAL_BYTES


class Refused(StrEnum):
    """Why a file is not taken."""

    TRUNCATED = "truncated"
    NOT_SEALED = "not_sealed"
    OTHER_FORMAT = "other_format"
    OTHER_KIND = "other_kind"
    OTHER_IDENTITY = "other_identity"
    FOREIGN = "foreign"
    """Sealed with another key, or its header was changed."""
    DAMAGED = "damaged"


def seal(content: bytes | memoryview, kind: str, identity: str, key: bytes) -> bytes:
    """The header of a file with this content."""
    fields = _FIELDS.pack(
        _MAGIC, FORMAT, KINDS[kind], bytes.fromhex(identity), len(content), hashlib.sha256(content).digest()
    )
    return fields + hmac.digest(key, fields, "sha256")


def unseal(file: bytes, kind: str, identity: str, key: bytes) -> memoryview | Refused:
    """The content of a sealed file, or the reason why it is none of ours. Never raises."""
    if len(file) < HEADER_BYTES:
        return Refused.TRUNCATED if file.startswith(_MAGIC) else Refused.NOT_SEALED
    magic, version, number, named, length, digest = _FIELDS.unpack_from(file)
    if magic != _MAGIC:
        return Refused.NOT_SEALED
    if version != FORMAT:
        return Refused.OTHER_FORMAT
    if not hmac.compare_digest(hmac.digest(key, file[: _FIELDS.size], "sha256"), file[_FIELDS.size : HEADER_BYTES]):
        return Refused.FOREIGN
    if number != KINDS[kind]:
        return Refused.OTHER_KIND
    if named != bytes.fromhex(identity):
        return Refused.OTHER_IDENTITY
    content = memoryview(file)[HEADER_BYTES:]
    if len(content) < length:
        return Refused.TRUNCATED
    return content if len(content) == length and hashlib.sha256(content).digest() == digest else Refused.DAMAGED


def load_key(folder: Path) -> bytes:
    """The user's key, made the first time. One that others could read is replaced: nothing sealed with it counts then.

    Raises OSError when there is none and none can be written.
    """
    path = folder / _KEY_FILE
    kept = _read_key(path)
    if kept is not None:
        return kept
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(KEY_BYTES)
    descriptor, name = tempfile.mkstemp(prefix=_KEY_FILE + ".", dir=folder)  # mode 0600 where there are modes
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    # another instance may have written its own in the meantime; the last one on disk is everybody's
    return _read_key(path) or key


def _read_key(path: Path) -> bytes | None:
    try:
        about = path.lstat()
        key = path.read_bytes() if stat.S_ISREG(about.st_mode) else b""
    except OSError:
        return None
    if len(key) != KEY_BYTES:
        _log.warning("%s is no key and is made anew", path)
        return None
    if sys.platform != "win32" and (about.st_uid != os.geteuid() or about.st_mode & 0o077):
        _log.warning("%s could be read by others and is made anew", path)
        return None
    return key
