"""Which pictures the frame cache keeps as long as it does not know whether that pays."""

from __future__ import annotations

import time

import numpy as np

from core.render import cache_books
from core.render.cache_books import Books, SeenKeys
from core.render.codecs import RAW
from core.render.frame_cache import FrameCache
from models.base import Picture

LIMIT_S = 5.0
DEAR_NS = 20_000_000


def _picture(number: int) -> Picture:
    return np.full((8, 8, 4), number % 256, np.uint8)


def _key(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _wait_for(cache: FrameCache, stored: int) -> None:
    end = time.monotonic() + LIMIT_S
    while cache.figures()["stored"] < stored:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_key_came_before_when_it_comes_the_second_time() -> None:
    seen = SeenKeys()
    assert [seen.again(_key(number)) for number in (1, 2, 1, 3, 2, 1)] == [False, False, True, False, True, True]


def test_keys_are_forgotten_when_there_are_too_many() -> None:
    seen = SeenKeys()
    for number in range(cache_books._MOST_KEYS):
        seen.again(_key(number))
    assert seen.again(_key(0))
    seen.again(_key(1 << 40))
    assert not seen.again(_key(1)), "the one unused for longest went"
    assert seen.again(_key(0))


def test_a_picture_is_kept_when_its_pose_comes_the_second_time() -> None:
    cache = FrameCache(1 << 20, RAW)
    out = np.zeros((8, 8, 4), np.uint8)
    try:
        cache.put(_key(1), _picture(1), DEAR_NS)
        cache.put(_key(2), _picture(2), DEAR_NS)
        cache.put(_key(1), _picture(1), DEAR_NS)
        _wait_for(cache, 1)
        assert cache.get(_key(1), out)
        assert not cache.get(_key(2), out)
    finally:
        cache.close()


def test_while_hits_pay_a_picture_is_kept_at_once() -> None:
    cache = FrameCache(1 << 20, RAW)
    out = np.zeros((8, 8, 4), np.uint8)
    try:
        for _ in range(2):
            cache.put(_key(1), _picture(1), DEAR_NS)
        _wait_for(cache, 1)
        for _ in range(5):
            assert cache.get(_key(1), out)
        cache.put(_key(7), _picture(7), DEAR_NS)
        _wait_for(cache, 2)
        assert cache.get(_key(7), out)
    finally:
        cache.close()


def test_poses_that_never_come_again_are_neither_copied_nor_packed() -> None:
    cache = FrameCache(1 << 20, RAW)
    out = np.zeros((8, 8, 4), np.uint8)
    try:
        for number in range(100):
            assert not cache.get(_key(number), out)
            cache.put(_key(number), _picture(number), DEAR_NS)
        figures = cache.figures()
        assert (figures["stored"], figures["skipped"], figures["entries"]) == (0, 0, 0)
    finally:
        cache.close()


def test_books_pay_when_hits_saved_more_than_looking_cost() -> None:
    books = Books()
    assert not books.pays
    books.frame(0, 1000, 1)
    assert not books.pays
    books.frame(5000, 1000, 2)
    assert books.pays
