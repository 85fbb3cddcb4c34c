"""Two libraries that Wine or the packages lack: C99's complex functions, and Python's ``python3.dll``."""

from __future__ import annotations

import re
from pathlib import Path

from tests.windows.machine.exports import exported_names
from tests.windows.machine.mingw import COMPILER, run_tool
from tests.windows.machine.problem import SetUpFailed

SOURCES = Path(__file__).with_name("sources")
WINES_COPY = "wineucrt.dll"
"""The name under which Wine's own C library stays available to ours."""
_BUILT_IN, _COPIED = b"Wine builtin DLL", b"a copy of Wine's"


def make_c_library(wines: Path, folder: Path) -> None:
    """Make ``ucrtbase.dll`` in ``folder``: complex functions are ours, all else is forwarded to Wine's copy beside it.

    ``wines`` is Wine's own ``ucrtbase.dll``. Raises SetUpFailed.
    """
    content = wines.read_bytes()
    if _BUILT_IN not in content[:512]:
        raise SetUpFailed(f"{wines} is not marked as a library of Wine, so it cannot be stood in for.")
    # with the mark Wine would put its own library of that name in the copy's place
    (folder / WINES_COPY).write_bytes(content.replace(_BUILT_IN, _COPIED, 1))
    ours = complex_functions()
    copy = WINES_COPY.rpartition(".")[0]
    names = {name: f"our_{name}" if name in ours else f"{copy}.{name}" for name in exported_names(wines)}
    _link("ucrtbase.dll", names, SOURCES / "complex.c", folder, "-static-libgcc")


def complex_functions() -> set[str]:
    """The functions that ``complex.c`` has, by their names in C."""
    text = (SOURCES / "complex.c").read_text(encoding="utf-8")
    families = re.findall(r"^(?:COMPLEX|REAL)_OF_COMPLEX\((\w+)\)", text, re.MULTILINE)
    alone = re.findall(r"^(?:wide|narrow) our_(\w+)\(", text, re.MULTILINE)
    return {name + suffix for name in families for suffix in ("", "f", "l")} | set(alone)


def make_stable_abi(python_library: Path, folder: Path) -> None:
    """Make ``python3.dll`` in ``folder``: every name is forwarded to ``python312.dll``. Raises SetUpFailed."""
    target = python_library.stem
    names = {name: f"{target}.{name}" for name in exported_names(python_library)}
    _link("python3.dll", names, SOURCES / "nothing.c", folder, "-nostdlib", "-e", "DllMain")


def _link(library: str, names: dict[str, str], source: Path, folder: Path, *options: str) -> None:
    definition = folder / f"{library}.def"
    lines = [f"LIBRARY {library}", "EXPORTS", *(f"  {name} = {target}" for name, target in names.items())]
    definition.write_text("\n".join(lines) + "\n", encoding="ascii")
    run_tool([COMPILER, "-O2", "-shared", "-o", library, str(source), str(definition), *options], folder)
    definition.unlink()
