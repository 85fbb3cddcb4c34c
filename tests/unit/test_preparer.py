"""Exchangeable parts: the latest wish wins, nothing exclusive is open twice, failures are told once and retried."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from core.wire.errors import CharacterMissing, EasyVtuberError, PortInUse
from core.worker.preparer import RETRY_NS, Part, Preparer
from tests.contract.fake_outputs import LIMIT_S

Reports = list[tuple[str, EasyVtuberError | None]]


class Workshop:
    """Makes things that can be watched, fails when told to, and can be held."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.open: list[Thing] = []
        self.most_open = 0
        self.problems: dict[str, Exception] = {}
        self.gate = threading.Event()
        self.gate.set()

    def make(self, name: str) -> Callable[[], Thing]:
        def make() -> Thing:
            assert self.gate.wait(LIMIT_S)
            if name in self.problems:
                raise self.problems[name]
            self.made.append(name)
            self.open.append(Thing(self, name))
            self.most_open = max(self.most_open, len(self.open))
            return self.open[-1]

        return make

    @property
    def open_now(self) -> list[str]:
        return [thing.name for thing in self.open]


class Thing:
    def __init__(self, workshop: Workshop, name: str) -> None:
        self.workshop, self.name = workshop, name
        self.closings = 0

    def close(self) -> None:
        self.closings += 1
        if self in self.workshop.open:
            self.workshop.open.remove(self)


@pytest.fixture
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def preparer() -> Iterator[Preparer]:
    preparer = Preparer()
    yield preparer
    preparer.close(LIMIT_S)
    assert not [thread for thread in threading.enumerate() if thread.name == "preparer"]


@pytest.fixture
def reports() -> Reports:
    return []


@pytest.fixture(params=[False, True], ids=["shared", "exclusive"])
def part(request: pytest.FixtureRequest, preparer: Preparer, reports: Reports) -> Part[Thing]:
    return Part("thing", preparer, lambda name, error: reports.append((name, error)), exclusive=request.param)


def settle(part: Part[Thing], now: int = 0) -> bool:
    """Let everything that was submitted be made, then take it."""
    done = threading.Event()
    part.preparer.submit(done.set)
    assert done.wait(LIMIT_S)
    return part.take(now)


def current(part: Part[Thing]) -> str | None:
    return part.current.name if part.current is not None else None


def test_what_is_wanted_is_made_beside_and_comes_into_use_when_taken(part: Part[Thing], workshop: Workshop) -> None:
    workshop.gate.clear()
    part.want("a", workshop.make("a"))
    assert not part.take(0)
    assert current(part) is None
    workshop.gate.set()
    assert settle(part)
    assert current(part) == "a"
    assert not settle(part)


def test_wanting_the_same_again_makes_nothing(part: Part[Thing], workshop: Workshop) -> None:
    for _ in range(3):
        part.want(("a", 1), workshop.make("a"))
        settle(part)
    assert workshop.made == ["a"]


def test_the_old_one_is_given_back_when_the_new_one_comes(part: Part[Thing], workshop: Workshop) -> None:
    part.want("a", workshop.make("a"))
    settle(part)
    part.want("b", workshop.make("b"))
    settle(part)
    settle(part)
    assert current(part) == "b"
    assert workshop.open_now == ["b"]


def test_a_shared_thing_stays_in_use_until_its_successor_is_there(
    preparer: Preparer, workshop: Workshop, reports: Reports
) -> None:
    part: Part[Thing] = Part("thing", preparer, lambda name, error: reports.append((name, error)))
    part.want("a", workshop.make("a"))
    settle(part)
    workshop.gate.clear()
    part.want("b", workshop.make("b"))
    part.take(0)
    assert current(part) == "a"
    assert workshop.open_now == ["a"]
    workshop.gate.set()
    settle(part)
    assert current(part) == "b"


@pytest.fixture
def exclusive(preparer: Preparer, reports: Reports) -> Part[Thing]:
    return Part("thing", preparer, lambda name, error: reports.append((name, error)), exclusive=True)


def test_an_exclusive_thing_is_closed_before_the_next_is_opened(exclusive: Part[Thing], workshop: Workshop) -> None:
    for name in "abc":
        exclusive.want(name, workshop.make(name))
        settle(exclusive)
        assert current(exclusive) == name
    assert workshop.most_open == 1


@pytest.mark.parametrize("wishes", ["ab", "aba", "abcabc", "abab"])
@pytest.mark.parametrize("taken_between", [False, True])
def test_quick_wishes_never_have_two_exclusive_things_open(
    exclusive: Part[Thing], workshop: Workshop, wishes: str, taken_between: bool
) -> None:
    for name in wishes:
        exclusive.want(name, workshop.make(name))
        if taken_between:
            done = threading.Event()
            exclusive.preparer.submit(done.set)
            assert done.wait(LIMIT_S)
    settle(exclusive)
    settle(exclusive)
    assert workshop.most_open == 1
    assert current(exclusive) == wishes[-1]
    assert workshop.open_now == [wishes[-1]]
    assert exclusive.current is not None
    assert exclusive.current.closings == 0, "what is in use is not a thing that was given back"


@pytest.mark.parametrize("wishes", ["ab", "aba", "abcabc"])
def test_the_latest_wish_wins_and_the_others_are_given_back(part: Part[Thing], workshop: Workshop, wishes: str) -> None:
    workshop.gate.clear()
    for name in wishes:
        part.want(name, workshop.make(name))
    workshop.gate.set()
    settle(part)
    settle(part)
    assert current(part) == wishes[-1]
    assert workshop.open_now == [wishes[-1]]


def test_wishes_that_were_superseded_before_they_began_are_not_made(part: Part[Thing], workshop: Workshop) -> None:
    workshop.gate.clear()
    for name in "abcdef":
        part.want(name, workshop.make(name))
    workshop.gate.set()
    settle(part)
    assert workshop.made[-1] == "f"
    assert len(workshop.made) <= 2, "one that was begun, and the last"


def test_a_failure_is_told_once_and_keeps_a_shared_thing_in_use(
    preparer: Preparer, workshop: Workshop, reports: Reports
) -> None:
    part: Part[Thing] = Part("thing", preparer, lambda name, error: reports.append((name, error)))
    part.want("a", workshop.make("a"))
    settle(part)
    problem = workshop.problems["b"] = CharacterMissing(character="b")
    part.want("b", workshop.make("b"))
    for now in range(0, 5 * RETRY_NS, RETRY_NS // 2):
        settle(part, now)
    assert reports == [("thing", problem)]
    assert current(part) == "a"


def test_a_failure_is_tried_again_and_cleared_once(part: Part[Thing], workshop: Workshop, reports: Reports) -> None:
    problem = workshop.problems["a"] = PortInUse(port=1, tracker="a")
    part.want("a", workshop.make("a"))
    assert not settle(part, now=10)
    assert not settle(part, now=10 + RETRY_NS - 1)
    del workshop.problems["a"]
    assert not part.take(10 + RETRY_NS)
    assert settle(part, now=10 + RETRY_NS)
    for now in range(5):
        settle(part, 20 + now * RETRY_NS)
    assert current(part) == "a"
    assert reports == [("thing", problem), ("thing", None)]
    assert workshop.made == ["a"]


def test_another_failure_is_told_too(part: Part[Thing], workshop: Workshop, reports: Reports) -> None:
    first = workshop.problems["a"] = PortInUse(port=1, tracker="a")
    part.want("a", workshop.make("a"))
    settle(part)
    second = workshop.problems["a"] = PortInUse(port=2, tracker="a")
    settle(part, RETRY_NS)
    settle(part, RETRY_NS)
    assert reports == [("thing", first), ("thing", second)]


def test_another_wish_after_a_failure_is_made_at_once(part: Part[Thing], workshop: Workshop, reports: Reports) -> None:
    problem = workshop.problems["a"] = PortInUse(port=1, tracker="a")
    part.want("a", workshop.make("a"))
    settle(part)
    part.want("b", workshop.make("b"))
    assert settle(part)
    settle(part, 10 * RETRY_NS)
    assert reports == [("thing", problem), ("thing", None)]
    assert workshop.made == ["b"]


def test_a_failure_that_was_superseded_is_never_told(part: Part[Thing], workshop: Workshop, reports: Reports) -> None:
    workshop.problems["a"] = PortInUse(port=1, tracker="a")
    workshop.gate.clear()
    part.want("a", workshop.make("a"))
    part.want("b", workshop.make("b"))
    workshop.gate.set()
    assert settle(part)
    assert [error for _, error in reports if error is not None] == []


def test_whatever_a_library_raises_is_told_in_our_words(
    part: Part[Thing], workshop: Workshop, reports: Reports
) -> None:
    workshop.problems["a"] = ZeroDivisionError("deep inside")
    part.want("a", workshop.make("a"))
    settle(part)
    error = reports[0][1]
    assert error is not None
    assert error.code == "internal"
    assert "deep inside" in error.detail
    part.want("b", workshop.make("b"))
    assert settle(part), "the thread lives on"


def test_what_broke_is_given_back_told_and_made_anew_a_little_later(
    part: Part[Thing], workshop: Workshop, reports: Reports
) -> None:
    part.want("a", workshop.make("a"))
    settle(part)
    problem = PortInUse(port=1, tracker="a")
    part.broke(problem, now=0)
    assert current(part) is None
    settle(part, RETRY_NS - 1)
    assert workshop.made == ["a"]
    assert not workshop.open_now
    settle(part, RETRY_NS)
    assert settle(part, RETRY_NS)
    assert workshop.made == ["a", "a"]
    assert reports == [("thing", problem), ("thing", None)]


def test_closing_gives_back_what_is_in_use_at_once(part: Part[Thing], workshop: Workshop) -> None:
    part.want("a", workshop.make("a"))
    settle(part)
    part.close()
    assert not workshop.open_now
    part.close()


def test_closing_gives_back_what_was_made_and_never_taken(part: Part[Thing], workshop: Workshop) -> None:
    part.want("a", workshop.make("a"))
    done = threading.Event()
    part.preparer.submit(done.set)
    assert done.wait(LIMIT_S)
    part.close()
    assert not workshop.open_now


def part_of_a_job(gate: threading.Event) -> None:
    gate.wait(LIMIT_S)


def test_a_preparer_that_is_stuck_does_not_hold_up_the_end(workshop: Workshop) -> None:
    preparer = Preparer()
    workshop.gate.clear()
    preparer.submit(lambda: part_of_a_job(workshop.gate))
    preparer.close(0.01)
    workshop.gate.set()
    preparer.close(LIMIT_S)


def test_a_job_that_fails_in_a_way_nobody_foresaw_does_not_stop_those_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    preparer, done = Preparer(), threading.Event()

    def broken() -> None:
        raise OSError("the driver is gone")

    preparer.submit(broken)
    preparer.submit(done.set)
    assert done.wait(LIMIT_S)
    preparer.close(LIMIT_S)
    assert "the driver is gone" in caplog.text
