"""The engine cache: nothing is taken that this user's program did not write whole, and room is made in time."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest

from accel.tensorrt.engine_cache import EngineCache
from accel.tensorrt.seal import ENGINE, HEADER_BYTES, RUNTIME_KERNELS, TIMINGS, Refused, load_key, unseal
from core.wire.errors import RuntimeUnavailable

IDENTITY = hashlib.sha256(b"one").hexdigest()
OTHER = hashlib.sha256(b"two").hexdigest()
PLAN = bytes(range(256)) * 8

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="files have no owner and mode on Windows")


def _cache(folder: Path, limit_bytes: int = 1 << 20, keys: str = "keys") -> EngineCache:
    return EngineCache("tensorrt", folder / "cache", folder / keys, limit_bytes)


def _file(cache: EngineCache, identity: str = IDENTITY, kind: str = ENGINE) -> Path:
    return cache.folder / identity[:2] / f"{identity}.{kind}"


def _count(cache: EngineCache) -> int:
    return len(cache.entries())


def test_what_is_stored_comes_back(tmp_path: Path) -> None:
    assert _cache(tmp_path).load(IDENTITY) is None
    assert _cache(tmp_path).store(IDENTITY, PLAN, about={"name": "student body"})
    found = _cache(tmp_path).load(IDENTITY)
    assert isinstance(found, memoryview) and bytes(found) == PLAN
    assert _cache(tmp_path).has(IDENTITY) and not _cache(tmp_path).has(OTHER)


def test_folders_with_blanks_and_other_scripts_work(tmp_path: Path) -> None:
    cache = _cache(tmp_path / "Ein Ordner 日本語")
    assert cache.store(IDENTITY, PLAN, about={"name": "顔"})
    assert cache.entries()[0].about == {"name": "顔"}


def _flip(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: _flip(content, HEADER_BYTES + 100), Refused.DAMAGED),
        (lambda content: content + b"more", Refused.DAMAGED),
        (lambda content: content[:-1], Refused.TRUNCATED),
        (lambda content: content[: HEADER_BYTES - 1], Refused.TRUNCATED),
        (lambda content: b"", Refused.NOT_SEALED),
        (lambda content: PLAN, Refused.NOT_SEALED),
        (lambda content: _flip(content, 8), Refused.OTHER_FORMAT),
        (lambda content: _flip(content, 12), Refused.FOREIGN),
        (lambda content: _flip(content, 60), Refused.FOREIGN),
        (lambda content: _flip(content, HEADER_BYTES - 1), Refused.FOREIGN),
    ],
)
def test_a_changed_file_is_refused_and_removed(tmp_path: Path, damage: object, reason: Refused) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN, about={})
    file = _file(cache)
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    assert cache.load(IDENTITY) == reason
    assert not file.exists() and not file.with_suffix(".json").exists()
    assert cache.load(IDENTITY) is None


def test_every_byte_of_the_header_counts(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)
    content = _file(cache).read_bytes()
    key = load_key(tmp_path / "keys")
    for at in range(HEADER_BYTES):
        assert isinstance(unseal(_flip(content, at), ENGINE, IDENTITY, key), Refused), at


def test_an_engine_sealed_with_another_key_is_refused(tmp_path: Path) -> None:
    """As another user or another program would plant one."""
    _cache(tmp_path, keys="somebody else's keys").store(IDENTITY, PLAN)
    assert _cache(tmp_path).load(IDENTITY) == Refused.FOREIGN
    assert _count(_cache(tmp_path)) == 0


def test_an_engine_under_another_engines_name_is_refused(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)
    _file(cache, OTHER).parent.mkdir(exist_ok=True, mode=0o700)
    _file(cache).replace(_file(cache, OTHER))
    assert cache.load(OTHER) == Refused.OTHER_IDENTITY


def test_what_is_no_engine_is_not_taken_for_one(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN, TIMINGS)
    _file(cache, kind=TIMINGS).replace(_file(cache))
    assert cache.load(IDENTITY) == Refused.OTHER_KIND


def test_a_file_half_written_never_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = _cache(tmp_path)

    def fail(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        assert not cache.store(IDENTITY, PLAN)
    assert cache.load(IDENTITY) is None and list(cache.folder.glob("??/*")) == []


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)

    def fail(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        assert not cache.store(IDENTITY, PLAN[::-1])
    found = cache.load(IDENTITY)
    assert isinstance(found, memoryview) and bytes(found) == PLAN


def test_what_a_killed_instance_left_is_removed_once_it_is_old(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)
    old, fresh = (_file(cache).with_name(f"{name}.partial") for name in ("old", "fresh"))
    for file in (old, fresh):
        file.write_bytes(b"half")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    assert _count(_cache(tmp_path)) == 1
    assert (old.exists(), fresh.exists()) == (False, True)


def _used(cache: EngineCache, identity: str, when: float, kind: str = ENGINE) -> None:
    os.utime(_file(cache, identity, kind), (when, when))


def test_the_longest_unused_goes_when_it_is_too_much(tmp_path: Path) -> None:
    names = [hashlib.sha256(bytes([number])).hexdigest() for number in range(3)]
    cache = _cache(tmp_path, limit_bytes=2 * (len(PLAN) + HEADER_BYTES))
    for number, name in enumerate(names[:2]):
        cache.store(name, PLAN, about={"name": str(number)})
        _used(cache, name, 1000 + number)
    assert cache.load(names[0]) is not None  # used just now, so the second is the one unused longest
    cache.store(names[2], PLAN)
    assert {entry.identity for entry in cache.entries()} == {names[0], names[2]}
    assert not _file(cache, names[1]).with_suffix(".json").exists()


def test_what_was_just_stored_stays_even_if_it_is_too_large(tmp_path: Path) -> None:
    cache = _cache(tmp_path, limit_bytes=10)
    cache.store(OTHER, PLAN)
    cache.store(IDENTITY, PLAN)
    assert [entry.identity for entry in cache.entries()] == [IDENTITY]


def test_entries_tell_what_there_is_used_last_first(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN, about={"name": "student body"})
    cache.store(OTHER, b"kernels", RUNTIME_KERNELS)
    _used(cache, IDENTITY, 1000)
    _used(cache, OTHER, 2000, RUNTIME_KERNELS)
    first, second = cache.entries()
    assert (first.identity, first.kind, first.used_ns, first.about) == (OTHER, RUNTIME_KERNELS, 2000 * 10**9, {})
    assert (second.identity, second.kind, second.about) == (IDENTITY, ENGINE, {"name": "student body"})
    assert second.size_bytes == len(PLAN) + HEADER_BYTES
    assert cache.size_bytes() == first.size_bytes + second.size_bytes


@pytest.mark.parametrize("note", [b"{", b"[1]", b"\xff\xfe"])
def test_a_note_that_cannot_be_read_is_no_harm(tmp_path: Path, note: bytes) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN, about={"name": "x"})
    _file(cache).with_suffix(".json").write_bytes(note)
    assert cache.entries()[0].about == {}
    assert isinstance(cache.load(IDENTITY), memoryview)


def test_clear_forgets_everything(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN, about={"name": "x"})
    cache.store(OTHER, b"t", TIMINGS)
    cache.clear()
    assert list(cache.folder.glob("??/*")) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where a folder should be")
    with pytest.raises(RuntimeUnavailable) as problem:
        _cache(tmp_path)
    assert problem.value.parameters["reason"] == "engine_folder_unusable"


def test_by_default_it_lies_among_the_users_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYVTUBER_HOME", str(tmp_path))
    cache = EngineCache("tensorrt")
    cache.store(IDENTITY, PLAN)
    assert (tmp_path / "cache" / "engines" / IDENTITY[:2] / f"{IDENTITY}.engine").is_file()
    assert (tmp_path / "data" / "engine.key").stat().st_size == 32


@posix_only
def test_only_the_user_may_look_into_it(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)
    assert [path.stat().st_mode & 0o777 for path in (cache.folder, _file(cache).parent)] == [0o700, 0o700]
    assert _file(cache).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys" / "engine.key").stat().st_mode & 0o777 == 0o600


@posix_only
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)
    for folder, act in ((cache.folder, lambda: _cache(tmp_path)), (_file(cache).parent, lambda: cache.load(IDENTITY))):
        folder.chmod(mode)
        with pytest.raises(RuntimeUnavailable) as problem:
            act()
        assert problem.value.parameters == {"runtime": "tensorrt", "reason": "engine_folder_unsafe"}
        folder.chmod(0o700)


@posix_only
def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cache(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(RuntimeUnavailable) as problem:
        _cache(tmp_path)
    assert problem.value.parameters["reason"] == "engine_folder_unsafe"


@posix_only
def test_a_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "engines").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RuntimeUnavailable):
        _cache(tmp_path)


@posix_only
def test_a_key_that_others_could_read_is_made_anew(tmp_path: Path) -> None:
    cache = _cache(tmp_path)
    cache.store(IDENTITY, PLAN)
    key = tmp_path / "keys" / "engine.key"
    before = key.read_bytes()
    key.chmod(0o644)
    assert _cache(tmp_path).load(IDENTITY) == Refused.FOREIGN
    assert key.read_bytes() != before and key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_made_anew(tmp_path: Path, content: bytes) -> None:
    first = load_key(tmp_path)
    (tmp_path / "engine.key").write_bytes(content)
    second = load_key(tmp_path)
    assert len(second) == 32 and second != first
    assert load_key(tmp_path) == second
