"""Figures of the last two seconds."""

from __future__ import annotations

import pytest

from core.worker.stats import Series, Stats

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
NOTHING = {"fps": 0.0, "key_fps": 0.0, "device_share": 0.0}


def frames(
    stats: Stats, count: int, *, render_ms: int = 4, every_ms: int = 20, start: int = SECOND, packet_ns: int = 0
) -> int:
    """So many frames, each with a picture of its own; the time of the last one."""
    now = start
    for n in range(count):
        now = start + n * every_ms * MILLISECOND
        stats.work(now, [("key", render_ms * MILLISECOND)])
        stats.frame(now, publish_ns=MILLISECOND, packet_ns=packet_ns, sampled_ns=now - 6 * MILLISECOND)
    return now


def test_before_anything_there_are_only_zeros() -> None:
    assert Stats().figures(SECOND) == {**NOTHING, "frames": 0.0}


def test_rates_and_times_are_those_of_the_frames() -> None:
    stats = Stats()
    now = frames(stats, 50)
    figures = stats.figures(now)
    assert (figures["fps"], figures["key_fps"], figures["frames"]) == (50.0, 50.0, 50.0)
    assert (figures["render_ms"], figures["publish_ms"], figures["sample_age_ms"]) == (4.0, 1.0, 6.0)
    assert not {"between_ms", "smooth_ms", "rife_ms", "upscale_ms", "hit_ms"} & figures.keys(), "what did not happen"


def test_in_between_frames_have_figures_of_their_own() -> None:
    stats = Stats()
    for n in range(100):
        now = SECOND + n * 10 * MILLISECOND
        stats.work(now, [("between", MILLISECOND)] if n % 2 else [("key", 8 * MILLISECOND)])
        stats.frame(now, publish_ns=0, packet_ns=0, sampled_ns=now)
    figures = stats.figures(2 * SECOND)
    assert (figures["fps"], figures["key_fps"]) == (100.0, 50.0)
    assert (figures["render_ms"], figures["between_ms"]) == (8.0, 1.0)


@pytest.mark.parametrize(
    ("what", "name"),
    [("key", "render"), *((name, name) for name in ("between", "smooth", "rife", "upscale", "hit"))],
)
def test_everything_that_is_done_for_a_picture_has_a_figure(what: str, name: str) -> None:
    stats = Stats()
    stats.work(SECOND, [(what, number * MILLISECOND) for number in range(1, 101)])
    figures = stats.figures(SECOND)
    assert (figures[f"{name}_ms"], figures[f"{name}_ms_p95"]) == (51.0, 96.0)


def test_a_picture_that_was_shown_twice_was_rendered_once() -> None:
    stats = Stats()
    for n in range(60):
        now = SECOND + n * 20 * MILLISECOND
        if n % 3 == 0:
            stats.work(now, [("key", MILLISECOND)])
        stats.frame(now, publish_ns=0, packet_ns=0, sampled_ns=now)
    figures = stats.figures(SECOND + 59 * 20 * MILLISECOND)
    assert figures["fps"] == 50.0
    assert figures["key_fps"] == pytest.approx(50.0 / 3.0, abs=0.01)


def test_the_poses_age_is_counted_for_tracked_frames_only() -> None:
    stats = Stats()
    assert "pose_age_ms" not in stats.figures(frames(stats, 10))
    stats.frame(
        2 * SECOND, publish_ns=1, packet_ns=2 * SECOND - 30 * MILLISECOND, sampled_ns=2 * SECOND - 5 * MILLISECOND
    )
    assert stats.figures(2 * SECOND)["pose_age_ms"] == 30.0


def test_the_samples_age_is_counted_for_every_frame() -> None:
    stats = Stats()
    for age_ms in range(1, 101):
        stats.frame(SECOND, publish_ns=0, packet_ns=0, sampled_ns=SECOND - age_ms * MILLISECOND)
    figures = stats.figures(SECOND)
    assert (figures["sample_age_ms"], figures["sample_age_ms_p95"]) == (51.0, 96.0)


def test_what_is_older_than_two_seconds_is_forgotten_except_the_count() -> None:
    stats = Stats()
    frames(stats, 50, render_ms=90)
    now = frames(stats, 20, start=10 * SECOND, render_ms=2)
    figures = stats.figures(now)
    assert (figures["render_ms"], figures["render_ms_p95"], figures["frames"]) == (2.0, 2.0, 70.0)
    assert stats.figures(now + 10 * SECOND) == {**NOTHING, "frames": 70.0}


def test_rare_long_frames_show_in_p95_and_not_in_the_middle() -> None:
    stats = Stats()
    frames(stats, 90, render_ms=2)
    now = frames(stats, 10, start=SECOND + 90 * 20 * MILLISECOND, render_ms=50)
    figures = stats.figures(now)
    assert (figures["render_ms"], figures["render_ms_p95"]) == (2.0, 50.0)


# -- the device's share -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("render_ms", "share"), [(2, 0.1), (10, 0.5), (16, 0.8)])
def test_the_devices_share_is_the_time_that_drawing_took_of_the_last_two_seconds(render_ms: int, share: float) -> None:
    stats = Stats()
    now = frames(stats, 150, render_ms=render_ms)
    # the frame at the very edge of the window counts too
    assert stats.device_share(now) == pytest.approx(share, rel=0.02)
    assert stats.figures(now)["device_share"] == pytest.approx(share, rel=0.02)
    assert stats.device_share(now + 3 * SECOND) == 0.0


@pytest.mark.parametrize("what", ["key", "upscale", "rife"])
def test_what_a_network_does_counts_for_the_devices_share(what: str) -> None:
    stats = Stats()
    stats.work(SECOND, [(what, 500 * MILLISECOND)])
    assert stats.device_share(SECOND) == 0.25


@pytest.mark.parametrize("what", ["between", "smooth", "hit"])
def test_what_the_processor_does_for_a_picture_does_not(what: str) -> None:
    stats = Stats()
    stats.work(SECOND, [(what, 500 * MILLISECOND)])
    assert stats.device_share(SECOND) == 0.0


def test_no_device_is_busier_than_all_the_time() -> None:
    stats = Stats()
    now = frames(stats, 100, render_ms=90)
    assert stats.device_share(now) == 1.0


# -- series -----------------------------------------------------------------------------------------------------------


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
