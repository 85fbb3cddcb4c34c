"""The picture that shows a person what was done: before and after, the head that was found, the frame it belongs in."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from ..base import Picture
from ..character import PICTURE_SIZE
from ..face_parts import HeadBox
from .examine import Findings
from .framing import FRAME
from .head import SURE
from .notes import percent
from .prepare import Prepared
from .scaling import at_most

WIDTH, HEIGHT = 1200, 640

_SIDE: Final = 512
_TOP: Final = 88
_LEFT, _RIGHT = 58, WIDTH - 58 - _SIDE
_PAPER, _INK, _LINE = (46, 42, 40), (235, 232, 230), (96, 90, 86)
_HEAD_COLOUR, _GUESS_COLOUR, _FRAME_COLOUR = (40, 150, 255), (90, 200, 255), (255, 170, 60)
_LIGHT, _DARK, _FIELD = 222, 190, 16
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX

Canvas = NDArray[np.uint8]


def report_picture(before: Picture, after: Prepared, findings: Findings) -> Picture:
    """Both pictures over a checkerboard, 1200 x 640 opaque BGRA. ``before`` is straight BGRA of any size."""
    canvas = np.full((HEIGHT, WIDTH, 3), _PAPER, np.uint8)
    small, _ = at_most(before, _SIDE)
    if max(small.shape[:2]) < _SIDE:
        factor = _SIDE / max(small.shape[:2])
        size = max(1, round(small.shape[1] * factor)), max(1, round(small.shape[0] * factor))
        small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    height, width = small.shape[:2]
    left, top = _LEFT + (_SIDE - width) // 2, _TOP + _SIDE - height
    _show(canvas, small, left, top)
    head = findings.head
    if head is not None:
        factor = max(height, width) / max(findings.height, findings.width)
        colour = _HEAD_COLOUR if head.sureness >= SURE else _GUESS_COLOUR
        box = HeadBox(*(value * factor for value in (head.box.left, head.box.top, head.box.right, head.box.bottom)))
        _draw_box(canvas, box, left, top, colour)
    _show(canvas, after.picture, _RIGHT, _TOP)
    _draw_dashed(canvas, FRAME, _RIGHT, _TOP, _FRAME_COLOUR)
    if after.head is not None:
        _draw_box(canvas, after.head, _RIGHT, _TOP, _HEAD_COLOUR)
    _write(canvas, f"before   {findings.width} x {findings.height}", _LEFT)
    _write(canvas, f"after   {PICTURE_SIZE} x {PICTURE_SIZE}", _RIGHT)
    if head is not None:
        _legend(canvas, f"head {percent(head.sureness)} %", _LEFT + _SIDE, _HEAD_COLOUR)
    _legend(canvas, "THA frame", _RIGHT + _SIDE, _FRAME_COLOUR)
    middle = _TOP + _SIDE // 2
    cv2.arrowedLine(canvas, (_LEFT + _SIDE + 8, middle), (_RIGHT - 8, middle), _INK, 3, cv2.LINE_AA, 0, 0.4)
    return np.dstack([canvas, np.full((HEIGHT, WIDTH), 255, np.uint8)])


def _show(canvas: Canvas, picture: Picture, left: int, top: int) -> None:
    height, width = picture.shape[:2]
    rows, columns = np.arange(height) // _FIELD, np.arange(width) // _FIELD
    board = np.where((rows[:, None] + columns[None, :]) % 2 == 0, _LIGHT, _DARK).astype(np.float32)[..., None]
    alpha = picture[..., 3:].astype(np.float32) / np.float32(255)
    mixed = picture[..., :3] * alpha + board * (1.0 - alpha)
    canvas[top : top + height, left : left + width] = np.rint(mixed)
    cv2.rectangle(canvas, (left - 1, top - 1), (left + width, top + height), _LINE, 1)


def _draw_box(canvas: Canvas, box: HeadBox, left: int, top: int, colour: tuple[int, int, int]) -> None:
    corners = (round(left + box.left), round(top + box.top)), (round(left + box.right), round(top + box.bottom))
    cv2.rectangle(canvas, *corners, colour, 2, cv2.LINE_AA)


def _draw_dashed(canvas: Canvas, box: HeadBox, left: int, top: int, colour: tuple[int, int, int]) -> None:
    for first in range(0, round(box.right - box.left), 12):
        for y in (box.top, box.bottom):
            start = round(left + box.left + first), round(top + y)
            cv2.line(canvas, start, (start[0] + 6, start[1]), colour, 2)
        for x in (box.left, box.right):
            start = round(left + x), round(top + box.top + first)
            cv2.line(canvas, start, (start[0], start[1] + 6), colour, 2)


def _write(canvas: Canvas, text: str, left: int) -> None:
    cv2.putText(canvas, text, (left, _TOP - 26), _FONT, 0.8, _INK, 2, cv2.LINE_AA)


def _legend(canvas: Canvas, text: str, right: int, colour: tuple[int, int, int]) -> None:
    """A swatch and its meaning, ending at ``right``."""
    (width, _), _ = cv2.getTextSize(text, _FONT, 0.6, 1)
    cv2.rectangle(canvas, (right - width - 26, _TOP - 40), (right - width - 10, _TOP - 26), colour, -1)
    cv2.putText(canvas, text, (right - width, _TOP - 26), _FONT, 0.6, _INK, 1, cv2.LINE_AA)
