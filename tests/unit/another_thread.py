"""Another thread that counts, and by how much it gets on while a function of ONNX Runtime's C library is at work."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from accel.onnxruntime.native.api import Api

_NEVER_S = 60.0


@contextmanager
def counting() -> Iterator[list[int]]:
    """One number, which another thread keeps raising. Nobody is made to hand Python's lock over: that thread gets on
    only while somebody gives the lock away."""
    number, end = [0], threading.Event()

    def raise_it() -> None:
        while not end.wait(0.0002):
            number[0] += 1

    before_s = sys.getswitchinterval()
    thread = threading.Thread(target=raise_it)
    thread.start()
    sys.setswitchinterval(_NEVER_S)
    try:
        yield number
    finally:
        sys.setswitchinterval(before_s)
        end.set()
        thread.join(10.0)


def watched(monkeypatch: pytest.MonkeyPatch, api: Api, name: str, count: list[int]) -> list[int]:
    """By how much the number rose during each call of a function."""
    real: Callable[..., Any] = getattr(api, name)
    rose: list[int] = []

    def call(*arguments: Any) -> Any:
        before = count[0]
        result = real(*arguments)
        rose.append(count[0] - before)
        return result

    monkeypatch.setattr(api, name, call)
    return rose
