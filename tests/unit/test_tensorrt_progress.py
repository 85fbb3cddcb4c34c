"""Phases within phases become one fraction that only grows, and a stop reaches the library."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from accel.tensorrt.progress import BuildWatch, Share


def _told() -> tuple[list[float], BuildWatch]:
    told: list[float] = []

    def tell(fraction: float) -> bool:
        told.append(round(fraction, 6))
        return True

    return told, BuildWatch(tell)


def test_steps_of_the_outermost_phase_are_the_fraction() -> None:
    told, watch = _told()
    watch.phase_start("build", None, 4)
    for step in range(4):
        assert watch.step_complete("build", step)
    watch.phase_finish("build")
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_a_phase_fills_a_step_of_the_one_it_is_in() -> None:
    told, watch = _told()
    watch.phase_start("build", None, 2)
    watch.phase_start("optimise", "build", 2)
    watch.phase_start("time", "optimise", 5)
    watch.step_complete("time", 0)
    watch.step_complete("time", 4)
    watch.phase_finish("time")
    watch.step_complete("optimise", 0)
    watch.step_complete("optimise", 1)
    watch.phase_finish("optimise")
    watch.step_complete("build", 0)
    assert told == [0.05, 0.25, 0.25, 0.5, 0.5]


def test_several_phases_in_one_step_do_not_go_back() -> None:
    told, watch = _told()
    watch.phase_start("build", None, 2)
    for name in ("first", "second"):
        watch.phase_start(name, "build", 2)
        watch.step_complete(name, 0)
        watch.step_complete(name, 1)
        watch.phase_finish(name)
    assert told == [0.25, 0.5, 0.5, 0.5]


def test_a_phase_nobody_announced_is_no_harm() -> None:
    told, watch = _told()
    assert watch.step_complete("surprise", 3)
    watch.phase_finish("surprise")
    assert told == [0.0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start", "step", "finish"]),
            st.sampled_from("abc"),
            st.sampled_from(["a", "b", "c", None]),
            st.integers(-3, 9),
        ),
        max_size=40,
    )
)
def test_whatever_the_library_calls_the_fraction_only_grows(
    calls: list[tuple[str, str, str | None, int]],
) -> None:
    told, watch = _told()
    for action, name, parent, number in calls:
        if action == "start":
            watch.phase_start(name, parent, number)
        elif action == "step":
            watch.step_complete(name, number)
        else:
            watch.phase_finish(name)
    assert told == sorted(told)
    assert all(0 <= fraction <= 1 for fraction in told)


def test_once_stopped_it_stays_stopped_and_asks_no_more() -> None:
    asked = []

    def tell(fraction: float) -> bool:
        asked.append(fraction)
        return False

    watch = BuildWatch(tell)
    watch.phase_start("build", None, 2)
    assert not watch.step_complete("build", 0)
    assert not watch.step_complete("build", 1)
    assert watch.stopped and len(asked) == 1


def test_what_the_caller_raises_stops_the_build_and_is_kept() -> None:
    def tell(fraction: float) -> bool:
        raise KeyError("mistake")

    watch = BuildWatch(tell)
    watch.phase_start("build", None, 2)
    assert not watch.step_complete("build", 0)
    assert isinstance(watch.problem, KeyError)


def test_a_share_reports_its_part_of_the_whole() -> None:
    told: list[tuple[str, float]] = []

    def progress(task: str, fraction: float) -> bool:
        told.append((task, round(fraction, 6)))
        return len(told) < 4

    share = Share(progress, "body (2/4)", 0.25, 0.5)
    assert share.tell(0.0) and share.tell(1.0) and share.part(0.0, 0.8).tell(0.5)
    assert not share.tell(7.0)
    assert told == [("body (2/4)", 0.25), ("body (2/4)", 0.5), ("body (2/4)", 0.35), ("body (2/4)", 0.5)]
    assert Share(None, "nobody listens").tell(0.5)
