"""Networks for a bundle: those that are here and may be passed on, as ``models.store.passing_on`` tells them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Sequence, Tuple

from ..problem import InstallProblem
from .wheels import Runner

_LIMIT_S = 600.0


class Model(NamedTuple):
    """A network that goes in."""

    key: str
    title: str
    licence: str
    address: str
    """Where its licence is published."""
    notice: str
    """The text that has to go along."""
    files: Sequence[Tuple[str, Path]]
    """Path inside the project folder, where the program looks for it, and where it lies now."""


def chosen_models(keys: Sequence[str], python: Path, run: Runner) -> List[Model]:
    """Ask the store for these networks. Raises InstallProblem with its reason when one must not or cannot go in."""
    if not keys:
        return []
    done = run([str(python), "-m", "models.store.passing_on", *keys], _LIMIT_S)
    if done.returncode != 0:
        raise InstallProblem(done.stderr.decode("utf-8", "replace").strip() or "The store of networks did not answer.")
    return _parsed(done)


def _parsed(done: subprocess.CompletedProcess[bytes]) -> List[Model]:
    try:
        return [_model(entry) for entry in json.loads(done.stdout.decode("utf-8"))]
    except (ValueError, KeyError, TypeError) as problem:
        raise InstallProblem(f"The store of networks answered with something else ({problem}).") from problem


def _model(entry: Mapping[str, Any]) -> Model:
    files = [(str(name), Path(source)) for name, source in entry["files"]]
    key, title, licence, address, notice = (
        str(entry[field]) for field in ("key", "title", "licence", "address", "notice")
    )
    return Model(key, title, licence, address, notice, files)
