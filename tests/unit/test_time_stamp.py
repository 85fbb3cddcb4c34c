"""Times drawn into the picture survive what a stream does to it, and nothing else is taken for one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.render.time_stamp import draw, read

SIZES = [256, 320, 384, 512, 576, 768, 1024]
MOMENT_NS, COUNT = 123_456_789_012_000, 0xA7


def stamped(size: int, time_ns: int = MOMENT_NS, count: int = COUNT) -> NDArray[np.uint8]:
    """A stamp over a picture that is anything but calm."""
    picture = np.random.default_rng(size).integers(0, 256, (size, size, 4), dtype=np.uint8)
    draw(picture, time_ns, count)
    return picture


def scaled(picture: NDArray[np.uint8], factor: float, method: int) -> NDArray[np.uint8]:
    side = round(picture.shape[0] * factor)
    return np.asarray(cv2.resize(picture, (side, side), interpolation=method), np.uint8)


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**40))
def test_any_time_and_count_come_back(micros: int, count: int) -> None:
    picture = np.zeros((256, 256, 4), np.uint8)
    draw(picture, micros * 1000 + 999, count)
    assert read(picture) == (micros * 1000, count & 255)


@pytest.mark.parametrize("size", [*SIZES, 64, 200, 500, 777])
def test_it_is_read_from_every_size(size: int) -> None:
    assert read(stamped(size)) == (MOMENT_NS, COUNT)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("factor", [0.4, 0.5, 0.66, 0.75, 1.0, 1.25, 1.5, 2.0])
@pytest.mark.parametrize("method", [cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])
def test_it_survives_scaling(size: int, factor: float, method: int) -> None:
    assert read(scaled(stamped(size), factor, method)) == (MOMENT_NS, COUNT)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [30, 60, 90])
def test_it_survives_compression(size: int, quality: int) -> None:
    _, file = cv2.imencode(".jpg", stamped(size)[:, :, :3], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert read(np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)) == (MOMENT_NS, COUNT)


def test_it_survives_noise_and_a_darker_picture() -> None:
    noise = np.random.default_rng(5).normal(0.0, 25.0, (512, 512, 4))
    darker = np.clip(stamped(512) * 0.75 + 20.0 + noise, 0, 255).astype(np.uint8)
    assert read(darker) == (MOMENT_NS, COUNT)


def test_channel_order_does_not_matter() -> None:
    assert read(np.ascontiguousarray(stamped(512)[:, :, [2, 1, 0, 3]])) == (MOMENT_NS, COUNT)


def test_it_is_opaque_and_touches_nothing_outside_its_corner() -> None:
    picture = np.zeros((512, 512, 4), np.uint8)
    draw(picture, MOMENT_NS, COUNT)
    assert (picture[:64, :64, 3] == 255).all()
    picture[:64, :64] = 0
    assert not picture.any()


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((512, 512, 4), np.uint8),
        np.full((512, 512, 4), 255, np.uint8),
        np.full((512, 512, 4), 127, np.uint8),
        np.indices((512, 512))[0].repeat(4).reshape(512, 512, 4).astype(np.uint8),
        np.indices((512, 512))[1].repeat(4).reshape(512, 512, 4).astype(np.uint8),
        np.kron(np.indices((64, 64)).sum(0) % 2 * 255, np.ones((8, 8))).repeat(4).reshape(512, 512, 4).astype(np.uint8),
    ],
    ids=["black", "white", "grey", "rows", "columns", "chessboard"],
)
def test_ordinary_pictures_hold_no_time(picture: NDArray[np.uint8]) -> None:
    assert read(picture) is None


def test_what_lies_over_the_stamp_spoils_it() -> None:
    found = []
    for field in range(64):
        picture = stamped(512)
        row, column = field // 8 * 8, field % 8 * 8
        picture[row : row + 8, column : column + 8, :3] = 255 - picture[row + 4, column + 4, 0]
        found.append(read(picture))
    assert found == [None] * 64


def test_noise_is_hardly_ever_taken_for_a_time() -> None:
    random = np.random.default_rng(11)
    taken = sum(read(random.integers(0, 256, (64, 64, 4), dtype=np.uint8)) is not None for _ in range(2000))
    assert taken < 40, "one in 256 by chance"
