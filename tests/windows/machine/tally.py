"""What came of a run, read out of the files that pytest writes (``--junitxml``)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_NUMBERS_THAT_DIFFER = re.compile(r"0x[0-9a-fA-F]+")
_WEIGHT = {"skipped": 0, "passed": 1, "failed": 2}
_BLANK = frozenset({"", "unconditional skip"})
"""What pytest writes when a test skips without saying why."""


class Result(NamedTuple):
    """One test: ``passed``, ``failed`` or ``skipped``, and the reason for a skip."""

    outcome: str
    reason: str = ""


class Results(NamedTuple):
    """Every test by its name, and the seconds that each file took."""

    tests: dict[str, Result]
    seconds: dict[str, float]


class Tally(NamedTuple):
    """The numbers at the end of a run."""

    run: int
    """Tests that ran, whatever came of them."""
    reasons: dict[str, int]
    """How many were skipped, by reason."""
    failed: list[str]
    """Names of those that failed."""
    without_reason: list[str]
    """Names of those that were skipped without a word."""

    def as_json(self) -> dict[str, object]:
        """For programs: ``tests_run``, ``tests_failed``, ``tests_skipped``, ``reasons``, ``failed``."""
        return {
            "tests_run": self.run,
            "tests_failed": len(self.failed),
            "tests_skipped": sum(self.reasons.values()) + len(self.without_reason),
            "reasons": dict(self.reasons),
            "failed": list(self.failed),
        }


def read_results(files: Iterable[Path]) -> Results:
    """The results of one run's files; a file that was cut off counts as a failure with its own name."""
    tests: dict[str, Result] = {}
    seconds: defaultdict[str, float] = defaultdict(float)
    for file in sorted(files):
        try:
            cases = list(ElementTree.parse(file).iter("testcase"))
        except ElementTree.ParseError:
            tests[file.name] = Result("failed")
            continue
        for case in cases:
            module = case.get("classname", "")
            name = f"{module}::{case.get('name', '')}"
            result = _result(case)
            # a test whose clean-up fails is written down twice; one that is skipped here may run elsewhere
            if name not in tests or _WEIGHT[result.outcome] > _WEIGHT[tests[name].outcome]:
                tests[name] = result
            seconds[_file(module)] += float(case.get("time") or 0.0)
    return Results(tests, dict(seconds))


def tally(results: Results) -> Tally:
    """Count them."""
    skipped = {name: result.reason for name, result in results.tests.items() if result.outcome == "skipped"}
    return Tally(
        run=len(results.tests) - len(skipped),
        reasons=dict(Counter(reason for reason in skipped.values() if reason not in _BLANK)),
        failed=sorted(name for name, result in results.tests.items() if result.outcome == "failed"),
        without_reason=sorted(name for name, reason in skipped.items() if reason in _BLANK),
    )


def _result(case: ElementTree.Element) -> Result:
    if case.find("failure") is not None or case.find("error") is not None:
        return Result("failed")
    skipped = case.find("skipped")
    if skipped is None:
        return Result("passed")
    return Result("skipped", _NUMBERS_THAT_DIFFER.sub("0x...", skipped.get("message", "").strip()))


def _file(module: str) -> str:
    """``tests.unit.test_ring`` (and a class in it) is ``tests/unit/test_ring.py``."""
    parts = module.split(".")
    while parts and not parts[-1].startswith("test_"):
        parts.pop()
    return "/".join(parts) + ".py"
