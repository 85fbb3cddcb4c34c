"""Pictures to import: characters over backgrounds, off their place, saved badly; and how far off a result is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.base import Picture
from models.character import fit, load_character
from models.picture_import.checkerboard import Checkerboard

from ..data import data
from .drawn_character import drawn_character

Floats = NDArray[np.float32]

WHITE: Final = (255, 255, 255)
GREEN: Final = (60, 220, 30)
BLACK: Final = (0, 0, 0)


def character(name: str) -> Picture:
    """A whole character: ``nocti``, ``mothlight``, ``drawn``, ``stranded`` or ``lambda`` (from the test data)."""
    if name == "drawn":
        return drawn_character()
    if name == "stranded":
        return stranded_character()
    if name == "lambda":
        content = np.frombuffer(data("models/tha4_student/lambda_00/character.png").read_bytes(), np.uint8)
        return fit(np.asarray(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), np.uint8))
    return load_character(name).picture


def stranded_character() -> Picture:
    """The drawn character with thin strands of hair standing off, some of which enclose gaps."""
    finer = 4
    mask = np.zeros((512 * finer, 512 * finer), np.uint8)
    for turn in range(7):
        start = (200 - 2 * turn) * finer, (150 + 12 * turn) * finer
        middle = (160 - 5 * turn) * finer, (175 + 17 * turn) * finer
        end = (196 - turn) * finer, (215 + 14 * turn) * finer
        points = np.array([start, middle, end], np.int32)
        cv2.polylines(mask, [points], False, 255, round(1.6 * finer), cv2.LINE_AA)
    mask = np.asarray(cv2.bitwise_or(mask, mask[:, ::-1]), np.uint8)
    alpha = cv2.resize(mask, (512, 512), interpolation=cv2.INTER_AREA)
    strands = np.dstack([np.full((512, 512, 3), (60, 90, 140), np.uint8), alpha])
    return np.rint(straight(over_picture(premultiplied(drawn_character()), premultiplied(strands)))).astype(np.uint8)


def premultiplied(picture: Picture) -> Floats:
    """Floats of 0..255, colour times alpha."""
    pixels = picture.astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255.0
    return pixels


def straight(pixels: Floats) -> Floats:
    """Colour divided by alpha again; black where fully transparent."""
    whole = pixels.copy()
    whole[..., :3] *= 255.0 / np.maximum(whole[..., 3:], 1e-3)
    whole[whole[..., 3] < 0.5] = 0
    return np.clip(whole, 0, 255)


def over_picture(top: Floats, below: Floats) -> Floats:
    """One premultiplied picture over another."""
    return np.asarray(top + below * (1.0 - top[..., 3:] / 255.0), np.float32)


def placed(picture: Picture, scale: float, right: int, down: int, height: int, width: int) -> Picture:
    """A character somewhere in a larger transparent picture, ``scale`` times as large."""
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = np.asarray(cv2.resize(premultiplied(picture), size, interpolation=how), np.float32)
    canvas = np.zeros((height, width, 4), np.float32)
    left, top = max(0, right), max(0, down)
    stop_x, stop_y = min(width, right + size[0]), min(height, down + size[1])
    canvas[top:stop_y, left:stop_x] = part[top - down : stop_y - down, left - right : stop_x - right]
    return np.rint(straight(canvas)).astype(np.uint8)


def composed(picture: Picture, background: Floats | tuple[int, int, int]) -> Picture:
    """The picture over a colour or another picture (height, width, 3): opaque BGRA."""
    pixels = premultiplied(picture)
    behind = np.broadcast_to(np.asarray(background, np.float32), (*picture.shape[:2], 3))
    colour = pixels[..., :3] + behind * (1.0 - pixels[..., 3:] / 255.0)
    return np.dstack([np.rint(colour), np.full(picture.shape[:2], 255.0)]).astype(np.uint8)


def checkerboard(height: int, width: int) -> Floats:
    """As drawing programs show transparency."""
    return Checkerboard(16.0, 5.0, 3.0, (255, 255, 255), (204, 204, 204)).paint(height, width)


def gradient(height: int, width: int) -> Floats:
    """From blue above to peach below."""
    down = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None, None]
    top, bottom = np.array((250, 200, 150), np.float32), np.array((180, 220, 255), np.float32)
    return np.asarray(np.broadcast_to(top * (1 - down) + bottom * down, (height, width, 3)), np.float32)


def vignette(height: int, width: int) -> Floats:
    """Bright in the middle, darker all around."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(x / width - 0.5, y / height - 0.4)[..., None]
    return np.asarray(np.array((255, 230, 200), np.float32) - away * np.array((100, 150, 60), np.float32), np.float32)


def scenery(height: int, width: int) -> Floats:
    """Patches of all colours: nothing a figure could be told from."""
    patches = np.random.default_rng(5).integers(0, 255, (20, 20, 3)).astype(np.float32)
    return np.clip(cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC), 0, 255)


BACKGROUNDS: Final[dict[str, Callable[[int, int], Floats | tuple[int, int, int]]]] = {
    "white": lambda height, width: WHITE,
    "green": lambda height, width: GREEN,
    "black": lambda height, width: BLACK,
    "checkerboard": checkerboard,
    "gradient": gradient,
    "vignette": vignette,
    "scenery": scenery,
}


def before(background: str, picture: Picture) -> Picture:
    """The picture over one of the backgrounds."""
    return composed(picture, BACKGROUNDS[background](*picture.shape[:2]))


def compressed(picture: Picture, quality: int) -> Picture:
    """An opaque picture after JPEG."""
    done, content = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., :3]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    decoded = np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)
    return np.dstack([decoded, np.full(decoded.shape[:2], 255, np.uint8)])


def alpha_error(result: Picture, truth: Picture) -> float:
    """Mean difference of alpha, 0..255."""
    return float(np.abs(result[..., 3].astype(np.int16) - truth[..., 3]).mean())


def edge_error(result: Picture, truth: Picture) -> float:
    """Mean difference along the truth's soft edges, over the background where it shows most, 0..255."""
    edge = (truth[..., 3] > 12) & (truth[..., 3] < 243)
    errors = []
    for colour in (BLACK, WHITE, (200, 40, 160)):
        shown = composed(result, colour)[..., :3].astype(np.int16), composed(truth, colour)[..., :3]
        errors.append(np.abs(shown[0] - shown[1]).mean(axis=2))
    return float(np.max(errors, axis=0)[edge].mean())
