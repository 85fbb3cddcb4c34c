"""The one clock. Every time stamp that crosses a process or a frame comes from here."""

import time


def now_ns() -> int:
    """Monotonic time in nanoseconds, comparable between processes of one machine.

    ``perf_counter_ns`` is CLOCK_MONOTONIC on Linux, QueryPerformanceCounter on Windows and mach time on macOS:
    the same clocks that libobs' ``os_gettime_ns`` reads, so OBS's frame times can be compared with ours.
    (``monotonic_ns`` would tick in 15 ms steps on Windows before Python 3.13.)
    """
    return time.perf_counter_ns()
