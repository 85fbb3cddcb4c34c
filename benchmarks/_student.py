"""Which student a benchmark looks at, and the processor it runs on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from accel.base import Device
from accel.onnxruntime.options import CPU_NAME, CpuOptions
from accel.onnxruntime.runtime import OrtRuntime
from models.student.folder import StudentFiles, student_files

from . import _test_data


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every benchmark of students can be told."""
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--character", type=Path, default=None, help="a student's folder; the test data's first")


def first() -> Path:
    """The test data's first student."""
    return _test_data.folder() / "models" / "tha4_student" / "lambda_00"


def files_in(folder: Path) -> StudentFiles | None:
    """The student's files; None, after a word about it, where there is none."""
    files = student_files(folder)
    if files is None:
        print(f"There is no THA4 student in {folder}. Name one with --character.")
    return files


def processor(threads: int) -> OrtRuntime:
    """The processor with so many threads."""
    return OrtRuntime(CPU_NAME, Device(CPU_NAME, 0, "processor"), CpuOptions(threads))
