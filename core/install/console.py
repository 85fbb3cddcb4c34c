"""Talking to the user on a terminal: lines, questions, progress bars."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import Optional, Sequence, Type


class Console:
    """Prints and asks. ``assume_yes`` answers every question; without a terminal nobody could answer either."""

    def __init__(self, assume_yes: bool = False) -> None:
        self.interactive = bool(sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty())
        self._assume_yes = assume_yes
        self._told_unattended = False

    @property
    def attended(self) -> bool:
        """Is there somebody who would answer?"""
        return self.interactive and not self._assume_yes

    def say(self, text: str = "") -> None:
        """One line."""
        _print(text)

    def step(self, text: str) -> None:
        """The headline of something that begins."""
        _print(f"\n== {text}")

    def ask(self, question: str) -> bool:
        """A yes-or-no question; yes when the user said --yes, or when there is no terminal to ask on."""
        if not self._can_ask():
            return True
        while True:
            answer = _read(f"{question} [Y/n] ").lower()
            if answer in ("", "y", "yes", "n", "no"):
                return not answer.startswith("n")

    def choose(self, question: str, answers: Sequence[str]) -> int:
        """Which of the answers, by number from 0. The first one is taken when nobody is there or nothing is typed."""
        if len(answers) < 2 or not self._can_ask():
            return 0
        _print(question)
        for number, answer in enumerate(answers, start=1):
            _print(f"  {number}  {answer}")
        while True:
            typed = _read(f"Which one? [1-{len(answers)}, Enter takes 1] ")
            if not typed:
                return 0
            if typed.isdecimal() and 1 <= int(typed) <= len(answers):
                return int(typed) - 1

    def _can_ask(self) -> bool:
        if not self._assume_yes and not self.interactive and not self._told_unattended:
            self._told_unattended = True
            _print("(no terminal to ask on: going on as with --yes)")
        return self.attended

    def progress(self, title: str) -> Progress:
        """A bar for something long; use as a context manager."""
        return Progress(title, self.interactive)


class Progress:
    """A progress bar; without a terminal, a line now and then."""

    _BAR_CELLS = 28
    _LINE_EVERY_S = 10.0

    def __init__(self, title: str, drawn: bool) -> None:
        self._title, self._drawn = title, drawn
        self._printed_s = 0.0
        self._shown = ""

    def to(self, share: float, detail: str = "") -> None:
        """``share`` of the work, 0 to 1, is done."""
        share = min(max(share, 0.0), 1.0)
        if self._drawn:
            full = int(share * self._BAR_CELLS)
            line = f"{self._title} [{'#' * full}{'.' * (self._BAR_CELLS - full)}] {share * 100:3.0f} % {detail}"
            line = line[: shutil.get_terminal_size().columns - 1]
            if line != self._shown:
                sys.stdout.write("\r" + line.ljust(len(self._shown)))
                sys.stdout.flush()
                self._shown = line
        elif time.monotonic() - self._printed_s > self._LINE_EVERY_S:
            self._printed_s = time.monotonic()
            _print(f"{self._title}: {share * 100:.0f} % {detail}".rstrip())

    def __enter__(self) -> Progress:
        self.to(0.0)
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if kind is None:
            self.to(1.0)
        if self._drawn:
            sys.stdout.write("\n")


def _read(question: str) -> str:
    """What was typed; when the input has ended that is like pressing Ctrl+C, since nobody can answer any more."""
    try:
        return input(question).strip()
    except EOFError:
        raise KeyboardInterrupt from None


def _print(text: str) -> None:
    # a Windows console in code page 1252 must not end the installation because of a name it cannot show
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
    sys.stdout.flush()
