"""The last minute: what is kept of it, and the small picture of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.worker import minute_picture as parts
from core.worker.minute import SECONDS, Minute, Second
from core.worker.minute_picture import ENGLISH, HEIGHT, WIDTH, minute_picture, write
from core.worker.stats import Stats

SECOND = 1_000_000_000
INTERVAL_MS = 1000 / 60
FIGURES = {"fps": 60.0, "key_fps": 30.0, "pose_age_ms": 24.0, "render_ms": 6.0, "between_ms": 2.0, "publish_ms": 1.0}
FRAMES, KEY, AGE, PUBLISH = (230, 200, 130), (80, 170, 250), (150, 215, 130), (220, 140, 190)
"""B, G, R of what the strips show."""

Image = NDArray[np.uint8]


def full(seconds: int = SECONDS, **changed: float | None) -> Minute:
    """A minute in which so many seconds were alike; None takes a figure out."""
    minute = Minute()
    figures = {name: value for name, value in {**FIGURES, **changed}.items() if value is not None}
    for number in range(seconds):
        minute.add((number + 1) * SECOND, figures, frame_interval_ms=INTERVAL_MS, hit_rate=0.3, device_share=0.4)
    return minute


def empty_seconds() -> Minute:
    """Seconds without any figure."""
    minute = Minute()
    minute.add(SECOND, {}, frame_interval_ms=INTERVAL_MS)
    return minute


def seconds_with(picture: Image, colour: tuple[int, int, int], strip: int) -> list[int]:
    """Which of the 60 columns of a strip's plot have (nearly) this colour somewhere."""
    top = strip * 75 + 15
    plot = picture[top : top + 56, 30:450].astype(int)
    near = (np.abs(plot - colour).max(axis=2) < 40).any(axis=0)
    return [number for number, column in enumerate(near.reshape(SECONDS, 7)) if column.sum() > 3]


def rows_of(picture: Image, colour: tuple[int, int, int], strip: int, second: int) -> NDArray[np.intp]:
    """Rows of the plot, 0 at the top, that have the colour in this second."""
    top, left = strip * 75 + 15, 30 + second * 7
    near = np.abs(picture[top : top + 56, left : left + 6].astype(int) - colour).max(axis=2) < 40
    return np.flatnonzero(near.any(axis=1))


# Collecting


def test_before_anything_every_second_is_empty() -> None:
    assert Minute().seconds == [None] * SECONDS


def test_a_seconds_figures_are_those_that_were_given() -> None:
    minute = full(1)
    assert minute.seconds[:-1] == [None] * (SECONDS - 1)
    assert minute.seconds[-1] == Second(INTERVAL_MS, 60.0, 30.0, 24.0, 6.0, 2.0, 1.0, 0.3, 0.4)


def test_it_takes_what_stats_gives() -> None:
    stats = Stats()
    for number in range(30):
        now = SECOND + number * SECOND // 20
        stats.work(now, [("key", 4_000_000)])
        stats.frame(now, publish_ns=1_000_000, packet_ns=0, sampled_ns=now)
    minute = Minute()
    minute.add(3 * SECOND, stats.figures(5 * SECOND // 2), frame_interval_ms=50.0)
    second = minute.seconds[-1]
    assert second is not None
    assert (second.fps, second.render_ms, second.publish_ms) == (20.0, 4.0, 1.0)
    assert (second.pose_age_ms, second.between_ms, second.hit_rate, second.device_share) == (None,) * 4


def test_only_the_last_sixty_are_kept() -> None:
    minute = Minute()
    for number in range(200):
        minute.add(number * SECOND, {"fps": float(number)}, frame_interval_ms=INTERVAL_MS)
    assert [second.fps for second in minute.seconds if second] == [float(number) for number in range(140, 200)]


def test_a_loop_that_is_always_a_little_late_leaves_no_gap() -> None:
    minute = Minute()
    for number in range(SECONDS):
        minute.add(round(number * 1.03 * SECOND), FIGURES, frame_interval_ms=INTERVAL_MS)
    assert None not in minute.seconds


def test_seconds_in_which_nobody_called_are_empty() -> None:
    minute = full(50)
    minute.add(55 * SECOND, FIGURES, frame_interval_ms=INTERVAL_MS)
    empty = [number for number, second in enumerate(minute.seconds) if second is None]
    assert empty == [*range(5), *range(55, 59)]
    minute.add(4000 * SECOND, FIGURES, frame_interval_ms=INTERVAL_MS)
    assert minute.seconds[:-1] == [None] * (SECONDS - 1)


def test_a_second_that_is_told_twice_is_one() -> None:
    minute = full(10)
    minute.add(10 * SECOND + 300_000_000, {"fps": 7.0}, frame_interval_ms=INTERVAL_MS)
    kept = [second for second in minute.seconds if second]
    assert (len(kept), kept[-1].fps) == (10, 7.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_was_not_measured(value: float) -> None:
    minute = Minute()
    minute.add(SECOND, {"fps": value}, frame_interval_ms=INTERVAL_MS, hit_rate=value)
    assert minute.seconds[-1] == Second(INTERVAL_MS)


# The picture


@pytest.mark.parametrize("minute", [Minute(), full(), full(1), empty_seconds()])
def test_any_minute_makes_a_picture(minute: Minute) -> None:
    picture = minute_picture(minute, {})
    assert picture.shape == (240, 480, 3)
    assert picture.dtype == np.uint8
    assert (HEIGHT, WIDTH) == (240, 480)


@pytest.mark.parametrize("value", [0.0, 1e-6, 0.4, 900.0, 1e7, -5.0])
def test_no_value_fails(value: float) -> None:
    for interval_ms in (INTERVAL_MS, 1000.0, 0.0):
        minute = Minute()
        minute.add(SECOND, dict.fromkeys(FIGURES, value), frame_interval_ms=interval_ms, hit_rate=value)
        assert minute_picture(minute, {}).shape == (240, 480, 3)


def test_each_strip_shows_every_measured_second() -> None:
    # a little below the rate aimed at, whose dashes would lie over it
    picture = minute_picture(full(fps=55.0), {})
    for colour, strip in ((FRAMES, 0), (KEY, 0), (AGE, 1), (KEY, 2), (FRAMES, 2), (PUBLISH, 2)):
        assert seconds_with(picture, colour, strip) == list(range(SECONDS))


def test_what_was_not_measured_is_a_gap() -> None:
    minute = full(30)
    for number in range(40, 61):
        minute.add(number * SECOND, FIGURES, frame_interval_ms=INTERVAL_MS)
    empty = {number for number, second in enumerate(minute.seconds) if second is None}
    assert len(empty) == 9
    picture = minute_picture(minute, {})
    for colour, strip in ((KEY, 0), (AGE, 1), (KEY, 2), (PUBLISH, 2)):
        assert not empty & set(seconds_with(picture, colour, strip))


def test_a_second_alone_is_seen_too() -> None:
    assert seconds_with(minute_picture(full(1), {}), AGE, 1) == [SECONDS - 1]


def test_a_strip_without_any_value_is_empty() -> None:
    picture = minute_picture(full(pose_age_ms=None), {})
    assert seconds_with(picture, AGE, 1) == []
    assert len(seconds_with(picture, PUBLISH, 2)) == SECONDS


def test_more_is_higher() -> None:
    minute = full(30, pose_age_ms=20.0, fps=20.0, key_fps=20.0, between_ms=None)
    for number in range(31, 61):
        figures = {**FIGURES, "pose_age_ms": 90.0, "key_fps": 60.0, "render_ms": 12.0}
        minute.add(number * SECOND, figures, frame_interval_ms=INTERVAL_MS)
    picture = minute_picture(minute, {})
    for colour, strip in ((KEY, 0), (AGE, 1), (KEY, 2)):
        assert rows_of(picture, colour, strip, 50).min() < rows_of(picture, colour, strip, 10).min() - 8


def test_stages_are_stacked_by_what_an_output_frame_costs() -> None:
    # the strip ends at 20 ms: half of 6 and of 2 ms, and 1 ms, each 56 / 20 rows
    picture = minute_picture(full(), {})
    render, between, publish = (rows_of(picture, colour, 2, 20) for colour in (KEY, FRAMES, PUBLISH))
    assert (len(render), len(between), len(publish)) == pytest.approx((3.0 * 2.8, 1.0 * 2.8, 1.0 * 2.8), abs=1.5)
    assert publish.max() < between.min() <= between.max() < render.min()
    assert render.max() >= 54


def test_a_stall_does_not_press_the_rest_to_the_ground() -> None:
    minute = full(59)
    minute.add(60 * SECOND, {**FIGURES, "render_ms": 60_000.0, "pose_age_ms": 60_000.0}, frame_interval_ms=INTERVAL_MS)
    picture = minute_picture(minute, {})
    assert len(rows_of(picture, KEY, 2, 20)) >= 2
    assert rows_of(picture, AGE, 1, 59).min() <= 2


def test_the_frame_interval_is_a_line_across() -> None:
    picture = minute_picture(full(), {})
    row = 2 * 75 + 15 + round(56 - INTERVAL_MS / 20 * 56)
    red = (np.abs(picture[row, 30:450].astype(int) - (120, 110, 250)).max(axis=1) < 40).sum()
    assert red >= 200


# Words


def captions(monkeypatch: pytest.MonkeyPatch, words: dict[str, str], minute: Minute) -> str:
    """Everything that is written into the picture."""
    written: list[str] = []
    draw = parts._text

    def note(image: Image, text: str, left: int, baseline: int, colour: tuple[int, int, int]) -> None:
        assert left >= 0
        assert left + parts._width(text) <= WIDTH
        written.append(text)
        draw(image, text, left, baseline, colour)

    monkeypatch.setattr(parts, "_text", note)
    minute_picture(minute, words)
    return "\n".join(written)


def test_the_newest_figures_and_the_axes_numbers_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    text = captions(monkeypatch, {}, full())
    for part in ("Frames/s 60", "key frames 30", "known poses 30 %", "Pose age, ms 24", "device 40 %", "render 6.0",
                 "in-between 2.0", "publish 1.0", "16.7", "-60 s", "-15 s", "a key frame"):  # fmt: skip
        assert part in text
    assert {"0", "10", "20", "40", "80"} <= set(text.splitlines())


@pytest.mark.parametrize("rate", [25, 60, 144])
def test_the_first_strip_names_the_rate_aimed_at(monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    minute = Minute()
    minute.add(SECOND, {"fps": 24.0, "key_fps": 24.0}, frame_interval_ms=1000 / rate)
    assert str(rate) in captions(monkeypatch, {}, minute).splitlines()


def test_what_was_not_measured_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    text = captions(monkeypatch, {}, Minute())
    assert "Frames/s -" in text
    assert "%" not in text


def test_the_users_words_are_taken_where_they_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"render": "Bild", "publish": "発行", "between": "", "frames": "a\nb", "of tomorrow": "x"}
    text = captions(monkeypatch, words, full())
    assert "Bild 6.0" in text
    for key in ("publish", "between", "frames"):
        assert ENGLISH[key] in text
    assert text.isascii()


def test_words_that_are_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    text = captions(monkeypatch, dict.fromkeys(ENGLISH, "a very long word indeed " * 3), full())
    assert text


# The file


def test_the_file_is_the_picture_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "minute.png"
    picture = minute_picture(full(), {})
    for _ in range(2):
        write(path, picture)
        read = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        assert read is not None
        assert np.array_equal(read, picture)
        assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "minute.png"
    path.write_bytes(b"old")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        write(path, minute_picture(Minute(), {}))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
