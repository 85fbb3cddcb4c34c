"""How a benchmark's figures leave it: lines for people, JSON for machines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser with the option every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return made


def give(figures: Mapping[str, object], file: Path | None) -> None:
    """Print every figure and write the file if one is wanted."""
    for name, value in figures.items():
        print(f"{name:>24}: {value:.3f}" if isinstance(value, float) else f"{name:>24}: {value}")
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie; values need not be in order."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
