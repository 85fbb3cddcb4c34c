"""Several sessions at the same time, each on a thread of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from core.wire.priority import step_back

T = TypeVar("T")

_JOB_LIMIT_S = 60.0
"""Jobs that take so long hang; the worker is about to be restarted anyway."""


class Lanes:
    """Runs jobs on a few threads, of which the caller's own is one. Used from one thread.

    Threads take the next job when they are done with one: where another program has a core, the others do more.
    """

    def __init__(self, count: int) -> None:
        """``count``: how many jobs run at the same time; 1 starts no thread."""
        self._others = count - 1
        self._pool = ThreadPoolExecutor(self._others, "lane", step_back) if self._others > 0 else None

    def run(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """The results in the jobs' order. Raises the first error when every thread has ended."""
        if self._pool is None or len(jobs) == 1:
            return [job() for job in jobs]
        results: list[Any] = [None] * len(jobs)
        numbers = itertools.count()  # its next() is one step under Python's lock

        def work() -> None:
            while (number := next(numbers)) < len(jobs):
                results[number] = jobs[number]()

        others = [self._pool.submit(work) for _ in range(min(self._others, len(jobs) - 1))]
        try:
            work()
        finally:
            failures = [future.exception(_JOB_LIMIT_S) for future in others]
        for failure in failures:
            if failure is not None:
                raise failure
        return results

    def close(self) -> None:
        """End the threads; what runs is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
