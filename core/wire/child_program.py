"""Small programs that work for one of our processes: libraries that would harm it if they ran inside.

Each is a file of its own that is started by its path, reads what it gets on its standard input, and ends when that
ends: whatever happens to us, no program stays behind.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Mapping, Optional

_END_LIMIT_S = 0.5
_KILL_LIMIT_S = 2.0


def start(
    program: Path,
    environment: Optional[Mapping[str, str]] = None,
    errors: Optional[int] = None,
    in_background: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program with pipes for input and output, without a window. Raises OSError.

    ``errors``: where what it says on its error output goes, as :class:`subprocess.Popen` has it; ours if None.
    ``in_background``: others go first; on Linux the program must ask for that itself.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
        if in_background:
            flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
    return subprocess.Popen(
        # -I: neither the user's packages nor the current folder put anything before our own
        [sys.executable, "-I", str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=environment,
        creationflags=flags,
    )


def end(process: subprocess.Popen[bytes]) -> bool:
    """Close a program's input and wait for its end; False when it had to be ended. Safe to call twice."""
    assert process.stdin is not None
    try:
        process.stdin.close()
    except OSError:
        # what could not be sent to a program that is gone
        pass
    try:
        process.wait(_END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_KILL_LIMIT_S)
        return False
    return True
