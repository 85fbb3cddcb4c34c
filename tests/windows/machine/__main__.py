"""Behind ``install_plugin.py test --windows``: sets the Windows machine up, then runs the tests on it."""

from __future__ import annotations

import sys

from core.install.console import Console
from core.install.problem import InstallProblem
from tests.windows.machine.preparing import prepare
from tests.windows.machine.problem import SetUpFailed
from tests.windows.machine.suite import run_suite

ONLY_SET_UP = "--set-up"


def main(arguments: list[str]) -> int:
    """``[--yes] [--set-up] [arguments for pytest]``; 0 when all is well."""
    console = Console(assume_yes="--yes" in arguments)
    rest = [argument for argument in arguments if argument not in ("--yes", ONLY_SET_UP)]
    try:
        console.step("A Windows Python under Wine")
        machine = prepare(console)
        if ONLY_SET_UP in arguments:
            return 0
        console.step("Tests, as Windows runs them")
        return run_suite(machine, rest, console)
    except (SetUpFailed, InstallProblem, OSError) as problem:
        console.say(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        console.say("\nStopped. What is set up stays; run the same command again to go on.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
