"""The last minute as a small picture for whoever asks: three strips of figures, drawn with OpenCV, written as a PNG.

OpenCV's own letters are ASCII only: a word that has others falls back to the English one, and so does one that is
missing or empty. The words' keys are those of ``ENGLISH``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .minute import SECONDS, Minute, Second

WIDTH, HEIGHT = 480, 240

ENGLISH: Mapping[str, str] = {
    "frames": "Frames/s",
    "key_frames": "key frames",
    "hits": "known poses",
    "device": "device",
    "pose_age": "Pose age, ms",
    "per_frame": "ms a frame:",
    "one_key_frame": "a key frame",
    "render": "render",
    "between": "in-between",
    "publish": "publish",
}
"""Words of the picture."""

_Colour = tuple[int, int, int]
_Image = NDArray[np.uint8]

_BACKGROUND: _Colour = (30, 25, 22)
_PLOT: _Colour = (43, 37, 33)
_GRID: _Colour = (66, 58, 52)
_AXIS: _Colour = (165, 155, 148)
_ALONE: _Colour = (235, 230, 225)
_LIMIT: _Colour = (120, 110, 250)
_FRAMES: _Colour = (230, 200, 130)
_KEY: _Colour = (80, 170, 250)
_AGE: _Colour = (150, 215, 130)
_PUBLISH: _Colour = (220, 140, 190)

_LEFT, _RIGHT = 30, 450
_SECOND_WIDTH = (_RIGHT - _LEFT) // SECONDS
_TITLE_HEIGHT, _PLOT_HEIGHT, _STRIP = 15, 56, 75
_FONT, _SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.36
_FINER = 8
"""Places are given to OpenCV in eighths of a pixel."""
_SHIFT = 3

_HIGHEST_AGE_MS = 500.0
_MOST_INTERVALS = 4.0
"""A strip of milliseconds ends there: one stall of a second would press all the rest to the ground."""
_DASH = 4
_ROUND = (1.0, 1.2, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 20.0)
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class _Strip:
    """Where a strip's values lie in the picture. Values above ``highest`` are drawn at the top."""

    image: _Image
    top: int
    highest: float

    @property
    def bottom(self) -> int:
        return self.top + _PLOT_HEIGHT

    def y(self, value: float) -> float:
        return self.bottom - min(max(value, 0.0), self.highest) / self.highest * _PLOT_HEIGHT

    def line(self, values: Sequence[float | None], colour: _Colour) -> None:
        """Through the middles of the seconds, from the beginning of the first to the end of the last; a gap where there
        is nothing."""
        for measured, run in groupby(enumerate(values), key=lambda entry: entry[1] is not None):
            if not measured:
                continue
            middles = [(number + 0.5, value) for number, value in run if value is not None]
            (first, begin), (last, end) = middles[0], middles[-1]
            # whole rows: between two of them a level line is spread over both and pale
            points = [
                (_LEFT + second * _SECOND_WIDTH, round(self.y(value)))
                for second, value in ((first - 0.5, begin), *middles, (last + 0.5, end))
            ]
            finer = np.rint(np.array(points) * _FINER).astype(np.int32)
            cv2.polylines(self.image, [finer], False, colour, 1, cv2.LINE_AA, _SHIFT)

    def bars(self, low: Sequence[float | None], high: Sequence[float | None], colour: _Colour) -> None:
        """From one value to another, a column for each second that has both."""
        for number, (below, above) in enumerate(zip(low, high, strict=True)):
            if below is not None and above is not None:
                left, first, last = _LEFT + number * _SECOND_WIDTH, round(self.y(above)), round(self.y(below))
                self.image[first:last, left : left + _SECOND_WIDTH - 1] = colour

    def limit(self, value: float, label: str) -> None:
        """A dashed line across, its number at the right."""
        if value > self.highest:
            return
        row = min(round(self.y(value)), self.bottom - 1)
        for left in range(_LEFT, _RIGHT, 2 * _DASH):
            self.image[row, left : left + _DASH] = _LIMIT
        _text(self.image, label, _RIGHT + 3, row + 4, _LIMIT)


def minute_picture(minute: Minute, words: Mapping[str, str]) -> _Image:
    """Draw the minute: shape (240, 480, 3), uint8, B, G, R.

    From top to bottom, the newest second at the right: new pictures a second with the key frames among them against
    the rate aimed at; the pose's age; the milliseconds that an output frame costs on average by stage, and the time of
    a key frame alone as a line where there are in-between frames, against the frame interval. ``words``: the texts by
    the keys of ``ENGLISH``.
    """
    image: _Image = np.full((HEIGHT, WIDTH, 3), _BACKGROUND, np.uint8)
    seconds = minute.seconds
    say = _speaker(words)
    last = seconds[-1]
    interval_ms = last.frame_interval_ms if last is not None else 0.0
    _frames(image, 0, seconds, interval_ms, say)
    _ages(image, 1, seconds, say)
    _stages(image, 2, seconds, interval_ms, say)
    for number in range(0, SECONDS + 1, 15):
        label = f"-{SECONDS - number} s" if number < SECONDS else "0"
        width = _width(label)
        _text(image, label, _LEFT + number * _SECOND_WIDTH - width // 2, HEIGHT - 4, _AXIS)
    return image


def write(path: Path, picture: _Image) -> None:
    """Put the picture (BGR) in place as a PNG, whole or not at all. Raises OSError."""
    done, encoded = cv2.imencode(".png", picture)
    if not done:
        raise OSError(f"no PNG of {picture.shape}")
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(encoded.tobytes())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _frames(
    image: _Image, place: int, seconds: Sequence[Second | None], interval_ms: float, say: Callable[[str], str]
) -> None:
    frames, keys = _each(seconds, "fps"), _each(seconds, "key_fps")
    wanted = 1000.0 / interval_ms if interval_ms > 0.0 else 0.0
    strip = _strip(image, place, max(_most(frames), wanted, 9.0) * 1.05)
    if wanted:
        strip.limit(wanted, f"{wanted:.0f}")
    strip.line(frames, _FRAMES)
    strip.line(keys, _KEY)
    hits = _newest(seconds, "hit_rate", 100.0)
    entries = [
        (f"{say('frames')} {_newest(seconds, 'fps')}", _FRAMES),
        (f"{say('key_frames')} {_newest(seconds, 'key_fps')}", _KEY),
    ]
    _title(image, place, [*entries, *([(f"{say('hits')} {hits} %", _AXIS)] if hits != _NOTHING else [])])


def _ages(image: _Image, place: int, seconds: Sequence[Second | None], say: Callable[[str], str]) -> None:
    ages = _each(seconds, "pose_age_ms")
    strip = _strip(image, place, min(max(_most(ages) * 1.05, 20.0), _HIGHEST_AGE_MS))
    strip.line(ages, _AGE)
    device = _newest(seconds, "device_share", 100.0)
    entries = [(f"{say('pose_age')} {_newest(seconds, 'pose_age_ms')}", _AGE)]
    _title(image, place, [*entries, *([(f"{say('device')} {device} %", _AXIS)] if device != _NOTHING else [])])


def _stages(
    image: _Image, place: int, seconds: Sequence[Second | None], interval_ms: float, say: Callable[[str], str]
) -> None:
    stacks = [_stack(second) if second is not None else None for second in seconds]
    alone = [_key_frame_ms(second) if second is not None else None for second in seconds]
    most = max(_most([stack[-1] if stack is not None else None for stack in stacks]), _most(alone))
    highest = max(most * 1.05, interval_ms * 1.2, 1.0)
    strip = _strip(image, place, min(highest, interval_ms * _MOST_INTERVALS) if interval_ms > 0.0 else highest)
    for number, colour in enumerate((_KEY, _FRAMES, _PUBLISH)):
        low, high = ([stack[edge] if stack is not None else None for stack in stacks] for edge in (number, number + 1))
        strip.bars(low, high, colour)
    strip.line(alone, _ALONE)
    if interval_ms > 0.0:
        strip.limit(interval_ms, f"{interval_ms:.1f}")
    entries = [(say("per_frame"), _AXIS)]
    for name, colour in (("render", _KEY), ("between", _FRAMES), ("publish", _PUBLISH)):
        entries.append((f"{say(name)} {_newest(seconds, f'{name}_ms', digits=1)}", colour))
    if any(value is not None for value in alone):
        entries.append((say("one_key_frame"), _ALONE))
    _title(image, place, entries)


def _stack(second: Second) -> tuple[float, float, float, float] | None:
    """0 and the sums of what an output frame costs on average: rendering, in-between frames, publishing (ms)."""
    if second.render_ms is None and second.between_ms is None and second.publish_ms is None:
        return None
    share = 1.0 if second.between_ms is None else 0.0
    if second.fps and second.key_fps is not None:
        share = min(second.key_fps / second.fps, 1.0)
    render = (second.render_ms or 0.0) * share
    between = render + (second.between_ms or 0.0) * (1.0 - share)
    return 0.0, render, between, between + (second.publish_ms or 0.0)


def _key_frame_ms(second: Second) -> float | None:
    """What a key frame costs alone, where that is something else than the average."""
    if second.between_ms is None or second.render_ms is None:
        return None
    return second.render_ms + (second.publish_ms or 0.0)


def _strip(image: _Image, place: int, highest: float) -> _Strip:
    """An empty strip with its numbers, up to a round value that is not below ``highest``."""
    strip = _Strip(image, place * _STRIP + _TITLE_HEIGHT, _round_up(highest))
    image[strip.top : strip.bottom, _LEFT:_RIGHT] = _PLOT
    for number in range(15, SECONDS, 15):
        image[strip.top : strip.bottom, _LEFT + number * _SECOND_WIDTH] = _GRID
    for value in (0.0, strip.highest / 2.0, strip.highest):
        row = min(round(strip.y(value)), strip.bottom - 1)
        image[row, _LEFT:_RIGHT] = _GRID
        label = f"{value:g}"
        _text(image, label, _LEFT - 4 - _width(label), row + 4, _AXIS)
    return strip


def _title(image: _Image, place: int, entries: Sequence[tuple[str, _Colour]]) -> None:
    """Words above a strip, each in its colour; what has no room any more is left out."""
    left = _LEFT
    for text, colour in entries:
        if left + _width(text) > WIDTH:
            return
        _text(image, text, left, place * _STRIP + 11, colour)
        left += _width(text) + 12


def _text(image: _Image, text: str, left: int, baseline: int, colour: _Colour) -> None:
    cv2.putText(image, text, (left, baseline), _FONT, _SCALE, colour, 1, cv2.LINE_AA)


def _width(text: str) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, _SCALE, 1)
    return width


def _speaker(words: Mapping[str, str]) -> Callable[[str], str]:
    def say(key: str) -> str:
        word = words.get(key, "")
        return word if word and word.isascii() and word.isprintable() else ENGLISH[key]

    return say


def _each(seconds: Sequence[Second | None], name: str) -> list[float | None]:
    return [getattr(second, name) if second is not None else None for second in seconds]


def _newest(seconds: Sequence[Second | None], name: str, times: float = 1.0, digits: int = 0) -> str:
    value = getattr(seconds[-1], name, None)
    return f"{value * times:.{digits}f}" if value is not None else _NOTHING


def _most(values: Sequence[float | None]) -> float:
    return max((value for value in values if value is not None), default=0.0)


def _round_up(value: float) -> float:
    """The next of ``_ROUND`` times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _ROUND if step * power >= value * 0.999)
