"""Calibrations on disk: they come back, damage is set aside, and no disk can stop the worker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.pose import rotation
from core.pose.calibration import Neutral
from core.pose.calibration_store import CalibrationStore

NEUTRAL = Neutral(rotation.from_degrees((3.0, -12.0, 5.0)), np.array([0.1, -0.25, 1.0], np.float32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "calibration.json"


def entry(**changes: object) -> str:
    good: dict[str, object] = {"rotation": [1.0, 0.0, 0.0, 0.0], "values": [0.5]}
    return json.dumps({"format": 1, "neutral": {"openseeface/nocti": {**good, **changes}}})


def test_what_was_put_comes_back_after_a_restart(path: Path) -> None:
    CalibrationStore(path).put("openseeface", "nocti", NEUTRAL)
    again = CalibrationStore(path).get("openseeface", "nocti")
    assert again is not None
    assert again.rotation == pytest.approx(NEUTRAL.rotation)
    assert again.values == pytest.approx(NEUTRAL.values, abs=1e-6)
    assert again.values.dtype == np.float32


def test_place_torso_and_reach_come_back_too(path: Path) -> None:
    whole = Neutral(
        NEUTRAL.rotation, NEUTRAL.values, (0.1, 0.2, -0.5), (1.0, 2.0, 3.0), np.array([0.5, 0.6, 0.7], np.float32)
    )
    CalibrationStore(path).put("webcam.arkit", "nocti", whole)
    again = CalibrationStore(path).get("webcam.arkit", "nocti")
    assert again is not None
    assert (again.position, again.body) == (whole.position, whole.body)
    assert again.reach == pytest.approx(whole.reach)


def test_each_input_and_character_has_its_own(path: Path) -> None:
    store = CalibrationStore(path)
    store.put("openseeface", "nocti", NEUTRAL)
    assert store.get("openseeface", "mothlight") is None
    assert store.get("webcam", "nocti") is None


def test_putting_one_keeps_the_others(path: Path) -> None:
    CalibrationStore(path).put("openseeface", "nocti", NEUTRAL)
    CalibrationStore(path).put("openseeface", "夜の子", NEUTRAL)
    assert CalibrationStore(path).get("openseeface", "nocti") is not None
    assert CalibrationStore(path).get("openseeface", "夜の子") is not None


def test_without_a_path_nothing_is_written_and_all_is_remembered(tmp_path: Path) -> None:
    store = CalibrationStore(None)
    store.put("openseeface", "nocti", NEUTRAL)
    assert store.get("openseeface", "nocti") is not None
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_an_empty_store_and_is_not_made(path: Path) -> None:
    assert CalibrationStore(path).get("openseeface", "nocti") is None
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"format"',
        b'{"format": 2, "neutral": {}}',
        b'{"format": 1}',
        b'{"format": 1, "neutral": 5}',
        b'{"format": 1, "neutral": {"a/b": []}}',
        b"[" * 100_000,
        b'{"format": 1, "neutral": {"a/b": {"rotation": [1, 0, 0, 0], "values": [1' + b"0" * 400 + b"]}}}",
        b'{"format": 1, "neutral": {"a/b": {"rotation": [1, 0, 0, 0], "values": [1' + b"0" * 5000 + b"]}}}",
        entry(rotation=[1.0, 0.0, 0.0]).encode(),
        entry(rotation=["a", "b", "c", "d"]).encode(),
        entry(rotation=None).encode(),
        entry(rotation=[0.0, 0.0, 0.0, 0.0]).encode(),
        entry(rotation=[1e200, 0.0, 0.0, 0.0]).encode(),
        entry(rotation=[2.0, 0.0, 0.0, 0.0]).encode(),
        entry(values=[float("nan")]).encode(),
        entry(values=[float("inf")]).encode(),
        entry(values=[1e300]).encode(),
        entry(values=["0.5x"]).encode(),
        entry(values=7).encode(),
        entry(position=[1.0, 2.0]).encode(),
        entry(body="up").encode(),
        entry(reach=[1.0, 1.0]).encode(),
        entry(reach=[float("nan")]).encode(),
    ],
)
def test_a_damaged_file_is_set_aside_and_kept(path: Path, damage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    store = CalibrationStore(path)
    assert store.get("openseeface", "nocti") is None
    assert [file.read_bytes() for file in path.parent.iterdir()] == [damage]
    store.put("openseeface", "nocti", NEUTRAL)
    assert damage in [file.read_bytes() for file in path.parent.iterdir()]
    assert CalibrationStore(path).get("openseeface", "nocti") is not None


def test_a_folder_in_the_files_place_is_harmless(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "kept.txt").write_text("kept")
    CalibrationStore(path).put("openseeface", "nocti", NEUTRAL)
    assert [file.read_text() for file in path.parent.rglob("kept.txt")] == ["kept"]


def test_a_folder_that_cannot_be_written_costs_only_the_file(tmp_path: Path) -> None:
    # a file where the folder should be: the one refusal that even root gets
    (tmp_path / "data").write_text("in the way")
    store = CalibrationStore(tmp_path / "data" / "calibration.json")
    store.put("openseeface", "nocti", NEUTRAL)
    assert store.get("openseeface", "nocti") is not None


def test_a_name_no_disk_takes_costs_only_the_file(tmp_path: Path) -> None:
    store = CalibrationStore(tmp_path / ("long" * 200))
    store.put("openseeface", "nocti", NEUTRAL)
    assert store.get("openseeface", "nocti") is not None


def test_the_file_is_replaced_whole_or_not_at_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = CalibrationStore(path)
    store.put("openseeface", "nocti", NEUTRAL)
    before = path.read_bytes()

    def full_disk(self: Path, content: str, encoding: str) -> int:
        with self.open("w", encoding=encoding) as handle:
            handle.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    store.put("openseeface", "mothlight", NEUTRAL)
    assert path.read_bytes() == before
