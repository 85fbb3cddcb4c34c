"""Which networks may be put into a package for others, and what has to go along: ``python -m models.store.passing_on``.

The program prints what ``install_plugin.py bundle`` packs. Nothing is fetched: what shall go in must be here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from core.wire.errors import EasyVtuberError

from . import catalog, words
from .entry import Entry, Root
from .files import Presence
from .notices import NOTICES, WITHHELD
from .store import Store

DONE, REFUSED = 0, 1
"""Exit codes."""


class NotPassedOn(Exception):
    """A network must not or cannot go in; the sentence says why and what to do."""


def passed_on(keys: Sequence[str], store: Store) -> list[dict[str, object]]:
    """What goes into a package: title, licence, notice, and for every file its path in the project and where it lies.

    Raises NotPassedOn.
    """
    return [_packed(_known(key), store) for key in dict.fromkeys(keys)]


def refusal(entry: Entry) -> str | None:
    """Why an entry must not be passed on; None when it may. What nobody looked up counts as not allowed."""
    if entry.licence.key in NOTICES:
        return None
    reason = WITHHELD.get(entry.licence.key, "nobody has looked up yet whether its licence allows that")
    return f"{entry.title} ({entry.licence.name}) does not go into a package for others: {reason}."


def main(arguments: Sequence[str], store: Store | None = None) -> int:
    """Print the list as JSON, or say on stderr what speaks against it; gives the exit code."""
    try:
        found = passed_on(arguments, store or Store())
    except NotPassedOn as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    except EasyVtuberError as error:
        sys.stderr.write(f"{words.sentence(error)}\n")
        return REFUSED
    sys.stdout.write(json.dumps(found) + "\n")
    return DONE


def _known(key: str) -> Entry:
    entry = catalog.entry(key)
    if entry is None:
        keys = ", ".join(candidate.key for candidate in catalog.CATALOGUE)
        raise NotPassedOn(f"There is no network called {key}. Known: {keys}.")
    return entry


def _packed(entry: Entry, store: Store) -> dict[str, object]:
    reason = refusal(entry)
    if reason is not None:
        raise NotPassedOn(f"{reason} Users get it themselves: {_how_to_get(entry)}.")
    if store.status(entry, afresh=True).presence is not Presence.PRESENT:
        raise NotPassedOn(f"{entry.title} is not here or not whole. Get it first: {_how_to_get(entry)}.")
    roots = {Root.WEIGHTS: "models/weights", Root.CHARACTERS: "characters"}
    files = [
        (f"{roots[file.place.root]}/{file.place.path}", str(store.places.path(file.place))) for file in entry.files
    ]
    return {
        "key": entry.key,
        "title": entry.title,
        "licence": entry.licence.name,
        "address": entry.licence.url,
        "notice": NOTICES[entry.licence.key],
        "files": files,
    }


def _how_to_get(entry: Entry) -> str:
    return "install_plugin.py models " + ("import ZIP_OR_FOLDER" if entry.import_only else f"get {entry.key}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
