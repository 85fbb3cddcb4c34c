"""Makes the documentation's pictures anew, in a real OBS: ``python -m tests.obs.make_pictures``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from core.install.obs.process import obs_version
from core.install.virtual_screen import VirtualScreen
from core.wire.folders import PROJECT

from .avatar import SOURCE, Avatar
from .harness import StartObs

PICTURES = PROJECT / "docs" / "pictures"
SIZE = (1280, 720)
_SETTLE_S = 2.5


def evening_sky(width: int, height: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """A calm background: BGR uint8, a sky from violet to orange with two rows of hills."""
    stops = np.array([(92, 38, 45), (150, 74, 110), (150, 130, 235), (140, 190, 255)], np.float32)
    along = np.linspace(0, len(stops) - 1, height)
    rows = np.stack([np.interp(along, range(len(stops)), stops[:, channel]) for channel in range(3)], axis=1)
    sky = np.repeat(rows[:, None], width, axis=1)
    columns = np.arange(width)
    for base, colour, wave in ((0.80, (96, 58, 66), 170.0), (0.90, (62, 36, 44), 110.0)):
        top = height * base + 26 * np.sin(columns / wave) + 14 * np.sin(columns / (wave / 2.7) + 1)
        sky[np.arange(height)[:, None] > top[None, :]] = colour
    return np.asarray(cv2.GaussianBlur(sky, (0, 0), 1.2), np.uint8)


def main() -> None:
    """Start OBS once and take every picture that needs it."""
    with tempfile.TemporaryDirectory() as folder, VirtualScreen(1500, 1200) as screen:
        background = Path(folder) / "evening.png"
        cv2.imwrite(str(background), evening_sky(*SIZE))
        picture = {
            "id": "image_source", "versioned_id": "image_source", "name": "Evening", "enabled": True,
            "settings": {"file": str(background)},
        }  # fmt: skip
        starter = StartObs(screen.display, obs_version(), Path(folder))
        try:
            avatar = Avatar.start(starter, size=SIZE, scenes={"Scene": ["Evening"]}, sources=[picture])
            scripts = avatar.obs.open_scripts()
            scripts.place(20, 40, 940, 1060)
            scripts.select(0)
            time.sleep(_SETTLE_S)
            scripts.desktop.press("Tab")
            scripts.select(0)
            time.sleep(_SETTLE_S)
            scripts.screenshot(PICTURES / "panel.png")
            shot = avatar.obs.screenshot("Scene")
            cv2.imwrite(str(PICTURES / "scene.png"), cv2.cvtColor(shot, cv2.COLOR_RGBA2BGR))
            assert SOURCE in avatar.items()
        finally:
            starter.end_all()


if __name__ == "__main__":
    main()
