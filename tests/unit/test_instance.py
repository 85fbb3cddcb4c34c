"""The small file that tells others that an avatar is on here."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.wire import instance
from core.wire.instance import STALE_AFTER_S, WRITE_EVERY_S, Instance


class Clock:
    """The time of day, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(instance, "time", made)
    return made


@pytest.fixture
def mine(home: Path, clock: Clock) -> Instance:
    return Instance()


def test_what_is_told_can_be_read_by_others(mine: Instance) -> None:
    mine.tell({"phase": "running"})
    assert [(facts["phase"], facts["pid"]) for facts in instance.living()] == [("running", os.getpid())]


def test_one_that_is_silent_for_too_long_is_taken_for_dead(mine: Instance, clock: Clock) -> None:
    mine.tell({"phase": "running"})
    clock.now += STALE_AFTER_S + 1
    assert instance.living() == []


def test_the_same_facts_are_written_again_before_they_look_dead(mine: Instance, clock: Clock) -> None:
    for _ in range(10):
        mine.tell({"phase": "running"})
        clock.now += WRITE_EVERY_S
        assert instance.living()


def test_the_same_facts_are_not_written_at_every_tick(mine: Instance, clock: Clock) -> None:
    mine.tell({"phase": "running"})
    file = next(instance.folder().iterdir())
    file.unlink()
    mine.tell({"phase": "running"})
    assert not file.exists()


def test_a_clock_that_was_set_back_does_not_silence_it(mine: Instance, clock: Clock) -> None:
    mine.tell({"phase": "running"})
    clock.now -= 3600.0
    mine.tell({"phase": "running"})
    assert [facts["time"] for facts in instance.living()] == [clock.now]


def test_removing_leaves_nothing_and_is_safe_twice(mine: Instance) -> None:
    mine.tell({"phase": "running"})
    mine.remove()
    mine.remove()
    assert (list(instance.folder().iterdir()), instance.living()) == ([], [])


def test_without_a_folder_nobody_lives(home: Path) -> None:
    assert instance.living() == []


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"time": "now"}', '{"time": null}', "7"])
def test_a_damaged_file_is_passed_over(mine: Instance, content: str) -> None:
    mine.tell({"phase": "running"})
    (instance.folder() / "1.json").write_text(content, encoding="utf-8")
    assert len(instance.living()) == 1


def test_a_disk_that_refuses_is_no_error(home: Path, clock: Clock) -> None:
    home.write_text("a file where the folder should be", encoding="utf-8")
    mine = Instance()
    mine.tell({"phase": "running"})
    mine.remove()


def test_no_half_written_file_is_ever_in_the_place_where_others_look(
    mine: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.tell({"phase": "running"})
    before = instance.living()

    def half(self: Path, text: str, encoding: str) -> None:
        self.write_bytes(text.encode(encoding)[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    mine.tell({"phase": "stalled"})
    assert json.dumps(instance.living()) == json.dumps(before)
