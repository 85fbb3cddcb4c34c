"""Several jobs at the same time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from accel.lanes import Lanes

LONG_S = 20.0


@pytest.fixture(params=[1, 2, 3, 8])
def lanes(request: pytest.FixtureRequest) -> Iterator[Lanes]:
    made = Lanes(request.param)
    yield made
    made.close()


def lane_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("lane")]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_every_job_is_done_once_and_results_keep_their_order(lanes: Lanes, count: int) -> None:
    done: list[int] = []

    def job(number: int) -> int:
        done.append(number)
        return number * 10

    for _ in range(3):
        done.clear()
        assert lanes.run([partial(job, number) for number in range(count)]) == [number * 10 for number in range(count)]
        assert sorted(done) == list(range(count))


def test_jobs_run_at_the_same_time_one_of_them_on_the_callers_thread() -> None:
    lanes = Lanes(3)
    together = threading.Barrier(3)

    def job() -> int:
        together.wait(LONG_S)  # breaks unless three are here at once
        return threading.get_ident()

    used = lanes.run([job] * 3)
    assert len(set(used)) == 3 and threading.get_ident() in used
    lanes.close()


def test_no_more_jobs_run_at_once_than_was_said() -> None:
    lanes = Lanes(2)
    lock = threading.Lock()
    running, most = 0, 0

    def job() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.002)
        with lock:
            running -= 1

    lanes.run([job] * 20)
    assert most <= 2
    lanes.close()


def test_one_lane_starts_no_thread() -> None:
    before = set(threading.enumerate())
    lanes = Lanes(1)
    used = lanes.run([threading.get_ident] * 5)
    assert set(used) == {threading.get_ident()} and set(threading.enumerate()) <= before
    lanes.close()
    assert lanes.run([threading.get_ident] * 2) == used[:2]


def test_one_job_stays_on_the_callers_thread() -> None:
    lanes = Lanes(4)
    assert lanes.run([threading.get_ident]) == [threading.get_ident()]
    lanes.close()


def test_a_slow_job_does_not_hold_up_the_others() -> None:
    lanes = Lanes(2)
    others_done = threading.Semaphore(0)

    def slow() -> bool:
        return all(others_done.acquire(timeout=LONG_S) for _ in range(6))

    def quick() -> bool:
        others_done.release()
        return True

    assert lanes.run([slow, *[quick] * 6]) == [True] * 7
    lanes.close()


@pytest.mark.parametrize("failing", [0, 1, 5])
def test_an_error_is_raised_when_nothing_runs_any_more(lanes: Lanes, failing: int) -> None:
    lock = threading.Lock()
    running = 0

    def job(number: int) -> None:
        nonlocal running
        with lock:
            running += 1
        try:
            if number == failing:
                raise KeyError(number)
            threading.Event().wait(0.002)
        finally:
            with lock:
                running -= 1

    with pytest.raises(KeyError, match=str(failing)):
        lanes.run([partial(job, number) for number in range(6)])
    assert running == 0
    assert lanes.run([lambda: 1, lambda: 2]) == [1, 2]  # and it goes on


def test_an_error_on_another_thread_is_raised_on_the_callers() -> None:
    lanes = Lanes(2)
    both = threading.Barrier(2)
    caller = threading.get_ident()

    def job() -> int:
        both.wait(LONG_S)
        if threading.get_ident() != caller:
            raise OverflowError("elsewhere")
        return 1

    with pytest.raises(OverflowError, match="elsewhere"):
        lanes.run([job, job])
    lanes.close()


def test_closing_ends_the_threads_and_may_be_repeated() -> None:
    lanes = Lanes(4)
    lanes.run([lambda: None] * 30)
    assert lane_threads()
    lanes.close()
    lanes.close()
    for thread in lane_threads():
        thread.join(LONG_S)
    assert not lane_threads()
