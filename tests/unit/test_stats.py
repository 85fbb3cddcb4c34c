"""Figures of the last two seconds."""

from __future__ import annotations

import pytest

from core.worker.stats import Series, Stats

MILLISECOND = 1_000_000
SECOND = 1_000_000_000


def frames(stats: Stats, count: int, *, every_ms: int = 20, start: int = SECOND, **changed: int | bool) -> int:
    now = start
    for n in range(count):
        now = start + n * every_ms * MILLISECOND
        values: dict[str, int | bool] = {"render_ns": 4 * MILLISECOND, "publish_ns": MILLISECOND, "packet_ns": 0}
        values |= {"in_between": False, **changed}
        stats.frame(now, **values)  # type: ignore[arg-type]
    return now


def test_before_anything_there_are_only_zeros() -> None:
    assert Stats().figures(SECOND) == {"fps": 0.0, "key_fps": 0.0, "frames": 0.0}


def test_rates_and_times_are_those_of_the_frames() -> None:
    stats = Stats()
    now = frames(stats, 50)
    figures = stats.figures(now)
    assert (figures["fps"], figures["key_fps"], figures["frames"]) == (50.0, 50.0, 50.0)
    assert (figures["render_ms"], figures["publish_ms"]) == (4.0, 1.0)
    assert "between_ms" not in figures


def test_in_between_frames_have_figures_of_their_own() -> None:
    stats = Stats()
    for n in range(100):
        between = n % 2 == 1
        stats.frame(
            SECOND + n * 10 * MILLISECOND,
            render_ns=(1 if between else 8) * MILLISECOND,
            publish_ns=0,
            in_between=between,
            packet_ns=0,
        )
    figures = stats.figures(2 * SECOND)
    assert (figures["fps"], figures["key_fps"]) == (100.0, 50.0)
    assert (figures["render_ms"], figures["between_ms"]) == (8.0, 1.0)


def test_the_poses_age_is_counted_for_tracked_frames_only() -> None:
    stats = Stats()
    assert "pose_age_ms" not in stats.figures(frames(stats, 10))
    stats.frame(2 * SECOND, render_ns=1, publish_ns=1, in_between=False, packet_ns=2 * SECOND - 30 * MILLISECOND)
    assert stats.figures(2 * SECOND)["pose_age_ms"] == 30.0


def test_what_is_older_than_two_seconds_is_forgotten_except_the_count() -> None:
    stats = Stats()
    frames(stats, 50, render_ns=90 * MILLISECOND)
    now = frames(stats, 20, start=10 * SECOND, render_ns=2 * MILLISECOND)
    figures = stats.figures(now)
    assert (figures["render_ms"], figures["render_ms_p95"], figures["frames"]) == (2.0, 2.0, 70.0)
    assert stats.figures(now + 10 * SECOND) == {"fps": 0.0, "key_fps": 0.0, "frames": 70.0}


def test_rare_long_frames_show_in_p95_and_not_in_the_middle() -> None:
    stats = Stats()
    frames(stats, 90, render_ns=2 * MILLISECOND)
    now = frames(stats, 10, start=SECOND + 90 * 20 * MILLISECOND, render_ns=50 * MILLISECOND)
    figures = stats.figures(now)
    assert (figures["render_ms"], figures["render_ms_p95"]) == (2.0, 50.0)


@pytest.mark.parametrize("rate", [10, 60, 144, 240])
def test_rates_are_right_up_to_the_fastest(rate: int) -> None:
    series = Series()
    for n in range(rate * 3):
        series.add(n * SECOND // rate, 0.0)
    assert series.rate(3 * SECOND) == pytest.approx(rate, rel=0.01)


def test_memory_is_bounded_however_fast_frames_come() -> None:
    series = Series()
    for n in range(10_000):
        series.add(SECOND, float(n))
    assert len(series.values(SECOND)) <= 512
    assert series.rate(SECOND) == 0.0
