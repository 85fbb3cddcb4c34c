"""The command line of ``install_plugin.py``."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import List, Optional

from ..wire.folders import default_environment, user_cache, user_data, user_logs
from . import developer, doctor, install_record, option_tables, registration, running
from .bundle import command as bundle
from .console import Console
from .obs.places import find_obs
from .obs.process import ObsProcessError
from .obs.python import restore_obs_python
from .obs.websocket import ObsWebsocketError
from .problem import InstallProblem
from .virtual_screen import VirtualScreenError


def main(arguments: Optional[List[str]] = None) -> int:
    """Run one command; 0 when it went well. Every expected problem is one sentence on the terminal."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command not in ("test", "bench", *developer.TOOLS):
        _parser().error("unknown: " + " ".join(rest))
    console = Console(assume_yes=options.yes)
    try:
        return _dispatch(options, rest, console)
    except (InstallProblem, VirtualScreenError, ObsProcessError, ObsWebsocketError, OSError) as problem:
        console.say(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        console.say("\nStopped. What is done stays done; run the same command again to go on.")
        return 130


def _dispatch(options: argparse.Namespace, rest: List[str], console: Console) -> int:
    folder = Path(options.environment).resolve()
    if options.command == "run":
        choice = registration.Choice(options.collection, options.keep_scenes)
        running.run(console, folder, running.Wishes(options.virtual, options.obs, choice, options.ask_again))
        return 0
    if options.command == "doctor":
        return 0 if doctor.doctor(console, folder, options.obs) else 1
    if options.command == "uninstall":
        return _uninstall(console, folder, options.obs)
    if options.command == "bundle":
        bundle.bundle(console, folder, bundle.wanted_of(options))
        return 0
    if options.command == "test":
        return developer.test(console, folder, rest, options.yes)
    if options.command == "bench":
        return developer.bench(console, folder, rest)
    if options.command in developer.TOOLS:
        return developer.tool(console, folder, options.command, rest, options.yes)
    if options.command == "docs":
        option_tables.write()
        console.say(f"written: {option_tables.PAGE}")
        return 0
    if options.command == "types":
        return developer.types(console, folder)
    return developer.lint(console, folder, fix=options.command == "format")


def _uninstall(console: Console, folder: Path, obs_folder: str) -> int:
    """Take back what ``run`` put somewhere. Characters and calibrations are the user's and stay."""
    obs = running.named_obs(obs_folder)
    meant = find_obs(obs) if obs else None
    registration.unregister(console, None if meant is None else meant.config)
    restore_obs_python(console)
    install_record.forget_everything()
    if (folder / "pyvenv.cfg").is_file() and console.ask(f"Remove the worker's environment {folder}?"):
        try:
            shutil.rmtree(folder)
        except OSError as problem:
            raise InstallProblem(
                f"{folder} could not be removed: {problem}. Close OBS and what else may use it, and run this again."
            ) from problem
        console.say(f"removed {folder}")
    for place in (running.RESULTS, user_logs(), user_cache(), user_data() / "instances"):
        if place.exists():
            shutil.rmtree(place, ignore_errors=True)
            console.say(f"removed {place}")
    console.say("Done. OBS, your scenes, your characters and your calibrations were left as they are.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install_plugin.py", description="Sets EasyVtuber for OBS up, starts it, examines it, removes it."
    )
    parser.add_argument("--yes", action="store_true", help="answer every question with yes")
    parser.add_argument(
        "--environment", default=str(default_environment()), metavar="FOLDER",
        help="where the worker's Python environment is (default: .venv in this folder)",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    start = commands.add_parser("run", help="set up whatever is missing and start OBS with the avatar")
    start.add_argument("--virtual", action="store_true", help="use a virtual screen even though there is a real one")
    scenes = start.add_mutually_exclusive_group()
    scenes.add_argument("--collection", default="", metavar="NAME", help="the scene collection that gets the script")
    scenes.add_argument("--keep-scenes", action="store_true", help="touch no scene collection: add the script by hand")
    start.add_argument("--ask-again", action="store_true", help="offer once more what was declined before")
    about_obs = [
        start,
        commands.add_parser("doctor", help="tell what is right and what is wrong"),
        commands.add_parser("uninstall", help="take back what was put into OBS and onto this machine"),
    ]
    for command in about_obs:
        command.add_argument("--obs", default="", metavar="FOLDER", help="OBS's own folder, if it is portable")
    commands.add_parser("models", help="list, download, import and check networks: models list, models get KEY, ...")
    commands.add_parser("picture", help="make a character of any picture: picture FILE [--name NAME]")
    commands.add_parser("devices", help="tell what can compute networks here")
    commands.add_parser("test", help="run all tests (--windows: as Windows does); further arguments go to pytest")
    commands.add_parser("bench", help="run a benchmark: bench NAME [--json FILE]; without a name, list them")
    commands.add_parser("lint", help="check style")
    commands.add_parser("format", help="mend style")
    commands.add_parser("docs", help="write the documentation's tables anew")
    commands.add_parser("types", help="check types, as Linux and as Windows")
    bundle.add_options(commands.add_parser("bundle", help="make a zip that a Windows user runs without a network"))
    for command in commands.choices.values():
        # the same switches behind the command, where people type them
        command.add_argument("--yes", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        command.add_argument("--environment", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
