"""A small, bounded memory of what was computed, with the room in it used again and again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Slots(Generic[T]):
    """At most ``capacity`` places, made when they are first needed; the one unused for longest is filled anew."""

    def __init__(self, capacity: int, make: Callable[[], T]) -> None:
        self._capacity = max(capacity, 1)
        self._make = make
        self._filled: OrderedDict[bytes, T] = OrderedDict()
        self._spare: list[T] = []

    def __len__(self) -> int:
        return len(self._filled) + len(self._spare)

    @property
    def capacity(self) -> int:
        """Places there may be, at least one. Lowering it lets go of those unused for longest."""
        return self._capacity

    @capacity.setter
    def capacity(self, places: int) -> None:
        self._capacity = max(places, 1)
        while len(self) > self._capacity:
            if self._spare:
                self._spare.pop()
            else:
                self._filled.popitem(last=False)

    def find(self, key: bytes) -> T | None:
        """The place for ``key`` if it is remembered."""
        found = self._filled.get(key)
        if found is not None:
            self._filled.move_to_end(key)
        return found

    def get(self, key: bytes, fill: Callable[[T], None]) -> T:
        """The place for ``key``, filled by ``fill`` unless it is remembered. What ``fill`` raises is passed on."""
        found = self.find(key)
        if found is not None:
            return found
        if len(self) < self._capacity:
            self._spare.append(self._make())
        elif not self._spare:
            self._spare.append(self._filled.popitem(last=False)[1])
        fill(self._spare[-1])
        place = self._filled[key] = self._spare.pop()
        return place

    def clear(self) -> None:
        """Forget everything and let go of the places."""
        self._filled.clear()
        self._spare.clear()
