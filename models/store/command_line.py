"""``python -m models.store``: list, get, import, check, licences."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO, TypeAlias

from core.wire.errors import DownloadFailed, EasyVtuberError, LicenceNeeded

from . import catalog, words
from .disk import hash_of
from .entry import Entry, Licence
from .importer import ImportReport
from .store import Store

DONE, FAILED, WRONG_CALL, LICENCE, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes."""
_LINE_EVERY_S = 5.0


def main(arguments: Sequence[str], store: Store | None = None) -> int:
    """Run one command; gives the exit code."""
    choices = _parser().parse_args(arguments)
    console = Console(sys.stdout, sys.stderr, choices.yes)
    command: _Command = choices.command
    try:
        return command(choices, store or Store(), console)
    except LicenceNeeded as needed:
        console.complain(words.sentence(needed))
        return LICENCE
    except EasyVtuberError as error:
        console.complain(words.sentence(error))
        if choices.verbose and error.detail:
            console.complain(error.detail)
        return FAILED
    except OSError as problem:
        console.complain(f"The disk refused: {problem}.")
        return FAILED
    except KeyboardInterrupt:
        console.complain("Stopped. What has come stays.")
        return INTERRUPTED


class Console:
    """Lines, a progress line and questions. Without a terminal nobody can answer, so the answer is no."""

    def __init__(self, out: TextIO, errors: TextIO, assume_yes: bool = False) -> None:
        self._out = out
        self._errors = errors
        self._assume_yes = assume_yes
        self._drawn = out.isatty()
        self._shown = ""
        self._told_s = 0.0

    def say(self, text: str) -> None:
        """One line."""
        self._end_progress()
        _write(self._out, text + "\n")

    def complain(self, text: str) -> None:
        """One line among the errors."""
        self._end_progress()
        _write(self._errors, text + "\n")

    def progress(self, task: str, fraction: float) -> bool:
        """Draw how far it is; without a terminal, a line now and then. Never asks to stop: Ctrl-C does."""
        line = f"{task} {fraction * 100:3.0f} %"
        if self._drawn:
            if line != self._shown:
                _write(self._out, "\r" + line.ljust(len(self._shown)))
                self._shown = line
        elif time.monotonic() - self._told_s > _LINE_EVERY_S:
            self._told_s = time.monotonic()
            _write(self._out, line + "\n")
        return True

    def agrees(self, licence: Licence) -> bool:
        """Show a licence and ask."""
        self.say(f"{licence.name} ({licence.url})\n{licence.text}")
        if self._assume_yes:
            return True
        if not (self._drawn and sys.stdin is not None and sys.stdin.isatty()):
            return False
        _write(self._out, "Do you agree? [y/N] ")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _end_progress(self) -> None:
        if self._shown:
            self._shown = ""
            _write(self._out, "\n")


def _write(stream: TextIO, text: str) -> None:
    # a console in an old code page must not end the work because of a name it cannot show
    encoding = stream.encoding or "ascii"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


_Command: TypeAlias = Callable[[argparse.Namespace, Store, Console], int]


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--yes", action="store_true", help="agree to the licences of what is fetched")
    common.add_argument("--verbose", action="store_true", help="tell everything that is known about an error")
    parser = argparse.ArgumentParser(prog="python -m models.store", description="Networks' files: get and import them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str, command: _Command) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, parents=[common])
        added.set_defaults(command=command)
        return added

    add("list", "what there is, and what of it is here", _list)
    add("get", "fetch something of the list", _get).add_argument("keys", nargs="+", metavar="KEY", choices=_keys())
    importing = add("import", "take networks from a zip, or from the folder of an EasyVtuber installation", _import)
    importing.add_argument("path", type=Path, metavar="PATH")
    check = add("check", "look into every file that is here", _check)
    check.add_argument("--hash", action="store_true", help="also print every file's SHA-256")
    add("licences", "how each thing may be used", _licences)
    return parser


def _keys() -> list[str]:
    return [entry.key for entry in catalog.CATALOGUE]


def _list(choices: argparse.Namespace, store: Store, console: Console) -> int:
    width = max(len(key) for key in _keys())
    for entry in catalog.CATALOGUE:
        presence = store.status(entry).presence.value
        how = "import only" if entry.import_only else entry.licence.name
        console.say(f"{entry.key:{width}}  {presence:8}  {how:12}  {entry.title}")
    return DONE


def _get(choices: argparse.Namespace, store: Store, console: Console) -> int:
    wanted = [entry for entry in catalog.CATALOGUE if entry.key in choices.keys]
    for licence in dict.fromkeys(entry.licence for entry in wanted):
        if not store.agreements.has(licence) and console.agrees(licence):
            store.agreements.agree(licence)
    try:
        new = store.get(wanted, console.progress)
    except DownloadFailed as failed:
        for by_hand in dict.fromkeys(entry.by_hand for entry in wanted if entry.by_hand is not None):
            if failed.parameters.get("reason") == "import_only":
                console.say(f"{by_hand.text} ({by_hand.url})")
        raise
    for path in new:
        console.say(f"new: {path}")
    console.say(_here(wanted))
    return DONE


def _here(entries: list[Entry]) -> str:
    return f"{', '.join(entry.key for entry in entries)}: complete."


def _import(choices: argparse.Namespace, store: Store, console: Console) -> int:
    report = store.import_from(choices.path, console.progress)
    _tell(report, console, choices.verbose)
    return FAILED if report.damaged or any(skipped.reason == "in_use" for skipped in report.skipped) else DONE


def _tell(report: ImportReport, console: Console, verbose: bool) -> None:
    for taken in report.taken:
        console.say(f"new: {taken.path}" + (f" (the one before: {taken.backup.name})" if taken.backup else ""))
    for skipped in report.skipped:
        if skipped.reason in ("not_known", "already_there") and not verbose:
            continue
        console.say(f"left out: {skipped.source} ({words.reason(skipped.reason)})")
    for damaged in report.damaged:
        console.complain(
            f"bad: {damaged.source} ({words.reason(damaged.reason)}; it should be {damaged.place.contract})"
        )
    console.say(
        f"{len(report.taken)} taken, {report.already_there} there already, "
        f"{len(report.skipped) - report.already_there + report.unlisted} left out, {len(report.damaged)} bad."
    )


def _check(choices: argparse.Namespace, store: Store, console: Console) -> int:
    bad = 0
    for entry in catalog.CATALOGUE:
        store.status(entry, afresh=True)
        for file in entry.files:
            path = store.places.path(file.place)
            if not path.is_file():
                continue
            problem = store.problem_with(file)
            bad += problem is not None
            line = f"{file.place.path}: good" if problem is None else words.sentence(problem)
            console.say(f"{line}  {hash_of(path)}" if choices.hash else line)
    console.say("All that is here is good." if not bad else f"{bad} files are bad; get or import them again.")
    return FAILED if bad else DONE


def _licences(choices: argparse.Namespace, store: Store, console: Console) -> int:
    for licence in catalog.licences():
        agreed = "agreed" if store.agreements.has(licence) else "not agreed yet"
        keys = ", ".join(entry.key for entry in catalog.CATALOGUE if entry.licence.key == licence.key)
        console.say(f"{licence.name} ({licence.url}), {agreed}\n  {licence.text}\n  For: {keys}")
    return DONE
