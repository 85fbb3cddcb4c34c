"""``install_plugin.py bundle``: one zip that a Windows user unpacks and runs without a network."""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from ...wire.folders import PROJECT, user_cache
from ...wire.version import VERSION
from .. import environment
from ..console import Console
from ..graphics_packages import NVIDIA_REQUIREMENTS
from ..problem import InstallProblem
from . import archive as bundle_archive
from . import contents as bundle_contents
from . import python as bundle_python
from . import wheels as bundle_wheels
from .archive import Source, megabytes
from .licences import asking_for_source, licences_page
from .models import Model, chosen_models
from .pins import windows_pins
from .product import product_files
from .python import WindowsPython
from .wheels import Runner, Wheel

TOP = "EasyVtuber"
"""The one folder in the zip; the same for every version, so that a newer one unpacks over an older one."""
LICENCES = "LICENSES.md"
_PACKAGES = ".venv/Lib/site-packages"


class Wanted(NamedTuple):
    """What the maker asked for. ``python`` is None for this machine's own, where that can come along."""

    output: Optional[Path] = None
    python: Optional[Path] = None
    models: Sequence[str] = ()
    nvidia: bool = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's own switches."""
    parser.add_argument("--output", type=Path, metavar="FILE.zip", help="where the zip goes (default: in build/)")
    parser.add_argument(
        "--python", type=Path, metavar="FOLDER",
        help="a Windows installation of Python 3.12 that comes along (default: on Windows this machine's own)",
    )  # fmt: skip
    parser.add_argument(
        "--models", nargs="+", default=[], metavar="KEY", help="networks that come along, by their keys in: models list"
    )
    parser.add_argument("--nvidia", action="store_true", help="add the packages for NVIDIA's cards")


def wanted_of(options: argparse.Namespace) -> Wanted:
    """What the switches of :func:`add_options` say."""
    return Wanted(options.output, options.python, tuple(options.models), options.nvidia)


def bundle(
    console: Console, environment_folder: Path, wanted: Wanted, project: Path = PROJECT, run: Optional[Runner] = None
) -> Path:
    """Make the zip and give its path. Raises InstallProblem; whatever was at the output's place stays then."""
    run = run or environment.run_quietly
    output = _output(wanted, project)
    console.step("What goes in")
    files = product_files(project)
    if output in {(project / name).resolve() for name in files}:
        raise InstallProblem(f"{output} is a file of the program. Name another place with --output.")
    python = _python(wanted, console)
    if python is not None and python.folder in output.parents:
        raise InstallProblem(f"{output} lies in the Python that goes in. Name another place with --output.")
    maker = environment.prepare(environment_folder, console)
    models = chosen_models(wanted.models, maker, run)
    pins = windows_pins(_requirements(project, wanted.nvidia))
    wheels = bundle_wheels.fetch(pins, maker, user_cache() / "bundle-wheels", console, run)
    sources = _sources(files, python, wheels, models)
    console.step("The zip")
    facts = bundle_archive.fingerprints(sources)
    sources[bundle_contents.MANIFEST] = _manifest(facts, python, wheels, models)
    facts = {**facts, **bundle_archive.fingerprints({bundle_contents.MANIFEST: sources[bundle_contents.MANIFEST]})}
    byte_count = bundle_archive.write(output, TOP, sources, facts, console)
    _tell(console, output, byte_count, facts, python, wheels, models, wanted)
    return output


def _output(wanted: Wanted, project: Path) -> Path:
    output = (wanted.output or project / "build" / f"EasyVtuber-OBS-{VERSION}-windows.zip").resolve()
    if output.suffix.lower() != ".zip" or output.is_dir():
        raise InstallProblem(f"{output} is no name for the zip. Name a file that ends in .zip with --output.")
    return output


def _python(wanted: Wanted, console: Console) -> Optional[WindowsPython]:
    """The interpreter that goes in: the one named, else on Windows the installation that this runs in."""
    if wanted.python is not None:
        found: Optional[WindowsPython] = bundle_python.examine(wanted.python)
    elif sys.platform == "win32":
        try:
            found = bundle_python.examine(Path(sys.base_prefix))
        except InstallProblem as problem:
            console.say(f"{problem}")
            found = None
    else:
        found = None
    if found is None:
        console.say("no Python goes in, so users need Python 3.12 from python.org (--python FOLDER brings one along)")
    else:
        console.say(f"Python {found.version} from {found.folder}")
    return found


def _requirements(project: Path, nvidia: bool) -> List[str]:
    lines = environment.read_requirements(project / "requirements.txt")
    return [*lines, *environment.read_requirements(project / NVIDIA_REQUIREMENTS.name)] if nvidia else lines


def _sources(
    files: Mapping[str, bytes], python: Optional[WindowsPython], wheels: Sequence[Wheel], models: Sequence[Model]
) -> Dict[str, Source]:
    sources: Dict[str, Source] = dict(files)
    if python is not None:
        sources.update({f"{bundle_contents.PYTHON}/{name}": path for name, path in python.files.items()})
    sources.update({f"{bundle_contents.WHEELS}/{wheel.path.name}": wheel.path for wheel in wheels})
    for model in models:
        sources.update(dict(model.files))
    sources[LICENCES] = licences_page(VERSION, python, wheels, models).encode("utf-8")
    return sources


def _manifest(
    facts: Mapping[str, bundle_archive.Fingerprint], python: Optional[WindowsPython], wheels: Sequence[Wheel],
    models: Sequence[Model],
) -> bytes:  # fmt: skip
    content = {
        "format": bundle_contents.FORMAT,
        "product": VERSION,
        "platform": bundle_wheels.PLATFORM,
        "python": "{}.{}".format(*bundle_python.VERSION),
        "bundled_python": "" if python is None else python.version,
        "longest_name": max(len(name) for name in [*facts, *_installed(wheels)]),
        "wheels": {wheel.pin.key: wheel.path.name for wheel in wheels},
        "models": {model.key: model.licence for model in models},
        "files": {name: list(fact) for name, fact in sorted(facts.items())},
    }
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode("utf-8")


def _installed(wheels: Iterable[Wheel]) -> Iterable[str]:
    """Paths that the packages will have in the worker's environment."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel.path) as archive:
            for name in archive.namelist():
                below = re.sub(r"^[^/]+\.data/(?:purelib|platlib|scripts|data|headers)/", "", name)
                yield f"{_PACKAGES}/{below}"
                if below.endswith(".py"):
                    folder, _, module = f"{_PACKAGES}/{below}".rpartition("/")
                    yield f"{folder}/__pycache__/{module[:-3]}.cpython-312.pyc"


def _tell(
    console: Console, output: Path, byte_count: int, facts: Mapping[str, bundle_archive.Fingerprint],
    python: Optional[WindowsPython], wheels: Sequence[Wheel], models: Sequence[Model], wanted: Wanted,
) -> None:  # fmt: skip
    def size(start: str) -> int:
        return megabytes(sum(fact.byte_count for name, fact in facts.items() if name.startswith(start)))

    console.say(f"made: {output}")
    parts = [f"packages {size('wheels/')} MB"]
    if python is not None:
        parts.append(f"Python {size('python/')} MB")
    if models:
        parts.append(f"networks {size('models/weights/')} MB")
    console.say(f"{megabytes(byte_count)} MB, unpacked {size('')} MB in {len(facts)} files ({', '.join(parts)})")
    console.say(f"Who unpacks it double-clicks install.bat. Licences of what is inside: {LICENCES}.")
    for package in asking_for_source(wheels):
        console.say(f"Its licence has whoever passes the zip on offer its source code as well: {package}")
    if wanted.nvidia:
        console.say("NVIDIA's packages are under NVIDIA's own terms: read them in there before you pass the zip on.")
