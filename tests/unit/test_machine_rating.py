"""The automatic preset: what a machine is rated, and what is remembered of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.wire.presets import PRESET_VALUES
from core.wire.version import VERSION
from core.worker import machine_rating
from core.worker.machine_rating import (
    KEY_FRAMES,
    LEFT_OUT,
    RATED_PRESETS,
    MachineRatings,
    Rating,
    preset_for,
    rating_key,
)

KEY = rating_key("NVIDIA GeForce RTX 3060", "tensorrt", "tha3")


def rated(milliseconds: list[float], frame_interval_ms: float = 20.0) -> Rating:
    rating = Rating(frame_interval_ms)
    for render_ms in milliseconds:
        rating.add(render_ms)
    return rating


# Measuring


@pytest.mark.parametrize(
    ("milliseconds", "preset"),
    [(0.0, "ultra"), (5.99, "ultra"), (6.0, "high"), (11.99, "high"), (12.0, "medium"), (23.99, "medium"),
     (24.0, "low"), (500.0, "low")],
)  # fmt: skip
def test_the_share_of_the_frame_interval_decides(milliseconds: float, preset: str) -> None:
    assert preset_for(milliseconds, 20.0) == preset
    assert rated([milliseconds] * KEY_FRAMES).verdict() == preset


def test_only_presets_that_exist_are_given() -> None:
    assert set(RATED_PRESETS) < set(PRESET_VALUES)


def test_at_half_the_rate_twice_the_time_is_as_good() -> None:
    assert rated([9.0] * KEY_FRAMES, 1000 / 60).verdict() == rated([18.0] * KEY_FRAMES, 1000 / 30).verdict() == "high"


def test_there_is_no_verdict_before_there_are_enough() -> None:
    rating = rated([5.0] * (KEY_FRAMES - 1))
    assert (rating.verdict(), rating.milliseconds) == (None, None)
    rating.add(5.0)
    assert (rating.verdict(), rating.milliseconds) == ("ultra", 5.0)


def test_the_first_key_frames_do_not_count() -> None:
    assert rated([900.0] * LEFT_OUT + [5.0] * (KEY_FRAMES - LEFT_OUT)).milliseconds == 5.0
    assert rated([5.0] * LEFT_OUT + [900.0] * (KEY_FRAMES - LEFT_OUT)).milliseconds == 900.0


def test_a_few_long_frames_do_not_move_the_median() -> None:
    assert rated([5.0] * 30 + [400.0] * 10).verdict() == "ultra"


def test_what_comes_after_enough_changes_nothing() -> None:
    assert rated([5.0] * KEY_FRAMES + [900.0] * 1000).milliseconds == 5.0


@pytest.mark.parametrize("render_ms", [float("nan"), float("inf"), -1.0])
def test_what_is_no_time_is_left_out(render_ms: float) -> None:
    rating = rated([render_ms] * 100)
    assert rating.verdict() is None
    for _ in range(KEY_FRAMES):
        rating.add(5.0)
    assert rating.milliseconds == 5.0


# The key


def test_device_runtime_family_and_version_make_different_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {KEY, rating_key("Intel Arc A770", "tensorrt", "tha3"), rating_key("NVIDIA GeForce RTX 3060", "rig", "tha3"),
            rating_key("NVIDIA GeForce RTX 3060", "tensorrt", "tha4")}  # fmt: skip
    assert len(keys) == 4
    assert all(VERSION in key for key in keys)
    monkeypatch.setattr(machine_rating, "VERSION", "999.0")
    assert rating_key("NVIDIA GeForce RTX 3060", "tensorrt", "tha3") not in keys


def test_any_device_name_makes_a_key_that_can_be_kept(tmp_path: Path) -> None:
    key = rating_key("グラフィック" * 500, "r" * 5000, "f" * 5000)
    MachineRatings(tmp_path).keep(key, "low", 80.0)
    assert MachineRatings(tmp_path).known(key) == "low"


# Remembering


def test_what_is_kept_is_known_the_next_time(tmp_path: Path) -> None:
    folder = tmp_path / "not/there/yet"
    ratings = MachineRatings(folder)
    assert ratings.known(KEY) is None
    ratings.keep(KEY, "high", 7.25)
    assert ratings.known(KEY) == MachineRatings(folder).known(KEY) == "high"
    assert MachineRatings(folder).known(KEY + "x") is None


def test_by_default_it_lies_in_the_users_cache(home: Path) -> None:
    MachineRatings().keep(KEY, "medium", 12.0)
    assert [path.name for path in (home / "cache").iterdir()] == ["ratings.json"]


def test_a_newer_rating_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    ratings = MachineRatings(tmp_path)
    ratings.keep(KEY, "low", 80.0)
    ratings.keep(KEY, "ultra", 2.0)
    assert MachineRatings(tmp_path).known(KEY) == "ultra"


def test_what_is_forgotten_is_measured_anew_and_nothing_else(tmp_path: Path) -> None:
    ratings = MachineRatings(tmp_path)
    ratings.keep(KEY, "high", 7.0)
    ratings.keep("other", "low", 70.0)
    ratings.forget(KEY)
    ratings.forget("never heard of")
    for either in (ratings, MachineRatings(tmp_path)):
        assert (either.known(KEY), either.known("other")) == (None, "low")


@pytest.mark.parametrize(
    ("key", "preset", "milliseconds"),
    [("k", "custom", 5.0), ("k", "", 5.0), ("k", "low", float("nan")), ("k", "low", -1.0), ("k" * 1000, "low", 5.0)],
)
def test_what_could_not_be_read_again_is_not_kept(tmp_path: Path, key: str, preset: str, milliseconds: float) -> None:
    ratings = MachineRatings(tmp_path)
    with pytest.raises(ValueError):
        ratings.keep(key, preset, milliseconds)
    assert ratings.known(key) is None
    assert list(tmp_path.iterdir()) == []


def good() -> dict[str, object]:
    return {"format": 1, "ratings": {KEY: {"preset": "high", "milliseconds": 7.0}}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b"[" * 100_000,
        json.dumps({**good(), "format": 2}).encode(),
        json.dumps({"format": 1}).encode(),
        json.dumps({"format": 1, "ratings": []}).encode(),
        json.dumps({"format": 1, "ratings": {KEY: "high"}}).encode(),
        json.dumps({"format": 1, "ratings": {KEY: {"preset": "hyper", "milliseconds": 7.0}}}).encode(),
        json.dumps({"format": 1, "ratings": {KEY: {"preset": ["high"], "milliseconds": 7.0}}}).encode(),
        json.dumps({"format": 1, "ratings": {KEY: {"preset": "high", "milliseconds": "7"}}}).encode(),
        json.dumps({"format": 1, "ratings": {KEY: {"preset": "high"}}}).encode(),
        b'{"format": 1, "ratings": {"k": {"preset": "high", "milliseconds": NaN}}}',
        b'{"format": 1, "ratings": {"k": {"preset": "high", "milliseconds": 1' + b"0" * 400 + b"}}}",
        json.dumps(good()).encode() + b" " * 100_000,
    ],
)
def test_a_damaged_file_is_measured_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ratings.json").write_bytes(content)
    ratings = MachineRatings(tmp_path)
    assert ratings.known(KEY) is None
    ratings.keep(KEY, "medium", 12.0)
    assert MachineRatings(tmp_path).known(KEY) == "medium"


def test_the_file_as_it_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "ratings.json").write_text(json.dumps(good()), encoding="utf-8")
    assert MachineRatings(tmp_path).known(KEY) == "high"


def test_the_file_stays_small_and_the_newest_are_in_it(tmp_path: Path) -> None:
    ratings = MachineRatings(tmp_path)
    keys = [rating_key(f"{number}" + "グ" * 200, "r" * 200, "f" * 200) for number in range(100)]
    for key in keys:
        ratings.keep(key, "low", 80.0)
    file = tmp_path / "ratings.json"
    assert file.stat().st_size < 64 * 1024
    again = MachineRatings(tmp_path)
    assert [again.known(key) for key in keys] == [None] * 36 + ["low"] * 64


def test_a_disk_that_refuses_costs_the_memory_only(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    ratings = MachineRatings(blocked)
    ratings.keep(KEY, "high", 7.0)
    assert ratings.known(KEY) == "high"
    assert blocked.read_text() == "in the way"


def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ratings = MachineRatings(tmp_path)
    ratings.keep(KEY, "high", 7.0)

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    ratings.keep(KEY, "low", 90.0)
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.json"]
    assert MachineRatings(tmp_path).known(KEY) == "high"
