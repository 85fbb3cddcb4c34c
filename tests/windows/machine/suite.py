"""Runs the project's tests as Windows runs them, in processes side by side, and tells what came of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from core.install.console import Console
from core.install.virtual_screen import VirtualScreen
from core.wire.folders import PROJECT
from tests.windows.machine import directml, side_by_side
from tests.windows.machine.left_over import end_left_over, left_over
from tests.windows.machine.machine import WindowsMachine, windows_path
from tests.windows.machine.problem import SetUpFailed
from tests.windows.machine.side_by_side import Share
from tests.windows.machine.tally import Tally, read_results, tally

RESULTS = PROJECT / "build" / "windows"
SUMMARY = RESULTS / "summary.json"
"""``tests_run``, ``tests_failed``, ``tests_skipped``, ``reasons`` (reason: how many), ``failed``, ``left_over``."""
WHOLE = "--windows-whole"
DIRECTML = "--directml"
BUNDLE = "--bundle"
_BUNDLE_LIMIT_S = 900.0
_DURATIONS = "durations.json"
_CHARACTERS_A_SECOND = 2000.0
"""A file that no earlier run tells of counts by its size."""


def run_suite(machine: WindowsMachine, arguments: Sequence[str], console: Console) -> int:
    """Run the tests and give the exit code: 0 when all that ran passed and no process was left behind.

    ``arguments`` go to pytest; with a file or folder among them only that runs. ``--windows-whole`` runs the tests
    that say nothing about Windows too; ``--directml`` those of DirectML on the system that has it; ``--bundle`` makes
    the all-in-one zip, which is unpacked and started then. Raises SetUpFailed.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    if BUNDLE in arguments:
        _make_bundle(machine, console)
    for old in (*RESULTS.glob("results-*.xml"), SUMMARY):
        old.unlink(missing_ok=True)
    quick = [] if WHOLE in arguments else ["--windows-quick"]
    named = [argument for argument in arguments if _is_place(argument)]
    extra = [*quick, *(each for each in arguments if each not in (WHOLE, DIRECTML, BUNDLE, *named))]
    with VirtualScreen() as screen:
        bytecode = windows_path(machine.folder / "bytecode")
        environment = {**machine.environment, "DISPLAY": screen.display, "PYTHONPYCACHEPREFIX": bytecode}
        files, far = _share_out(named, DIRECTML in arguments, known_durations(machine.folder))
        shares = [_share(machine, environment, str(number), some) for number, some in enumerate(files)]
        if far:
            shares.append(_directml_share(machine, far, console))
        said = side_by_side.run(shares, extra, console.say, lambda: end_left_over(machine))
        behind = left_over(machine.prefix)
        end_left_over(machine)
    for text in said:
        console.say(text)
    far_from_the_processor = machine.folder / directml.RESULT_NAME
    if DIRECTML in arguments and far_from_the_processor.is_file():
        shutil.copyfile(far_from_the_processor, RESULTS / directml.RESULT_NAME)
    written = [share.results for share in shares if share.results.is_file()]
    results = read_results(written)
    if not named:
        _remember_durations(machine.folder, results.seconds)
    total = tally(results)
    SUMMARY.write_text(json.dumps({**total.as_json(), "left_over": behind}, indent=1) + "\n", encoding="utf-8")
    _tell(total, behind, console)
    if len(written) < len(shares):
        console.say("  a process ended before its tests did; what it said stands above")
    complete = total.run > 0 and len(written) == len(shares)
    return 0 if complete and not total.failed and not total.without_reason and not behind else 1


def _is_place(argument: str) -> bool:
    """Does it name tests: a file, a folder, ``file::test``?"""
    return not argument.startswith("-") and (PROJECT / argument.partition("::")[0]).exists()


def _share_out(named: Sequence[str], far_too: bool, seconds: dict[str, float]) -> tuple[list[list[str]], list[str]]:
    """What each process runs, and what the one of the system that has DirectML; of ``named`` only, if there are any."""
    far = [place for place in named or directml.SUITE_FILES if place.partition("::")[0] in directml.SUITE_FILES]
    if not far_too:
        far = []
    if named:
        near = [place for place in named if place not in far]
        return ([near] if near else []), far
    # they wait more than they compute, for Wine and for one another
    return split(test_files(), (os.cpu_count() or 1) + 1, seconds), far


def test_files() -> list[str]:
    """Every file with tests, relative to the project, in the order of their names."""
    found = (PROJECT / "tests").rglob("test_*.py")
    return sorted(path.relative_to(PROJECT).as_posix() for path in found)


def split(files: Iterable[str], count: int, seconds: dict[str, float]) -> list[list[str]]:
    """The files in ``count`` shares that take about as long; ``seconds`` are those of an earlier run."""
    shares: list[list[str]] = [[] for _ in range(count)]
    taken = [0.0] * count
    weighed = [(seconds.get(file, _guess_s(PROJECT / file)), file) for file in files]
    for weight, file in sorted(weighed, reverse=True):
        least = taken.index(min(taken))
        shares[least].append(file)
        taken[least] += weight
    return [sorted(share) for share in shares if share]


def known_durations(folder: Path) -> dict[str, float]:
    """How many seconds each file took the last time; empty before the first run."""
    try:
        known = json.loads((folder / _DURATIONS).read_text(encoding="utf-8"))
        return {str(file): float(seconds) for file, seconds in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _make_bundle(machine: WindowsMachine, console: Console) -> None:
    """Where tests/windows/test_bundle.py looks for it."""
    console.say("the all-in-one zip")
    target = RESULTS / "bundle.zip"
    target.unlink(missing_ok=True)
    made = ["bundle", "--python", str(machine.python_home), "--output", str(target)]
    done = subprocess.run(
        [sys.executable, str(PROJECT / "install_plugin.py"), *made],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=_BUNDLE_LIMIT_S, check=False,
    )  # fmt: skip
    if done.returncode != 0 or not target.is_file():
        raise SetUpFailed(f"The bundle could not be made: {done.stdout.decode('utf-8', 'replace').strip()[-600:]}")


def _share(machine: WindowsMachine, environment: dict[str, str], name: str, files: Sequence[str]) -> Share:
    # Wine gives every program a TEMP of its own; tests write into a folder with a name as users have them
    temporary = machine.temporary_folder / f"tests {name}"
    return Share(machine.python, environment, PROJECT, files, RESULTS / f"results-{name}.xml", temporary)


def _directml_share(machine: WindowsMachine, places: Sequence[str], console: Console) -> Share:
    system = directml.prepare(console, machine)
    files = [windows_path(PROJECT / place) for place in places]
    # the checkout cannot be written there
    results = machine.folder / "results-directml.xml"
    for old in (results, system.result, RESULTS / system.result.name):
        old.unlink(missing_ok=True)
    return Share(system.python, system.environment, Path("/"), files, results, machine.temporary_folder / "directml")


def _guess_s(file: Path) -> float:
    return file.stat().st_size / _CHARACTERS_A_SECOND if file.is_file() else 1.0


def _remember_durations(folder: Path, seconds: dict[str, float]) -> None:
    known = {**known_durations(folder), **seconds}
    (folder / _DURATIONS).write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")


def _tell(total: Tally, behind: Sequence[str], console: Console) -> None:
    skipped = sum(total.reasons.values()) + len(total.without_reason)
    console.say(f"\nas Windows: {total.run} run, {skipped} skipped, {len(total.failed)} failed")
    for reason, count in sorted(total.reasons.items(), key=lambda entry: (-entry[1], entry[0])):
        console.say(f"  {count:5d}  {reason}")
    for name in total.without_reason:
        console.say(f"  skipped without a reason, which is not allowed: {name}")
    for name in total.failed:
        console.say(f"  failed: {name}")
    for name in behind:
        console.say(f"  left behind by a test: {name}")
