"""Starts one animal of the zoo as OBS's side starts the worker: ``python -I tests/crash/zoo/run.py NAME``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    importlib.import_module(f"tests.crash.zoo.{sys.argv[1]}").main()
