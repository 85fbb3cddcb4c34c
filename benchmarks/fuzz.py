"""Every decoder against broken packets, for as long as wanted: nothing raised, nothing out of range.

    python3 install_plugin.py bench fuzz --count 1000000 [--streams DIR] [--seed N] [--json FILE]

``--count`` packets for each recording, made of its own (``_hostile``); now and then some come whole, so that what must
be agreed first (a schema, a lock on a face) is agreed. Every sample that comes out is looked at, and every tenth goes
all the way to the pose.
"""

from __future__ import annotations

import pickle
import random
import sys
import time
from pathlib import Path

from benchmarks import _test_data
from benchmarks._hostile import PoseCheck, break_packet, is_in_range
from benchmarks._report import give, parser
from core.wire.settings import defaults
from trackers import registry
from trackers.base import Decoder, Drop
from trackers.recording import read_recording

PACKET_NS = 16_666_667
LONGEST_KEPT_BYTES = 2 << 20
"""What a decoder may hold at most, pickled: an FMV3 session holds parts of messages up to half a megabyte."""
_SHOWN_PROBLEMS = 5
_WHOLE_EVERY, _WHOLE = 1000, 8


class Run:
    """The packets of one recording."""

    def __init__(self, file: Path, seed: int) -> None:
        self.protocol = registry.protocol_of_recording(file.name) or ""
        self.packets = [record.datagram for record in read_recording(file)]
        self._file = file
        self._chance = random.Random(f"{seed}/{file.name}")
        self.exceptions = self.out_of_range = self.accepted = 0
        self.worst_us = 0.0

    def new_decoder(self) -> Decoder:
        """A fresh one."""
        factory = registry.decoder_factory(self.protocol, defaults(), self._file.name)
        assert factory is not None
        return factory()

    def _broken(self) -> bytes:
        return break_packet(self._chance, self._chance.choice(self.packets), self._chance.choice(self.packets))

    def run(self, count: int) -> None:
        """Feed ``count`` broken packets."""
        decoder, check, arrival = self.new_decoder(), PoseCheck(self.protocol), 1_000_000_000
        for number in range(count):
            if number % _WHOLE_EVERY < len(self.packets[:_WHOLE]):
                packet = self.packets[number % _WHOLE_EVERY]
            else:
                packet = self._broken()
            arrival += self._chance.choice((0, PACKET_NS, PACKET_NS, PACKET_NS, 600_000_000))
            start = time.perf_counter_ns()
            try:
                result = decoder.feed(packet, arrival)
            except Exception as problem:  # noqa: BLE001 - that is what is looked for
                self.exceptions += 1
                if self.exceptions <= _SHOWN_PROBLEMS:
                    print(f"{self._file.name}: {problem!r} on {packet[:200]!r}", file=sys.stderr)
                decoder = self.new_decoder()
                continue
            self.worst_us = max(self.worst_us, (time.perf_counter_ns() - start) / 1e3)
            if result is not None and not isinstance(result, Drop):
                self.accepted += 1
                good = is_in_range(result) and (number % 10 or check.is_in_range(result))
                if not good:
                    self.out_of_range += 1
                    if self.out_of_range <= _SHOWN_PROBLEMS:
                        print(f"{self._file.name}: {result} of {packet[:200]!r}", file=sys.stderr)
        kept = len(pickle.dumps(decoder))
        if kept > LONGEST_KEPT_BYTES:
            self.out_of_range += 1
            print(f"{self._file.name}: the decoder keeps {kept} bytes", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Print and write the figures; 1 when anything was raised or out of range."""
    options = parser("Every decoder against broken packets.")
    options.add_argument("--count", type=int, default=20_000, metavar="N", help="packets for each recording")
    options.add_argument("--streams", type=Path, metavar="DIR", help="recordings (default: those of the test data)")
    options.add_argument("--seed", type=int, default=1, metavar="N", help="other packets")
    chosen = options.parse_args(arguments)
    folder: Path = chosen.streams or _test_data.folder() / "streams"
    files = [file for file in sorted(folder.glob("*.rec")) if registry.protocol_of_recording(file.name)]
    if not files:
        print(f"there are no recordings in {folder}: give --streams, or set EASYVTUBER_TEST_DATA", file=sys.stderr)
        return 1
    runs = []
    print(f"{'recording':44} {'datagrams':>10} {'used':>9} {'raised':>7} {'out':>5} {'worst us':>10}")
    for file in files:
        run = Run(file, chosen.seed)
        run.run(chosen.count)
        runs.append(run)
        print(
            f"{file.name:44} {chosen.count:10} {run.accepted:9} {run.exceptions:7} {run.out_of_range:5} "
            f"{run.worst_us:10.0f}",
            flush=True,
        )
    figures = {
        "datagrams": chosen.count * len(runs),
        "exceptions": sum(run.exceptions for run in runs),
        "out_of_range": sum(run.out_of_range for run in runs),
    }
    give(figures, chosen.json)
    return 1 if figures["exceptions"] or figures["out_of_range"] else 0


if __name__ == "__main__":
    sys.exit(main())
