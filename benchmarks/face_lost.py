"""A face is lost for ten seconds in a real OBS: how soon the avatar follows again once packets come.

    python3 install_plugin.py bench face_lost [--rounds N] [--hole SECONDS] [--json FILE]

``first_frame_ms_max``: from the first packet after the hole to OBS's first frame with it. ``whole_face_ms_max``: the
same until the tracker's face has all of the say again (it fades in over ``RETURN_S``). The avatar's own life is
switched off, so that a picture with a new time in it is one of the face.
"""

from __future__ import annotations

import sys
import time

from core.pose.mixer import RETURN_S
from core.wire.clock import now_ns

from . import _report
from ._live_obs import LiveObs
from ._packets import Sender, packets

_TRACKED_S, _BACK_LIMIT_S = 3.0, 5.0


def main(arguments: list[str] | None = None) -> int:
    """Measure and report; exit code 1 when the face did not come back."""
    parser = _report.parser(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hole", type=float, default=10.0, metavar="SECONDS", help="how long nothing comes")
    options = parser.parse_args(arguments)
    backs: list[float] = []
    with LiveObs({"idle_strength": 0, "blink": "never", "breath_rate": 0}) as live:
        sender = Sender(live.port, packets(), 30.1)
        try:
            live.place_avatar()
            for _ in range(options.rounds):
                time.sleep(_TRACKED_S)
                sender.close()
                time.sleep(options.hole)
                again = now_ns()
                sender = Sender(live.port, packets(), 30.1)
                back = _first_frame(live, again)
                if back is None:
                    break
                backs.append(back)
        finally:
            sender.close()
        live.close()
    figures = {
        "rounds": len(backs),
        "first_frame_ms_max": round(max(backs, default=0.0), 1),
        "whole_face_ms_max": round(max(backs, default=0.0) + RETURN_S * 1e3, 1),
    }
    _report.give(figures, options.json)
    return 0 if len(backs) == options.rounds else 1


def _first_frame(live: LiveObs, since_ns: int) -> float | None:
    """Milliseconds from ``since_ns`` to OBS's first frame with a later packet in it."""
    until = time.monotonic() + _BACK_LIMIT_S
    while time.monotonic() < until:
        for shown_ns, stamp_ns in live.frames(since=-240):
            if stamp_ns >= since_ns:
                return (shown_ns - since_ns) / 1e6
        time.sleep(0.05)
    return None


if __name__ == "__main__":
    sys.exit(main())
