"""Marks over finished pictures: drawn on a copy, and only when wanted."""

from __future__ import annotations

import numpy as np
import pytest

from core.render import time_stamp
from core.render.pipeline import Rendered
from core.worker.overlay import Overlay

RED, BLUE = (0, 0, 255), (255, 64, 0)


def rendered(size: int = 256, *, in_between: bool = False, packet_ns: int = 5_000_000, fill: int = 9) -> Rendered:
    return Rendered(np.full((size, size, 4), fill, np.uint8), in_between, packet_ns, 7_000_000, 1.0)


def test_without_marks_the_picture_itself_goes_on() -> None:
    frame = rendered()
    assert Overlay().draw(frame, 1, mark_in_betweens=False, draw_times=False) is frame.picture


@pytest.mark.parametrize(("in_between", "colour"), [(True, RED), (False, BLUE)])
def test_in_betweens_are_red_and_keys_blue(in_between: bool, colour: tuple[int, int, int]) -> None:
    drawn = Overlay().draw(rendered(in_between=in_between), 1, mark_in_betweens=True, draw_times=False)
    assert tuple(drawn[0, -1]) == (*colour, 255)
    assert tuple(drawn[7, -8]) == (*colour, 255)
    assert (drawn[8:] == 9).all()
    assert (drawn[:, :-8] == 9).all()


@pytest.mark.parametrize(("packet_ns", "shown_ns"), [(5_000_000, 5_000_000), (0, 7_000_000)])
def test_the_time_is_the_packets_or_else_the_poses(packet_ns: int, shown_ns: int) -> None:
    drawn = Overlay().draw(rendered(packet_ns=packet_ns), 300, mark_in_betweens=False, draw_times=True)
    assert time_stamp.read(drawn) == (shown_ns, 300 & 255)


def test_both_marks_fit_on_one_picture() -> None:
    drawn = Overlay().draw(rendered(), 1, mark_in_betweens=True, draw_times=True)
    assert time_stamp.read(drawn) is not None
    assert tuple(drawn[0, -1, :3]) == BLUE


@pytest.mark.parametrize("sizes", [(256, 256), (256, 512), (512, 256)])
def test_the_picture_underneath_is_never_drawn_on(sizes: tuple[int, int]) -> None:
    overlay = Overlay()
    for size in sizes:
        frame = rendered(size)
        drawn = overlay.draw(frame, 1, mark_in_betweens=True, draw_times=True)
        assert drawn.shape == frame.picture.shape
        assert (frame.picture == 9).all()


def test_nothing_of_an_earlier_mark_stays() -> None:
    overlay = Overlay()
    overlay.draw(rendered(), 1, mark_in_betweens=True, draw_times=True)
    drawn = overlay.draw(rendered(fill=3), 2, mark_in_betweens=True, draw_times=False)
    assert (drawn[:, :-8] == 3).all()
