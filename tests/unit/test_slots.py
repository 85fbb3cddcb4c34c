"""The bounded memory of what was computed."""

from __future__ import annotations

import pytest

from models.slots import Slots


def _slots(capacity: int) -> tuple[Slots[list[str]], list[list[str]]]:
    made: list[list[str]] = []

    def make() -> list[str]:
        made.append([])
        return made[-1]

    return Slots(capacity, make), made


def _get(slots: Slots[list[str]], text: str, log: list[str]) -> list[str]:
    def fill(place: list[str]) -> None:
        log.append(text)
        place[:] = [text]

    return slots.get(text.encode(), fill)


def test_what_is_remembered_is_not_filled_again() -> None:
    slots, made = _slots(3)
    log: list[str] = []
    assert _get(slots, "a", log) is _get(slots, "a", log)
    assert log == ["a"]
    assert len(made) == 1


def test_places_are_made_as_needed_and_never_more_than_the_capacity() -> None:
    slots, made = _slots(3)
    log: list[str] = []
    for text in "abcdefabc":
        assert _get(slots, text, log) == [text]
    assert len(made) == len(slots) == 3


def test_the_one_unused_for_longest_goes_first() -> None:
    slots, _ = _slots(2)
    log: list[str] = []
    for text in "abacab":
        _get(slots, text, log)
    assert log == ["a", "b", "c", "b"]


def test_a_place_whose_filling_failed_is_not_remembered_and_not_lost() -> None:
    slots, made = _slots(2)
    log: list[str] = []
    _get(slots, "a", log)
    _get(slots, "b", log)

    def fail(place: list[str]) -> None:
        place[:] = ["half done"]
        raise RuntimeError("filling")

    for _ in range(3):
        with pytest.raises(RuntimeError, match="filling"):
            slots.get(b"c", fail)
    assert len(slots) == 2
    assert _get(slots, "b", log) == ["b"]
    assert _get(slots, "c", log) == ["c"]
    assert log == ["a", "b", "c"]
    assert len(made) == 2


def test_after_clearing_everything_is_filled_anew() -> None:
    slots, _ = _slots(2)
    log: list[str] = []
    _get(slots, "a", log)
    slots.clear()
    assert len(slots) == 0
    _get(slots, "a", log)
    assert log == ["a", "a"]


def test_finding_never_fills_and_keeps_what_is_found() -> None:
    slots, made = _slots(2)
    log: list[str] = []
    assert slots.find(b"a") is None
    assert made == []
    first = _get(slots, "a", log)
    _get(slots, "b", log)
    assert slots.find(b"a") is first
    _get(slots, "c", log)  # "b" is the one unused for longest now
    assert slots.find(b"b") is None
    assert slots.find(b"a") is first
    assert log == ["a", "b", "c"]


def test_what_failed_to_be_filled_is_not_found() -> None:
    slots, _ = _slots(2)

    def fail(place: list[str]) -> None:
        raise RuntimeError("filling")

    with pytest.raises(RuntimeError, match="filling"):
        slots.get(b"a", fail)
    assert slots.find(b"a") is None


def test_fewer_places_let_go_of_those_unused_for_longest() -> None:
    slots, made = _slots(4)
    log: list[str] = []
    for text in "abcda":
        _get(slots, text, log)
    slots.capacity = 2
    assert (slots.capacity, len(slots)) == (2, 2)
    assert [text for text in "abcd" if slots.find(text.encode())] == ["a", "d"]
    for text in "adada":
        _get(slots, text, log)
    assert log == ["a", "b", "c", "d"]
    _get(slots, "e", log)
    assert (len(slots), len(made)) == (2, 4), "the room of one that was forgotten is used again"


def test_more_places_forget_nothing() -> None:
    slots, made = _slots(2)
    log: list[str] = []
    for text in "ab":
        _get(slots, text, log)
    slots.capacity = 3
    for text in "cabc":
        _get(slots, text, log)
    assert log == ["a", "b", "c"]
    assert len(made) == 3


def test_a_place_that_is_empty_goes_first() -> None:
    slots, _ = _slots(3)
    log: list[str] = []
    for text in "ab":
        _get(slots, text, log)

    def fail(place: list[str]) -> None:
        raise RuntimeError("filling")

    with pytest.raises(RuntimeError, match="filling"):
        slots.get(b"c", fail)
    assert len(slots) == 3
    slots.capacity = 2
    assert len(slots) == 2
    for text in "ab":
        _get(slots, text, log)
    assert log == ["a", "b"]


@pytest.mark.parametrize("places", [0, -3])
def test_there_is_always_one_place(places: int) -> None:
    slots, _ = _slots(places)
    log: list[str] = []
    assert slots.capacity == 1
    assert _get(slots, "a", log) == ["a"]
    slots.capacity = 3
    assert _get(slots, "b", log) == ["b"]
    slots.capacity = places
    assert (slots.capacity, len(slots)) == (1, 1)
    assert _get(slots, "b", log) == ["b"]
    assert _get(slots, "a", log) == ["a"]
    assert log == ["a", "b", "a"]
