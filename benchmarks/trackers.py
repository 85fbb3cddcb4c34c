"""How fast each protocol's packets are read on one core, and how near the mapping is to the reference converters.

    python3 install_plugin.py bench trackers [--streams DIR] [--json FILE]

Every ``*.rec`` of the folder is read, the tracker told by the file name's first part. Mean and worst time are of one
packet through the whole decoder, the best of several rounds (the worst one too: a machine that does something else in
between is not the decoder's doing). Oracles are poses that THA4's own converters made of the same packets.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import _test_data
from benchmarks._report import parser
from core.pose.mapping import arkit
from core.pose.mapping.arkit_names import NAMES, SHAPE_COUNT
from core.pose.mapping.head import FULL_YAW_DEGREES
from core.pose.parameters import Pose, clamp
from core.wire.settings import defaults
from trackers import registry
from trackers.base import Decoder, Drop
from trackers.ifacialmocap_text import parse_text
from trackers.recording import Record, read_recording

ROUNDS = 5
ORACLE_FULL_YAW_DEGREES = 10.0
"""THA4's demos turn the head all the way at 10 degrees."""
GROUPS: dict[str, list[int]] = {
    "eyebrows": list(range(Pose.EYEBROW_TROUBLED_LEFT, Pose.EYEBROW_SERIOUS_RIGHT + 1)),
    "eyes": list(range(Pose.EYE_WINK_LEFT, Pose.EYE_UNIMPRESSED_RIGHT + 1)),
    "mouth": list(range(Pose.MOUTH_AAA, Pose.MOUTH_SMIRK + 1)),
    "gaze": [Pose.IRIS_ROTATION_X, Pose.IRIS_ROTATION_Y],
    "head": [Pose.HEAD_X, Pose.HEAD_Y, Pose.NECK_Z],
}
LEFT_OUT = (
    "lower eyelids (MediaPipe never moves the cheeks: its squint is used here and not there); lowered mouth corners of "
    "the iFacialMocap oracle (a slip in its converter makes them 0)"
)
Poses = NDArray[np.float32]


def read_all(new: Decoder, records: list[Record]) -> tuple[list[int], int]:
    """Nanoseconds of each packet, and how many were used."""
    taken, accepted = [], 0
    for record in records:
        arrival = int(record.seconds * 1e9) + 1_000_000_000
        start = time.perf_counter_ns()
        result = new.feed(record.datagram, arrival)
        taken.append(time.perf_counter_ns() - start)
        accepted += not isinstance(result, Drop)
    return taken, accepted


def speed_of(file: Path) -> dict[str, float] | None:
    """Figures of one recording; None when no tracker claims it."""
    protocol = registry.protocol_of_recording(file.name)
    factory = registry.decoder_factory(protocol, defaults(), file.name) if protocol is not None else None
    if factory is None:
        return None
    records = read_recording(file)
    rounds = [read_all(factory(), records) for _ in range(ROUNDS)]
    mean = min(sum(taken) / len(taken) for taken, _ in rounds)
    return {
        "packets": len(records),
        "accepted": rounds[0][1],
        "mean_us": round(mean / 1e3, 2),
        "worst_us": round(min(max(taken) for taken, _ in rounds) / 1e3, 1),
        "packets_per_second": round(1e9 / mean),
    }


def oracle_rows(file: Path) -> tuple[list[float], Poses]:
    """Times and poses of an oracle."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    poses = [row for row in rows if "pose" in row]
    return [row["t"] for row in poses], np.array([row["pose"] for row in poses], np.float32)


def from_mediapipe(file: Path, times: list[float]) -> Poses:
    """Our poses of the same pictures."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    by_time = {round(row["t"], 3): row for row in rows if "blendshapes" in row}
    poses = []
    for moment in times:
        row = by_time[round(moment, 3)]
        shapes = np.array([row["blendshapes"].get(name, 0.0) for name in NAMES], np.float32)
        poses.append(clamp(arkit.to_pose(shapes, np.zeros(SHAPE_COUNT, np.float32), (0.0, 0.0, 0.0))))
    return np.array(poses)


def from_text(file: Path) -> Poses:
    """Our poses of the same packets, face or no face."""
    poses = []
    for record in read_recording(file):
        frame = parse_text(record.datagram)
        assert not isinstance(frame, Drop)
        shapes = np.zeros(SHAPE_COUNT, np.float32)
        shapes[list(frame.shapes)] = list(frame.shapes.values())
        pitch, yaw, roll = (frame.head or (0.0, 0.0, 0.0))[:3]
        head = (pitch, yaw * FULL_YAW_DEGREES / ORACLE_FULL_YAW_DEGREES, roll)
        poses.append(clamp(arkit.to_pose(shapes, np.zeros(SHAPE_COUNT, np.float32), head)))
    return np.array(poses)


def error_of(ours: Poses, oracle: Poses, without: set[int], groups: list[str]) -> dict[str, object]:
    """The 99th percentile of the difference for each group of values, the largest of them, and the worst single one.

    The oracles' own optimiser stops short of its answer in one frame of a few hundred; a percentile forgives those.
    """
    difference = np.abs(ours - oracle)
    by_group = {}
    for name in groups:
        values = [value for value in GROUPS[name] if value not in without]
        by_group[name] = round(float(np.percentile(difference[:, values].max(axis=1), 99)), 4)
    kept = [value for name in groups for value in GROUPS[name] if value not in without]
    return {
        "mapping_error": max(by_group.values()),
        "groups": by_group,
        "worst": round(float(difference[:, kept].max()), 4),
        "poses": len(ours),
    }


def main(arguments: list[str] | None = None) -> int:
    """Print a table, and write the figures as JSON where that is wanted."""
    options = parser("How fast packets are read, and how near the mapping is to the reference.")
    options.add_argument("--streams", type=Path, metavar="DIR", help="recordings (default: those of the test data)")
    chosen = options.parse_args(arguments)
    folder: Path = chosen.streams or _test_data.folder() / "streams"
    figures: dict[str, object] = {}
    print(f"{'recording':44} {'packets':>8} {'used':>6} {'mean us':>8} {'worst us':>9}")
    for file in sorted(folder.glob("*.rec")):
        speed = speed_of(file)
        if speed is None:
            print(f"{file.name:44} no tracker claims this name")
            continue
        figures[file.name] = speed
        row = (speed["packets"], speed["accepted"], speed["mean_us"], speed["worst_us"])
        print(f"{file.name:44} {row[0]:8.0f} {row[1]:6.0f} {row[2]:8.1f} {row[3]:9.1f}")
    if not figures:
        print(f"there are no recordings in {folder}: give --streams, or set EASYVTUBER_TEST_DATA", file=sys.stderr)
        return 1
    figures.update(_mapping_errors(folder))
    if chosen.json is not None:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _mapping_errors(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    mediapipe, text = (folder / f"expected_pose45_tha4_from_{name}.jsonl" for name in ("mediapipe", "ifm_v1"))
    if mediapipe.is_file():
        times, poses = oracle_rows(mediapipe)
        ours = from_mediapipe(folder / "mediapipe_facelandmarker.jsonl", times)
        # the head's place before the camera is another packet's business, and tested with the webcam
        found[mediapipe.name] = error_of(ours, poses, set(), ["eyebrows", "eyes", "mouth", "gaze"])
    if text.is_file():
        _, poses = oracle_rows(text)
        slip = {int(Pose.MOUTH_LOWERED_CORNER_LEFT), int(Pose.MOUTH_LOWERED_CORNER_RIGHT)}
        ours = from_text(folder / "ifacialmocap_v1_synth.rec")
        found[text.name] = error_of(ours, poses, slip, list(GROUPS))
    for name, figures in found.items():
        print(f"\n{name}")
        assert isinstance(figures, dict)
        for group, error in {**figures["groups"], "largest": figures["mapping_error"]}.items():
            print(f"{group:>12}: {error:.4f}")
    if found:
        print(f"\nleft out: {LEFT_OUT}")
    return found


if __name__ == "__main__":
    sys.exit(main())
